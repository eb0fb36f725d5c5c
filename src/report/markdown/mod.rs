//! A page for people and auditors: the verdict first, one table of all drills, then each drill in full.

mod drill;
mod service;

use super::{Options, Report, Run, figures, page::Page, text::markdown};
use crate::model::{
    outcome::DrillResult,
    record::{ObjectiveKind, Record},
    time::Elapsed,
};

/// Records as a Markdown page.
#[derive(Debug)]
pub(super) struct Markdown;

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

    fn render(&self, run: &Run<'_>, _: &Options) -> String {
        let records = run.records;
        let mut page = Page::default();
        page.heading(1, "Restore drills");
        if records.is_empty() {
            page.paragraph("No drill was run, so nothing is shown.");
            return page.text;
        }
        verdict(&mut page, records);
        findings(&mut page, records);
        overview(&mut page, records);
        for record in records {
            drill::drill(&mut page, record);
        }
        page.text
    }
}

fn verdict(page: &mut Page, records: &[Record]) {
    let word = match figures::worst(records) {
        Some(DrillResult::Pass) => "every drill went as its scenario expects",
        Some(DrillResult::Fail) => "FAILED: an expectation or the data failed",
        Some(DrillResult::Inconclusive) => "INCONCLUSIVE: a drill shows nothing",
        _ => "INCOMPLETE: not every drill was played to its end",
    };
    page.paragraph(&format!("**Verdict: {word}.**"));
    let gap = figures::worst_gap(records).map_or("none".to_owned(), |(record, judged)| {
        let why = judged.why.as_deref().unwrap_or_default();
        format!("{} of {}, in {}: {why}", judged.objective.words(), judged.whose, record.identity.scenario)
    });
    let mut lines = vec![
        format!("Drills: {}", figures::tally(records)),
        format!("Objectives: {}", figures::objectives(records)),
        format!("Worst gap: {}", markdown(&gap)),
    ];
    let mut coverage = figures::coverage(records).into_iter();
    lines.extend(coverage.next().map(|drilled| format!("Coverage of the plan: {drilled}")));
    lines.extend(coverage.map(|untested| markdown(&untested)));
    page.bullets(&lines);
    page.paragraph(
        "A drill passes when it went as its scenario expects; a scenario may expect that an objective is missed, and it \
         stays missed here. RTA is the time from the disaster (t0) to the checks that passed (t5). RPA is the time from \
         the commit of the last write of the unbroken prefix found after the restore to t0, by the ledger of acknowledged \
         writes. Each duration says how it is known: measured by the wall clock, assumed by the plan, simulated by the \
         virtual clock, or of scenario time. What was not measured is shown as “-”, never as 0. This report is UNSIGNED.",
    );
}

/// Each row stands for many: the drills themselves have the figures.
fn findings(page: &mut Page, records: &[Record]) {
    let groups = figures::findings(records);
    if groups.is_empty() {
        return;
    }
    let rows = groups.iter().map(|group| {
        let finding = group.finding;
        let place = group.place();
        let place = place.strip_prefix("in ").unwrap_or(&place);
        vec![finding.severity.words().to_owned(), markdown(&finding.title), markdown(place), markdown(&finding.remedy)]
    });
    page.heading(2, "What to act on");
    page.table(&["Severity", "Finding", "Drills", "What to do"], &rows.collect::<Vec<_>>());
}

fn overview(page: &mut Page, records: &[Record]) {
    let verdict = |record: &Record, kind| {
        figures::service_objective(record, kind).map_or(none(), |j| format!("{} ({})", j.verdict.words(), j.limit))
    };
    let short = |elapsed: Option<Elapsed>| {
        elapsed
            .map(figures::short)
            .map_or(none(), |short| format!("{} {}", short.total, short.letters).trim_end().into())
    };
    let rows = records.iter().map(|record| {
        vec![
            record.result.result.words().to_owned(),
            markdown(&record.identity.scenario),
            record.result.outcome.map_or(none(), |outcome| outcome.words().to_owned()),
            verdict(record, ObjectiveKind::Rto),
            short(record.timeline.t5),
            verdict(record, ObjectiveKind::Rpo),
            short(figures::rpa(record)),
            figures::point(record).map_or(none(), |point| markdown(&point)),
        ]
    });
    page.heading(2, "All drills");
    let heads = ["Result", "Scenario", "Outcome", "Service RTO", "RTA", "Service RPO", "RPA", "Point restored"];
    page.table(&heads, &rows.collect::<Vec<_>>());
    let letters = figures::LETTERS.map(|(letter, meaning)| format!("{letter} {meaning}"));
    page.paragraph(&format!("How a time is known: {}; no letter: scenario time.", letters.join(", ")));
}

fn none() -> String {
    "-".to_owned()
}

fn shown(elapsed: Option<Elapsed>) -> String {
    elapsed.map_or(none(), |elapsed| elapsed.to_string())
}
