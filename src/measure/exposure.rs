//! Three figures that are often taken for each other: the newest backup's age, what was measured to be lost, and the
//! most that the schedule lets be lost.

use jiff::Timestamp;

use super::{rpo, story::Story};
use crate::model::{plan::Plan, record::Exposure, scenario::Scenario, time::Elapsed, units::Span};

/// The figures of one drill.
pub(super) fn exposure(story: &Story<'_>, plan: &Plan, scenario: &Scenario, service: &str) -> Exposure {
    let newest = story.backups().filter_map(|(at, _)| at).max();
    Exposure {
        backup_age: newest.and_then(|made| between(made, story.t0?)),
        rpa: rpo::actual(story),
        worst_case: interval(plan, scenario, service).and_then(|every| worst_case(story, every)),
    }
}

/// Scenario time from `earlier` to `later`; nothing where it runs backwards.
pub(super) fn between(earlier: Timestamp, later: Timestamp) -> Option<Elapsed> {
    u64::try_from(later.duration_since(earlier).as_millis()).ok().map(Elapsed::scenario)
}

/// Backup interval and the longest backup: a disaster just before a backup ends loses all since the one before began.
fn worst_case(story: &Story<'_>, interval: Span) -> Option<Elapsed> {
    let longest = story.backups().map(|(_, made)| made.took).max_by_key(Elapsed::total_ms)?;
    Some(Elapsed::assumed(interval).plus(longest))
}

/// Longest time of a service's schedule between two copies of its data: pieces of its change stream, or backups. `None`
/// where commands keep changes between the backups: how often is theirs, and not in the plan.
pub(super) fn interval(plan: &Plan, scenario: &Scenario, service: &str) -> Option<Span> {
    let service = plan.services.get(service)?;
    let stream = scenario.history.stream.or(service.backup.stream);
    let is_continuous = service.pipeline.as_ref().is_some_and(|commands| commands.continuous);
    stream.or_else(|| (!is_continuous).then(|| service.backup.every.interval()))
}

#[cfg(test)]
mod tests {
    use crate::{
        measure::{record, testing::Drill},
        model::units::Span,
    };

    #[test]
    fn age_loss_and_worst_case_are_three_figures() {
        let exposure = record(Drill::corrupt_latest().inputs()).services.remove(0).exposure;
        // Backups at 03:00, disaster at 12:00, the newest is refused; the last write is an hour before its backup.
        assert_eq!(exposure.backup_age.unwrap().scenario_ms, Some(Span::hours(9).millis()));
        assert_eq!(exposure.rpa.unwrap().scenario_ms, Some(Span::hours(34).millis()));
        assert_eq!(exposure.worst_case.unwrap().total_ms(), Span::hours(24).millis() + 800);
    }
}
