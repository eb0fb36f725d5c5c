//! `backdraft history show`: one drill, from its record, which is held against its entry first.

use clap::Args;

use super::list::{date, time_zone};
use crate::{
    cli::{
        Common, Ended,
        console::Console,
        keeper::{PlaceArgs, open_to_read},
        output,
    },
    error::Error,
    exit,
    report::{self, contract::moment},
};

/// Arguments of `history show`.
#[derive(Debug, Clone, Args)]
pub(super) struct ShowArgs {
    /// Its number, or `latest`.
    #[arg(value_name = "SEQ")]
    which: String,
    #[command(flatten)]
    place: PlaceArgs,
    /// Print the record as JSON: the one that `replay` and `incident` take.
    #[arg(long)]
    json: bool,
}

pub(super) fn show(args: &ShowArgs, common: &Common, console: &Console) -> Ended {
    let number = match args.which.as_str() {
        "latest" => None,
        text => Some(text.parse::<u64>().map_err(|_| {
            let what = format!("`{}` is no number of an entry", text.escape_debug());
            Error::new(what).help("write a number as `backdraft history list` shows it, or latest")
        })?),
    };
    let history = open_to_read(&args.place)?;
    let entries = history.entries()?;
    let total = entries.len();
    let found = match number {
        None => entries.last(),
        Some(number) => entries.iter().find(|entry| entry.sequence == number),
    };
    let Some(entry) = found else {
        let what = number.map_or_else(|| "there is no drill yet".to_owned(), |n| format!("there is no entry {n}"));
        let help = "`backdraft history list` shows what there is";
        return Err(Error::new(what).at(history.name()).help(help).into());
    };
    let record = history.record(entry)?;
    if args.json {
        // A record is made of strings, numbers and lists: it always has a JSON form.
        console.line(serde_json::to_string_pretty(&record).unwrap_or_default());
        return Ok(exit::PASS);
    }
    let zone = time_zone(common);
    console.line(format_args!("entry {} of {total}, {}", entry.sequence, moment(date(entry), &zone)));
    console.line(format_args!("appended {}", moment(entry.appended_at, &zone)));
    console.line(format_args!("record's SHA-256 {}", entry.record_sha256));
    console.line("");
    let records = [record];
    if let Some(terminal) = report::by_name("terminal") {
        console.text(terminal.render(&report::Run::of(&records), &output::terminal()));
    }
    Ok(exit::PASS)
}
