//! For GitHub Actions: a summary of the step in Markdown, and annotations at the line of a scenario file.

mod command;

use super::{
    Options, Report, Run, figures,
    page::Page,
    regression,
    text::{cut, markdown, plain},
};
use crate::model::{
    outcome::{DrillResult, Verdict},
    record::{Judged, Record},
    time::Elapsed,
};

pub use command::{annotations, no_command};

/// The summary of a step.
#[derive(Debug)]
pub(super) struct GitHub;

/// GitHub refuses a summary of more than 1 MiB; what other steps write is summed up elsewhere. In bytes, with room for
/// what follows the table.
const LARGEST_TABLE: usize = 700 << 10;
/// Findings that are shown; the others are counted.
const MOST_FINDINGS: usize = 20;
/// Longest foreign text, in columns.
const LONGEST: usize = 300;

impl Report for GitHub {
    fn name(&self) -> &'static str {
        "github"
    }

    fn summary(&self) -> &'static str {
        "the summary of a GitHub Actions step; with annotations where `run` is one"
    }

    fn file(&self) -> &'static str {
        "github-summary.md"
    }

    /// It stands beside annotations and a log, which are in English.
    fn is_read(&self) -> bool {
        false
    }

    fn render(&self, run: &Run<'_>, options: &Options) -> String {
        let mut page = Page::default();
        page.heading(2, &options.say("Restore drills"));
        if run.records.is_empty() {
            page.paragraph(&options.say("No drill was run, so nothing is shown."));
            return page.text;
        }
        verdict(&mut page, run.records, options);
        if let Some(gate) = run.gate {
            let said = regression::said(gate, options);
            page.paragraph(&format!("**{}**", markdown(&said.head)));
            let line = |(word, text): &(String, String)| format!("**{}** {}", markdown(word), markdown(&short(text)));
            let lines: Vec<String> = said.lines.iter().take(MOST_FINDINGS).map(line).collect();
            if !lines.is_empty() {
                page.bullets(&lines);
            }
            more(&mut page, said.lines.len(), lines.len(), options);
        }
        table(&mut page, run.records, options);
        reasons(&mut page, run.records, options);
        findings(&mut page, run.records, options);
        page.text
    }
}

fn verdict(page: &mut Page, records: &[Record], options: &Options) {
    let word = figures::worst(records).map_or("-", DrillResult::words);
    let tally = figures::tally(records);
    page.paragraph(&format!("**{}: {}**", options.say(word), options.say(&tally)));
    if let Some(unexpected) = figures::unexpected_said(records) {
        page.paragraph(&format!("**{}**", options.say(&unexpected)));
    }
    let objectives = format!("Objectives: {}", figures::objectives(records));
    page.paragraph(&options.say(&objectives));
    if let Some(identity) = records.first().map(|record| &record.identity) {
        let (way, seed, version) = (identity.way.words(), identity.seed, markdown(&short(&identity.tool_version)));
        page.paragraph(&options.say(&format!("Played by backdraft {version}, {way}, with seed {seed}.")));
    }
}

/// What did not pass first, then what missed an objective, so that what is cut off is what matters least.
fn table(page: &mut Page, records: &[Record], options: &Options) {
    let mut sorted: Vec<&Record> = records.iter().collect();
    sorted.sort_by_key(|record| (record.result.result == DrillResult::Pass, record.result.verdict != Verdict::Missed));
    let time = |elapsed: Option<Elapsed>| {
        let short = elapsed.map(figures::short);
        short.map_or("-".to_owned(), |s| format!("{} {}", s.total, s.letters).trim_end().to_owned())
    };
    let mut bytes = 0;
    let rows = sorted.iter().map(|record| {
        vec![
            options.say(record.result.result.words()).into_owned(),
            markdown(&short(&record.identity.scenario)),
            options.say(record.result.outcome.map_or("-", |outcome| outcome.words())).into_owned(),
            time(record.timeline.t5),
            time(figures::rpa(record)),
            options.say(record.result.verdict.words()).into_owned(),
        ]
    });
    let rows: Vec<Vec<String>> = rows
        .take_while(|row| {
            bytes += row.iter().map(|cell| cell.len().max(48) + 3).sum::<usize>();
            bytes <= LARGEST_TABLE
        })
        .collect();
    let heads = ["Result", "Scenario", "Outcome", "RTA", "RPA", "Objectives"].map(|head| options.say(head));
    page.table(&heads.each_ref().map(AsRef::as_ref), &rows);
    more(page, records.len(), rows.len(), options);
}

fn reasons(page: &mut Page, records: &[Record], options: &Options) {
    let failed: Vec<&Record> = records.iter().filter(|record| record.result.result != DrillResult::Pass).collect();
    if failed.is_empty() {
        return;
    }
    page.heading(3, &options.say("What did not pass"));
    let line = |record: &&Record| {
        let reasons = short(&record.result.reasons.join("; "));
        format!("**{}** {}", markdown(&short(&record.identity.scenario)), markdown(&reasons))
    };
    let lines: Vec<String> = failed.iter().take(MOST_FINDINGS).map(line).collect();
    page.bullets(&lines);
    more(page, failed.len(), lines.len(), options);
}

fn findings(page: &mut Page, records: &[Record], options: &Options) {
    let groups = figures::findings(records);
    if groups.is_empty() {
        return;
    }
    page.heading(3, &options.say("Findings, worst first"));
    let line = |group: &figures::Group<'_>| {
        let finding = group.finding;
        let (severity, title) = (options.say(finding.severity.words()), options.say(&finding.title));
        let (place, remedy) = (short(&group.place()), group.remedies(|text| options.say(text).into_owned()).join(" "));
        format!("**{severity}** {} ({}). {}", markdown(&short(&title)), markdown(&place), markdown(&short(&remedy)))
    };
    let lines: Vec<String> = groups.iter().take(MOST_FINDINGS).map(line).collect();
    page.bullets(&lines);
    more(page, groups.len(), lines.len(), options);
}

fn more(page: &mut Page, all: usize, shown: usize, options: &Options) {
    if all > shown {
        let said = format!("{} more are in report.md.", all - shown);
        page.paragraph(&options.say(&said));
    }
}

fn short(text: &str) -> String {
    cut(&plain(text), LONGEST)
}

/// The objectives that are missed, expected or not.
fn missed(record: &Record) -> Vec<&Judged> {
    record.objectives.iter().filter(|judged| judged.verdict == Verdict::Missed).collect()
}
