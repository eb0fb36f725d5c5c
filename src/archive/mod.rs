//! What a dump looks like: packing rows into an archive, and unpacking one while every byte of it is checked.
//! Streams in one pass with bounded memory; knows no store, no service and no pipeline.
//!
//! Packing: `intake` checks what comes, `text` spells it, `gzip` compresses it member by member on the lanes; `convex`
//! writes the ZIP. Unpacking: `members` inflates, `lines` or `object` check every row, `sequence` puts the tables in order and
//! keeps the digests. The last word, whether this is the dump that was made, is [`Manifest::check`]'s.

use std::path::Path;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream::BoxStream};

use crate::{
    model::plan::DumpFormat,
    service::contract::{Contents, RowChunk},
    sim::lanes::Lanes,
};

mod convex;
mod error;
pub mod foreign;
mod gzip;
mod intake;
mod json;
mod lines;
mod manifest;
mod members;
mod object;
mod order;
mod sequence;
mod tally;
mod text;

pub use error::{ArchiveError, Fault, InputError, Place};
pub use manifest::{MANIFEST_FORMAT, MAX_MANIFEST_BYTES, Manifest, check_tables};
pub use tally::{Digester, Summary, SummaryHandle, TableDigest};

/// About how much JSON a gzip member and a chunk of rows hold, in bytes.
const PIECE_BYTES: usize = 1 << 20;

/// Longest line that is read, in bytes.
const MAX_LINE_BYTES: usize = 16 << 20;

/// An archive in the making.
pub struct Packed {
    /// The archive's bytes, in pieces of about 1 MiB or less. Ends after the first error.
    pub bytes: BoxStream<'static, Result<Bytes, ArchiveError>>,
    /// What was packed, once `bytes` has ended without an error.
    pub summary: SummaryHandle,
}

/// An archive as it is read.
pub struct Unpacked {
    /// Checked rows, table by table; a table without rows comes as one chunk without rows. Ends after the first error.
    /// Rows are handed out before the archive's end is seen: nothing may be trusted before the stream has ended well.
    pub rows: BoxStream<'static, Result<RowChunk, ArchiveError>>,
    /// What was read, once `rows` has ended without an error.
    pub summary: SummaryHandle,
}

/// What an archive may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that it may inflate to. That is more than its rows as JSON lines: in a JSON Lines dump each row also names
    /// its table, and an object may be spelled with white space.
    pub raw_bytes: u64,
}

/// Packs rows. The archive's bytes depend on the rows alone, neither on how they are chunked nor on the lanes. `scratch`
/// is a folder for what does not fit into memory; nothing is left in it.
pub fn pack(format: DumpFormat, contents: Contents, lanes: &Lanes, scratch: &Path) -> Packed {
    match format {
        DumpFormat::JsonlGz => text::pack(text::Spelling::Lines, contents, lanes),
        DumpFormat::JsonGz => text::pack(text::Spelling::Object, contents, lanes),
        DumpFormat::ConvexZip => convex::pack(contents, lanes, scratch),
    }
}

/// Forms in which a dump can be read: those that are written, and text that is not compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As a pipeline writes it.
    Dump(DumpFormat),
    /// One JSON document a line (`.jsonl`).
    JsonLines,
    /// One JSON object with an array a table (`.json`).
    JsonObject,
}

impl Form {
    /// Endings of a dump's name, the longest first.
    const ENDINGS: [(&'static str, Form); 7] = [
        (".ndjson.gz", Form::Dump(DumpFormat::JsonlGz)),
        (".jsonl.gz", Form::Dump(DumpFormat::JsonlGz)),
        (".json.gz", Form::Dump(DumpFormat::JsonGz)),
        (".ndjson", Form::JsonLines),
        (".jsonl", Form::JsonLines),
        (".json", Form::JsonObject),
        (".zip", Form::Dump(DumpFormat::ConvexZip)),
    ];

    /// The form that a dump's name states, and the name without its ending; `None` where the ending is none of them.
    pub fn of_name(name: &str) -> Option<(Form, &str)> {
        Self::ENDINGS.iter().find_map(|(ending, form)| Some((*form, name.strip_suffix(ending)?)))
    }

    /// As people read it.
    pub const fn words(self) -> &'static str {
        match self {
            Form::Dump(DumpFormat::JsonlGz) => "JSON Lines in gzip",
            Form::Dump(DumpFormat::JsonGz) => "one JSON object in gzip",
            Form::Dump(DumpFormat::ConvexZip) => "a Convex snapshot archive",
            Form::JsonLines => "JSON Lines",
            Form::JsonObject => "one JSON object",
        }
    }
}

/// Reads an archive, its own or one of another writer, and checks every byte of it. `scratch` is a folder for what does
/// not fit into memory; nothing is left in it.
pub fn unpack(
    format: DumpFormat,
    bytes: BoxStream<'static, Result<Bytes, InputError>>,
    limits: Limits,
    lanes: &Lanes,
    scratch: &Path,
) -> Unpacked {
    read(Form::Dump(format), bytes, limits, lanes, scratch)
}

/// As [`unpack`], in any form.
pub fn read(
    form: Form,
    bytes: BoxStream<'static, Result<Bytes, InputError>>,
    limits: Limits,
    lanes: &Lanes,
    scratch: &Path,
) -> Unpacked {
    let summary = SummaryHandle::default();
    let bytes = tally::metered(bytes.map_err(ArchiveError::Input).boxed(), &summary);
    let parsed = match form {
        Form::Dump(DumpFormat::JsonlGz) => lines::read(members::gunzip(bytes, limits, lanes), lanes),
        Form::Dump(DumpFormat::JsonGz) => object::read(members::gunzip(bytes, limits, lanes), lanes),
        Form::Dump(DumpFormat::ConvexZip) => convex::unpack(bytes, limits, lanes, scratch),
        Form::JsonLines => lines::read(members::plain(bytes, limits), lanes),
        Form::JsonObject => object::read(members::plain(bytes, limits), lanes),
    };
    Unpacked { rows: sequence::rows(parsed, summary.clone()), summary }
}
