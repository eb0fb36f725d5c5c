//! Figures that more than one format shows: counts over all drills, margins, durations in short.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    outcome::{DrillResult, Verdict},
    record::{Judged, ObjectiveKind, Record, Severity},
    time::{Basis, Elapsed},
    words,
};

/// Worst result of a set; `None` for an empty one. Not in the order of exit codes: what failed is worse than what was
/// not played.
pub(super) fn worst(records: &[Record]) -> Option<DrillResult> {
    let order = [
        DrillResult::Fail,
        DrillResult::Inconclusive,
        DrillResult::NotExecuted,
        DrillResult::Interrupted,
        DrillResult::Pass,
    ];
    order.into_iter().find(|wanted| records.iter().any(|r| r.result.result == *wanted))
}

/// `12 of 14 drills passed, 1 failed, 1 inconclusive`.
pub(super) fn tally(records: &[Record]) -> String {
    let count = |wanted: DrillResult| records.iter().filter(|r| r.result.result == wanted).count();
    let mut said = format!("{} of {} passed", count(DrillResult::Pass), words::count(records.len() as u64, "drill"));
    let others = [
        (DrillResult::Fail, "failed"),
        (DrillResult::Inconclusive, "inconclusive"),
        (DrillResult::NotExecuted, "not executed"),
        (DrillResult::Interrupted, "interrupted"),
    ];
    for (result, word) in others.into_iter().filter(|(result, _)| count(*result) > 0) {
        said.push_str(&format!(", {} {word}", count(result)));
    }
    said
}

/// `18 of 28 met, 8 missed, 2 inconclusive`.
pub(super) fn objectives(records: &[Record]) -> String {
    let all = || records.iter().flat_map(|r| &r.objectives);
    let count = |wanted: Verdict| all().filter(|j| j.verdict == wanted).count();
    let mut said = format!("{} of {} met", count(Verdict::Met), all().count());
    for verdict in [Verdict::Missed, Verdict::Inconclusive] {
        if count(verdict) > 0 {
            said.push_str(&format!(", {} {}", count(verdict), verdict.words()));
        }
    }
    said
}

/// The missed objective that is worst: one with no actual, else the one furthest over its limit. `None` where none is
/// missed.
pub(super) fn worst_gap(records: &[Record]) -> Option<(&Record, &Judged)> {
    let missed = records.iter().flat_map(|r| r.objectives.iter().map(move |j| (r, j)));
    missed.filter(|(_, judged)| judged.verdict == Verdict::Missed).min_by_key(|(_, judged)| {
        let over = |actual: Elapsed| actual.total_ms().saturating_sub(judged.limit.millis());
        std::cmp::Reverse(judged.actual.map_or(u64::MAX, over))
    })
}

/// What of the plan was drilled, `service 1 of 4 (25%), level 2 of 3 (66%)`; only drills that came to an outcome count.
pub(super) fn coverage(records: &[Record]) -> String {
    let Some(plan) = records.first().map(|r| &r.plan) else { return "nothing".into() };
    let played = || records.iter().filter(|r| r.result.outcome.is_some());
    let services: BTreeSet<&str> = played().map(|r| r.scope.service.as_str()).collect();
    let levels: BTreeSet<u8> = played().map(|r| r.scope.level).collect();
    let share = |done: usize, all: usize| format!("{done} of {all} ({}%)", 100 * done / all.max(1));
    format!(
        "services {}, levels {}",
        share(services.len(), plan.services.len()),
        share(levels.len(), plan.levels.len())
    )
}

/// The service's own objective of that kind.
pub(super) fn service_objective(record: &Record, kind: ObjectiveKind) -> Option<&Judged> {
    record.objectives.iter().find(|j| j.objective == kind && j.whose.starts_with("service "))
}

/// How far an actual is below its limit, or over it; `[measured]` where that was taken out. An objective that is missed
/// for another reason than its actual has no margin.
pub(super) fn margin(judged: &Judged) -> Option<String> {
    let actual = judged.actual?;
    if judged.verdict == Verdict::Missed && !actual.is_redacted() && actual.total_ms() <= judged.limit.millis() {
        return None;
    }
    if actual.is_redacted() {
        return Some("[measured]".into());
    }
    let (actual, limit) = (actual.total_ms(), judged.limit.millis());
    Some(match limit.checked_sub(actual) {
        Some(left) if limit > 0 => {
            format!("{} left ({}%)", words::duration(left), u128::from(left) * 100 / u128::from(limit))
        }
        Some(left) => format!("{} left", words::duration(left)),
        None => format!("{} over", words::duration(actual - limit)),
    })
}

/// A duration in short, `35 min a + 183 ms m`; [`LEGEND`] says what the letters mean. Scenario time has none.
pub(super) fn short(elapsed: Elapsed) -> String {
    let parts = elapsed.parts().map(|(basis, part)| match (part.millis(), letter(basis)) {
        (None, _) => "[measured]".into(),
        (Some(ms), None) => words::duration(ms),
        (Some(ms), Some(letter)) => format!("{} {letter}", words::duration(ms)),
    });
    let parts: Vec<String> = parts.collect();
    if parts.is_empty() { words::duration(0) } else { parts.join(" + ") }
}

/// What the letters of [`short`] mean.
pub(super) const LEGEND: &str = "a assumed, m measured, s simulated; ! over the service's objective";

fn letter(basis: Basis) -> Option<char> {
    match basis {
        Basis::Assumed => Some('a'),
        Basis::Measured => Some('m'),
        Basis::Simulated => Some('s'),
        Basis::Projected => Some('p'),
        Basis::Scenario => None,
    }
}

/// The point restored, in short: `day 3 us-east-1`.
pub(super) fn point(record: &Record) -> Option<String> {
    let chosen = record.restore.chosen.as_ref()?;
    Some(match record.restore.chosen_day {
        Some(day) => format!("day {day} {}", chosen.region),
        None => format!("{} {}", chosen.point, chosen.region),
    })
}

/// Findings of all drills by severity and remedy, worst first; of each what was found, and in which drills.
pub(super) fn findings(records: &[Record]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut places: BTreeMap<(u8, &str), usize> = BTreeMap::new();
    for record in records {
        for finding in &record.findings {
            let place = *places.entry((finding.severity as u8, &finding.remedy)).or_insert_with(|| {
                groups.push(Group { severity: finding.severity, remedy: &finding.remedy, found: Vec::new() });
                groups.len() - 1
            });
            let found = &mut groups[place].found;
            match found.iter_mut().find(|(what, _)| *what == finding.what) {
                Some((_, drills)) => drills.push(&record.identity.scenario),
                None => found.push((&finding.what, vec![&record.identity.scenario])),
            }
        }
    }
    groups.sort_by_key(|group| group.severity);
    groups
}

/// Findings with one remedy.
#[derive(Debug)]
pub(super) struct Group<'a> {
    /// How bad.
    pub(super) severity: Severity,
    /// What to do.
    pub(super) remedy: &'a str,
    /// What was found, and in which drills.
    pub(super) found: Vec<(&'a str, Vec<&'a str>)>,
}
