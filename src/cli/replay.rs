//! `backdraft replay`: plays the drill of a record again, with its own plan, scenario and seed, and says what differs.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;

use super::{
    Ended,
    console::{Console, Refused},
    discreet,
    document::Kind,
    progress::Progress,
    selection,
    session::{Cast, Played, Session},
};
use crate::{
    error::{Error, Result},
    exit,
    input::{load::Loaded, validate},
    measure,
    model::record::{RECORD_FORMAT, Record, Way},
};

/// A record beyond this size, in bytes, is none of ours.
const RECORD_LIMIT: u64 = 64 << 20;

/// Arguments of `replay`.
#[derive(Debug, Clone, Args)]
pub(super) struct ReplayArgs {
    /// A record that `run` wrote: records/NAME.json in its output folder.
    #[arg(value_name = "RECORD")]
    record: PathBuf,
    /// Keep the drill's scratch folder: the regions' objects as plain files, and what was live at the end.
    #[arg(long)]
    keep: bool,
}

pub(super) fn replay(args: &ReplayArgs, console: &Console) -> Ended {
    let read = read(&args.record)?;
    playable(&read, &args.record)?;
    if let Some(storage) = &read.identity.storage {
        let what = format!("the objects of this drill lay in a storage that is not backdraft's own: {storage}");
        let help = "play its scenario again with `backdraft run --storage …`, and compare the records";
        return Err(Error::new(what).at(args.record.display().to_string()).help(help).into());
    }
    let edited = edited(&read);
    // What an earlier version wrote may hold secrets; it is played as it would be told now.
    let before = discreet::record(read)?;
    let identity = &before.identity;
    let cast = Cast {
        beside: PathBuf::new(),
        id: identity.scenario.clone(),
        plan: Arc::new(before.plan.clone()),
        plan_sha256: identity.plan_sha256.clone(),
        scenario: Arc::new(before.scenario.clone()),
        scenario_sha256: identity.scenario_sha256.clone(),
        seed: identity.seed,
        way: identity.way,
        storage: None,
    };
    if let Some(edited) = edited {
        console.line(format_args!("{}: this record does not follow from its own events: {edited}", cast.id));
        return Ok(exit::FAILED);
    }
    let session = Session::start(args.keep)?;
    let mut progress = Progress::new(1, console);
    let Played { record: now, kept } = session.play(&cast, progress.begin(&cast.id));
    progress.end(&now, kept.as_deref());
    progress.finish();
    if session.is_stopped() {
        return Ok(exit::INTERRUPTED);
    }
    let differences = measure::differences(&before, &now);
    if differences.is_empty() {
        let what = if cast.way == Way::Simulated { "the record is the same to the byte" } else { "it ended the same" };
        console.line(format_args!("{}: {what} ({})", cast.id, now.result.result.words()));
        return Ok(exit::PASS);
    }
    console.line(format_args!("{}: the replay differs from the record", cast.id));
    for difference in differences {
        console.line(format_args!("  {difference}"));
    }
    Ok(exit::FAILED)
}

/// A record comes from outside like any file: its plan and scenario are held to the same rules before they are played.
pub(super) fn playable(record: &Record, path: &Path) -> std::result::Result<(), Refused> {
    let plan = Loaded::unplaced(record.plan.clone(), path);
    let mut wrong = validate::plan(&plan);
    if wrong.is_empty() {
        wrong = selection::check(&Loaded::unplaced(record.scenario.clone(), path), &record.plan);
    }
    let in_file = |error: Error| error.at(path.display().to_string());
    if wrong.is_empty() { Ok(()) } else { Err(Refused(wrong.into_iter().map(in_file).collect())) }
}

/// A record is made from its events alone, so one that says otherwise was edited, or made by another version. What the
/// events do not tell (seed, version, digests of the files, the time of the run) nothing here can be held against: a
/// record carries no signature. A wrong seed shows in a replay.
pub(super) fn edited(record: &Record) -> Option<String> {
    let Record { identity, plan, scenario, events, .. } = record.clone();
    let made = measure::record(measure::Inputs { identity, plan, scenario, events });
    if made == *record {
        return None;
    }
    let differences = measure::differences(record, &made);
    let version = (record.identity.tool_version != env!("CARGO_PKG_VERSION"))
        .then(|| format!("it was made by backdraft {}", record.identity.tool_version));
    Some(version.or(differences.first().cloned()).unwrap_or_else(|| "it was edited".into()))
}

pub(super) fn read(path: &Path) -> Result<Record> {
    let help = "give a file from the folder records/ of a run's output";
    Kind { name: "record", noun: "record of a drill", format: RECORD_FORMAT, limit: RECORD_LIMIT, help }.read(path)
}
