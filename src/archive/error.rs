//! What can be wrong with an archive, with table and line, so that a report can say why a recovery point was refused.

use std::{fmt, sync::Arc};

use crate::service::contract::ServiceError;

/// The archive's bytes could not be read: a broken download, not a bad archive. The text is the caller's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InputError(pub String);

/// Why packing or unpacking stopped. All but the first four blame the archive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// The archive's bytes could not be read.
    #[error("the archive could not be read: {0}")]
    Input(InputError),
    /// The rows to pack could not be read.
    #[error("the rows to pack could not be read: {0}")]
    Source(ServiceError),
    /// The rows to pack are not what a dump can hold.
    #[error("the rows to pack are not fit for a dump: {0}")]
    Contents(String),
    /// The scratch folder cannot be used.
    #[error("the scratch folder cannot be used: {0}")]
    Scratch(String),
    /// An object of 0 bytes.
    #[error("the archive is empty (0 bytes)")]
    Empty,
    /// Another kind of file.
    #[error("not a {expected} file: it begins with {begins}")]
    Foreign {
        /// What it should be.
        expected: &'static str,
        /// Its first bytes, in hexadecimal.
        begins: String,
    },
    /// The end is missing.
    #[error("cut off {place}")]
    Cut {
        /// Where it breaks off: in or after what.
        place: String,
    },
    /// A checksum, a length or the compression itself is wrong.
    #[error("damaged in {place}: {what}")]
    Damaged {
        /// Which part.
        place: String,
        /// What is wrong with it.
        what: String,
    },
    /// Something follows the archive's end.
    #[error("garbage after {place}")]
    Trailing {
        /// The last part that belongs to it.
        place: String,
    },
    /// It would inflate without end.
    #[error("inflates to more than the limit of {limit_bytes} bytes")]
    TooLarge {
        /// The limit.
        limit_bytes: u64,
    },
    /// A row, or the line that it should stand on, is wrong.
    #[error("{place}: {fault}")]
    Row {
        /// Where.
        place: Place,
        /// What is wrong.
        fault: Fault,
    },
    /// The archive's list of tables is missing or wrong.
    #[error("{0}")]
    Tables(String),
    /// An entry of a ZIP archive is wrong.
    #[error("entry `{name}`: {what}")]
    Entry {
        /// Its name, with what does not print escaped.
        name: String,
        /// What is wrong with it.
        what: String,
    },
}

impl ArchiveError {
    pub(super) fn damaged(place: impl Into<String>, what: impl Into<String>) -> Self {
        ArchiveError::Damaged { place: place.into(), what: what.into() }
    }

    pub(super) fn scratch(error: std::io::Error) -> Self {
        ArchiveError::Scratch(error.to_string())
    }

    pub(super) fn entry(name: &str, what: impl Into<String>) -> Self {
        ArchiveError::Entry { name: name.escape_debug().to_string(), what: what.into() }
    }

    /// Another kind of file, told by its first bytes.
    pub(super) fn foreign(expected: &'static str, bytes: &[u8]) -> Self {
        let begins: Vec<String> = bytes.iter().take(4).map(|b| format!("{b:02x}")).collect();
        ArchiveError::Foreign { expected, begins: begins.join(" ") }
    }
}

/// Where a row stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its table, where that is known.
    pub table: Option<Arc<str>>,
    /// Line from 1; of the whole text, or of the table's own file in a ZIP archive.
    pub line: u64,
    /// Row of the table from 1, where a line need not be a row.
    pub row: Option<u64>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(table) = &self.table {
            write!(f, "table `{}`, ", table.escape_debug())?;
        }
        write!(f, "line {}", self.line)?;
        match self.row {
            Some(row) => write!(f, ", row {row}"),
            None => Ok(()),
        }
    }
}

/// What is wrong with a row or a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Bytes that are no text; where, counted from 1 from the start of the line or row.
    #[error("invalid UTF-8 at byte {0}")]
    Utf8(usize),
    /// No JSON.
    #[error("broken JSON: {0}")]
    Json(String),
    /// JSON, but not a row.
    #[error("not a JSON object: it begins with `{0}`")]
    NotAnObject(char),
    /// Nothing.
    #[error("blank line")]
    Blank,
    /// Longer than a line may be.
    #[error("longer than {} MiB", MAX_MIB)]
    TooLong,
    /// Nested deeper than any reader goes.
    #[error("nested deeper than {} levels", super::json::MAX_DEPTH)]
    TooDeep,
    /// A row that does not say where it belongs.
    #[error("no `_table` that names the row's table")]
    NoTable,
    /// What cannot name a table.
    #[error("no name for a table: it must have 1 to {} bytes", super::order::MAX_NAME_BYTES)]
    BadName,
    /// A table that should not be there.
    #[error("a row of a table that the archive's list of tables does not have")]
    NotListed,
    /// A table's rows stand in two places.
    #[error("the table's rows do not stand together, or not in the order of the list of tables")]
    Apart,
    /// More tables than a dump may have.
    #[error("more than {} tables", super::order::MAX_TABLES)]
    TooManyTables,
}

const MAX_MIB: usize = super::MAX_LINE_BYTES >> 20;
