//! Controls of standards, each with the kind of evidence that speaks for it. Where the period holds none of that kind,
//! that is said; where it does, the evidence supports the control, or a part of it. Whether a control is met is for an
//! auditor to say.
//!
//! Those that were seen in paraphrase alone are marked to be confirmed (docs/compliance.md).

use super::{Case, Dated};
use crate::model::{
    compliance::{Control, Objective, Support, Tracked},
    outcome::DrillResult,
    words,
};

/// What the drills of a period can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shows {
    /// That plans are exercised: drills that came to a result, whatever it is.
    Exercise,
    /// That backups can be restored: restore tests.
    Restore,
    /// That recovery is measured against objectives, whatever came of it.
    Objectives,
    /// That what was found is followed up: findings with an owner and a due day.
    FollowUp,
}

/// Framework, control, what it asks for, what shows it, whether only a part of it, whether to confirm it.
type Line = (&'static str, &'static str, &'static str, Shows, Support, bool);

use Shows::{Exercise, FollowUp, Objectives, Restore};
use Support::{Partly, Supports};

const CONTROLS: &[Line] = &[
    ("SOC 2", "A1.2", "backup processes and recovery infrastructure", Restore, Partly, false),
    ("SOC 2", "A1.3", "tests of the recovery plan", Exercise, Supports, false),
    ("ISO/IEC 27001:2022", "A.5.29", "information security during disruption", Exercise, Partly, true),
    ("ISO/IEC 27001:2022", "A.5.30", "ICT readiness for business continuity", Objectives, Supports, false),
    ("ISO/IEC 27001:2022", "A.8.13", "information backup", Restore, Supports, false),
    ("ISO/IEC 27001:2022", "A.8.14", "redundancy of information processing", Exercise, Partly, true),
    ("ISO 22301", "8.5", "exercise programme", Exercise, Supports, true),
    ("ISO/IEC 27031:2025", "-", "ICT readiness for business continuity", Objectives, Partly, true),
    ("NIST SP 800-34r1", "3.5", "testing, training and exercises", Exercise, Supports, false),
    ("NIST SP 800-34r1", "4.4", "recovery phase", Restore, Supports, false),
    ("NIST SP 800-84", "6.5", "evaluation of a test", FollowUp, Supports, false),
    ("NIST SP 800-53", "CP-4(3)(4)", "contingency plan testing", Exercise, Supports, false),
    ("NIST SP 800-53", "CP-9(2)", "test restoration using sampling", Restore, Supports, false),
    ("NIST SP 800-53", "CP-10", "system recovery and reconstitution", Objectives, Supports, false),
    ("NIST CSF 2.0", "PR.DS-11", "backups are created, protected and tested", Restore, Supports, false),
    ("NIST CSF 2.0", "RC.RP-03", "integrity of backups before restoration", Restore, Supports, false),
    ("NIST CSF 2.0", "RC.RP-05", "integrity of restored assets", Restore, Supports, false),
    ("NIST CSF 2.0", "RC.RP-06", "end of recovery is declared", Exercise, Partly, false),
    ("DORA", "11(6)", "tests of continuity and recovery plans", Exercise, Supports, false),
    ("DORA", "12(2)", "backup and restoration procedures are tested", Restore, Supports, false),
    ("DORA", "12(3)", "restoration in a segregated environment", Restore, Partly, false),
    ("DORA", "12(6)", "recovery time and recovery point objectives", Objectives, Supports, false),
    ("DORA", "12(7)", "checks of recovered data", Restore, Supports, false),
    ("RTS (EU) 2024/1774", "25", "testing of continuity plans", Exercise, Supports, false),
    ("HIPAA", "164.308(a)(7)(ii)(A)", "data backup plan", Restore, Supports, false),
    ("HIPAA", "164.308(a)(7)(ii)(B)", "disaster recovery plan", Restore, Supports, false),
    ("HIPAA", "164.308(a)(7)(ii)(D)", "testing and revision", Exercise, Supports, false),
    ("PCI DSS", "12.10.2", "the incident response plan is tested", Exercise, Partly, false),
    ("FFIEC BCM", "VII.K", "post-exercise and test reports", FollowUp, Supports, false),
    ("ISMS-P", "2.9.3", "backup and recovery management", Restore, Supports, false),
    ("ISMS-P", "2.12.1", "safety against disasters", Objectives, Supports, false),
    ("ISMS-P", "2.12.2", "disaster recovery tests and improvement", Exercise, Supports, false),
    ("전자금융감독규정", "23", "business continuity", Exercise, Partly, true),
    ("전자금융감독규정", "24", "emergency response drills", Exercise, Partly, true),
];

/// Every control, with the evidence of this period.
pub(super) fn controls(case: &Case<'_>, objectives: &[Objective], findings: &[Tracked]) -> Vec<Control> {
    let [exercise, restore, measured, followed] =
        [exercises(case), restores(case), measured(objectives), followed(findings)];
    let of = |shows| match shows {
        Exercise => &exercise,
        Restore => &restore,
        Objectives => &measured,
        FollowUp => &followed,
    };
    let control = |(framework, id, asks, shows, support, confirm): &Line| {
        let evidence = of(*shows);
        Control {
            framework: (*framework).into(),
            id: (*id).into(),
            asks: (*asks).into(),
            support: evidence.is_some().then_some(*support),
            evidence: evidence.clone().unwrap_or_else(|| "no evidence in this period".into()),
            confirm: *confirm,
        }
    };
    CONTROLS.iter().map(control).collect()
}

fn exercises(case: &Case<'_>) -> Option<String> {
    let drills: Vec<&Dated<'_>> = case.evidence().filter(|drill| drill.is_conclusive()).collect();
    let failed = drills.iter().filter(|drill| drill.summary().result == DrillResult::Fail).count();
    (!drills.is_empty())
        .then(|| format!("{} with a result, {failed} failed", words::count(drills.len() as u64, "drill")))
}

fn restores(case: &Case<'_>) -> Option<String> {
    let tests = case.evidence().filter(|drill| drill.is_restore_test()).count() as u64;
    (tests > 0).then(|| format!("{}, compared with the ledger", words::count(tests, "restore test")))
}

fn measured(objectives: &[Objective]) -> Option<String> {
    let count = |of: fn(&Objective) -> u64| objectives.iter().map(of).sum::<u64>();
    let (met, missed) = (count(|one| one.met), count(|one| one.missed));
    (met + missed > 0)
        .then(|| format!("{} of objectives: {met} met, {missed} missed", words::count(met + missed, "verdict")))
}

fn followed(findings: &[Tracked]) -> Option<String> {
    let assigned = findings.iter().filter(|one| one.action.is_some()).count();
    let closed = findings.iter().filter(|one| one.closed_at.is_some()).count();
    let all = words::count(findings.len() as u64, "finding");
    (assigned + closed > 0).then(|| format!("{all}: {assigned} with an action, {closed} closed by a retest"))
}
