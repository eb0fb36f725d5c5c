//! The status of what was drilled, from its record: one function a thing, so that no two reports say it differently.
//! The rule itself is `model::status`.

use std::collections::BTreeMap;

use crate::model::{
    outcome::{DrillResult, Outcome, Verdict},
    record::{Judged, Record, ServiceRecord},
    status::{Colour, Status, margin_percent, together},
};

/// Whether what came back was held against the ledger, and stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Integrity {
    /// The ledger contradicts it, or a check failed.
    Failed,
    /// Nothing was compared, or a check could not run.
    Unknown,
    /// Compared in full, as claimed, and every check passed.
    Passed,
}

impl Integrity {
    /// That of one service.
    pub(crate) fn of(service: &ServiceRecord) -> Self {
        let compared = service.comparison.as_ref().map(|found| {
            found.as_claimed && found.holes == 0 && found.altered == 0 && found.extra == 0 && found.resurrected == 0
        });
        // A check that ran again counts by its last answer.
        let last: BTreeMap<&str, Option<bool>> =
            service.checks.iter().map(|check| (check.check.as_str(), check.passed)).collect();
        let passed = last.values().all(|passed| *passed == Some(true)) && service.timeline.t5.is_some();
        match compared {
            Some(false) => Integrity::Failed,
            _ if last.values().any(|passed| *passed == Some(false)) => Integrity::Failed,
            Some(true) if passed => Integrity::Passed,
            _ => Integrity::Unknown,
        }
    }

    /// That of the service which an objective is of: `service database`; of all of them together for a level.
    fn behind(record: &Record, judged: &Judged) -> Self {
        let named = judged.whose.strip_prefix("service ");
        let of = record.services.iter().filter(|one| named.is_none_or(|name| one.service == name));
        of.map(Integrity::of).min().unwrap_or(Integrity::Unknown)
    }
}

/// The status of one objective of a drill.
pub(crate) fn objective(record: &Record, judged: &Judged) -> Status {
    let integrity = Integrity::behind(record, judged);
    match (judged.verdict, judged.actual) {
        _ if integrity == Integrity::Failed => Status::IntegrityFailed,
        (Verdict::Missed, _) => Status::Missed,
        (Verdict::Inconclusive, _) | (Verdict::Met, None) => Status::Unmeasured,
        (Verdict::Met, Some(_)) if integrity == Integrity::Unknown => Status::Unmeasured,
        (Verdict::Met, Some(actual)) if actual.is_redacted() => Status::MarginUnknown,
        (Verdict::Met, Some(actual)) => Status::of_margin(margin_percent(actual.total_ms(), judged.limit.millis())),
    }
}

/// The status of one service of a drill: its own objectives; untested where the drill is not about it.
pub(crate) fn service(record: &Record, name: &str) -> Status {
    let own = |judged: &&Judged| judged.whose.strip_prefix("service ") == Some(name);
    of_drill(record, record.objectives.iter().filter(own))
}

/// The status of a drill's level: the level's objectives.
pub(crate) fn level(record: &Record) -> Status {
    of_drill(record, record.objectives.iter().filter(|judged| judged.whose.starts_with("level ")))
}

/// The status of a drill: all of its objectives together, and how it ended.
pub(crate) fn drill(record: &Record) -> Status {
    let status = of_drill(record, record.objectives.iter());
    match record.result.result {
        _ if record.result.outcome == Some(Outcome::SilentlyWrong) => Status::IntegrityFailed,
        DrillResult::Fail if status.colour() != Colour::Red => Status::Failed,
        DrillResult::Inconclusive if status == Status::Untested => Status::Inconclusive,
        DrillResult::Interrupted | DrillResult::NotExecuted if status == Status::Untested => Status::NotPlayed,
        _ => status,
    }
}

/// Objectives of a drill together. What a drill without a result seems to show is no green.
fn of_drill<'a>(record: &Record, objectives: impl Iterator<Item = &'a Judged>) -> Status {
    let mut any = false;
    let status = together(objectives.inspect(|_| any = true).map(|judged| objective(record, judged)));
    match record.result.result {
        _ if !any || status.colour() == Colour::Red => status,
        DrillResult::Inconclusive => Status::Inconclusive,
        DrillResult::Interrupted | DrillResult::NotExecuted => Status::NotPlayed,
        DrillResult::Pass | DrillResult::Fail => status,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        measure::{record, testing::Drill},
        model::{record::ObjectiveKind, time::Elapsed, units::Span},
    };

    fn drilled(drill: Drill) -> Record {
        record(drill.inputs())
    }

    /// The same with those of its objectives alone that are not missed.
    fn held(mut record: Record) -> Record {
        record.objectives.retain(|judged| judged.verdict != Verdict::Missed);
        record
    }

    /// A drill whose objectives are all met.
    fn whole() -> Record {
        held(drilled(Drill::control()))
    }

    /// The control drill with an RPO of that many hours, of which so many minutes are used.
    fn with_actual(minutes: u64) -> Status {
        let mut record = drilled(Drill::control());
        let judged = Judged {
            whose: "service database".into(),
            objective: ObjectiveKind::Rpo,
            limit: Span::hours(1),
            actual: Some(Elapsed::scenario(Span::minutes(minutes).millis())),
            verdict: if minutes <= 60 { Verdict::Met } else { Verdict::Missed },
            why: None,
        };
        record.objectives = vec![judged];
        drill(&record)
    }

    #[test]
    fn green_needs_a_fifth_of_the_limit_to_spare() {
        assert_eq!([48, 49, 60, 61].map(with_actual), [Status::Met, Status::Thin, Status::Thin, Status::Missed]);
        let mut none = drilled(Drill::control());
        none.objectives[0].limit = Span::ZERO;
        none.objectives[0].actual = Some(Elapsed::default());
        assert_eq!(objective(&none, &none.objectives[0]), Status::Met, "nothing of nothing was used");
    }

    #[test]
    fn green_needs_the_data_compared_and_every_check_passed() {
        let whole = whole();
        assert_eq!(Integrity::of(&whole.services[0]), Integrity::Passed);
        let change = |change: fn(&mut ServiceRecord)| {
            let mut record = whole.clone();
            change(&mut record.services[0]);
            drill(&record)
        };
        assert_eq!(change(|one| one.comparison = None), Status::Unmeasured);
        assert_eq!(change(|one| one.checks[0].passed = None), Status::Unmeasured);
        assert_eq!(change(|one| one.timeline.t5 = None), Status::Unmeasured);
        assert_eq!(change(|one| one.checks[0].passed = Some(false)), Status::IntegrityFailed);
        assert_eq!(change(|one| one.comparison.as_mut().unwrap().extra = 1), Status::IntegrityFailed);
        assert_eq!(change(|one| one.comparison.as_mut().unwrap().as_claimed = false), Status::IntegrityFailed);
    }

    #[test]
    fn what_nobody_knows_is_grey_and_never_green() {
        let toothless = held(drilled(Drill::toothless()));
        let ends = [toothless, drilled(Drill::never_steady()), drilled(Drill::interrupted())];
        assert_eq!(ends.map(|record| drill(&record)), [Status::Inconclusive, Status::NotPlayed, Status::NotPlayed]);
        assert_eq!(service(&drilled(Drill::control()), "files"), Status::Untested);
    }

    #[test]
    fn a_drill_that_passes_as_a_test_stays_red_where_it_misses_an_objective() {
        let refused = drilled(Drill::refused(true));
        assert_eq!((refused.result.result, drill(&refused)), (DrillResult::Pass, Status::Missed));
        assert_eq!(drill(&drilled(Drill::silently_wrong())), Status::IntegrityFailed);
        assert_eq!(drill(&drilled(Drill::late())), Status::Missed);
        let mut unexpected = whole();
        unexpected.result.result = DrillResult::Fail;
        assert_eq!(drill(&unexpected), Status::Failed);
    }

    #[test]
    fn a_margin_that_was_taken_out_is_said_to_be_unknown() {
        let mut record = whole();
        record.redact_measured();
        assert_eq!(objective(&record, &record.objectives[0]), Status::MarginUnknown);
    }
}
