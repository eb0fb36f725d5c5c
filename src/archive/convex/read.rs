//! Reads a snapshot archive: its bytes go to the scratch file, its directory is held to the layout, and then every
//! table is inflated and checked in the order in which the archive lists them.

use std::{
    collections::BTreeMap,
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::{Bytes, BytesMut};
use flate2::{Decompress, FlushDecompress, Status};
use futures_util::{
    StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use zip::{CompressionMethod, ZipArchive, result::ZipError};

use super::{DOCUMENTS, README, SCHEMA, Spool, TABLES, TableLine, unfit_name};
use crate::{
    archive::{
        ArchiveError, Limits, PIECE_BYTES, json, lines,
        members::Pieces,
        order::MAX_TABLES,
        sequence::{Parsed, ParsedStream},
    },
    sim::lanes::Lanes,
};

/// Signature of the record at a ZIP's end.
const END_RECORD: [u8; 4] = *b"PK\x05\x06";
/// Length of that record without a comment.
const END_RECORD_BYTES: u64 = 22;
/// Most entries that are read: two a table, a folder for each, and the snapshot's own.
const MAX_ENTRIES: usize = 3 * MAX_TABLES + 8;
/// Largest entry that is no table, in bytes.
const MAX_SMALL_BYTES: u64 = 8 << 20;
/// How much compressed data is read at once, in bytes.
const INPUT_BYTES: usize = 256 << 10;

/// Reads an archive.
pub(in crate::archive) fn unpack(
    bytes: BoxStream<'static, Result<Bytes, ArchiveError>>,
    limits: Limits,
    lanes: &Lanes,
    scratch: &Path,
) -> ParsedStream {
    let opened = open(bytes, limits, lanes.clone(), scratch.to_owned());
    let lanes = lanes.clone();
    let tables = stream::once(opened).map_ok(move |snapshot| snapshot.stream(&lanes));
    tables.try_flatten().boxed()
}

async fn open(
    mut bytes: BoxStream<'static, Result<Bytes, ArchiveError>>,
    limits: Limits,
    lanes: Lanes,
    scratch: PathBuf,
) -> Result<Snapshot, ArchiveError> {
    let mut spool = Spool::new(&scratch)?;
    let mut held = BytesMut::new();
    while let Some(piece) = bytes.next().await.transpose()? {
        held.extend_from_slice(&piece);
        if held.len() >= PIECE_BYTES {
            spool = spool.append(held.split().freeze(), &lanes).await?;
        }
        // What is packed is never larger than what it inflates to, but for names and headers.
        if spool.bytes > limits.raw_bytes.saturating_add(MAX_SMALL_BYTES) {
            return Err(ArchiveError::TooLarge { limit_bytes: limits.raw_bytes });
        }
    }
    let spool = spool.append(held.freeze(), &lanes).await?;
    lanes.run(move || Snapshot::open(spool, limits)).await
}

/// An archive whose directory is as it should be.
struct Snapshot {
    file: Arc<File>,
    /// The tables in the order of the list.
    tables: Vec<(Arc<str>, Entry)>,
}

impl Snapshot {
    fn open(spool: Spool, limits: Limits) -> Result<Self, ArchiveError> {
        let file = Arc::new(spool.file);
        let mut entries = directory(&file, spool.bytes)?;
        let total = entries.values().fold(0u64, |sum, entry| sum.saturating_add(entry.raw_bytes));
        if total > limits.raw_bytes {
            return Err(ArchiveError::TooLarge { limit_bytes: limits.raw_bytes });
        }
        // Nobody needs the text, but it is part of what was stored.
        if let Some(readme) = entries.remove(README) {
            readme.read_small(&file)?;
        }
        let list = entries.remove(TABLES).ok_or_else(|| ArchiveError::entry(TABLES, "is missing"))?;
        let mut tables = Vec::new();
        for name in listed(&list.read_small(&file)?)? {
            let schema = format!("{name}/{SCHEMA}");
            let Some(entry) = entries.remove(&schema) else {
                return Err(ArchiveError::entry(
                    &schema,
                    "is missing: an import would turn every integer into a float",
                ));
            };
            check_lines(&schema, &entry.read_small(&file)?)?;
            let documents = format!("{name}/{DOCUMENTS}");
            let entry = entries.remove(&documents).ok_or_else(|| ArchiveError::entry(&documents, "is missing"))?;
            tables.push((name.into(), entry));
        }
        match entries.keys().next() {
            None => Ok(Snapshot { file, tables }),
            Some(name) if name.starts_with("_storage/") => {
                Err(ArchiveError::entry(name, "file storage is not read; export without it"))
            }
            Some(name) => Err(ArchiveError::entry(name, "belongs to no table of the snapshot's list")),
        }
    }

    fn stream(self, lanes: &Lanes) -> ParsedStream {
        let names = self.tables.iter().map(|(name, _)| name.to_string()).collect();
        let list = stream::iter([Ok(vec![Parsed::Tables(names)])]);
        let (file, lanes) = (self.file, lanes.clone());
        let rows = stream::iter(self.tables).flat_map(move |(table, entry)| {
            lines::read_table(entry.pieces(file.clone(), lanes.clone()), table, &lanes)
        });
        list.chain(rows).boxed()
    }
}

/// The names in the list of tables.
fn listed(list: &[u8]) -> Result<Vec<String>, ArchiveError> {
    let text = check_lines(TABLES, list)?;
    let mut names = Vec::new();
    for line in text.lines() {
        let table: TableLine =
            serde_json::from_str(line).map_err(|error| ArchiveError::entry(TABLES, json::fault(&error).to_string()))?;
        if let Some(why) = unfit_name(&table.name) {
            return Err(ArchiveError::entry(TABLES, format!("table `{}`: {why}", table.name.escape_debug())));
        }
        if names.contains(&table.name) {
            return Err(ArchiveError::entry(TABLES, format!("table `{}` is listed twice", table.name.escape_debug())));
        }
        names.push(table.name);
    }
    Ok(names)
}

/// Checks a small file of JSON lines.
fn check_lines<'t>(name: &str, bytes: &'t [u8]) -> Result<&'t str, ArchiveError> {
    let text = simdutf8::basic::from_utf8(bytes).map_err(|_| ArchiveError::entry(name, "is not UTF-8"))?;
    for line in text.lines() {
        let json = serde_json::from_str::<serde::de::IgnoredAny>(line);
        json.map_err(|error| ArchiveError::entry(name, json::fault(&error).to_string()))?;
    }
    Ok(text)
}

/// All files of the archive by their names. Every name is one of the layout: nothing else is looked at any further.
fn directory(file: &Arc<File>, file_bytes: u64) -> Result<BTreeMap<String, Entry>, ArchiveError> {
    check_end(file, file_bytes)?;
    let mut archive = ZipArchive::new(&**file).map_err(unreadable)?;
    if !archive.comment().is_empty() || archive.offset() != 0 {
        return Err(ArchiveError::damaged(
            "the ZIP directory",
            "something stands before the archive or in its comment",
        ));
    }
    if archive.has_duplicate_names() {
        return Err(ArchiveError::damaged("the ZIP directory", "two entries have one name"));
    }
    if archive.len() > MAX_ENTRIES {
        return Err(ArchiveError::damaged("the ZIP directory", format!("more than {MAX_ENTRIES} entries")));
    }
    let mut entries = BTreeMap::new();
    for index in 0..archive.len() {
        if let Some(entry) = Entry::of(&mut archive, index)? {
            entries.insert(entry.name.to_string(), entry);
        }
    }
    // Last, because it reads every local header: names that climb out are told as what they are.
    archive.validate_header_consistency().map_err(unreadable)?;
    Ok(entries)
}

/// Checks that the file begins as a ZIP and that its last bytes are a ZIP's end.
fn check_end(file: &File, file_bytes: u64) -> Result<(), ArchiveError> {
    if file_bytes == 0 {
        return Err(ArchiveError::Empty);
    }
    let mut first = [0; 4];
    let known = file_bytes.min(4) as usize;
    file.read_exact_at(&mut first[..known], 0).map_err(ArchiveError::scratch)?;
    if first[..known.min(2)] != b"PK"[..known.min(2)] {
        return Err(ArchiveError::foreign("ZIP", &first[..known]));
    }
    let cut = || ArchiveError::Cut { place: "or followed by garbage: its last bytes are no ZIP's end".into() };
    if file_bytes < END_RECORD_BYTES {
        return Err(cut());
    }
    let mut last = [0; 4];
    file.read_exact_at(&mut last, file_bytes - END_RECORD_BYTES).map_err(ArchiveError::scratch)?;
    if last == END_RECORD { Ok(()) } else { Err(cut()) }
}

fn unreadable(error: ZipError) -> ArchiveError {
    ArchiveError::damaged("the ZIP directory", error.to_string())
}

/// A file in the archive.
#[derive(Debug, Clone)]
struct Entry {
    name: Arc<str>,
    /// Where its data begins in the archive.
    start: u64,
    stored_bytes: u64,
    raw_bytes: u64,
    crc: u32,
    is_deflated: bool,
}

impl Entry {
    /// An entry as the directory has it; `None` for a folder.
    fn of(archive: &mut ZipArchive<&File>, index: usize) -> Result<Option<Self>, ArchiveError> {
        let entry = archive.by_index_raw(index).map_err(unreadable)?;
        let raw_name = String::from_utf8_lossy(entry.name_raw()).into_owned();
        let refuse = |what: &str| Err(ArchiveError::entry(&raw_name, what));
        let climbs = raw_name.starts_with('/') || raw_name.split('/').any(|part| part == "..");
        if climbs || raw_name.contains(['\\', '\0']) {
            return refuse("its name leads out of the archive's folder");
        }
        if std::str::from_utf8(entry.name_raw()).is_err() || entry.is_symlink() {
            return refuse("is none that a snapshot has");
        }
        if entry.encrypted() {
            return refuse("is encrypted");
        }
        if entry.is_dir() {
            return if entry.size() == 0 { Ok(None) } else { refuse("is a folder with contents") };
        }
        let is_deflated = match entry.compression() {
            CompressionMethod::Deflated => true,
            CompressionMethod::Stored => false,
            _ => return refuse("is compressed in a way that a snapshot never is"),
        };
        let Some(start) = entry.data_start() else { return refuse("has no data") };
        Ok(Some(Entry {
            name: raw_name.into(),
            start,
            stored_bytes: entry.compressed_size(),
            raw_bytes: entry.size(),
            crc: entry.crc32(),
            is_deflated,
        }))
    }

    /// All of a small entry, checked.
    fn read_small(self, file: &Arc<File>) -> Result<Vec<u8>, ArchiveError> {
        if self.raw_bytes > MAX_SMALL_BYTES {
            return Err(ArchiveError::entry(&self.name, format!("is larger than {MAX_SMALL_BYTES} bytes")));
        }
        let mut inflater = Inflater::new(self, file.clone());
        let mut all = Vec::new();
        while let Some(piece) = inflater.piece()? {
            all.extend_from_slice(&piece);
        }
        Ok(all)
    }

    fn pieces(self, file: Arc<File>, lanes: Lanes) -> Pieces {
        stream::try_unfold((Inflater::new(self, file), lanes), |(mut inflater, lanes)| async move {
            let piece;
            (inflater, piece) = lanes
                .run(move || {
                    let piece = inflater.piece();
                    (inflater, piece)
                })
                .await;
            Ok(piece?.map(|piece| (piece, (inflater, lanes))))
        })
        .boxed()
    }
}

/// Inflates one entry, piece by piece.
struct Inflater {
    entry: Entry,
    file: Arc<File>,
    /// Stored bytes read from the file.
    read: u64,
    input: BytesMut,
    inflater: Decompress,
    crc: crc32fast::Hasher,
    made: u64,
    ended: bool,
}

impl Inflater {
    fn new(entry: Entry, file: Arc<File>) -> Self {
        Inflater {
            entry,
            file,
            read: 0,
            input: BytesMut::new(),
            inflater: Decompress::new(false),
            crc: crc32fast::Hasher::new(),
            made: 0,
            ended: false,
        }
    }

    /// The next piece; `None` at the end, when size and checksum have been found right.
    fn piece(&mut self) -> Result<Option<Vec<u8>>, ArchiveError> {
        let mut piece = Vec::with_capacity(PIECE_BYTES);
        while !self.ended && piece.len() < PIECE_BYTES {
            self.refill()?;
            if self.entry.is_deflated { self.inflate(&mut piece)? } else { self.copy(&mut piece) }
        }
        self.crc.update(&piece);
        self.made += piece.len() as u64;
        // Here and not only at the end: the directory's sizes were held to the limit.
        if self.made > self.entry.raw_bytes || (self.ended && self.made < self.entry.raw_bytes) {
            return Err(ArchiveError::entry(&self.entry.name, "the length of its contents is wrong"));
        }
        if !piece.is_empty() {
            return Ok(Some(piece));
        }
        if self.crc.clone().finalize() != self.entry.crc {
            return Err(ArchiveError::entry(&self.entry.name, "the CRC-32 of its contents is wrong"));
        }
        Ok(None)
    }

    fn refill(&mut self) -> Result<(), ArchiveError> {
        let left = self.entry.stored_bytes - self.read;
        if !self.input.is_empty() || left == 0 {
            return Ok(());
        }
        self.input.resize(left.min(INPUT_BYTES as u64) as usize, 0);
        match self.file.read_exact_at(&mut self.input, self.entry.start + self.read) {
            Ok(()) => self.read += self.input.len() as u64,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(ArchiveError::entry(&self.entry.name, "reaches beyond the archive's end"));
            }
            Err(error) => return Err(ArchiveError::scratch(error)),
        }
        Ok(())
    }

    fn inflate(&mut self, piece: &mut Vec<u8>) -> Result<(), ArchiveError> {
        let (taken, made) = (self.inflater.total_in(), piece.len());
        let status = self.inflater.decompress_vec(&self.input, piece, FlushDecompress::None);
        let taken = (self.inflater.total_in() - taken) as usize;
        drop(self.input.split_to(taken));
        let rest = self.input.len() as u64 + self.entry.stored_bytes - self.read;
        match status {
            Ok(Status::StreamEnd) if rest == 0 => self.ended = true,
            Ok(Status::StreamEnd) => {
                return Err(ArchiveError::entry(&self.entry.name, "its deflate stream ends too early"));
            }
            Ok(_) if taken > 0 || piece.len() > made => {}
            _ => return Err(ArchiveError::entry(&self.entry.name, "its deflate stream is broken")),
        }
        Ok(())
    }

    fn copy(&mut self, piece: &mut Vec<u8>) {
        piece.extend_from_slice(&self.input.split());
        self.ended = self.read == self.entry.stored_bytes;
    }
}
