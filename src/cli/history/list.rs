//! `backdraft history list`: a line a drill.

use std::collections::BTreeSet;

use clap::Args;
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

use crate::{
    cli::{
        Common, Ended,
        console::Console,
        keeper::{PlaceArgs, open_to_read},
        selection,
    },
    error::{Error, Result},
    exit,
    model::{history::Entry, plan::Plan, units::Span, words},
    report::contract::moment,
    sim::clock,
};

/// Arguments of `history list`.
#[derive(Debug, Clone, Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// Only drills of this service.
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// Only drills from then on: a date such as 2026-03-01, or an age such as 35d.
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Only the newest so many of them.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Print entries as JSON, one a line.
    #[arg(long)]
    json: bool,
}

pub(super) fn list(args: &ListArgs, common: &Common, console: &Console) -> Ended {
    let plan = plan(common);
    let zone = plan.as_ref().map_or("UTC", |plan| &plan.time_zone).to_owned();
    let since = args.since.as_deref().map(|text| since(text, &zone)).transpose()?;
    let history = open_to_read(&args.place)?;
    let entries = history.entries()?;
    let total = entries.len();
    if let Some(name) = &args.service {
        known(name, plan.as_ref(), &entries)?;
    }
    let wanted = |entry: &Entry| {
        args.service.as_ref().is_none_or(|name| entry.summary.services.contains(name))
            && since.is_none_or(|since| date(entry) >= since)
    };
    let chosen: Vec<Entry> = entries.into_iter().filter(wanted).collect();
    let shown = &chosen[chosen.len().saturating_sub(args.limit.unwrap_or(usize::MAX))..];
    if args.json {
        for entry in shown {
            // Made of text, numbers and lists: it always has a JSON form.
            console.line(serde_json::to_string(entry).unwrap_or_default());
        }
        return Ok(exit::PASS);
    }
    let width = shown.last().map_or(1, |entry| entry.sequence.to_string().len());
    for entry in shown {
        console.line(line(entry, width, &zone));
    }
    let of = if shown.len() == total { String::new() } else { format!("{} of ", shown.len()) };
    console.line(format_args!("{of}{} in {}", words::count(total as u64, "drill"), history.name()));
    Ok(exit::PASS)
}

/// A service that neither the plan nor a drill knows is a slip of the pen.
fn known(name: &str, plan: Option<&Plan>, entries: &[Entry]) -> Result<()> {
    let of_plan = plan.into_iter().flat_map(|plan| plan.services.keys());
    let services: BTreeSet<&str> =
        of_plan.chain(entries.iter().flat_map(|entry| &entry.summary.services)).map(String::as_str).collect();
    if services.contains(name) {
        return Ok(());
    }
    let what = format!("neither the plan nor a drill knows a service `{}`", name.escape_debug());
    let names: Vec<&str> = services.into_iter().collect();
    Err(Error::new(what).help(format!("there are {}", words::list(&names))))
}

fn line(entry: &Entry, width: usize, zone: &str) -> String {
    let summary = &entry.summary;
    let outcome = summary.outcome.map_or("-", |outcome| outcome.words());
    format!(
        "{:width$}  {}  {:9}  {:12}  {:16}  {:12}  {}",
        entry.sequence,
        moment(date(entry), zone),
        summary.way.words(),
        summary.result.words(),
        outcome,
        summary.verdict.words(),
        summary.scenario.escape_debug(),
    )
}

/// When it was run; of a simulated drill, when it was kept.
pub(super) fn date(entry: &Entry) -> Timestamp {
    entry.summary.run_at.unwrap_or(entry.appended_at)
}

/// The plan's time zone, where there is a plan that can be read.
pub(super) fn time_zone(common: &Common) -> String {
    plan(common).map_or_else(|| "UTC".to_owned(), |plan| plan.time_zone)
}

fn plan(common: &Common) -> Option<Plan> {
    common.plan.exists().then(|| selection::plan(&common.plan).ok()).flatten().map(|plan| plan.value)
}

/// A date, at its first moment in that zone, or an age.
fn since(text: &str, zone: &str) -> Result<Timestamp> {
    let wrong = || {
        let what = format!("--since `{}` is neither a date nor an age", text.escape_debug());
        Error::new(what).help("write 2026-03-01, or 35d")
    };
    if let Ok(age) = text.parse::<Span>() {
        return before_now(age).ok_or_else(wrong);
    }
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let begins = text.parse::<Date>().ok().and_then(|date| date.to_zoned(zone).ok());
    begins.map(|begins| begins.timestamp()).ok_or_else(wrong)
}

/// The moment that is so long ago; `None` where the calendar ends before.
pub(super) fn before_now(age: Span) -> Option<Timestamp> {
    let age = SignedDuration::from_millis(i64::try_from(age.millis()).ok()?);
    clock::wall_now().checked_sub(age).ok()
}
