//! The team's own commands of a drill: which ran, how each ended, and the last lines that it printed.

use super::{
    evidence::when,
    table::{Cell, Table, shown},
};
use crate::{
    model::{
        event::{Event, What},
        ran::Ran,
        record::Record,
        words,
    },
    report::Options,
};

/// Every command that ran, in order; `None` where none did.
pub(super) fn commands(record: &Record, options: &Options) -> Option<Table> {
    let row = |event: &Event| match &event.what {
        What::Ran(ran) => Some(row(event, ran, record, options)),
        _ => None,
    };
    let heads = ["Command", "What ran", "At", "Ended", "Took", "Last lines", "Beside it"];
    let rows = record.events.iter().filter_map(row).collect();
    Table::new(options.say("Commands").into_owned(), &heads, rows, options)
}

fn row(event: &Event, ran: &Ran, record: &Record, options: &Options) -> Vec<Cell> {
    let ended = options.say(&ran.ended.to_string()).into_owned();
    vec![
        Cell::said(Some(ran.role.words()), options),
        Cell::from(&ran.command),
        when(event.at, event.since_t0, record, options).into(),
        if ran.ended.is_success() { Cell::from(ended) } else { Cell::bad(ended) },
        shown(Some(ran.took), options).into(),
        Cell::quoted(Some(&*ran.last_lines.join("\n")).filter(|lines| !lines.is_empty())),
        beside(ran, options),
    ]
}

/// What a command left running, and what was written outside of its folders.
fn beside(ran: &Ran, options: &Options) -> Cell {
    let mut told = Vec::new();
    if !ran.left_running.is_empty() {
        told.push(format!("{} {}", options.say("Left running:"), words::list(&ran.left_running)));
    }
    if !ran.wrote_outside.is_empty() {
        told.push(format!(
            "{} {}",
            options.say("Written outside its folders meanwhile:"),
            words::list(&ran.wrote_outside)
        ));
    }
    if told.is_empty() { Cell::none() } else { Cell::bad(told.join("\n")) }
}
