//! The table that a run ends with: one line a drill, then what did not pass and why, then what to act on.

use super::{
    Options, Report, figures,
    text::{columns, cut, pad, plain, wrap},
};
use crate::model::{
    outcome::{DrillResult, Verdict},
    record::{ObjectiveKind, Record, Severity},
    words,
};

/// A compact table for a screen.
#[derive(Debug)]
pub(super) struct Terminal;

/// Below this no table can be read, whatever the terminal says.
const NARROWEST: usize = 40;
/// Findings with one remedy that are shown each in full.
const SHOWN_EACH: usize = 3;

impl Report for Terminal {
    fn name(&self) -> &'static str {
        "terminal"
    }

    fn summary(&self) -> &'static str {
        "one line a drill, then failures and findings; for a screen"
    }

    fn extension(&self) -> &'static str {
        "txt"
    }

    fn render(&self, records: &[Record], options: &Options) -> String {
        let page = Page { width: options.width.max(NARROWEST), colour: options.colour };
        if records.is_empty() {
            return "No drill was run.\n".into();
        }
        let mut blocks = vec![page.table(records)];
        blocks.extend(page.failures(records));
        blocks.extend(page.findings(records));
        blocks.push(page.totals(records));
        blocks.join("\n")
    }
}

struct Page {
    width: usize,
    colour: bool,
}

/// ANSI codes of the colours used.
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";

const HEADS: [&str; 6] = ["RESULT", "SCENARIO", "OUTCOME", "RTA", "RPA", "POINT RESTORED"];
/// Columns in the order in which they give way where the table is too wide, each with the width that it keeps.
const GIVE_WAY: [(usize, usize); 8] = [(5, 16), (1, 18), (5, 4), (1, 6), (3, 4), (4, 4), (2, 4), (0, 8)];

impl Page {
    fn paint(&self, colour: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{colour}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn table(&self, records: &[Record]) -> String {
        let mut heads = HEADS.map(String::from);
        let mut rows: Vec<[String; 6]> = records.iter().map(cells).collect();
        let mut widths = widths_of(&heads, &rows);
        if total(&widths) > self.width
            && let Some(folder) = common_folder(&rows)
        {
            heads[1] = format!("SCENARIO in {folder}");
            rows.iter_mut().for_each(|row| row[1] = row[1][folder.len()..].to_owned());
            widths = widths_of(&heads, &rows);
        }
        for (column, kept) in GIVE_WAY {
            let surplus = total(&widths).saturating_sub(self.width);
            widths[column] -= surplus.min(widths[column].saturating_sub(kept));
        }
        let line = |cells: &[String; 6]| {
            let padded: Vec<String> =
                cells.iter().zip(widths).map(|(cell, width)| pad(&cut(cell, width), width)).collect();
            padded.join("  ").trim_end().to_owned()
        };
        let mut lines = vec![line(&heads)];
        for (record, row) in records.iter().zip(&rows) {
            let shown = line(row);
            let (head, tail) = shown.split_at(shown.find("  ").unwrap_or(shown.len()));
            lines.push(format!("{}{tail}", self.paint(result_colour(record.result.result), head)));
        }
        lines.push(wrap("", figures::LEGEND, self.width));
        lines.join("\n") + "\n"
    }

    fn failures(&self, records: &[Record]) -> Option<String> {
        let mut lines = Vec::new();
        for record in records.iter().filter(|r| r.result.result != DrillResult::Pass) {
            let result = record.result.result;
            let head = self.paint(result_colour(result), result.words());
            let name = cut(&plain(&record.identity.scenario), self.width.saturating_sub(columns(result.words()) + 2));
            lines.push(format!("{head}  {name}"));
            lines.extend(record.result.reasons.iter().map(|reason| wrap("  - ", &plain(reason), self.width)));
        }
        (!lines.is_empty()).then(|| format!("What did not pass\n{}\n", lines.join("\n")))
    }

    fn findings(&self, records: &[Record]) -> Option<String> {
        let mut lines = Vec::new();
        for group in figures::findings(records) {
            let severity = group.severity.words();
            let text = wrap(&format!("{severity}: "), &plain(group.remedy), self.width);
            lines.push(text.replacen(severity, &self.paint(severity_colour(group.severity), severity), 1));
            for (what, drills) in group.found.iter().take(SHOWN_EACH) {
                let place = match drills[..] {
                    [only] => only.to_owned(),
                    _ => words::count(drills.len() as u64, "drill"),
                };
                lines.push(wrap("  - ", &plain(&format!("{place}: {what}")), self.width));
            }
            let more = group.found.iter().skip(SHOWN_EACH).map(|(_, drills)| drills.len()).sum::<usize>();
            if more > 0 {
                lines.push(wrap(
                    "  - ",
                    &format!("and {more} more like these; the other reports have all"),
                    self.width,
                ));
            }
        }
        (!lines.is_empty()).then(|| format!("Findings\n{}\n", lines.join("\n")))
    }

    fn totals(&self, records: &[Record]) -> String {
        let tally = figures::tally(records);
        let colour = figures::worst(records).map_or(YELLOW, result_colour);
        let said = wrap("", &format!("{tally}. Objectives: {}.", figures::objectives(records)), self.width);
        format!("{}\n", said.replacen(&tally, &self.paint(colour, &tally), 1))
    }
}

fn widths_of(heads: &[String; 6], rows: &[[String; 6]]) -> [usize; 6] {
    std::array::from_fn(|column| {
        let cells = rows.iter().chain([heads]).map(|row| columns(&row[column]));
        cells.max().unwrap_or_default()
    })
}

/// Columns of a whole line, the gaps included.
fn total(widths: &[usize; 6]) -> usize {
    widths.iter().sum::<usize>() + 2 * (widths.len() - 1)
}

/// The folder that all scenarios are in, with its `/`.
fn common_folder(rows: &[[String; 6]]) -> Option<String> {
    let first = &rows.first()?[1];
    let folder = &first[..=first.rfind('/')?];
    rows.iter().all(|row| row[1].starts_with(folder)).then(|| folder.to_owned())
}

fn cells(record: &Record) -> [String; 6] {
    let none = || "-".to_owned();
    let over = |kind| match figures::service_objective(record, kind).map(|j| j.verdict) {
        Some(Verdict::Missed) => " !",
        _ => "",
    };
    let rta = record.timeline.t5.map_or_else(none, figures::short);
    let rpa = record.exposure.rpa.map_or_else(none, figures::short);
    let cells = [
        record.result.result.words().to_owned(),
        record.identity.scenario.clone(),
        record.result.outcome.map_or_else(none, |outcome| outcome.words().to_owned()),
        rta + over(ObjectiveKind::Rto),
        rpa + over(ObjectiveKind::Rpo),
        figures::point(record).unwrap_or_else(none),
    ];
    cells.map(|cell| plain(&cell))
}

fn result_colour(result: DrillResult) -> &'static str {
    match result {
        DrillResult::Pass => GREEN,
        DrillResult::Fail => RED,
        DrillResult::Inconclusive | DrillResult::Interrupted | DrillResult::NotExecuted => YELLOW,
    }
}

fn severity_colour(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => RED,
        Severity::Medium | Severity::Low => YELLOW,
    }
}
