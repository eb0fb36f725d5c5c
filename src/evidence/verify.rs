//! Holding a folder of evidence against its statement, offline: every file's digest, files that nobody lists, and the
//! signature.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Read,
    path::{Path, PathBuf},
};

use super::{
    ENVELOPE_FILE, PublicKey, STATEMENT_FILE, Statement,
    dsse::{Envelope, IN_TOTO},
    folder,
    statement::{PREDICATE_TYPE, STATEMENT_TYPE},
};
use crate::{
    error::{Error, Result},
    model::history::Head,
};

/// A statement beyond this size, in bytes, is none of ours.
const STATEMENT_LIMIT: u64 = 64 << 20;

/// What to hold it against, beside itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Expected<'a> {
    /// The key that must have signed it.
    pub key: Option<&'a PublicKey>,
    /// The end of the chain that it must name.
    pub head: Option<&'a Head>,
    /// Only files whose names begin so, where that is not empty: the others may have changed since.
    pub below: &'a str,
}

/// What the signature shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signature {
    /// There is none.
    Unsigned,
    /// There is one, and no key was given to check it with; the key that it claims.
    NotChecked(String),
    /// It is that of the key given.
    Good(String),
    /// It is not.
    Wrong(String),
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What the signature shows.
    pub signature: Signature,
    /// Each thing that is not as it was stated, with the file's name; in the order of the statement.
    pub wrong: Vec<String>,
    /// Files that are as they were stated.
    pub sound: usize,
    /// Files that are stated.
    pub stated: usize,
    /// What is stated; `None` where that cannot be read.
    pub statement: Option<Statement>,
}

/// Holds the folder against its statement.
///
/// # Errors
/// When it is no folder of evidence, or cannot be read. What is wrong with the evidence is no error.
pub fn verify(dir: &Path, expected: Expected<'_>) -> Result<Found> {
    let unreadable = |e| {
        let error = Error::new("the folder cannot be read").at(dir.display().to_string()).because(e);
        error.help("give the output folder of a run")
    };
    let (files, others) = folder::files(dir).map_err(unreadable)?;
    let read = |name: &str| files.get(name).map(read).transpose();
    let (bare, envelope) = (read(STATEMENT_FILE)?, read(ENVELOPE_FILE)?);
    let mut wrong: Vec<String> = Vec::new();
    let (signature, signed) = match &envelope {
        None => (Signature::Unsigned, None),
        Some(bytes) => of_envelope(bytes, expected.key),
    };
    let bytes = match (&bare, signed) {
        (None, None) if envelope.is_none() => {
            let what = format!("there is no evidence here: neither {STATEMENT_FILE} nor {ENVELOPE_FILE}");
            return Err(Error::new(what).at(dir.display().to_string()).help("give the output folder of a run"));
        }
        (Some(bare), Some(signed)) => {
            if *bare != signed {
                wrong.push(format!("changed: {STATEMENT_FILE} is not what was signed"));
            }
            Some(signed)
        }
        (None, signed) => {
            wrong.push(format!("missing: {STATEMENT_FILE}"));
            signed
        }
        (Some(bare), None) => Some(bare.clone()),
    };
    if expected.key.is_some() && signature == Signature::Unsigned {
        wrong.push("unsigned: a key was given, and there is no signature to check".into());
    }
    if let Signature::Wrong(why) = &signature {
        wrong.push(format!("signature: {why}"));
    }
    let statement = bytes.and_then(|bytes| parse(&bytes).map_err(|why| wrong.push(why)).ok());
    let (sound, stated) = match &statement {
        None => (0, 0),
        Some(statement) => compare(statement, expected.below, &files, &others, &mut wrong),
    };
    if let (Some(head), Some(statement)) = (expected.head, &statement) {
        wrong.extend(other_head(head, statement.head()));
    }
    Ok(Found { signature, wrong, sound, stated, statement })
}

fn read(path: &PathBuf) -> Result<Vec<u8>> {
    let unreadable = |e| Error::new("the evidence cannot be read").at(path.display().to_string()).because(e);
    let mut bytes = Vec::new();
    fs::File::open(path).map_err(unreadable)?.take(STATEMENT_LIMIT + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    match bytes.len() as u64 > STATEMENT_LIMIT {
        true => Err(Error::new("this file is too large for a statement").at(path.display().to_string())),
        false => Ok(bytes),
    }
}

/// What the signature shows, and the bytes that were signed.
fn of_envelope(bytes: &[u8], key: Option<&PublicKey>) -> (Signature, Option<Vec<u8>>) {
    let envelope: Envelope = match serde_json::from_slice(bytes) {
        Ok(envelope) => envelope,
        Err(e) => {
            let why = unparsed(bytes, &e);
            return (Signature::Wrong(format!("{ENVELOPE_FILE} is no DSSE envelope: {why}")), None);
        }
    };
    let payload = envelope.payload();
    let signature = match key {
        _ if envelope.payload_type != IN_TOTO => {
            Signature::Wrong(format!("{ENVELOPE_FILE} holds {:?}, not {IN_TOTO}", envelope.payload_type))
        }
        _ if payload.is_none() => Signature::Wrong(format!("the payload of {ENVELOPE_FILE} is no base64")),
        _ if envelope.signatures.is_empty() => Signature::Wrong(format!("{ENVELOPE_FILE} holds no signature")),
        None => Signature::NotChecked(envelope.signatures[0].keyid.clone()),
        Some(key) if envelope.is_signed_by(key) => Signature::Good(key.id()),
        Some(key) => Signature::Wrong(format!("no signature of {ENVELOPE_FILE} is that of key sha256:{}", key.id())),
    };
    (signature, payload)
}

fn parse(bytes: &[u8]) -> std::result::Result<Statement, String> {
    let statement: Statement = serde_json::from_slice(bytes)
        .map_err(|e| format!("changed: {STATEMENT_FILE} is no statement: {}", unparsed(bytes, &e)))?;
    if statement.statement_type != STATEMENT_TYPE || statement.predicate_type != PREDICATE_TYPE {
        let (kind, of) = (&statement.statement_type, &statement.predicate_type);
        return Err(format!("changed: {STATEMENT_FILE} is a {kind:?} about {of:?}, which this version does not know"));
    }
    Ok(statement)
}

/// Why bytes are no JSON of that form. What was cut short is no forgery: another copy may be whole.
fn unparsed(bytes: &[u8], e: &serde_json::Error) -> String {
    match (bytes.is_empty(), e.is_eof()) {
        (true, _) => "it is empty".to_owned(),
        (false, true) => format!("it is cut short, for it ends after {} bytes; look for a whole copy", bytes.len()),
        (false, false) => e.to_string(),
    }
}

/// Counts the files that are as stated, and those that are stated; names what is not as it was.
fn compare(
    statement: &Statement,
    below: &str,
    files: &BTreeMap<String, PathBuf>,
    others: &[String],
    wrong: &mut Vec<String>,
) -> (usize, usize) {
    let mut sound = 0;
    let mut stated = BTreeSet::new();
    if statement.subject.is_empty() {
        wrong.push(format!("changed: {STATEMENT_FILE} states no file"));
    }
    for subject in statement.subject.iter().filter(|subject| subject.name.starts_with(below)) {
        let name = subject.name.as_str();
        if !stated.insert(name) {
            wrong.push(format!("changed: {STATEMENT_FILE} states {name} more than once"));
            continue;
        }
        let Some(path) = files.get(name) else {
            // A link in the place of a file is told once, as what it is.
            if !others.iter().any(|other| other == name) {
                wrong.push(format!("missing: {name}"));
            }
            continue;
        };
        match (folder::digest_of(path), subject.sha256()) {
            (Ok(now), Some(then)) if now == then => sound += 1,
            (Ok(now), Some(then)) => wrong.push(format!("changed: {name} (sha256 {now}, stated {then})")),
            (Ok(_), None) => wrong.push(format!("changed: {STATEMENT_FILE} states no sha256 of {name}")),
            (Err(e), _) => wrong.push(format!("unreadable: {name}: {e}")),
        }
    }
    let own = |name: &str| name == STATEMENT_FILE || name == ENVELOPE_FILE;
    let unlisted =
        files.keys().map(String::as_str).filter(|name| !own(name) && name.starts_with(below) && !stated.contains(name));
    wrong.extend(unlisted.map(|name| format!("not stated: {name}")));
    let others = others.iter().filter(|name| name.starts_with(below));
    wrong.extend(others.map(|name| format!("no regular file: {name}")));
    (sound, stated.len())
}

fn other_head(expected: &Head, stated: Option<Head>) -> Option<String> {
    match stated {
        Some(stated) if stated == *expected => None,
        Some(stated) => Some(format!(
            "history: the evidence names entry {} with sha256 {}, not entry {} with sha256 {}",
            stated.sequence, stated.sha256, expected.sequence, expected.sha256
        )),
        None => Some("history: the evidence names no history".into()),
    }
}
