//! Objectives against actuals: the service's and the level's, RTO and RPO of each.

use super::{Part, rpo, rto, story::Story};
use crate::model::{
    outcome::Verdict,
    plan::Plan,
    record::{Exposure, Judged, ObjectiveKind, Timeline},
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

/// Judges a service's own objectives. What the plan does not state is not there.
pub(super) fn of_one(
    story: &Story<'_>,
    timeline: &Timeline,
    exposure: &Exposure,
    plan: &Plan,
    name: &str,
) -> Vec<Judged> {
    let Some(service) = plan.services.get(name) else { return Vec::new() };
    let whose = format!("service {name}");
    vec![
        judged(&whose, ObjectiveKind::Rto, service.rto, rto::judge(story, timeline.t5, service.rto)),
        judged(&whose, ObjectiveKind::Rpo, service.rpo, rpo::judge(story, exposure.rpa, service.rpo)),
    ]
}

/// Judges the objectives of a level by all services together: each must hold them.
pub(super) fn of_level(parts: &[Part<'_>], plan: &Plan, level: u8) -> Vec<Judged> {
    let Some(stated) = plan.levels.get(&level.to_string()) else { return Vec::new() };
    let whose = format!("level {level}");
    let rto = parts.iter().map(|part| (part, rto::judge(&part.story, part.record.timeline.t5, stated.rto)));
    let rpo = parts.iter().map(|part| (part, rpo::judge(&part.story, part.record.exposure.rpa, stated.rpo)));
    vec![
        judged(&whose, ObjectiveKind::Rto, stated.rto, gravest(rto.collect())),
        judged(&whose, ObjectiveKind::Rpo, stated.rpo, gravest(rpo.collect())),
    ]
}

fn judged(whose: &str, objective: ObjectiveKind, limit: Span, judgement: Judgement) -> Judged {
    let Judgement { actual, verdict, why } = judgement;
    Judged { whose: whose.to_owned(), objective, limit, actual, verdict, why }
}

/// What several services show about one objective: a miss before what is unknown before what is met, and of those the
/// one with the greatest actual; none counts as the greatest.
fn gravest(all: Vec<(&Part<'_>, Judgement)>) -> Judgement {
    let several = all.len() > 1;
    let rank = |judgement: &Judgement| {
        let grave = match judgement.verdict {
            Verdict::Missed => 2,
            Verdict::Inconclusive => 1,
            Verdict::Met => 0,
        };
        (grave, judgement.actual.map_or(u64::MAX, |actual| actual.total_ms()))
    };
    let worst = all.into_iter().rev().max_by_key(|(_, judgement)| rank(judgement));
    let Some((part, mut judgement)) = worst else { return Judgement::unknown("no service was drilled") };
    if several {
        judgement.why = judgement.why.map(|why| format!("{}: {why}", part.record.service));
    }
    judgement
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
