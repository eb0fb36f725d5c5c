//! Figures that more than one format shows: counts over all drills, margins, durations in short.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    outcome::{DrillResult, Outcome, Verdict},
    record::{Finding, Judged, ObjectiveKind, Record, Seen},
    time::{Basis, Elapsed},
    words,
};

/// What monitoring knew of a fault before the disaster.
pub(super) fn seen(seen: &Seen) -> String {
    match seen {
        Seen::ByAlarm { kind, region, after } => {
            let place = region.as_ref().map_or(String::new(), |region| format!(" in {region}"));
            format!("“{}”{place} after {}", kind.words(), words::hours(after.total_ms()))
        }
        Seen::SleptThrough { looks } => format!("SLEPT THROUGH ({})", words::count(*looks, "look")),
        Seen::DidNotLook => "did not look".to_owned(),
    }
}

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

/// `18 of 28 met, 8 missed (6 of them expected, 2 NOT expected), 2 inconclusive`.
pub(super) fn objectives(records: &[Record]) -> String {
    let all = || records.iter().flat_map(|record| record.objectives.iter().map(move |judged| (record, judged)));
    let count = |wanted: Verdict| all().filter(|(_, judged)| judged.verdict == wanted).count();
    let mut said = format!("{} of {} met", count(Verdict::Met), all().count());
    let missed = count(Verdict::Missed);
    if missed > 0 {
        let expected =
            all().filter(|(record, judged)| judged.verdict == Verdict::Missed && expects_miss(record, judged));
        let expected = match expected.count() {
            n if n == missed => "expected by their scenarios".to_owned(),
            0 => "none of them expected".to_owned(),
            n => format!("{n} of them expected, {} NOT expected", missed - n),
        };
        said.push_str(&format!(", {missed} missed ({expected})"));
    }
    match count(Verdict::Inconclusive) {
        0 => said,
        n => format!("{said}, {n} inconclusive"),
    }
}

/// Objectives that are missed, and no scenario expects it. A drill may go as its scenario expects and still miss one: no
/// verdict is said without them.
pub(super) fn unexpected(records: &[Record]) -> usize {
    let of = |record: &Record| {
        let missed = record.objectives.iter().filter(|judged| judged.verdict == Verdict::Missed);
        missed.filter(|judged| !expects_miss(record, judged)).count()
    };
    records.iter().map(of).sum()
}

/// The same as a sentence; `None` where there is none.
pub(super) fn unexpected_said(records: &[Record]) -> Option<String> {
    let missed = unexpected(records);
    (missed > 0).then(|| format!("Missed, and expected by no scenario: {}.", words::count(missed as u64, "objective")))
}

/// Whether a scenario expects that an objective is missed: it says so of the service's, or expects an end that misses
/// it.
fn expects_miss(record: &Record, judged: &Judged) -> bool {
    let expect = &record.scenario.expect;
    let (said, behind) = match judged.objective {
        ObjectiveKind::Rto => (expect.rto, Outcome::RecoveredLate),
        ObjectiveKind::Rpo => (expect.rpo, Outcome::RecoveredBehind),
    };
    let ends = matches!(expect.outcome, Outcome::RefusedLoudly | Outcome::Hung) || expect.outcome == behind;
    said == Some(Verdict::Missed) || ends
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

/// What of the plan was drilled and what was not, a line each; only drills that came to an outcome count.
pub(super) fn coverage(records: &[Record]) -> Vec<String> {
    let Some(plan) = records.first().map(|r| &r.plan) else { return Vec::new() };
    let played = || records.iter().filter(|r| r.result.outcome.is_some());
    let services: BTreeSet<&str> = played().flat_map(|r| r.scope.services.iter().map(String::as_str)).collect();
    let levels: BTreeSet<String> = played().map(|r| r.scope.level.to_string()).collect();
    let all_levels: BTreeSet<&String> = plan.levels.keys().collect();
    let share = |done: usize, all: usize| format!("{done} of {all} ({}%)", (100 * done + all / 2) / all.max(1));
    let mut said = vec![format!(
        "{} services, {} levels",
        share(services.len(), plan.services.len()),
        share(levels.len(), plan.levels.len())
    )];
    let of_services = plan.services.keys().filter(|name| !services.contains(name.as_str()));
    let of_levels = all_levels.into_iter().filter(|level| !levels.contains(*level));
    let untested: Vec<String> = of_services
        .map(|name| format!("service {name}"))
        .chain(of_levels.map(|level| format!("level {level}")))
        .collect();
    if !untested.is_empty() {
        said.push(format!("UNTESTED: {}", words::list(&untested)));
    }
    said
}

/// The service's own objective of that kind; of several services the one that is worst.
pub(super) fn service_objective(record: &Record, kind: ObjectiveKind) -> Option<&Judged> {
    let of_services = record.objectives.iter().filter(|j| j.objective == kind && j.whose.starts_with("service "));
    let rank = |judged: &&Judged| match judged.verdict {
        Verdict::Missed => 2,
        Verdict::Inconclusive => 1,
        Verdict::Met => 0,
    };
    of_services.rev().max_by_key(rank)
}

/// Whether the level's objective of that kind is missed.
pub(super) fn level_missed(record: &Record, kind: ObjectiveKind) -> bool {
    let of_level = |judged: &&Judged| judged.objective == kind && judged.whose.starts_with("level ");
    record.objectives.iter().filter(of_level).any(|judged| judged.verdict == Verdict::Missed)
}

/// RPA of the service that lost most; `None` where that of one is not known.
pub(super) fn rpa(record: &Record) -> Option<Elapsed> {
    let all: Option<Vec<Elapsed>> = record.services.iter().map(|one| one.exposure.rpa).collect();
    all?.into_iter().max_by_key(Elapsed::total_ms)
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

/// A duration for a table: its sum, and the letters of how it is known, `6 min 1 s a+m`; the legend says what they mean.
/// Whole seconds from a minute on. Scenario time has no letter.
pub(crate) fn short(elapsed: Elapsed) -> Short {
    let letters: Vec<&str> = elapsed.parts().filter_map(|(basis, _)| letter(basis)).collect();
    let total = match elapsed.total_ms() {
        ms @ 0..60_000 => words::hours(ms),
        ms => words::hours((ms + 500) / 1_000 * 1_000),
    };
    let total = match (elapsed.is_redacted(), elapsed.total_ms()) {
        (false, _) => total,
        (true, 0) => "[measured]".to_owned(),
        (true, _) => format!("{total} + [measured]"),
    };
    Short { total, letters: letters.join("+") }
}

/// A duration in short.
#[derive(Debug)]
pub(crate) struct Short {
    /// Its sum.
    pub(crate) total: String,
    /// How its parts are known, `a+m`.
    pub(crate) letters: String,
}

/// What the letters of [`short`] mean.
pub(crate) const LETTERS: [(&str, &str); 4] =
    [("a", "assumed"), ("m", "measured"), ("s", "simulated"), ("p", "projected")];

fn letter(basis: Basis) -> Option<&'static str> {
    let word = basis.words();
    LETTERS.iter().find(|(_, meaning)| *meaning == word).map(|(letter, _)| *letter)
}

/// The point restored, in short: `day 3 us-east-1 + 142 pieces`; of several services how many were.
pub(super) fn point(record: &Record) -> Option<String> {
    let restored = record.services.iter().filter(|one| one.restore.chosen.is_some()).count();
    let [one] = &record.services[..] else {
        return (restored > 0).then(|| format!("{restored} of {} services", record.services.len()));
    };
    let chosen = one.restore.chosen.as_ref()?;
    let pieces = one.restore.streamed.map(|streamed| format!(" + {}", words::count(streamed.pieces, "piece")));
    let pieces = pieces.unwrap_or_default();
    Some(match one.restore.chosen_day {
        Some(day) => format!("day {day} {}{pieces}", chosen.region),
        None => format!("{} {}{pieces}", chosen.point, chosen.region),
    })
}

/// Findings of all drills, one title once, however many drills have it and whatever is to be done about it in each; worst
/// first, then those in most drills.
pub(super) fn findings(records: &[Record]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for record in records {
        for finding in &record.findings {
            let place = *places.entry(&finding.title).or_insert_with(|| {
                groups.push(Group { finding, drills: Vec::new(), remedies: Vec::new() });
                groups.len() - 1
            });
            groups[place].add(finding, &record.identity.scenario);
        }
    }
    for group in &mut groups {
        group.remedies.sort_by_key(|(_, drills)| std::cmp::Reverse(drills.len()));
    }
    groups.sort_by_key(|group| (group.finding.severity, std::cmp::Reverse(group.drills.len())));
    groups
}

/// One finding in one or more drills.
#[derive(Debug)]
pub(super) struct Group<'a> {
    /// As the first of the drills has it in which it is worst.
    pub(super) finding: &'a Finding,
    /// The drills, in their order.
    pub(super) drills: Vec<&'a str>,
    /// What to do, each with the drills that say so; what most of them say first.
    remedies: Vec<(&'a str, Vec<&'a str>)>,
}

impl<'a> Group<'a> {
    fn add(&mut self, finding: &'a Finding, drill: &'a str) {
        if finding.severity < self.finding.severity {
            self.finding = finding;
        }
        let remedy = match self.remedies.iter().position(|(remedy, _)| *remedy == finding.remedy) {
            Some(known) => known,
            None => {
                self.remedies.push((&finding.remedy, Vec::new()));
                self.remedies.len() - 1
            }
        };
        for drills in [&mut self.drills, &mut self.remedies[remedy].1] {
            if drills.last() != Some(&drill) {
                drills.push(drill);
            }
        }
    }

    /// `in 9 drills, e.g. database/control`; the one drill by its name.
    pub(super) fn place(&self) -> String {
        place(&self.drills)
    }

    /// What to do, as `say` says it; where that is not the same in all drills, each behind the drills that it is for.
    pub(super) fn remedies(&self, say: impl Fn(&str) -> String) -> Vec<String> {
        match &self.remedies[..] {
            [(only, _)] => vec![say(only)],
            all => all.iter().map(|(remedy, drills)| format!("{}: {}", say(&place(drills)), say(remedy))).collect(),
        }
    }
}

fn place(drills: &[&str]) -> String {
    match drills {
        [only] => format!("in {only}"),
        [first, second] => format!("in {first} and {second}"),
        _ => format!("in {}, e.g. {}", words::count(drills.len() as u64, "drill"), drills.first().unwrap_or(&"-")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        measure::{record, testing::Drill},
        model::{outcome::DrillResult, record::Record},
    };

    fn drilled(scenario: &str, drill: Drill) -> Record {
        let mut record = record(drill.inputs());
        scenario.clone_into(&mut record.identity.scenario);
        record
    }

    #[test]
    fn one_title_stands_once_with_every_remedy_and_the_drills_that_it_is_for() {
        let (mut a, mut b, c) = (drilled("a", Drill::late()), drilled("b", Drill::late()), drilled("c", Drill::late()));
        let title = a.findings[0].title.clone();
        let known = a.findings[0].remedy.clone();
        a.findings.truncate(1);
        b.findings.truncate(1);
        b.findings[0].remedy = "Do something else.".into();
        let records = [a, b, c];
        let groups: Vec<_> = findings(&records).into_iter().filter(|group| group.finding.title == title).collect();
        let [group] = &groups[..] else { panic!("{} groups of one title", groups.len()) };
        assert_eq!(group.place(), "in 3 drills, e.g. a");
        let said = [format!("in a and c: {known}"), "in b: Do something else.".to_owned()];
        assert_eq!(group.remedies(str::to_owned), said);
        let alone = findings(&records[..1]);
        assert_eq!(alone[0].remedies(str::to_owned), [known]);
    }

    #[test]
    fn a_pass_is_not_said_without_the_objectives_that_were_missed_and_not_expected() {
        let mut late = drilled("late", Drill::late());
        late.result.result = DrillResult::Pass;
        let missed = late.objectives.iter().filter(|judged| judged.verdict == Verdict::Missed).count();
        late.scenario.expect.outcome = Outcome::Recovered;
        late.scenario.expect.rto = None;
        late.scenario.expect.rpo = None;
        assert!(missed > 0);
        assert_eq!(unexpected(std::slice::from_ref(&late)), missed);
        let said = format!("Missed, and expected by no scenario: {}.", words::count(missed as u64, "objective"));
        assert_eq!(unexpected_said(std::slice::from_ref(&late)), Some(said.clone()));
        for name in ["html", "markdown", "github"] {
            let report = crate::report::by_name(name).unwrap();
            let text = report.render(&crate::report::Run::of(std::slice::from_ref(&late)), &Default::default());
            assert!(text.contains(&said), "{name}");
        }
        late.scenario.expect.outcome = Outcome::RefusedLoudly;
        assert_eq!(unexpected_said(&[late]), None);
    }
}
