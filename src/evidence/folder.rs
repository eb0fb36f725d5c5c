//! The files of a folder of evidence, by name and by digest.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// SHA-256 in lower-case hex.
pub fn digest(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

/// SHA-256 of a file in lower-case hex, read piece by piece.
///
/// # Errors
/// When it cannot be read.
pub fn digest_of(path: &Path) -> io::Result<String> {
    let mut file = fs::File::open(path)?;
    let mut hasher = Sha256::new();
    let mut piece = vec![0; 1 << 16];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(HEXLOWER.encode(&hasher.finalize())),
            n => hasher.update(&piece[..n]),
        }
    }
}

/// Every regular file below a folder by its name there, `/` between folders. Links are followed nowhere: what they point
/// to is not in the folder. They, and whatever else is no regular file, come in the second part.
///
/// # Errors
/// When a folder cannot be read.
pub fn files(root: &Path) -> io::Result<(BTreeMap<String, PathBuf>, Vec<String>)> {
    let (mut files, mut others) = (BTreeMap::new(), Vec::new());
    let mut open = vec![(String::new(), root.to_owned())];
    while let Some((prefix, dir)) = open.pop() {
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            let kind = entry.file_type()?;
            if kind.is_dir() {
                open.push((format!("{name}/"), entry.path()));
            } else if kind.is_file() {
                files.insert(name, entry.path());
            } else {
                others.push(name);
            }
        }
    }
    others.sort();
    Ok((files, others))
}
