//! Records as they are kept: JSON in one gzip member. The digest in an entry is that of these bytes, so that a hundred
//! thousand of them can be verified without being unpacked.

use std::{
    fs::Permissions,
    io::{self, Read, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use flate2::{Compression, GzBuilder, read::GzDecoder};
use serde::Deserialize;
use tempfile::NamedTempFile;

use crate::{
    error::{Error, Result},
    model::record::{RECORD_FORMAT, Record},
};

/// Largest record, in bytes of JSON: what is larger is none of ours.
const MOST_JSON: u64 = 64 << 20;

/// Largest record as it is kept, in bytes.
pub(super) const MOST_PACKED: u64 = 64 << 20;

/// A record as it is kept. The mark of its drill stands in the head of the packed file: so a record that was kept twice
/// was copied, also where two simulated drills of one seed have the very same record.
///
/// # Errors
/// Never where memory can be had.
pub fn pack(record: &Record, mark: &str) -> Result<Vec<u8>> {
    // A gzip comment ends with a NUL, so it can hold none.
    let comment: Vec<u8> = mark.bytes().filter(|byte| *byte != 0).collect();
    let mut gzip = GzBuilder::new().comment(comment).write(Vec::new(), Compression::default());
    let written = serde_json::to_writer(&mut gzip, record).map_err(std::io::Error::from);
    let packed = written.and_then(|()| gzip.write_all(b"\n")).and_then(|()| gzip.finish());
    packed.map_err(|e| Error::new("the record cannot be packed").because(e))
}

/// A new file of a history, to be given its name when it is whole: whoever may read one file of it may read all.
///
/// # Errors
/// When it cannot be made.
pub(super) fn new_file(dir: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new().prefix(".new-").permissions(Permissions::from_mode(0o666)).tempfile_in(dir)
}

/// The record that was packed.
///
/// # Errors
/// When the bytes hold none, or one of another version.
pub fn unpack(packed: &[u8]) -> Result<Record> {
    let mut json = Vec::new();
    let not_one = |why: String| Error::new("this is no packed record").because(why);
    GzDecoder::new(packed).take(MOST_JSON + 1).read_to_end(&mut json).map_err(|e| not_one(e.to_string()))?;
    if json.len() as u64 > MOST_JSON {
        return Err(not_one("it holds more than any record".into()));
    }
    let Format { format } = serde_json::from_slice(&json).map_err(|e| not_one(e.to_string()))?;
    if format != RECORD_FORMAT {
        let what = format!("this record has format `{}`, this version reads `{RECORD_FORMAT}`", format.escape_debug());
        return Err(Error::new(what).help("read it with the version of backdraft that wrote it"));
    }
    serde_json::from_slice(&json).map_err(|e| not_one(e.to_string()))
}

/// What every version of a record has.
#[derive(Deserialize)]
struct Format {
    format: String,
}
