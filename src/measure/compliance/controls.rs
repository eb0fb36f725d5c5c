//! Controls of standards, each with the kind of evidence that speaks for it. Where the period holds none of that kind,
//! that is said; where it does, the evidence supports the control, or a part of it. A drill that fails shows that tests are
//! done: where a control asks for more than that, it is said that what it asks for was not reached. Whether a control is
//! met is for an auditor to say.
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
    /// That a disruption is got through: drills that came to a result, and none failed.
    Continuity,
    /// That backups can be restored: restore tests, and no drill after which nothing was back, or what was wrong.
    Restore,
    /// That recovery holds its objectives: verdicts on them, and none missed.
    Objectives,
    /// That what was found is followed up: findings with an owner and a due day.
    FollowUp,
}

/// Framework, control, what it asks for, what shows it, whether only a part of it, whether to confirm it.
type Line = (&'static str, &'static str, &'static str, Shows, Support, bool);

use Shows::{Continuity, Exercise, FollowUp, Objectives, Restore};
use Support::{Partly, Supports};

const CONTROLS: &[Line] = &[
    ("SOC 2", "A1.2", "backup processes and recovery infrastructure", Restore, Partly, false),
    ("SOC 2", "A1.3", "tests of the recovery plan", Exercise, Supports, false),
    ("ISO/IEC 27001:2022", "A.5.29", "information security during disruption", Continuity, Partly, true),
    ("ISO/IEC 27001:2022", "A.5.30", "ICT readiness for business continuity", Objectives, Supports, false),
    ("ISO/IEC 27001:2022", "A.8.13", "information backup", Restore, Supports, false),
    ("ISO/IEC 27001:2022", "A.8.14", "redundancy of information processing", Continuity, Partly, true),
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
    ("NIST CSF 2.0", "RC.RP-06", "end of recovery is declared", Continuity, Partly, false),
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
    ("전자금융감독규정", "23", "business continuity", Continuity, Partly, true),
    ("전자금융감독규정", "24", "emergency response drills", Exercise, Partly, true),
];

/// Every control, with the evidence of this period.
pub(super) fn controls(case: &Case<'_>, objectives: &[Objective], findings: &[Tracked]) -> Vec<Control> {
    let exercises = exercises(case);
    let exercise = exercises.clone().map(|found| Found { reached: true, ..found });
    let [restore, measured, followed] = [restores(case), measured(objectives), followed(findings)];
    let of = |shows| match shows {
        Exercise => &exercise,
        Continuity => &exercises,
        Restore => &restore,
        Objectives => &measured,
        FollowUp => &followed,
    };
    let control = |(framework, id, asks, shows, support, confirm): &Line| {
        let found = of(*shows).as_ref();
        Control {
            framework: (*framework).into(),
            id: (*id).into(),
            asks: (*asks).into(),
            support: found.map(|found| if found.reached { *support } else { Support::NotReached }),
            evidence: found.map_or("no evidence in this period", |found| &found.said).into(),
            confirm: *confirm,
        }
    };
    CONTROLS.iter().map(control).collect()
}

/// Evidence of one kind.
#[derive(Debug, Clone)]
struct Found {
    said: String,
    /// Whether all of it shows what it is to show.
    reached: bool,
}

fn exercises(case: &Case<'_>) -> Option<Found> {
    let drills: Vec<&Dated<'_>> = case.evidence().filter(|drill| drill.is_conclusive()).collect();
    let failed = drills.iter().filter(|drill| drill.summary().result == DrillResult::Fail).count();
    let said = || format!("{} with a result, {failed} failed", words::count(drills.len() as u64, "drill"));
    (!drills.is_empty()).then(|| Found { said: said(), reached: failed == 0 })
}

/// A drill of several services is a restore test of each, as in the table of restore tests.
fn restores(case: &Case<'_>) -> Option<Found> {
    let services = |drill: &Dated<'_>| {
        drill.summary().services.iter().filter(|name| case.inputs.plan.services.contains_key(*name)).count() as u64
    };
    let (mut tests, mut drills, mut not_back) = (0, 0, 0);
    for drill in case.evidence().filter(|drill| drill.is_conclusive()) {
        match drill.is_restore_test() {
            true => (tests, drills) = (tests + services(drill), drills + 1),
            false => not_back += 1,
        }
    }
    let (tested, played) = (words::count(tests, "restore test"), words::count(drills, "drill"));
    let said = format!("{tested} in {played}, compared with the ledger; not back, or wrong, in {not_back}");
    (tests + not_back > 0).then_some(Found { said, reached: not_back == 0 })
}

fn measured(objectives: &[Objective]) -> Option<Found> {
    let count = |of: fn(&Objective) -> u64| objectives.iter().map(of).sum::<u64>();
    let (met, missed) = (count(|one| one.met), count(|one| one.missed));
    let said = || format!("{} of objectives: {met} met, {missed} missed", words::count(met + missed, "verdict"));
    (met + missed > 0).then(|| Found { said: said(), reached: missed == 0 })
}

fn followed(findings: &[Tracked]) -> Option<Found> {
    let assigned = findings.iter().filter(|one| one.action.is_some()).count();
    let closed = findings.iter().filter(|one| one.closed_at.is_some()).count();
    let all = words::count(findings.len() as u64, "finding");
    let said = || format!("{all}: {assigned} with an action, {closed} closed by a retest");
    (assigned + closed > 0).then(|| Found { said: said(), reached: true })
}
