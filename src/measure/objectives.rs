//! Objectives against actuals: the service's and the level's, RTO and RPO of each.

use super::{rpo, rto, story::Story};
use crate::model::{
    outcome::Verdict,
    plan::Plan,
    record::{Exposure, Judged, ObjectiveKind, Timeline},
    scenario::Scenario,
    time::Elapsed,
    units::Span,
    words,
};

/// What a drill shows about one objective.
#[derive(Debug)]
pub(super) struct Judgement {
    actual: Option<Elapsed>,
    verdict: Verdict,
    why: Option<String>,
}

impl Judgement {
    /// The actual is there: it is within the limit, or over it.
    pub(super) fn against(kind: ObjectiveKind, actual: Elapsed, limit: Span) -> Self {
        match actual.total_ms() <= limit.millis() {
            true => Judgement { actual: Some(actual), verdict: Verdict::Met, why: None },
            false => Judgement::missed(Some(actual), over(kind, actual, limit)),
        }
    }

    /// It is missed whatever the actual.
    pub(super) fn missed(actual: Option<Elapsed>, why: String) -> Self {
        Judgement { actual, verdict: Verdict::Missed, why: Some(why) }
    }

    /// It cannot be judged.
    pub(super) fn unknown(why: impl Into<String>) -> Self {
        Judgement { actual: None, verdict: Verdict::Inconclusive, why: Some(why.into()) }
    }
}

/// An actual over its limit, in words with numbers. A number that depends on a measured one says so, and is redacted
/// with it.
pub(super) fn over(kind: ObjectiveKind, actual: Elapsed, limit: Span) -> String {
    let by = words::duration(actual.total_ms().saturating_sub(limit.millis()));
    let by = match (actual.is_redacted(), actual.measured_ms) {
        (true, _) => "[measured]".into(),
        (false, Some(_)) => format!("{by} measured"),
        (false, None) => by,
    };
    let name = match kind {
        ObjectiveKind::Rto => "RTA",
        ObjectiveKind::Rpo => "RPA",
    };
    format!("{name} is {actual}, over the {} of {limit} by {by}", kind.words())
}

/// Judges all objectives of the drill's service and level; service first. One that the plan does not state is not there.
pub(super) fn judge(
    story: &Story<'_>,
    timeline: &Timeline,
    exposure: &Exposure,
    plan: &Plan,
    scenario: &Scenario,
) -> Vec<Judged> {
    let service = plan.services.get(&scenario.service).map(|s| (format!("service {}", scenario.service), s.rto, s.rpo));
    let level =
        plan.levels.get(&scenario.level.to_string()).map(|l| (format!("level {}", scenario.level), l.rto, l.rpo));
    let mut judged = Vec::new();
    for (whose, rto_limit, rpo_limit) in service.into_iter().chain(level) {
        let of_rto = (ObjectiveKind::Rto, rto_limit, rto::judge(story, timeline.t5, rto_limit));
        let of_rpo = (ObjectiveKind::Rpo, rpo_limit, rpo::judge(story, exposure.rpa, rpo_limit));
        for (objective, limit, Judgement { actual, verdict, why }) in [of_rto, of_rpo] {
            judged.push(Judged { whose: whose.clone(), objective, limit, actual, verdict, why });
        }
    }
    judged
}

/// The service's own objective of that kind.
pub(super) fn of_service(judged: &[Judged], kind: ObjectiveKind) -> Option<&Judged> {
    judged.iter().find(|j| j.objective == kind && j.whose.starts_with("service "))
}

/// The objectives together: missed where one is, inconclusive where one, or all, could not be judged.
pub(super) fn together(judged: &[Judged]) -> Verdict {
    let any = |verdict| judged.iter().any(|j| j.verdict == verdict);
    match () {
        () if any(Verdict::Missed) => Verdict::Missed,
        () if any(Verdict::Inconclusive) || judged.is_empty() => Verdict::Inconclusive,
        () => Verdict::Met,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{record, testing::Drill};

    fn verdicts(drill: &Drill) -> Vec<(ObjectiveKind, Verdict)> {
        record(drill.inputs()).objectives.iter().map(|j| (j.objective, j.verdict)).collect()
    }

    #[test]
    fn nothing_restored_misses_every_objective_and_says_why() {
        for drill in [Drill::refused(true), Drill::refused(false), Drill::hung()] {
            assert!(verdicts(&drill).iter().all(|(_, verdict)| *verdict == Verdict::Missed));
        }
        let whys = record(Drill::refused(true).inputs()).objectives.into_iter().filter_map(|j| j.why);
        insta::assert_snapshot!(whys.collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn wrong_data_misses_the_rpo_however_young_it_is() {
        let judged = record(Drill::silently_wrong().inputs()).objectives;
        let rpo = of_service(&judged, ObjectiveKind::Rpo).unwrap();
        assert!(rpo.actual.unwrap().total_ms() < rpo.limit.millis());
        assert_eq!(rpo.verdict, Verdict::Missed);
        insta::assert_snapshot!(rpo.why.clone().unwrap());
    }

    #[test]
    fn a_recovery_that_was_not_compared_judges_nothing() {
        let judged = verdicts(&Drill::control().without_comparison());
        assert!(judged.iter().all(|(_, verdict)| *verdict == Verdict::Inconclusive), "{judged:?}");
    }

    #[test]
    fn service_and_level_are_judged_each_by_its_own_limit() {
        // Level 2 promises an RPO of 1 h in the test plan, the service one of 24 h.
        let judged = verdicts(&Drill::control());
        let (rto, rpo) = (ObjectiveKind::Rto, ObjectiveKind::Rpo);
        let (met, missed) = (Verdict::Met, Verdict::Missed);
        assert_eq!(judged, [(rto, met), (rpo, met), (rto, met), (rpo, missed)]);
    }
}
