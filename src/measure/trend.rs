//! From what is remembered of drills to a trend: month by month, service by service, the actuals against the objectives.

use jiff::tz::TimeZone;

use crate::model::{
    history::Summary,
    outcome::{DrillResult, Verdict},
    record::{Judged, ObjectiveKind, Way},
    time::Elapsed,
    trend::{Actuals, Month, MonthTrend, ServiceTrend, Standing, Trend},
};

/// Months of a trend, unless somebody asks for others.
pub const MONTHS: usize = 12;

/// Which part of the past is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Window<'w> {
    /// Services that have their line also where no drill was of them: the plan's.
    pub services: &'w [String],
    /// The last month.
    pub last: Month,
    /// How many, with the last one.
    pub months: usize,
    /// Where months begin and end; UTC where it is not known here.
    pub time_zone: &'w str,
    /// Whether simulated drills count, whose times are those of the virtual clock.
    pub simulated: bool,
}

/// Puts drills, oldest first, into their months.
pub fn trend(past: &[Summary], window: &Window<'_>) -> Trend {
    let zone = TimeZone::get(window.time_zone).unwrap_or(TimeZone::UTC);
    let counted = |drill: &&Summary| (window.simulated || drill.way == Way::Real) && drill.run_at.is_some();
    let dated: Vec<(Month, &Summary)> =
        past.iter().filter(counted).filter_map(|drill| Some((Month::of(drill.run_at?, &zone), drill))).collect();
    let left_out = (past.len() - dated.len()) as u64;
    let months = window.last.up_to(window.months);
    let inside: Vec<(Month, &Summary)> = dated.into_iter().filter(|(month, _)| months.contains(month)).collect();
    let mut names: Vec<String> = window.services.to_vec();
    for (_, drill) in &inside {
        for service in &drill.services {
            if !names.contains(service) {
                names.push(service.clone());
            }
        }
    }
    let of_service = |service: String| {
        let months = months.iter().map(|month| of_month(&service, *month, &inside)).collect();
        ServiceTrend { service, months }
    };
    let services = names.into_iter().map(of_service).collect();
    Trend { time_zone: window.time_zone.to_owned(), months, services, left_out }
}

fn of_month(service: &str, month: Month, drills: &[(Month, &Summary)]) -> MonthTrend {
    let in_month = |(of, drill): &(Month, &Summary)| *of == month && drill.services.iter().any(|name| name == service);
    let drills: Vec<&Summary> = drills.iter().filter(|one| in_month(one)).map(|(_, drill)| *drill).collect();
    let whose = format!("service {service}");
    MonthTrend {
        month,
        drills: drills.len() as u64,
        passed: drills.iter().filter(|drill| drill.result == DrillResult::Pass).count() as u64,
        rto: actuals(&drills, &whose, ObjectiveKind::Rto),
        rpo: actuals(&drills, &whose, ObjectiveKind::Rpo),
    }
}

fn actuals(drills: &[&Summary], whose: &str, kind: ObjectiveKind) -> Actuals {
    let of_kind = |judged: &&Judged| judged.objective == kind && judged.whose == whose;
    let judged: Vec<&Judged> = drills.iter().filter_map(|drill| drill.objectives.iter().find(of_kind)).collect();
    let count = |verdict| judged.iter().filter(|one| one.verdict == verdict).count() as u64;
    let (met, missed, inconclusive) = (count(Verdict::Met), count(Verdict::Missed), count(Verdict::Inconclusive));
    // What a redacted actual is nobody knows: it is no figure.
    let mut actuals: Vec<Elapsed> =
        judged.iter().filter_map(|one| one.actual).filter(|actual| !actual.is_redacted()).collect();
    actuals.sort_by_key(Elapsed::total_ms);
    // A drill that has no word on the objective did not judge it either.
    let silent = (drills.len() - judged.len()) as u64;
    Actuals {
        standing: match (met, missed) {
            (_, 1..) => Standing::Missed,
            (1.., 0) => Standing::Met,
            (0, 0) => Standing::Untested,
        },
        limit: judged.last().map(|one| one.limit),
        worst: actuals.last().copied(),
        median: actuals.get(actuals.len() / 2).copied(),
        met,
        missed,
        unjudged: inconclusive + silent,
        without: (drills.len() - actuals.len()) as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        measure::{record, testing::Drill},
        model::units::Span,
    };

    const SEOUL: &str = "Asia/Seoul";

    /// A drill of the database on that day, whose RTA and RPA were so many minutes; `None` where nothing came back.
    fn drilled(at: &str, minutes: Option<u64>) -> Summary {
        let drill = if minutes.is_some() { Drill::control() } else { Drill::refused(true) };
        let mut summary = Summary::of(&record(drill.inputs()));
        (summary.way, summary.run_at) = (Way::Real, Some(at.parse().unwrap()));
        for judged in &mut summary.objectives {
            judged.actual = minutes.map(|minutes| Elapsed::ran(minutes * 60_000, false));
        }
        summary
    }

    fn over(past: &[Summary], services: &[&str], simulated: bool) -> Trend {
        let services: Vec<String> = services.iter().map(ToString::to_string).collect();
        let last = "2026-03".parse().unwrap();
        trend(past, &Window { services: &services, last, months: 3, time_zone: SEOUL, simulated })
    }

    #[test]
    fn a_month_shows_its_worst_and_its_middle_and_a_month_without_a_drill_is_untested() {
        let past = [
            drilled("2026-01-31T14:59:00Z", Some(3)),
            drilled("2026-01-31T15:00:00Z", Some(9)), // in Seoul it is February
            drilled("2026-02-03T00:00:00Z", Some(5)),
            drilled("2026-02-04T00:00:00Z", Some(7)),
        ];
        let trend = over(&past, &["database", "files"], false);
        let database = &trend.services[0];
        let shown: Vec<_> = database.months.iter().map(|m| (m.drills, m.rto.worst, m.rto.median)).collect();
        let minutes = |minutes: u64| Some(Elapsed::ran(minutes * 60_000, false));
        assert_eq!(shown, [(1, minutes(3), minutes(3)), (3, minutes(9), minutes(7)), (0, None, None)]);
        let standing: Vec<_> = database.months.iter().map(|m| (m.rto.standing, m.rto.limit.is_some())).collect();
        assert_eq!(standing, [(Standing::Met, true), (Standing::Met, true), (Standing::Untested, false)]);
        let files: Vec<_> = trend.services[1].months.iter().map(|m| (m.drills, m.rpo.standing)).collect();
        assert_eq!((trend.services[1].service.as_str(), files), ("files", vec![(0, Standing::Untested); 3]));
    }

    #[test]
    fn nothing_that_came_back_misses_the_month_and_leaves_the_other_figures_as_they_are() {
        let past = [drilled("2026-03-01T00:00:00Z", Some(4)), drilled("2026-03-02T00:00:00Z", None)];
        let month = over(&past, &[], false).services[0].months[2].clone();
        assert_eq!((month.rto.standing, month.rto.met, month.rto.missed), (Standing::Missed, 1, 1));
        assert_eq!((month.rto.worst, month.rto.without), (Some(Elapsed::ran(240_000, false)), 1));
    }

    #[test]
    fn a_drill_that_judged_nothing_tests_nothing() {
        let mut stopped = drilled("2026-03-01T00:00:00Z", Some(4));
        for judged in &mut stopped.objectives {
            (judged.verdict, judged.actual) = (Verdict::Inconclusive, None);
        }
        let mut silent = stopped.clone();
        silent.objectives.clear();
        let month = over(&[stopped, silent], &[], false).services[0].months[2].clone();
        assert_eq!((month.drills, month.rto.standing, month.rto.unjudged), (2, Standing::Untested, 2));
        assert_eq!((month.rto.worst, month.rto.without, month.rpo.limit), (None, 2, Some(Span::hours(24))));
    }

    #[test]
    fn simulated_drills_count_only_where_that_is_asked_for_and_undated_ones_never() {
        let mut simulated = drilled("2026-03-01T00:00:00Z", Some(4));
        simulated.way = Way::Simulated;
        let undated = Summary { run_at: None, ..simulated.clone() };
        let past = [simulated, undated];
        let without = over(&past, &["database"], false);
        assert_eq!((without.services[0].months[2].drills, without.left_out), (0, 2));
        let with = over(&past, &["database"], true);
        assert_eq!((with.services[0].months[2].drills, with.left_out), (1, 1));
    }
}
