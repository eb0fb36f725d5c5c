//! The list of files that a generation is: one row a file, packed as a dump is. Rows are spelled after the `_storage`
//! table of a Convex deployment.

use std::{collections::BTreeSet, sync::Arc};

use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};

use super::FilePipeline;
use crate::{
    archive::{self, InputError, Limits, Manifest, TableDigest},
    model::plan::DumpFormat,
    service::contract::{Contents, RowChunk, ServiceError},
    store::ByteStream,
};

/// The form of the list; files have no other.
pub(super) const FORMAT: DumpFormat = DumpFormat::JsonlGz;

/// The one table.
const TABLE: &str = "_storage";

/// Rows of a chunk.
const CHUNK: usize = 4096;

/// What a list may inflate to beyond the rows that its manifest states, in bytes: for each row the name of its table.
const SLACK: u64 = 1 << 20;
const ROW_SLACK: u64 = 128;

/// A file of a generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileEntry {
    /// Its key in the source.
    #[serde(rename = "_id")]
    pub(super) key: String,
    /// When the source's version was written, in milliseconds since 1970.
    #[serde(rename = "_creationTime")]
    pub(super) modified_ms: i64,
    /// Its content type.
    #[serde(rename = "contentType")]
    pub(super) content_type: String,
    /// The source's ETag. With size and date it says that a file is the one that was read before.
    pub(super) etag: String,
    /// SHA-256 of its bytes, in lower-case hexadecimal.
    pub(super) sha256: String,
    /// Its size in bytes.
    pub(super) size: u64,
}

/// The rows of a list.
pub(super) fn contents(entries: &[FileEntry]) -> Contents {
    let table = Arc::<str>::from(TABLE);
    let chunk = |entries: &[FileEntry]| {
        let mut lines = Vec::new();
        for entry in entries {
            serde_json::to_writer(&mut lines, entry).map_err(|e| ServiceError(e.to_string()))?;
            lines.push(b'\n');
        }
        Ok(RowChunk { table: Arc::clone(&table), rows: entries.len() as u64, lines: lines.into() })
    };
    let chunks: Vec<_> = entries.chunks(CHUNK).map(chunk).collect();
    Contents { tables: vec![Arc::clone(&table)], rows: stream::iter(chunks).boxed() }
}

impl FilePipeline {
    /// Reads a list in full and checks it against its manifest. Err: what is wrong with it.
    pub(super) async fn read_list(&self, manifest: &Manifest, body: ByteStream) -> Result<Vec<FileEntry>, String> {
        let stated = |table: &TableDigest| table.bytes.saturating_add(table.rows.saturating_mul(ROW_SLACK));
        let limits = Limits { raw_bytes: manifest.tables.iter().map(stated).fold(SLACK, u64::saturating_add) };
        let input = body.map_err(|e| InputError(e.kind.to_string())).boxed();
        let mut opened = archive::unpack(FORMAT, input, limits, &self.bench.lanes, &self.bench.scratch);
        let mut entries = Vec::new();
        while let Some(chunk) = opened.rows.next().await {
            let chunk = chunk.map_err(|e| e.to_string())?;
            for line in chunk.lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                let entry = serde_json::from_slice::<FileEntry>(line);
                entries.push(entry.map_err(|e| format!("a row of the list is no file: {e}"))?);
            }
        }
        let summary = opened.summary.get().ok_or("the list ended early")?;
        manifest.check(&summary)?;
        let keys: BTreeSet<&str> = entries.iter().map(|entry| &*entry.key).collect();
        if keys.len() != entries.len() {
            return Err("the list names a file twice".into());
        }
        Ok(entries)
    }
}
