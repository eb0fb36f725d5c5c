//! The drills that a compliance report is made from: a history, verified first, or records in folders, each held against
//! its own events.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use crate::{
    cli::{
        console::Refused,
        keeper::{self, Past, PlaceArgs, open_to_read},
        replay,
    },
    error::{Error, Result},
    evidence::folder,
    model::{
        compliance::Known,
        history::{Entry, Head, Summary},
        plan::Plan,
        record::Record,
    },
};

/// What was found.
pub(super) struct Drills {
    /// Each once, in the order in which they were found.
    pub(super) known: Vec<Known>,
    /// How many could not be held against their own events, since another version of backdraft made them.
    pub(super) unchecked: u64,
    /// End of the history; `None` where they come from records alone.
    pub(super) head: Option<Head>,
}

/// Reads the records of these folders. A folder that holds `records/` is a run's: its records are taken and nothing else.
///
/// # Errors
/// Everything that is no record, and every record that does not follow from its own events: it is no evidence.
pub(super) fn of_records(folders: &[PathBuf]) -> std::result::Result<Drills, Refused> {
    let mut drills = Drills { known: Vec::new(), unchecked: 0, head: None };
    let (mut wrong, mut seen) = (Vec::new(), BTreeSet::new());
    for folder in folders {
        for path in files(folder)? {
            match one(&path) {
                Err(error) => wrong.push(error),
                // The same record in two folders is one drill.
                Ok((known, _)) if !seen.insert(known.record_sha256.clone()) => {}
                Ok((known, checked)) => {
                    drills.unchecked += u64::from(!checked);
                    drills.known.push(known);
                }
            }
        }
    }
    if wrong.is_empty() { Ok(drills) } else { Err(Refused(wrong)) }
}

fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    let records = dir.join("records");
    let root = if records.is_dir() { &records } else { dir };
    let help = "give the output folder of a run, or a folder of records";
    let place = || root.display().to_string();
    let (files, _) =
        folder::files(root).map_err(|e| Error::new("this folder cannot be read").at(place()).because(e).help(help))?;
    let found: Vec<PathBuf> =
        files.into_values().filter(|path| path.extension().is_some_and(|e| e == "json")).collect();
    match found.is_empty() {
        true => Err(Error::new("there is no record (.json) in this folder").at(place()).help(help)),
        false => Ok(found),
    }
}

/// A record, and whether it was held against its own events.
fn one(path: &Path) -> Result<(Known, bool)> {
    let record: Record = replay::read(path)?;
    let checked = record.identity.tool_version == env!("CARGO_PKG_VERSION");
    if checked && let Some(edited) = replay::edited(&record) {
        let what = format!("this record does not follow from its own events: {edited}");
        let help = "give the record as `run` wrote it: an edited one is no evidence";
        return Err(Error::new(what).at(path.display().to_string()).help(help));
    }
    let unreadable = |e| Error::new("the record cannot be read").at(path.display().to_string()).because(e);
    let record_sha256 = folder::digest(&fs::read(path).map_err(unreadable)?);
    Ok((Known { sequence: None, record_sha256, summary: Summary::of(&record) }, checked))
}

/// Reads a history, and believes it only where it is what was written.
///
/// # Errors
/// When there is none, or it does not verify: a report of it would be evidence of nothing.
pub(super) fn of_history(place: &PlaceArgs, plan: &Plan) -> std::result::Result<Drills, Refused> {
    let (entries, head) = verified(place)?;
    let of_platform = |entry: &Entry| entry.summary.platform == plan.platform;
    let known = entries.into_iter().filter(of_platform).map(|entry| Known {
        sequence: Some(entry.sequence),
        record_sha256: entry.record_sha256.clone(),
        summary: entry.dated(),
    });
    Ok(Drills { known: known.collect(), unchecked: 0, head: Some(head) })
}

/// What a history tells of the last twelve months of the plan's platform.
///
/// # Errors
/// As [`of_history`].
pub(super) fn past(place: &PlaceArgs, plan: &Plan) -> std::result::Result<Past, Refused> {
    let (entries, head) = verified(place)?;
    Ok(keeper::past(entries, Some(head), plan))
}

/// All entries of a history that is what was written, and its head.
fn verified(place: &PlaceArgs) -> Result<(Vec<Entry>, Head)> {
    let history = open_to_read(place)?;
    let verified = history.verify(None)?;
    if let Some(flaw) = verified.flaws.first() {
        let what = format!("the history is not what was written: entry {}: {}", flaw.sequence, flaw.what);
        let help = "`backdraft history verify` names all that was changed; no report is made of it";
        return Err(Error::new(what).at(history.name()).help(help));
    }
    let Some(head) = verified.head else {
        let help = "`backdraft run` begins one; name another with --history PLACE, or records with --records DIR";
        return Err(Error::new("there is no history here").at(history.name()).help(help));
    };
    Ok((history.entries()?, head))
}
