//! `backdraft report drills`: the reports of drills again, from the records that a run left.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;

use super::{Form, Press, known};
use crate::{
    cli::{Ended, console::Console, discreet, keeper::PlaceArgs, output::Output, replay},
    error::{Error, Result},
    exit,
    model::record::Record,
    report::{self, Report, Run},
};

/// Arguments of `report drills`.
#[derive(Debug, Clone, Args)]
pub(super) struct DrillsArgs {
    /// Records that `run` wrote, or folders of them: a run's output folder, or its records/.
    #[arg(value_name = "RECORD|DIR", required = true)]
    paths: Vec<PathBuf>,
    /// Formats to write, of those that `list reports` names; all where none is given.
    #[arg(long, value_name = "NAME")]
    format: Vec<String>,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    place: PlaceArgs,
    /// Folder for the reports, which no evidence speaks of; a new one below reports/runs where none is given.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn drills(args: &DrillsArgs, console: &Console) -> Ended {
    let formats = formats(&args.format)?;
    let press = Press::new(&args.form)?;
    let mut records = Vec::new();
    for path in &args.paths {
        let mut of_path = records_at(path)?.iter().map(|file| evidence(file)).collect::<Result<Vec<Record>>>()?;
        // As `run` plays them: by name, which is not the order of the files, for those end in `.json`.
        of_path.sort_by(|a, b| a.identity.scenario.cmp(&b.identity.scenario));
        records.extend(of_path);
    }
    let output = match &args.out {
        Some(folder) => Output::beside_evidence(folder)?,
        None => Output::fresh()?,
    };
    let past = match records.first() {
        Some(record) if args.place.is_named() => Some(known::past(&args.place, &record.plan)?),
        _ => None,
    };
    let run = Run {
        past: past.as_ref().map_or(&[], |past| &past.drills),
        trend: past.as_ref().map(|past| &past.trend),
        head: past.as_ref().and_then(|past| past.head.as_ref()),
        ..Run::of(&records)
    };
    press.write(&run, &formats, &output, console)?;
    Ok(exit::PASS)
}

fn formats(names: &[String]) -> Result<Vec<&'static dyn Report>> {
    if names.is_empty() {
        return Ok(report::CATALOGUE.to_vec());
    }
    let known = || report::CATALOGUE.iter().map(|format| format.name()).collect::<Vec<_>>().join(", ");
    let unknown = |name: &str| {
        Error::new(format!("there is no report format `{}`", name.escape_debug()))
            .help(format!("choose of: {}", known()))
    };
    names.iter().map(|name| report::by_name(name).ok_or_else(|| unknown(name))).collect()
}

/// A record that follows from its own events: a report of anything else would be no evidence.
fn evidence(file: &Path) -> Result<Record> {
    let record = replay::read(file)?;
    match replay::edited(&record) {
        None => discreet::record(record),
        Some(edited) => Err(Error::new(format!("this record does not follow from its own events: {edited}"))
            .at(file.display().to_string())
            .help("give the record as `run` wrote it: reports are written from evidence alone")),
    }
}

/// The file, or every record below the folder, in the order of their names.
fn records_at(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let records = path.join("records");
    let folder = if records.is_dir() { records } else { path.to_owned() };
    let mut found = Vec::new();
    below(&folder, &mut found)?;
    found.sort();
    if found.is_empty() {
        let what = "there is no record in this folder";
        let help = "give a run's output folder, its records/, or files in it";
        return Err(Error::new(what).at(folder.display().to_string()).help(help));
    }
    Ok(found)
}

/// Links to folders are not followed: one may lead back.
fn below(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let unreadable = |e| {
        let what = Error::new("this folder of records cannot be read").at(folder.display().to_string());
        what.because(e).help("give a run's output folder that this user may read")
    };
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let kind = entry.file_type().map_err(unreadable)?;
        let path = entry.path();
        if kind.is_dir() {
            below(&path, found)?;
        } else if path.extension().is_some_and(|ending| ending == "json") {
            found.push(path);
        }
    }
    Ok(())
}
