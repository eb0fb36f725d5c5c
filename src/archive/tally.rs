//! Counts and digests of what goes through: each table's rows, and the archive's own bytes.

use std::{
    collections::VecDeque,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use data_encoding::HEXLOWER;
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::ArchiveError;
use crate::service::contract::RowChunk;

/// One table as packed or read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableDigest {
    /// Its name.
    pub name: String,
    /// How many rows.
    pub rows: u64,
    /// Size of the rows as JSON lines, in bytes, each with its `\n`.
    pub bytes: u64,
    /// SHA-256 of those lines, in lower-case hexadecimal.
    pub sha256: String,
}

/// What was packed or read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// All tables in their order, the empty ones too.
    pub tables: Vec<TableDigest>,
    /// Size of the archive, in bytes.
    pub stored_bytes: u64,
    /// SHA-256 of the archive's bytes, in lower-case hexadecimal.
    pub stored_sha256: String,
    /// Size of all rows as JSON lines, in bytes.
    pub raw_bytes: u64,
}

/// A summary that is known once its stream has ended.
#[derive(Debug, Clone, Default)]
pub struct SummaryHandle(Arc<Parts>);

/// The two halves are known at different ends of a pipeline.
#[derive(Debug, Default)]
struct Parts {
    tables: OnceLock<Vec<TableDigest>>,
    stored: OnceLock<(u64, String)>,
}

impl SummaryHandle {
    /// The summary; `None` while the stream runs, and for ever when it ended with an error.
    pub fn get(&self) -> Option<Summary> {
        let tables = self.0.tables.get()?.clone();
        let (stored_bytes, stored_sha256) = self.0.stored.get()?.clone();
        let raw_bytes = tables.iter().map(|table| table.bytes).sum();
        Some(Summary { tables, stored_bytes, stored_sha256, raw_bytes })
    }

    /// All tables have gone by. A stream ends once, so the first word counts.
    pub(super) fn set_tables(&self, tally: Tally) {
        let _ = self.0.tables.set(tally.finish());
    }

    fn set_stored(&self, bytes: u64, sha: Sha256) {
        let _ = self.0.stored.set((bytes, HEXLOWER.encode(&sha.finalize())));
    }
}

/// Counts tables as their rows go by.
#[derive(Default)]
pub(super) struct Tally {
    done: Vec<TableDigest>,
    open: Option<(TableDigest, Sha256)>,
}

impl Tally {
    /// A table begins.
    pub(super) fn begin(&mut self, table: &str) {
        self.close();
        let empty = TableDigest { name: table.to_owned(), rows: 0, bytes: 0, sha256: String::new() };
        self.open = Some((empty, Sha256::new()));
    }

    /// Rows of the table that began last.
    pub(super) fn add(&mut self, rows: u64, lines: &[u8]) {
        if let Some((table, sha)) = &mut self.open {
            table.rows += rows;
            table.bytes += lines.len() as u64;
            sha.update(lines);
        }
    }

    fn is_open(&self, table: &str) -> bool {
        self.open.as_ref().is_some_and(|(open, _)| open.name == table)
    }

    fn finish(mut self) -> Vec<TableDigest> {
        self.close();
        self.done
    }

    fn close(&mut self) {
        if let Some((mut table, sha)) = self.open.take() {
            table.sha256 = HEXLOWER.encode(&sha.finalize());
            self.done.push(table);
        }
    }
}

/// Digests rows that are read from elsewhere than an archive, so that they can be held against its manifest.
#[derive(Default)]
pub struct Digester {
    tally: Tally,
    waiting: VecDeque<Arc<str>>,
}

impl Digester {
    /// For these tables, in the order in which their rows will come.
    pub fn new(tables: &[Arc<str>]) -> Self {
        Digester { tally: Tally::default(), waiting: tables.iter().cloned().collect() }
    }

    /// Rows of a table. A table's chunks stand together; a table that comes a second time is counted as a second table,
    /// which no manifest agrees with.
    pub fn add(&mut self, chunk: &RowChunk) {
        while !self.tally.is_open(&chunk.table) {
            let next = self.waiting.pop_front().unwrap_or_else(|| Arc::clone(&chunk.table));
            self.tally.begin(&next);
        }
        self.tally.add(chunk.rows, &chunk.lines);
    }

    /// The digests of all tables, also of those without rows.
    pub fn finish(mut self) -> Vec<TableDigest> {
        for table in self.waiting {
            self.tally.begin(&table);
        }
        self.tally.finish()
    }
}

/// Measures an archive's bytes as they go by; the summary has them when the stream has ended without an error.
pub(super) fn metered(
    bytes: BoxStream<'static, Result<Bytes, ArchiveError>>,
    summary: &SummaryHandle,
) -> BoxStream<'static, Result<Bytes, ArchiveError>> {
    let state = (bytes, 0u64, Sha256::new(), summary.clone());
    stream::try_unfold(state, |(mut bytes, mut size, mut sha, summary)| async move {
        match bytes.next().await.transpose()? {
            Some(piece) => {
                size += piece.len() as u64;
                sha.update(&piece);
                Ok(Some((piece, (bytes, size, sha, summary))))
            }
            None => {
                summary.set_stored(size, sha);
                Ok(None)
            }
        }
    })
    .boxed()
}
