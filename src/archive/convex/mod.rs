//! The Convex snapshot archive: a ZIP with `README.md`, `_tables/documents.jsonl`, and for each table, from small to
//! large, `T/documents.jsonl` and `T/generated_schema.jsonl`. Neither direction can be streamed through memory alone: the
//! order is by size, and a ZIP's directory is at its end. So both go through one unlinked file in the scratch folder.

use std::{fs::File, io::Write, path::Path};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::ArchiveError;
use crate::sim::lanes::Lanes;

mod read;
mod write;

pub(super) use read::unpack;
pub(super) use write::pack;

const README: &str = "README.md";
const TABLES: &str = "_tables/documents.jsonl";
const DOCUMENTS: &str = "documents.jsonl";
const SCHEMA: &str = "generated_schema.jsonl";

/// A line of `_tables/documents.jsonl`.
#[derive(Debug, Serialize, Deserialize)]
struct TableLine {
    name: String,
    id: u64,
}

/// Why a table cannot stand in a snapshot under its name; `None` when it can.
fn unfit_name(table: &str) -> Option<&'static str> {
    if table.starts_with('_') {
        return Some("names that begin with `_` are the snapshot's own");
    }
    let is_plain = |c: char| !matches!(c, '/' | '\\') && !c.is_control();
    if table.chars().all(is_plain) && !matches!(table, "." | "..") {
        return None;
    }
    Some("it is no name for a folder")
}

/// A file that is gone as soon as nobody holds it.
pub(super) struct Spool {
    pub(super) file: File,
    /// How much was written.
    bytes: u64,
}

impl Spool {
    pub(super) fn new(scratch: &Path) -> Result<Self, ArchiveError> {
        let file = tempfile::tempfile_in(scratch).map_err(ArchiveError::scratch)?;
        Ok(Spool { file, bytes: 0 })
    }

    /// Appends on a lane.
    pub(super) async fn append(mut self, piece: Bytes, lanes: &Lanes) -> Result<Self, ArchiveError> {
        lanes
            .run(move || {
                self.file.write_all(&piece).map_err(ArchiveError::scratch)?;
                self.bytes += piece.len() as u64;
                Ok(self)
            })
            .await
    }
}
