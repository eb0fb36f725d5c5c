//! `backdraft incident`: the papers of an incident from the record of its drill.

use std::path::PathBuf;

use clap::Args;

use super::{Ended, console::Console, discreet, output::Output, replay};
use crate::{
    error::{Error, Result},
    exit, incident,
    model::record::Record,
};

/// Arguments of `incident`.
#[derive(Debug, Clone, Args)]
pub(super) struct IncidentArgs {
    /// A record that `run` wrote: records/NAME.json in its output folder.
    #[arg(value_name = "RECORD")]
    record: PathBuf,
    /// Folder for the papers, which no evidence speaks of; a new one below reports/runs where none is given.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn incident(args: &IncidentArgs, console: &Console) -> Ended {
    let record = replay::read(&args.record)?;
    replay::playable(&record, &args.record)?;
    let place = args.record.display().to_string();
    if let Some(edited) = replay::edited(&record) {
        let what = format!("this record does not follow from its own events: {edited}");
        let help = "give the record as `run` wrote it: papers are written from evidence alone";
        return Err(Error::new(what).at(place).help(help).into());
    }
    let record = discreet::record(record)?;
    if record.timeline.t0.is_none() {
        let what =
            format!("this drill ended before its disaster ({}): there is no incident", record.result.result.words());
        return Err(Error::new(what).at(place).help("give the record of a drill that was played").into());
    }
    let output = match &args.out {
        Some(folder) => Output::beside_evidence(folder)?,
        None => Output::fresh()?,
    };
    for path in write(&record, &output, "")? {
        console.line(path.display());
    }
    Ok(exit::PASS)
}

/// Writes the papers of a drill, each under its name behind `prefix`; none where the drill ended before its disaster.
pub(super) fn write(record: &Record, output: &Output, prefix: &str) -> Result<Vec<PathBuf>> {
    let papers = incident::documents(record).unwrap_or_default();
    papers.iter().map(|paper| output.write(&format!("{prefix}{}", paper.name), &paper.text)).collect()
}
