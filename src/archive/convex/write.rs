//! Writes a snapshot archive: all rows to the scratch file first, then its entries, smallest table first.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    mem,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use futures_util::{
    StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use zip::{
    CompressionMethod, ZipWriter,
    result::ZipError,
    write::{SimpleFileOptions, StreamWriter},
};

use super::{DOCUMENTS, README, SCHEMA, Spool, TABLES, TableLine, unfit_name};
use crate::{
    archive::{
        ArchiveError, PIECE_BYTES, Packed, SummaryHandle, gzip,
        intake::{Intake, Step},
        tally::metered,
    },
    service::contract::Contents,
    sim::lanes::Lanes,
};

/// Number of the first table; those below it are the deployment's own.
const FIRST_TABLE_ID: u64 = 10_001;
/// From which size on an entry needs the 64-bit form, in bytes; a little early, for what deflate may add.
const LARGE_BYTES: u64 = u32::MAX as u64 - (64 << 20);

const README_TEXT: &str = "# Convex snapshot\n\nEach folder is a table: `documents.jsonl` holds its documents, \
one a line, and `generated_schema.jsonl` tells integers from floats.\n\
Restore it with `npx convex import --replace <this file>`.\n";

/// Packs rows.
pub(in crate::archive) fn pack(contents: Contents, lanes: &Lanes, scratch: &Path) -> Packed {
    let summary = SummaryHandle::default();
    let spooled = spool(contents, summary.clone(), lanes.clone(), scratch.to_owned());
    let lanes = lanes.clone();
    let bytes = stream::once(spooled).map_ok(move |archive| archive.stream(lanes.clone())).try_flatten().boxed();
    Packed { bytes: metered(bytes, &summary), summary }
}

async fn spool(
    contents: Contents,
    summary: SummaryHandle,
    lanes: Lanes,
    scratch: PathBuf,
) -> Result<Archive, ArchiveError> {
    for table in &contents.tables {
        if let Some(why) = unfit_name(table) {
            return Err(ArchiveError::Contents(format!("table `{}` in a snapshot: {why}", table.escape_debug())));
        }
    }
    let listed = contents.tables.clone();
    let mut intake = Intake::new(contents, &summary)?;
    let mut spool = Spool::new(&scratch)?;
    let mut tables: Vec<TableRange> = Vec::new();
    while let Some(steps) = intake.next().await? {
        for step in steps {
            match step {
                Step::Table(name) => tables.push(TableRange { name, start: spool.bytes, bytes: 0 }),
                Step::Lines(lines) => {
                    if let Some(table) = tables.last_mut() {
                        table.bytes += lines.len() as u64;
                    }
                    spool = spool.append(lines, &lanes).await?;
                }
            }
        }
    }
    tables.sort_by(|a, b| (a.bytes, &a.name).cmp(&(b.bytes, &b.name)));
    Ok(Archive::new(&listed, tables, spool.file))
}

/// Where a table's rows stand in the scratch file.
struct TableRange {
    name: Arc<str>,
    start: u64,
    bytes: u64,
}

/// What is still to be written.
enum Task {
    /// A small entry.
    Text(String, String),
    /// The rows of a table.
    Rows(TableRange),
    /// The rest of the rows of the entry that is open, in bytes.
    Rest(u64),
}

/// An archive in the making.
struct Archive {
    /// `None` once it is finished.
    zip: Option<ZipWriter<StreamWriter<Outbox>>>,
    outbox: Outbox,
    tasks: VecDeque<Task>,
    rows: File,
}

impl Archive {
    fn new(listed: &[Arc<str>], tables: Vec<TableRange>, rows: File) -> Self {
        let lines = (FIRST_TABLE_ID..).zip(listed).map(|(id, table)| {
            let line = serde_json::to_string(&TableLine { name: table.to_string(), id });
            line.unwrap_or_default() + "\n" // a string and a number always have a JSON form
        });
        let mut tasks =
            VecDeque::from([Task::Text(README.into(), README_TEXT.into()), Task::Text(TABLES.into(), lines.collect())]);
        for table in tables {
            let schema = format!("{}/{SCHEMA}", table.name);
            tasks.push_back(Task::Rows(table));
            tasks.push_back(Task::Text(schema, "\"uniform\"\n".into()));
        }
        let outbox = Outbox::default();
        Archive { zip: Some(ZipWriter::new_stream(outbox.clone())), outbox, tasks, rows }
    }

    fn stream(self, lanes: Lanes) -> BoxStream<'static, Result<Bytes, ArchiveError>> {
        stream::try_unfold((self, lanes), |(mut archive, lanes)| async move {
            if archive.zip.is_none() {
                return Ok(None);
            }
            let written;
            (archive, written) = lanes
                .run(move || {
                    let written = archive.write_piece();
                    (archive, written)
                })
                .await;
            Ok(Some((written?, (archive, lanes))))
        })
        .boxed()
    }

    /// Writes on, until there is a piece of archive to hand out or all is done.
    fn write_piece(&mut self) -> Result<Bytes, ArchiveError> {
        while self.outbox.len() < PIECE_BYTES / 4
            && let Some(zip) = &mut self.zip
        {
            match self.tasks.pop_front() {
                Some(Task::Text(name, text)) => {
                    zip.start_file(name, options(text.len() as u64)).map_err(failed)?;
                    zip.write_all(text.as_bytes()).map_err(ArchiveError::scratch)?;
                }
                Some(Task::Rows(table)) => {
                    zip.start_file(format!("{}/{DOCUMENTS}", table.name), options(table.bytes)).map_err(failed)?;
                    self.rows.seek(SeekFrom::Start(table.start)).map_err(ArchiveError::scratch)?;
                    self.tasks.push_front(Task::Rest(table.bytes));
                }
                Some(Task::Rest(bytes)) => {
                    let mut piece = vec![0; bytes.min(PIECE_BYTES as u64) as usize];
                    self.rows.read_exact(&mut piece).map_err(ArchiveError::scratch)?;
                    zip.write_all(&piece).map_err(ArchiveError::scratch)?;
                    if bytes > piece.len() as u64 {
                        self.tasks.push_front(Task::Rest(bytes - piece.len() as u64));
                    }
                }
                None => {
                    if let Some(zip) = self.zip.take() {
                        zip.finish().map_err(failed)?;
                    }
                }
            }
        }
        Ok(self.outbox.take())
    }
}

fn options(bytes: u64) -> SimpleFileOptions {
    // The default time stamp is the format's first day: the archive's bytes depend on the rows alone.
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(i64::from(gzip::LEVEL)))
        .large_file(bytes >= LARGE_BYTES)
}

fn failed(error: ZipError) -> ArchiveError {
    ArchiveError::Contents(format!("the ZIP archive cannot be written: {error}"))
}

/// Where the ZIP writer leaves its bytes.
#[derive(Debug, Clone, Default)]
struct Outbox(Arc<Mutex<Vec<u8>>>);

impl Outbox {
    fn len(&self) -> usize {
        self.bytes().len()
    }

    fn take(&self) -> Bytes {
        mem::take(&mut *self.bytes()).into()
    }

    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Outbox {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
