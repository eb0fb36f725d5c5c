//! Rewriting a snapshot archive, entry by entry.

use std::io::{self, BufReader, Read, Write};

use zip::{
    CompressionMethod, ZipArchive, ZipWriter,
    result::ZipError,
    write::{SimpleFileOptions, StreamWriter},
};

use super::rewrite::{Reader, Writer, body_of};
use crate::emulator::s3::body::{Body, BodyWriter};

/// The entry that lists the tables.
pub(super) const TABLES: &str = "_tables/documents.jsonl";
/// The entry of a table with its rows, below the table's folder.
pub(super) const DOCUMENTS: &str = "documents.jsonl";
/// The entry of a table that tells integers from floats.
pub(super) const SCHEMA: &str = "generated_schema.jsonl";

/// A snapshot archive in the making.
pub(super) struct Zip<'w>(ZipWriter<StreamWriter<&'w mut Writer>>);

impl<'w> Zip<'w> {
    /// Nothing in it yet.
    pub(super) fn new(into: &'w mut Writer) -> Self {
        Zip(ZipWriter::new_stream(into))
    }

    /// Begins an entry; what is written then is its contents.
    pub(super) fn begin(&mut self, name: &str) -> io::Result<()> {
        self.begin_of(name, false)
    }

    /// The same of one that may become larger than 4 GiB.
    pub(super) fn begin_large(&mut self, name: &str) -> io::Result<()> {
        self.begin_of(name, true)
    }

    fn begin_of(&mut self, name: &str, is_large: bool) -> io::Result<()> {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated).large_file(is_large);
        self.0.start_file(name, options).map_err(io::Error::other)
    }

    /// An entry with these contents.
    pub(super) fn copy(&mut self, name: &str, contents: &mut dyn Read) -> io::Result<()> {
        self.begin(name)?;
        io::copy(contents, &mut self.0).map(|_| ())
    }

    /// Writes the directory.
    pub(super) fn finish(self) -> io::Result<()> {
        self.0.finish().map(|_| ()).map_err(io::Error::other)
    }
}

impl Write for Zip<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Another archive in the place of one: every entry is handed to `each`, which writes what takes its place.
///
/// # Errors
/// Why that cannot be made, in words.
pub(super) fn forged(
    body: &Body,
    into: BodyWriter,
    each: impl FnMut(&str, &mut dyn Read, &mut Zip<'_>) -> io::Result<()>,
) -> Result<Body, String> {
    let made = body_of(into, |into| rewritten(body, into, each));
    made.map_err(|e| format!("the archive cannot be rewritten: {e}"))
}

/// Hands every entry to `each`, which writes what takes its place.
pub(super) fn rewritten(
    body: &Body,
    into: &mut Writer,
    mut each: impl FnMut(&str, &mut dyn Read, &mut Zip<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let unreadable = |e: ZipError| io::Error::other(format!("it is no snapshot archive: {e}"));
    let mut from = ZipArchive::new(BufReader::new(Reader::of(body))).map_err(unreadable)?;
    let mut zip = Zip::new(into);
    for number in 0..from.len() {
        let mut entry = from.by_index(number).map_err(unreadable)?;
        let name = entry.name().map_err(unreadable)?.into_owned();
        each(&name, &mut entry, &mut zip)?;
    }
    zip.finish()
}
