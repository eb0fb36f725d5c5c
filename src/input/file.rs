//! The bytes of an input file: bounded before they are read, digested, and known to be text.

use std::{fs, io, io::Read, path::Path};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// The largest input file that is read. A long scenario has 4 KiB.
pub(super) const MAX_BYTES: u64 = 1 << 20;

/// A file's text with the digest of its bytes.
#[derive(Debug)]
pub(super) struct Text {
    /// The whole file.
    pub(super) text: String,
    /// SHA-256 of the file's bytes, lower-case hex.
    pub(super) sha256: String,
}

/// Reads a text file of at most [`MAX_BYTES`]; `noun` is what it should be, for instance `scenario`.
pub(super) fn read(path: &Path, noun: &str) -> Result<Text> {
    let place = path.display().to_string();
    let bytes = read_bounded(path, noun).map_err(|error| error.at(place.as_str()))?;
    let sha256 = digest(&bytes);
    if bytes.contains(&0) {
        let what = format!("this is a binary file, not a {noun}");
        return Err(Error::new(what).at(place).help(format!("a {noun} is a text file in YAML, encoded as UTF-8")));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Text { text, sha256 }),
        Err(error) => Err(not_utf8(&place, error.as_bytes(), error.utf8_error().valid_up_to())),
    }
}

/// SHA-256, lower-case hex.
pub(super) fn digest(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

fn read_bounded(path: &Path, noun: &str) -> Result<Vec<u8>> {
    let metadata = fs::metadata(path).map_err(|error| cannot_open(error, noun))?;
    if metadata.is_dir() {
        return Err(Error::new(format!("this is a folder, where a {noun} file belongs")).help("name a YAML file in it"));
    }
    // A pipe or a device may never end.
    if !metadata.is_file() {
        return Err(Error::new("this is not a regular file").help(format!("name a {noun} file in YAML")));
    }
    let mut bytes = Vec::new();
    if metadata.len() <= MAX_BYTES {
        let file = fs::File::open(path).map_err(|error| cannot_open(error, noun))?;
        // It may have grown since its size was asked for.
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| cannot_open(error, noun))?;
    }
    if metadata.len().max(bytes.len() as u64) > MAX_BYTES {
        let what = format!("the file is larger than a {noun} may be: over {MAX_BYTES} bytes (1 MiB)");
        return Err(Error::new(what).help(format!("check that the path is that of a {noun}")));
    }
    Ok(bytes)
}

fn cannot_open(error: io::Error, noun: &str) -> Error {
    match error.kind() {
        io::ErrorKind::NotFound => Error::new("there is no such file").help(format!("check the path of the {noun}")),
        _ => Error::new(format!("the {noun} cannot be read"))
            .because(error)
            .help("check the path, and the permissions of the file"),
    }
}

fn not_utf8(file: &str, bytes: &[u8], bad: usize) -> Error {
    let before = &bytes[..bad];
    let line = before.iter().filter(|b| **b == b'\n').count() + 1;
    let line_start = before.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
    let column = String::from_utf8_lossy(&before[line_start..]).chars().count() + 1;
    let byte = bytes.get(bad).copied().unwrap_or_default();
    Error::new(format!("the byte 0x{byte:02x} is not UTF-8"))
        .at(format!("{file}:{line}:{column}"))
        .help("save the file with the encoding UTF-8")
}
