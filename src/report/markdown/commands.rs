//! The team's own commands of a drill: which ran, how each ended, and the last lines that it printed.

use super::{Page, drill::table, none, shown};
use crate::{
    model::{
        event::{Event, What},
        ran::Ran,
        record::Record,
        words,
    },
    report::text::markdown,
};

/// Lines of a command's output that stand in a table of text.
const LINES: usize = 5;

/// Adds every command that ran, in order.
pub(super) fn commands(page: &mut Page, record: &Record) {
    let rows = record.events.iter().filter_map(|event| match &event.what {
        What::Ran(ran) => Some(row(page, event, ran)),
        _ => None,
    });
    let rows = rows.collect();
    let heads = ["Command", "What ran", "At", "Ended", "Took", "Last lines", "Beside it"];
    table(page, "Commands", &heads, rows);
}

fn row(page: &Page, event: &Event, ran: &Ran) -> Vec<String> {
    let at = match (event.at, event.since_t0) {
        (Some(at), _) => page.moment(at),
        (None, since) => since.map_or(none(), |since| page.say(&format!("t0 + {since}"))),
    };
    let lines = &ran.last_lines[ran.last_lines.len().saturating_sub(LINES)..];
    let lines: Vec<String> = lines.iter().map(|line| markdown(line)).collect();
    let ended = markdown(&page.say(&ran.ended.to_string()));
    vec![
        page.say(ran.role.words()),
        markdown(&ran.command),
        at,
        if ran.ended.is_success() { ended } else { format!("**{ended}**") },
        shown(page, Some(ran.took)),
        if lines.is_empty() { none() } else { lines.join(" / ") },
        beside(page, ran),
    ]
}

/// What a command left running, and what was written outside of its folders.
fn beside(page: &Page, ran: &Ran) -> String {
    let mut told = Vec::new();
    if !ran.left_running.is_empty() {
        told.push(format!("{} {}", page.say("Left running:"), markdown(&words::list(&ran.left_running))));
    }
    if !ran.wrote_outside.is_empty() {
        let head = page.say("Written outside its folders meanwhile:");
        told.push(format!("{head} {}", markdown(&words::list(&ran.wrote_outside))));
    }
    if told.is_empty() { none() } else { told.join("; ") }
}
