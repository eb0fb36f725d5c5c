//! `backdraft replay`: plays the drill of a record again, with its own plan, scenario and seed, and says what differs.

use std::{fs, path::PathBuf, sync::Arc};

use clap::Args;

use super::{
    Common,
    progress::Progress,
    session::{Cast, Session},
};
use crate::{
    error::{Error, Result},
    exit, measure,
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
    /// Keep the drill's scratch folder.
    #[arg(long)]
    keep: bool,
}

pub(super) fn replay(args: &ReplayArgs, common: &Common) -> Result<u8> {
    let before = read(&args.record)?;
    let identity = &before.identity;
    let cast = Cast {
        id: identity.scenario.clone(),
        plan: Arc::new(before.plan.clone()),
        plan_sha256: identity.plan_sha256.clone(),
        scenario: Arc::new(before.scenario.clone()),
        scenario_sha256: identity.scenario_sha256.clone(),
        seed: identity.seed,
        way: identity.way,
    };
    let session = Session::start(args.keep)?;
    let mut progress = Progress::new(1, common.quiet);
    let now = session.play(&cast, progress.begin(&cast.id));
    progress.end(&now);
    progress.finish();
    if session.is_stopped() {
        return Ok(exit::INTERRUPTED);
    }
    let differences = measure::differences(&before, &now);
    if differences.is_empty() {
        let what = if cast.way == Way::Simulated { "the record is the same to the byte" } else { "it ended the same" };
        println!("{}: {what} ({})", cast.id, now.result.result.words());
        return Ok(exit::PASS);
    }
    println!("{}: the replay differs from the record", cast.id);
    for difference in differences {
        println!("  {difference}");
    }
    Ok(exit::FAILED)
}

fn read(path: &PathBuf) -> Result<Record> {
    let place = path.display().to_string();
    let help = "give a file from the folder records/ of a run's output";
    let unreadable = |e| Error::new("the record cannot be read").at(place.clone()).because(e).help(help);
    if fs::metadata(path).map_err(unreadable)?.len() > RECORD_LIMIT {
        return Err(Error::new("this file is too large for a record").at(place).help(help));
    }
    let text = fs::read(path).map_err(unreadable)?;
    let record: Record = serde_json::from_slice(&text).map_err(|e| {
        let at = format!("{place}:{}:{}", e.line(), e.column());
        Error::new("this is no record of a drill").at(at).because(e).help(help)
    })?;
    if record.format != RECORD_FORMAT {
        let what = format!("this record has format `{}`, this version reads `{RECORD_FORMAT}`", record.format);
        return Err(Error::new(what).at(place));
    }
    Ok(record)
}
