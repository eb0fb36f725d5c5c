//! Reading what an earlier run wrote: a JSON file of a known format, bounded before it is read, and refused with its
//! place where it is something else.

use std::{fs, io::Read, path::Path};

use serde::{Deserialize, de::DeserializeOwned};

use crate::error::{Error, Result};

/// A kind of file that backdraft writes and reads again.
pub(super) struct Kind {
    /// What it is: `record`.
    pub(super) name: &'static str,
    /// What it is in full: `record of a drill`.
    pub(super) noun: &'static str,
    /// The format that this version reads.
    pub(super) format: &'static str,
    /// A file beyond this size, in bytes, is none of ours.
    pub(super) limit: u64,
    /// Where to get one.
    pub(super) help: &'static str,
}

impl Kind {
    /// Reads one.
    ///
    /// # Errors
    /// When it cannot be read, or is of another kind or version.
    pub(super) fn read<T: DeserializeOwned>(&self, path: &Path) -> Result<T> {
        let place = path.display().to_string();
        let name = self.name;
        let unreadable =
            |e| Error::new(format!("the {name} cannot be read")).at(place.clone()).because(e).help(self.help);
        // A pipe or a device may never end.
        if !fs::metadata(path).map_err(unreadable)?.is_file() {
            let what = format!("this is not a regular file, where a {name} belongs");
            return Err(Error::new(what).at(place).help(self.help));
        }
        let mut text = Vec::new();
        let file = fs::File::open(path).map_err(unreadable)?;
        file.take(self.limit + 1).read_to_end(&mut text).map_err(unreadable)?;
        if text.len() as u64 > self.limit {
            return Err(Error::new(format!("this file is too large for a {name}")).at(place).help(self.help));
        }
        // The format comes first: a file of another version need not have the fields of this one.
        let not_one = |e: serde_json::Error| {
            let at = format!("{place}:{}:{}", e.line(), e.column());
            Error::new(format!("this is no {}", self.noun)).at(at).because(e).help(self.help)
        };
        let Format { format } = serde_json::from_slice(&text).map_err(not_one)?;
        if format != self.format {
            let (is, reads) = (format.escape_debug(), self.format);
            let what = format!("this {name} has format `{is}`, this version reads `{reads}`");
            let help = "read it with the version of backdraft that wrote it";
            return Err(Error::new(what).at(place).help(help));
        }
        serde_json::from_slice(&text).map_err(not_one)
    }
}

/// What every version of a file has.
#[derive(Deserialize)]
struct Format {
    format: String,
}
