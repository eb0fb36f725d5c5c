//! The table that a run ends with: one line a drill, then what did not pass and why, then what to act on.

use super::{
    Language, Options, Report, Run, figures, regression,
    text::{columns, cut, pad, plain, wrap},
};
use crate::model::{
    outcome::{DrillResult, Verdict},
    record::{ObjectiveKind, Record, Severity},
    time::Elapsed,
};

/// A compact table for a screen.
#[derive(Debug)]
pub(super) struct Terminal;

/// Below this no table can be read, whatever the terminal says.
const NARROWEST: usize = 40;

impl Report for Terminal {
    fn name(&self) -> &'static str {
        "terminal"
    }

    fn summary(&self) -> &'static str {
        "one line a drill, then failures and findings; for a screen"
    }

    fn file(&self) -> &'static str {
        "report.txt"
    }

    fn render(&self, run: &Run<'_>, options: &Options) -> String {
        let page = Page { width: options.width.max(NARROWEST), colour: options.colour, language: options.language };
        let records = run.records;
        if records.is_empty() {
            return page.say("No drill was run.") + "\n";
        }
        let mut blocks = vec![page.table(records)];
        blocks.extend(page.failures(records));
        blocks.extend(page.findings(records));
        blocks.extend(run.gate.map(|gate| regression::block(gate, options, page.width)));
        blocks.push(page.totals(records));
        blocks.join("\n")
    }
}

struct Page {
    width: usize,
    colour: bool,
    language: Language,
}

/// ANSI codes of the colours used.
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";

/// What a table leaves out where it would be too wide, in this order: the scenarios' common folder, the letters that are
/// the same in each row, the point restored. The legend says the first two instead.
#[derive(Debug, Clone, Copy, Default)]
struct Leaves {
    folder: bool,
    letters: bool,
    point: bool,
}

const WIDE_TO_NARROW: [Leaves; 4] = [
    Leaves { folder: false, letters: false, point: false },
    Leaves { folder: true, letters: false, point: false },
    Leaves { folder: true, letters: true, point: false },
    Leaves { folder: true, letters: true, point: true },
];

/// The first column needs no head, and has no room for one.
const HEADS: [&str; 6] = ["", "SCENARIO", "OUTCOME", "RTA", "RPA", "POINT RESTORED"];
/// Columns in the order in which they are cut where even the narrowest table is too wide, each with the width it keeps.
const CUT: [(usize, usize); 5] = [(2, 6), (1, 10), (3, 5), (4, 5), (0, 6)];

impl Page {
    /// A text of our own, which may quote others, in the language asked for and harmless.
    fn say(&self, english: &str) -> String {
        plain(&self.language.say(english))
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{colour}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn table(&self, records: &[Record]) -> String {
        let names: Vec<&str> = records.iter().map(|record| record.identity.scenario.as_str()).collect();
        let folder = common_folder(&names);
        let letters = common_letters(records);
        let mut rows = Vec::new();
        let mut left = Leaves::default();
        for leaves in WIDE_TO_NARROW {
            left = Leaves {
                folder: leaves.folder && !folder.is_empty(),
                letters: leaves.letters && letters.is_some(),
                ..leaves
            };
            rows = vec![HEADS.map(|head| self.say(head))];
            rows.extend(records.iter().map(|record| self.cells(record, left, folder)));
            if left.point {
                rows.iter_mut().for_each(|row| row[5].clear());
            }
            if total(&widths_of(&rows)) <= self.width {
                break;
            }
        }
        let mut widths = widths_of(&rows);
        for (column, kept) in CUT {
            let surplus = total(&widths).saturating_sub(self.width);
            widths[column] -= surplus.min(widths[column].saturating_sub(kept));
        }
        let mut lines = Vec::new();
        for (number, row) in rows.iter().enumerate() {
            let cells = row.iter().zip(widths).enumerate().map(|(column, (cell, width))| {
                let cell = pad(&cut(cell, width), width);
                match number.checked_sub(1).and_then(|number| records.get(number)) {
                    Some(record) if column == 0 => self.paint(result_colour(record.result.result), &cell),
                    _ => cell,
                }
            });
            lines.push(cells.collect::<Vec<_>>().join("  ").trim_end().to_owned());
        }
        lines.push(wrap("", &self.legend(records, left, folder, letters.as_deref()), self.width));
        lines.join("\n") + "\n"
    }

    fn failures(&self, records: &[Record]) -> Option<String> {
        let mut lines = Vec::new();
        for record in records.iter().filter(|r| r.result.result != DrillResult::Pass) {
            let result = record.result.result;
            let word = self.say(result.words());
            let name = cut(&plain(&record.identity.scenario), self.width.saturating_sub(columns(&word) + 2));
            lines.push(format!("{}  {name}", self.paint(result_colour(result), &word)));
            lines.extend(record.result.reasons.iter().map(|reason| wrap("  - ", &self.say(reason), self.width)));
        }
        (!lines.is_empty()).then(|| format!("{}\n{}\n", self.say("What did not pass"), lines.join("\n")))
    }

    fn findings(&self, records: &[Record]) -> Option<String> {
        let mut lines = Vec::new();
        for group in figures::findings(records) {
            let severity = group.finding.severity;
            let word = self.say(severity.words());
            let head = pad(&word, columns(&self.say(Severity::Critical.words())) + 2);
            let said = format!("{}: {}", self.say(&group.finding.title), self.say(&group.place()));
            let text = wrap(&head, &said, self.width);
            lines.push(text.replacen(&word, &self.paint(severity_colour(severity), &word), 1));
            let indent = " ".repeat(columns(&head));
            lines.extend(group.remedies(|text| self.say(text)).iter().map(|remedy| wrap(&indent, remedy, self.width)));
        }
        (!lines.is_empty()).then(|| format!("{}\n{}\n", self.say("Findings, worst first"), lines.join("\n")))
    }

    fn totals(&self, records: &[Record]) -> String {
        let tally = self.say(&figures::tally(records));
        let colour = match figures::worst(records) {
            // As expected as drills; the plan was not held as anybody expects.
            Some(DrillResult::Pass) if figures::unexpected(records) > 0 => YELLOW,
            worst => worst.map_or(YELLOW, result_colour),
        };
        let said = wrap(
            "",
            &format!("{tally} · {}", self.say(&format!("objectives: {}", figures::objectives(records)))),
            self.width,
        );
        format!("{}\n", said.replacen(&tally, &self.paint(colour, &tally), 1))
    }

    fn legend(&self, records: &[Record], left: Leaves, folder: &str, letters: Option<&str>) -> String {
        let mut said = Vec::new();
        if left.folder {
            said.push(format!("scenarios of {}", folder));
        }
        let used = |letter: &str| {
            let of = |record: &Record| record.timeline.t5.map(figures::short);
            records.iter().filter_map(of).any(|rta| rta.letters.split('+').any(|l| l == letter))
        };
        let used: Vec<_> = figures::LETTERS.into_iter().filter(|(letter, _)| used(letter)).collect();
        if left.letters && letters.is_some() {
            let words: Vec<&str> = used.iter().map(|(_, meaning)| *meaning).collect();
            said.push(format!("RTA is {} time", words.join(" + ")));
        } else {
            said.extend(used.iter().map(|(letter, meaning)| format!("{letter} {meaning}")));
        }
        said.push("RPA by the ledger".into());
        said.push("! misses the service's objective".into());
        let kinds = [ObjectiveKind::Rto, ObjectiveKind::Rpo];
        if records.iter().any(|record| kinds.iter().any(|kind| misses_the_level_alone(record, *kind))) {
            said.push("^ the level's alone".into());
        }
        let said: Vec<String> = said.iter().map(|one: &String| self.say(one)).collect();
        said.join(" · ")
    }

    fn cells(&self, record: &Record, left: Leaves, folder: &str) -> [String; 6] {
        let none = || "-".to_owned();
        let missed = |kind| match figures::service_objective(record, kind).map(|j| j.verdict) {
            Some(Verdict::Missed) => " !",
            _ if misses_the_level_alone(record, kind) => " ^",
            _ => "",
        };
        let time = |elapsed: Elapsed| {
            let figures::Short { total, letters } = figures::short(elapsed);
            let total = self.say(&total);
            if left.letters || letters.is_empty() { total } else { format!("{total} {letters}") }
        };
        let name = &record.identity.scenario;
        let cells = [
            self.say(record.result.result.words()),
            if left.folder { name[folder.len()..].to_owned() } else { name.clone() },
            record.result.outcome.map_or_else(none, |outcome| self.say(outcome.words())),
            record.timeline.t5.map_or_else(none, time) + missed(ObjectiveKind::Rto),
            figures::rpa(record).map_or_else(none, time) + missed(ObjectiveKind::Rpo),
            figures::point(record).map_or_else(none, |point| self.say(&point)),
        ];
        cells.map(|cell| plain(&cell))
    }
}

fn widths_of(rows: &[[String; 6]]) -> [usize; 6] {
    std::array::from_fn(|column| rows.iter().map(|row| columns(&row[column])).max().unwrap_or_default())
}

/// Columns of a whole line, the gaps included; an empty column has none.
fn total(widths: &[usize; 6]) -> usize {
    widths.iter().sum::<usize>() + 2 * widths.iter().skip(1).filter(|width| **width > 0).count()
}

/// The folder that all scenarios are in, with its `/`; empty where there is none.
fn common_folder<'a>(names: &[&'a str]) -> &'a str {
    let folder = names.first().and_then(|first| Some(&first[..=first.rfind('/')?])).unwrap_or_default();
    if names.iter().all(|name| name.starts_with(folder)) { folder } else { "" }
}

/// The letters that stand behind each RTA, where they are the same in every row that has one.
fn common_letters(records: &[Record]) -> Option<String> {
    let mut letters = records.iter().filter_map(|record| record.timeline.t5).map(|rta| figures::short(rta).letters);
    let first = letters.next()?;
    letters.all(|other| other == first).then_some(first)
}

/// Whether the service keeps what it promises, and the level does not.
fn misses_the_level_alone(record: &Record, kind: ObjectiveKind) -> bool {
    let own = figures::service_objective(record, kind).map(|judged| judged.verdict);
    own != Some(Verdict::Missed) && figures::level_missed(record, kind)
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
