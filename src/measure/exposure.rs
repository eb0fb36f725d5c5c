//! Three figures that are often taken for each other: the newest backup's age, what was measured to be lost, and the
//! most that the schedule lets be lost.

use jiff::Timestamp;

use super::{rpo, story::Story};
use crate::model::{plan::Plan, record::Exposure, scenario::Scenario, time::Elapsed};

/// The figures of one drill.
pub(super) fn exposure(story: &Story<'_>, plan: &Plan, scenario: &Scenario) -> Exposure {
    let newest = story.backups().filter_map(|(at, _)| at).max();
    Exposure {
        backup_age: newest.and_then(|made| between(made, story.t0?)),
        rpa: rpo::actual(story),
        worst_case: worst_case(story, plan, scenario),
    }
}

/// Scenario time from `earlier` to `later`; nothing where it runs backwards.
pub(super) fn between(earlier: Timestamp, later: Timestamp) -> Option<Elapsed> {
    u64::try_from(later.duration_since(earlier).as_millis()).ok().map(Elapsed::scenario)
}

/// Backup interval and the longest backup: a disaster just before a backup ends loses all since the one before began.
fn worst_case(story: &Story<'_>, plan: &Plan, scenario: &Scenario) -> Option<Elapsed> {
    let longest = story.backups().map(|(_, made)| made.took).max_by_key(Elapsed::total_ms)?;
    let interval = plan.services.get(&scenario.service)?.backup.every.interval();
    Some(Elapsed::assumed(interval).plus(longest))
}

#[cfg(test)]
mod tests {
    use crate::{
        measure::{record, testing::Drill},
        model::units::Span,
    };

    #[test]
    fn age_loss_and_worst_case_are_three_figures() {
        let exposure = record(Drill::corrupt_latest().inputs()).exposure;
        // Backups at 03:00, disaster at 12:00, the newest is refused; the last write is an hour before its backup.
        assert_eq!(exposure.backup_age.unwrap().scenario_ms, Some(Span::hours(9).millis()));
        assert_eq!(exposure.rpa.unwrap().scenario_ms, Some(Span::hours(34).millis()));
        assert_eq!(exposure.worst_case.unwrap().total_ms(), Span::hours(24).millis() + 800);
    }
}
