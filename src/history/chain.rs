//! Entries as lines, their digests, and what of a line a verification needs.

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::packing::unpack;
use crate::{
    error::{Error, Result},
    model::history::{Entry, HISTORY_FORMAT, Head, Summary},
};

/// SHA-256 of something.
pub(super) type Digest = [u8; 32];

/// What the first entry holds in the place of a digest.
pub(super) const NOTHING_BEFORE: Digest = [0; 32];

/// SHA-256 of these bytes.
pub(super) fn digest(bytes: &[u8]) -> Digest {
    Sha256::digest(bytes).into()
}

/// As it is written.
pub(super) fn hex(digest: &Digest) -> String {
    HEXLOWER.encode(digest)
}

/// As it was written; `None` where that is no digest.
pub(super) fn unhex(text: &str) -> Option<Digest> {
    HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok()
}

/// The end of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    pub(super) sequence: u64,
    pub(super) digest: Digest,
}

impl End {
    /// Where nothing was written yet.
    pub(super) const NONE: End = End { sequence: 0, digest: NOTHING_BEFORE };

    /// What the line that comes next begins with: all that does not depend on its record and its moment.
    pub(super) fn beginning_of_next(&self) -> Vec<u8> {
        let (next, previous) = (self.sequence + 1, hex(&self.digest));
        let text = format!(
            r#"{{"format":"{HISTORY_FORMAT}","sequence":{next},"previous_sha256":"{previous}","appended_at":""#
        );
        text.into_bytes()
    }

    /// As the rest of the house has it.
    pub(super) fn head(&self) -> Head {
        Head { sequence: self.sequence, sha256: hex(&self.digest) }
    }

    /// The line that comes next, without its newline, and the end that it makes.
    ///
    /// # Errors
    /// Never: an entry is made of strings, numbers and lists.
    pub(super) fn next(&self, summary: &Summary, packed: &[u8], at: Timestamp) -> Result<(Vec<u8>, End)> {
        let entry = Entry {
            format: HISTORY_FORMAT.to_owned(),
            sequence: self.sequence + 1,
            previous_sha256: hex(&self.digest),
            appended_at: at,
            record_sha256: hex(&digest(packed)),
            summary: summary.clone(),
        };
        let line = serde_json::to_vec(&entry).map_err(|e| Error::new("the entry cannot be written").because(e))?;
        let end = End { sequence: entry.sequence, digest: digest(&line) };
        Ok((line, end))
    }
}

/// What holds an entry in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) sequence: u64,
    pub(super) previous: Digest,
    pub(super) record: Digest,
}

impl Link {
    /// Of a line; says why not where it has none.
    pub(super) fn of(line: &[u8]) -> std::result::Result<Link, String> {
        /// The rest is passed over.
        #[derive(Deserialize)]
        struct Line<'l> {
            format: &'l str,
            sequence: u64,
            previous_sha256: &'l str,
            record_sha256: &'l str,
        }
        let text = std::str::from_utf8(line).map_err(|e| e.to_string())?;
        let line: Line<'_> = serde_json::from_str(text).map_err(|e| e.to_string())?;
        if line.format != HISTORY_FORMAT {
            return Err(format!("its format is `{}`, not `{HISTORY_FORMAT}`", line.format.escape_debug()));
        }
        let digest = |name, text: &str| unhex(text).ok_or_else(|| format!("{name} is no SHA-256"));
        let previous = digest("previous_sha256", line.previous_sha256)?;
        Ok(Link { sequence: line.sequence, previous, record: digest("record_sha256", line.record_sha256)? })
    }
}

/// What a record says, in short, that has no line; says why not where no killed run left it: it is none, or one that
/// some entry of the chain has already.
pub(super) fn new_record(packed: &[u8], links: &[Link]) -> std::result::Result<Summary, String> {
    let none = |e: Error| {
        format!("its record is there without its line, and is none: {}", e.to_string().replace("\n  ", ", "))
    };
    let summary = Summary::of(&unpack(packed).map_err(none)?);
    let found = digest(packed);
    match links.iter().find(|link| link.record == found) {
        Some(link) => Err(format!("its record is a copy of that of entry {}, and it has no line", link.sequence)),
        None => Ok(summary),
    }
}

/// An entry from its line; says why not where it is none.
pub(super) fn entry(line: &[u8]) -> std::result::Result<Entry, String> {
    Link::of(line)?;
    serde_json::from_slice(line).map_err(|e| e.to_string())
}
