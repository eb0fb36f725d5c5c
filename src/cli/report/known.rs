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
    evidence::{
        ENVELOPE_FILE, PublicKey, STATEMENT_FILE, folder,
        verify::{self, Expected, Signature},
    },
    model::{
        compliance::{Beside, Known, Source},
        history::{Entry, Head, Summary},
        plan::Plan,
        record::Record,
    },
};

/// Where a run's records lie below its output folder.
const RECORDS: &str = "records";

/// What was found.
pub(super) struct Drills {
    /// Each once, in the order in which they were found.
    pub(super) known: Vec<Known>,
    /// How many could not be held against their own events, since another version of backdraft made them.
    pub(super) unchecked: u64,
    /// End of the history; `None` where they come from records alone.
    pub(super) head: Option<Head>,
    /// What else is known of where they come from.
    pub(super) source: Source,
}

/// A folder of records.
struct Folder {
    /// Each of them.
    files: Vec<PathBuf>,
    /// What the evidence beside them shows; `None` where there is none.
    signature: Option<Signature>,
}

/// Reads the records of these folders. A folder that holds `records/` is a run's: its records are taken and nothing else.
///
/// # Errors
/// Everything that is no record, every record that does not follow from its own events, and every one that is not as the
/// evidence beside it states it: it is no evidence. `key` must have signed that, where one is given.
pub(super) fn of_records(folders: &[PathBuf], key: Option<&PublicKey>) -> std::result::Result<Drills, Refused> {
    let mut drills = Drills { known: Vec::new(), unchecked: 0, head: None, source: Source::default() };
    let (mut wrong, mut seen, mut beside) = (Vec::new(), BTreeSet::new(), Beside::default());
    for folder in folders {
        let Folder { files, signature } = open(folder, key)?;
        for path in files {
            match one(&path) {
                Err(error) => wrong.push(error),
                // The same record in two folders is one drill.
                Ok((known, _)) if !seen.insert(known.record_sha256.clone()) => {}
                Ok((known, checked)) => {
                    drills.unchecked += u64::from(!checked);
                    drills.known.push(known);
                    *counted(&mut beside, signature.as_ref()) += 1;
                }
            }
        }
    }
    drills.source.beside = Some(beside);
    if wrong.is_empty() { Ok(drills) } else { Err(Refused(wrong)) }
}

fn counted<'b>(beside: &'b mut Beside, signature: Option<&Signature>) -> &'b mut u64 {
    match signature {
        None => &mut beside.none,
        Some(Signature::Good(_)) => &mut beside.signed,
        Some(Signature::Unsigned) => &mut beside.unsigned,
        // One that is wrong was refused.
        Some(Signature::NotChecked(_) | Signature::Wrong(_)) => &mut beside.unchecked,
    }
}

/// Finds a folder's records, and holds them against the evidence beside them.
fn open(dir: &Path, key: Option<&PublicKey>) -> std::result::Result<Folder, Refused> {
    let signature = match evidence_of(dir) {
        Some((place, below)) => Some(held_against(&place, &below, key)?),
        None if key.is_some() => {
            let what =
                format!("there is no evidence beside these records: neither {STATEMENT_FILE} nor {ENVELOPE_FILE}");
            let help = "give the output folder of a run that was signed, or no --key";
            return Err(Error::new(what).at(dir.display().to_string()).help(help).into());
        }
        None => None,
    };
    Ok(Folder { files: files(dir)?, signature })
}

/// Where the evidence of a folder's records lies, and what their names begin with there. That of `records/` of a run, and
/// of folders in it, lies above.
fn evidence_of(dir: &Path) -> Option<(PathBuf, String)> {
    let has_evidence = |dir: &Path| [STATEMENT_FILE, ENVELOPE_FILE].iter().any(|name| dir.join(name).exists());
    if has_evidence(dir) {
        let below = if dir.join(RECORDS).is_dir() { format!("{RECORDS}/") } else { String::new() };
        return Some((dir.to_owned(), below));
    }
    let whole = fs::canonicalize(dir).ok()?;
    let place = whole.ancestors().skip(1).find(|place| has_evidence(place))?;
    let below = whole.strip_prefix(place).ok().filter(|below| below.starts_with(RECORDS))?;
    Some((place.to_owned(), format!("{}/", below.display())))
}

/// What the signature shows of the evidence that lies in `place`. Reports there may have been written again since: only
/// records below that name count.
fn held_against(place: &Path, below: &str, key: Option<&PublicKey>) -> std::result::Result<Signature, Refused> {
    let found = verify::verify(place, Expected { key, head: None, below })?;
    let no_evidence = |wrong: String| {
        let what = format!("this record is not as its evidence states it: {wrong}");
        let help = "`backdraft verify-evidence` shows all of it; give the folder as `run` wrote it";
        Error::new(what).at(place.display().to_string()).help(help)
    };
    let nothing = (found.stated == 0).then(|| "it states none here".to_owned());
    let wrong: Vec<Error> = found.wrong.into_iter().chain(nothing).map(no_evidence).collect();
    if wrong.is_empty() { Ok(found.signature) } else { Err(Refused(wrong)) }
}

fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    let records = dir.join(RECORDS);
    let root = if records.is_dir() { &records } else { dir };
    let help = "give the output folder of a run, or a folder of records";
    let place = || root.display().to_string();
    let (files, _) =
        folder::files(root).map_err(|e| Error::new("this folder cannot be read").at(place()).because(e).help(help))?;
    let found: Vec<PathBuf> = files
        .into_values()
        .filter(|path| path.extension().is_some_and(|e| e == "json") && !is_evidence(path))
        .collect();
    match found.is_empty() {
        true => Err(Error::new("there is no record (.json) in this folder").at(place()).help(help)),
        false => Ok(found),
    }
}

fn is_evidence(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == STATEMENT_FILE || name == ENVELOPE_FILE)
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
    let (entries, head, waiting) = verified(place)?;
    let source = Source::of_history(&entries, waiting);
    let of_platform = |entry: &Entry| entry.summary.platform == plan.platform;
    let known = entries.into_iter().filter(of_platform).map(|entry| Known {
        sequence: Some(entry.sequence),
        record_sha256: entry.record_sha256.clone(),
        summary: entry.dated(),
    });
    Ok(Drills { known: known.collect(), unchecked: 0, head: Some(head), source })
}

/// What a history tells of the last twelve months of the plan's platform.
///
/// # Errors
/// As [`of_history`].
pub(super) fn past(place: &PlaceArgs, plan: &Plan) -> std::result::Result<Past, Refused> {
    let (entries, head, _) = verified(place)?;
    Ok(keeper::past(entries, Some(head), plan))
}

/// All entries of a history that is what was written, its head, and how many drills wait for their entry.
fn verified(place: &PlaceArgs) -> Result<(Vec<Entry>, Head, u64)> {
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
    Ok((history.entries()?, head, history.waiting()?.left))
}
