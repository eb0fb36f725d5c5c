//! A page for people and auditors: the verdict first, one table of all drills, then each drill in full.

mod drill;

use super::{Options, Report, figures, text::markdown};
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

    fn extension(&self) -> &'static str {
        "md"
    }

    fn render(&self, records: &[Record], _: &Options) -> String {
        let mut page = Page::default();
        page.heading(1, "Restore drills");
        if records.is_empty() {
            page.paragraph("No drill was run, so nothing is shown.");
            return page.text;
        }
        verdict(&mut page, records);
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
        let (whose, kind, name) = (&judged.whose, judged.objective.words(), &record.identity.scenario);
        format!("{kind} of {whose} in {name}: {why}")
    });
    page.bullets(&[
        format!("Drills: {}", figures::tally(records)),
        format!("Objectives: {}", figures::objectives(records)),
        format!("Worst gap: {}", markdown(&gap)),
        format!("Coverage of the plan: {}", figures::coverage(records)),
    ]);
    page.paragraph(
        "A drill passes when it went as its scenario expects; a scenario may expect that an objective is missed, and it \
         stays missed here. RTA is the time from the disaster (t0) to the checks that passed (t5). RPA is the time from \
         the commit of the last write of the unbroken prefix found after the restore to t0, by the ledger of acknowledged \
         writes. Each duration says how it is known: measured by the wall clock, assumed by the plan, simulated by the \
         virtual clock, or of scenario time. What was not measured is shown as “-”, never as 0.",
    );
}

fn overview(page: &mut Page, records: &[Record]) {
    let verdict = |record: &Record, kind| {
        figures::service_objective(record, kind).map_or(none(), |j| format!("{} ({})", j.verdict.words(), j.limit))
    };
    let rows = records.iter().map(|record| {
        vec![
            record.result.result.words().to_owned(),
            markdown(&record.identity.scenario),
            record.result.outcome.map_or(none(), |outcome| outcome.words().to_owned()),
            verdict(record, ObjectiveKind::Rto),
            shown(record.timeline.t5),
            verdict(record, ObjectiveKind::Rpo),
            shown(record.exposure.rpa),
            figures::point(record).map_or(none(), |point| markdown(&point)),
        ]
    });
    page.heading(2, "All drills");
    let heads = ["Result", "Scenario", "Outcome", "Service RTO", "RTA", "Service RPO", "RPA", "Point restored"];
    page.table(&heads, rows.collect());
}

fn none() -> String {
    "-".to_owned()
}

fn shown(elapsed: Option<Elapsed>) -> String {
    elapsed.map_or(none(), |elapsed| elapsed.to_string())
}

/// A Markdown text in the making. Blocks are set off by empty lines. What is handed over is Markdown already: foreign
/// text goes through [`markdown`] first.
#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn block(&mut self, block: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(block);
        self.text.push('\n');
    }

    fn heading(&mut self, level: usize, text: &str) {
        self.block(&format!("{} {text}", "#".repeat(level)));
    }

    fn paragraph(&mut self, text: &str) {
        self.block(text);
    }

    fn bullets(&mut self, items: &[String]) {
        let lines: Vec<String> = items.iter().map(|item| format!("- {item}")).collect();
        self.block(&lines.join("\n"));
    }

    fn table(&mut self, heads: &[&str], rows: Vec<Vec<String>>) {
        let mut lines = vec![format!("| {} |", heads.join(" | ")), format!("|{}", "---|".repeat(heads.len()))];
        lines.extend(rows.iter().map(|cells| format!("| {} |", cells.join(" | "))));
        self.block(&lines.join("\n"));
    }
}
