//! A page for people and auditors: the verdict first, one table of all drills, then each drill in full.

mod commands;
mod drill;
mod service;

use super::{Language, Options, Report, Run, figures, page::Page, regression, text::markdown};
use crate::model::{
    outcome::DrillResult,
    record::{ObjectiveKind, Record},
    time::Elapsed,
};

/// Records as a Markdown page.
#[derive(Debug)]
pub(super) struct Markdown;

/// Said once a report.
const HOW_TO_READ: &str = "A drill passes when it went as its scenario expects; a scenario may expect that an objective is missed, and it \
     stays missed here. RTA is the time from the disaster (t0) to the checks that passed (t5). RPA is the time from the \
     commit of the last write of the unbroken prefix found after the restore to t0, by the ledger of acknowledged \
     writes. Each duration says how it is known: measured by the wall clock, assumed by the plan, simulated by the \
     virtual clock, or of scenario time. What was not measured is shown as “-”, never as 0.";

impl Report for Markdown {
    fn name(&self) -> &'static str {
        "markdown"
    }

    fn summary(&self) -> &'static str {
        "verdict, table, and each drill in full with its evidence; for people and auditors"
    }

    fn file(&self) -> &'static str {
        "report.md"
    }

    fn render(&self, run: &Run<'_>, options: &Options) -> String {
        let records = run.records;
        let mut page = Page::new(options.language);
        page.heading(1, &page.say("Restore drills"));
        if records.is_empty() {
            page.paragraph(&page.say("No drill was run, so nothing is shown."));
            return page.text;
        }
        verdict(&mut page, run, options.language);
        findings(&mut page, records);
        if let Some(gate) = run.gate {
            regression::section(&mut page, gate, options);
        }
        overview(&mut page, records);
        for record in records {
            drill::drill(&mut page, record);
        }
        page.text
    }
}

fn verdict(page: &mut Page, run: &Run<'_>, language: Language) {
    let records = run.records;
    let word = match figures::worst(records) {
        Some(DrillResult::Pass) => "every drill went as its scenario expects",
        Some(DrillResult::Fail) => "FAILED: an expectation or the data failed",
        Some(DrillResult::Inconclusive) => "INCONCLUSIVE: a drill shows nothing",
        _ => "INCOMPLETE: not every drill was played to its end",
    };
    let unexpected = figures::unexpected_said(records).map_or(String::new(), |said| format!(" {}", page.say(&said)));
    page.paragraph(&format!("**{}.{unexpected}**", page.say(&format!("Verdict: {word}"))));
    let gap = figures::worst_gap(records).map_or("none".to_owned(), |(record, judged)| {
        let why = judged.why.as_deref().unwrap_or_default();
        format!("{} of {}, in {}: {why}", judged.objective.words(), judged.whose, record.identity.scenario)
    });
    let mut lines = vec![
        page.say(&format!("Drills: {}", figures::tally(records))),
        page.say(&format!("Objectives: {}", figures::objectives(records))),
        page.say(&format!("Worst gap: {gap}")),
    ];
    let mut coverage = figures::coverage(records).into_iter();
    lines.extend(coverage.next().map(|drilled| page.say(&format!("Coverage of the plan: {drilled}"))));
    lines.extend(coverage.map(|untested| page.say(&untested)));
    lines.extend(run.head.map(|head| page.say(&format!("Head of the history: {} {}", head.sequence, head.sha256))));
    page.bullets(&lines);
    page.paragraph(&page.say(HOW_TO_READ));
    let signed = match run.key {
        Some(key) => {
            format!("Signed with the key {key}: `backdraft verify-evidence` tells whether anything was changed.")
        }
        None => "This report is UNSIGNED.".to_owned(),
    };
    page.paragraph(&page.say(&signed));
    if language != Language::English {
        page.paragraph(&page.say("What is quoted as evidence is in the language in which it was recorded."));
    }
}

/// Each row stands for many: the drills themselves have the figures.
fn findings(page: &mut Page, records: &[Record]) {
    let groups = figures::findings(records);
    if groups.is_empty() {
        return;
    }
    let row = |group: &figures::Group<'_>| {
        let finding = group.finding;
        let place = group.place();
        let place = page.say(&place);
        let place = place.strip_prefix("in ").unwrap_or(&place).to_owned();
        let remedies = group.remedies(|text| page.say(text)).join("<br>");
        vec![page.say(finding.severity.words()), page.say(&finding.title), place, remedies]
    };
    let rows: Vec<_> = groups.iter().map(row).collect();
    page.heading(2, &page.say("What to act on"));
    page.table(&["Severity", "Finding", "Drills", "What to do"], &rows);
}

fn overview(page: &mut Page, records: &[Record]) {
    let verdict = |record: &Record, kind| {
        figures::service_objective(record, kind)
            .map_or(none(), |j| page.say(&format!("{} ({})", j.verdict.words(), j.limit)))
    };
    let short = |elapsed: Option<Elapsed>| {
        elapsed
            .map(figures::short)
            .map_or(none(), |short| format!("{} {}", page.say(&short.total), short.letters).trim_end().into())
    };
    let row = |record: &Record| {
        vec![
            page.say(record.result.result.words()),
            markdown(&record.identity.scenario),
            record.result.outcome.map_or(none(), |outcome| page.say(outcome.words())),
            verdict(record, ObjectiveKind::Rto),
            short(record.timeline.t5),
            verdict(record, ObjectiveKind::Rpo),
            short(figures::rpa(record)),
            figures::point(record).map_or(none(), |point| page.say(&point)),
        ]
    };
    let rows: Vec<_> = records.iter().map(row).collect();
    page.heading(2, &page.say("All drills"));
    let heads = ["Result", "Scenario", "Outcome", "Service RTO", "RTA", "Service RPO", "RPA", "Point restored"];
    page.table(&heads, &rows);
    let letters = figures::LETTERS.map(|(letter, meaning)| format!("{letter} {meaning}"));
    page.paragraph(&page.say(&format!("How a time is known: {}; no letter: scenario time.", letters.join(", "))));
}

fn none() -> String {
    "-".to_owned()
}

fn shown(page: &Page, elapsed: Option<Elapsed>) -> String {
    elapsed.map_or(none(), |elapsed| page.say(&elapsed.to_string()))
}
