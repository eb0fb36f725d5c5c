//! The scratch target of a test restore: tables as files of one folder, made as rows come, and removed at the end.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use futures_util::{TryStreamExt, stream};

use super::shape::text_of;
use crate::{
    archive::{Digester, TableDigest},
    service::contract::RowChunk,
    sim::lanes::Lanes,
};

/// Rows that are listed of each table.
const LISTED: usize = 5;

/// About how much is read back at once, in bytes.
const CHUNK: usize = 1 << 20;

/// A target with a file a table. A table's rows stand together, so one file is open at a time.
#[derive(Debug)]
pub(super) struct ScratchTarget {
    folder: PathBuf,
    lanes: Lanes,
    tables: Arc<Mutex<Tables>>,
}

#[derive(Debug, Default)]
struct Tables {
    names: Vec<Arc<str>>,
    open: Option<File>,
}

/// What the target holds.
pub(super) struct Arrived {
    /// Its tables with their digests, read back.
    pub(super) tables: Vec<TableDigest>,
    /// Of each table how many of its first rows could be named.
    pub(super) listed: Vec<usize>,
}

impl ScratchTarget {
    pub(super) fn new(folder: &Path, lanes: &Lanes) -> Result<Self, String> {
        fs::create_dir_all(folder).map_err(|e| failed("made", folder, &e))?;
        Ok(ScratchTarget { folder: folder.to_owned(), lanes: lanes.clone(), tables: Arc::default() })
    }

    /// Writes rows. A table without rows comes as a chunk without rows.
    pub(super) async fn stage(&self, chunk: RowChunk) -> Result<(), String> {
        let (folder, tables) = (self.folder.clone(), Arc::clone(&self.tables));
        let write = move || {
            let mut tables = tables.lock().unwrap_or_else(PoisonError::into_inner);
            let path = if tables.names.last() == Some(&chunk.table) {
                file(&folder, tables.names.len() - 1)
            } else {
                let path = file(&folder, tables.names.len());
                tables.open = Some(File::create(&path).map_err(|e| failed("written", &path, &e))?);
                tables.names.push(Arc::clone(&chunk.table));
                path
            };
            let written = tables.open.as_mut().map_or(Ok(()), |file| file.write_all(&chunk.lines));
            written.map_err(|e| failed("written", &path, &e))
        };
        self.lanes.run(write).await
    }

    /// Reads every table back, several at once.
    pub(super) async fn read_back(&self, sent: &[TableDigest], id_field: &str) -> Result<Arrived, String> {
        let names = {
            let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
            tables.open = None;
            tables.names.clone()
        };
        // A table that the dump lists and that has no rows need not have been written.
        let jobs: Vec<_> = sent
            .iter()
            .map(|table| {
                let written = names.iter().position(|name| **name == *table.name);
                (Arc::<str>::from(table.name.as_str()), written.map(|number| file(&self.folder, number)))
            })
            .collect();
        let id_field: Arc<str> = id_field.into();
        let read = move |(table, path): (Arc<str>, Option<PathBuf>)| {
            let (mut digester, mut listed) = (Digester::new(&[Arc::clone(&table)]), 0);
            if let Some(path) = path {
                let on_chunk = |chunk: RowChunk| {
                    listed += list(&chunk.lines, LISTED - listed, &id_field);
                    digester.add(&chunk);
                };
                read_table(&path, &table, on_chunk).map_err(|e| failed("read", &path, &e))?;
            }
            Ok::<_, String>((digester.finish(), listed))
        };
        let read: Vec<(Vec<TableDigest>, usize)> = self.lanes.map(stream::iter(jobs), read).try_collect().await?;
        let (tables, listed): (Vec<_>, Vec<_>) = read.into_iter().unzip();
        Ok(Arrived { tables: tables.concat(), listed })
    }

    /// Removes all of it, and looks whether it is gone.
    pub(super) fn remove(&self) -> Result<(), String> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner).open = None;
        fs::remove_dir_all(&self.folder).map_err(|e| failed("removed", &self.folder, &e))?;
        if self.folder.exists() { Err(format!("{} is still there", self.folder.display())) } else { Ok(()) }
    }
}

/// Named by number: what a dump calls its tables is no name for a file.
fn file(folder: &Path, number: usize) -> PathBuf {
    folder.join(format!("{number}.jsonl"))
}

fn read_table(path: &Path, table: &Arc<str>, mut on_chunk: impl FnMut(RowChunk)) -> io::Result<()> {
    let mut reader = BufReader::with_capacity(CHUNK, File::open(path)?);
    loop {
        let mut lines = reader.fill_buf()?.to_vec();
        if lines.is_empty() {
            return Ok(());
        }
        reader.consume(lines.len());
        if lines.last() != Some(&b'\n') {
            reader.read_until(b'\n', &mut lines)?;
        }
        let rows = lines.iter().filter(|byte| **byte == b'\n').count() as u64;
        on_chunk(RowChunk { table: Arc::clone(table), rows, lines: Bytes::from(lines) });
    }
}

/// How many of the first rows could be named, of `wanted` at the most.
fn list(lines: &[u8], wanted: usize, id_field: &str) -> usize {
    lines.split_inclusive(|byte| *byte == b'\n').take(wanted).filter(|row| text_of(row, id_field).is_some()).count()
}

fn failed(what: &str, path: &Path, cause: &io::Error) -> String {
    format!("{} cannot be {what}: {cause}", path.display())
}
