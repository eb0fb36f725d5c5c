//! Each objective of the plan, service by service and level by level, against what the real drills of the period gave.

use super::{Case, Dated};
use crate::model::{
    compliance::Objective,
    outcome::{Outcome, Verdict},
    record::{Judged, ObjectiveKind},
    status::{Colour, Status, margin_percent},
    units::Span,
};

/// Every objective, services first.
pub(super) fn objectives(case: &Case<'_>) -> Vec<Objective> {
    let plan = case.inputs.plan;
    let services = plan.services.iter().map(|(name, one)| (format!("service {name}"), one.rto, one.rpo));
    let levels = plan.levels.iter().map(|(number, one)| (format!("level {number}"), one.rto, one.rpo));
    let kinds = |(whose, rto, rpo): (String, Span, Span)| {
        [(whose.clone(), ObjectiveKind::Rto, rto), (whose, ObjectiveKind::Rpo, rpo)]
    };
    services.chain(levels).flat_map(kinds).map(|(whose, kind, limit)| objective(case, whose, kind, limit)).collect()
}

fn objective(case: &Case<'_>, whose: String, kind: ObjectiveKind, limit: Span) -> Objective {
    let mut one = Objective {
        whose,
        objective: kind,
        limit,
        met: 0,
        missed: 0,
        unmeasured: 0,
        stale: 0,
        worst: None,
        worst_in: None,
        margin_percent: None,
        status: Status::Untested,
        standing: Colour::Grey,
    };
    let (mut shown, mut wrong): (Vec<(&Dated<'_>, &Judged)>, bool) = (Vec::new(), false);
    for drill in case.evidence() {
        for judged in drill.summary().objectives.iter().filter(|j| j.whose == one.whose && j.objective == kind) {
            let counts = match judged.verdict {
                Verdict::Missed => (&mut one.missed, true),
                // A result that is none makes no verdict of its parts.
                _ if !drill.is_conclusive() => (&mut one.unmeasured, false),
                Verdict::Inconclusive => (&mut one.unmeasured, false),
                // A limit that was held with wrong data was not held. Of several services a summary does not say whose.
                Verdict::Met if is_wrong(drill) => match drill.summary().services.len() {
                    0 | 1 => (&mut one.missed, true),
                    _ => (&mut one.unmeasured, false),
                },
                Verdict::Met if judged.actual.is_none() => (&mut one.unmeasured, false),
                Verdict::Met if !case.is_of_this_plan(drill) => (&mut one.stale, false),
                Verdict::Met => (&mut one.met, true),
            };
            *counts.0 += 1;
            if counts.1 {
                wrong |= judged.verdict == Verdict::Met && is_wrong(drill);
                shown.push((drill, judged));
            }
        }
    }
    worst(&mut one, &shown);
    one.status = if wrong { Status::IntegrityFailed } else { status(&one) };
    one.standing = one.status.colour();
    one
}

fn is_wrong(drill: &Dated<'_>) -> bool {
    drill.summary().outcome == Some(Outcome::SilentlyWrong)
}

/// A drill after which nothing was back is the worst; then the greatest actual.
fn worst(one: &mut Objective, shown: &[(&Dated<'_>, &Judged)]) {
    let rank = |judged: &Judged| judged.actual.map_or(u64::MAX, |actual| actual.total_ms());
    let Some((drill, judged)) = shown.iter().max_by_key(|(_, judged)| rank(judged)) else { return };
    one.worst = judged.actual;
    one.worst_in = Some(drill.summary().scenario.clone());
    let actual = judged.actual.filter(|actual| !actual.is_redacted());
    one.margin_percent = actual.map(|actual| margin_percent(actual.total_ms(), one.limit.millis()));
}

fn status(one: &Objective) -> Status {
    match one {
        Objective { missed: 1.., .. } => Status::Missed,
        Objective { met: 0, stale: 1.., .. } => Status::Stale,
        Objective { met: 0, unmeasured: 1.., .. } => Status::Unmeasured,
        Objective { met: 0, .. } => Status::Untested,
        Objective { unmeasured: 1.., .. } => Status::Partial,
        Objective { margin_percent: None, .. } => Status::MarginUnknown,
        Objective { margin_percent: Some(percent), .. } => Status::of_margin(*percent),
    }
}
