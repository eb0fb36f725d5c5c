//! Each objective of the plan, service by service and level by level, against what the real drills of the period gave.

use super::{Case, Dated};
use crate::model::{
    compliance::{Objective, Standing},
    outcome::Verdict,
    record::{Judged, ObjectiveKind},
    units::Span,
};

/// What must be left of a limit for green, in percent.
const ROOM: i64 = 20;

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
        standing: Standing::Grey,
    };
    let mut shown: Vec<(&Dated<'_>, &Judged)> = Vec::new();
    for drill in case.evidence() {
        for judged in drill.summary().objectives.iter().filter(|j| j.whose == one.whose && j.objective == kind) {
            match judged.verdict {
                Verdict::Missed => one.missed += 1,
                // A result that is none makes no verdict of its parts.
                _ if !drill.is_conclusive() => one.unmeasured += 1,
                Verdict::Inconclusive => one.unmeasured += 1,
                Verdict::Met if judged.actual.is_none() => one.unmeasured += 1,
                Verdict::Met if !case.is_of_this_plan(drill) => one.stale += 1,
                Verdict::Met => one.met += 1,
            }
            let counts = judged.verdict == Verdict::Missed
                || (judged.verdict == Verdict::Met && drill.is_conclusive() && case.is_of_this_plan(drill));
            if counts {
                shown.push((drill, judged));
            }
        }
    }
    worst(&mut one, &shown);
    one.standing = standing(&one);
    one
}

/// A drill after which nothing was back is the worst; then the greatest actual.
fn worst(one: &mut Objective, shown: &[(&Dated<'_>, &Judged)]) {
    let rank = |judged: &Judged| judged.actual.map_or(u64::MAX, |actual| actual.total_ms());
    let Some((drill, judged)) = shown.iter().max_by_key(|(_, judged)| rank(judged)) else { return };
    one.worst = judged.actual;
    one.worst_in = Some(drill.summary().scenario.clone());
    let actual = judged.actual.filter(|actual| !actual.is_redacted());
    one.margin_percent = actual.map(|actual| margin(actual.total_ms(), one.limit.millis()));
}

/// What is left of a limit in percent, rounded down; of a limit of nothing all or nothing.
fn margin(actual: u64, limit: u64) -> i64 {
    let (actual, limit) = (i128::from(actual), i128::from(limit));
    let percent = match limit {
        0 if actual == 0 => 100,
        0 => -100,
        _ => ((limit - actual) * 100).div_euclid(limit),
    };
    percent.clamp(-999_999, 100) as i64
}

fn standing(one: &Objective) -> Standing {
    match one {
        Objective { missed: 1.., .. } => Standing::Red,
        Objective { met: 0, .. } => Standing::Grey,
        Objective { unmeasured: 0, margin_percent: Some(ROOM..), .. } => Standing::Green,
        _ => Standing::Amber,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_margin_is_rounded_down_and_never_overflows() {
        let margins = [(80, 100), (81, 100), (100, 100), (1_001, 1_000), (0, 0), (1, 0), (u64::MAX, 1)];
        assert_eq!(margins.map(|(a, l)| margin(a, l)), [20, 19, 0, -1, 100, -100, -999_999]);
    }
}
