//! Where the data is restored to. Rows wait in one file a table, changes on top of them in another; committing makes
//! both one and visible all at once.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::overlay::Overlay;
use crate::{
    service::contract::{Contents, RowChunk, RowStream, ServiceError, Target, View},
    sim::lanes::Lanes,
};

/// Bytes of a chunk that is read back; more only where one line is longer.
const CHUNK: usize = 1 << 20;

/// A target with files in a folder of its own. Whoever gave the folder removes it.
#[derive(Debug)]
pub(super) struct SpooledTarget {
    folder: PathBuf,
    lanes: Lanes,
    rows: Mutex<Rows>,
}

#[derive(Debug, Default)]
struct Rows {
    /// How often staging began; each time has files of its own.
    rounds: u32,
    staged: Option<Spool>,
    visible: Spool,
}

/// The files of one staging, in the order of the tables.
#[derive(Debug, Clone, Default)]
struct Spool(Arc<[Arc<Table>]>);

#[derive(Debug)]
struct Table {
    name: Arc<str>,
    path: PathBuf,
    file: Mutex<File>,
    /// What changed on top of the file's rows, once something did.
    changes: Mutex<Option<Overlay>>,
}

impl SpooledTarget {
    /// An empty target in a folder that is made for it.
    pub(super) fn new(folder: PathBuf, lanes: &Lanes) -> Result<Self, ServiceError> {
        fs::create_dir_all(&folder).map_err(|e| failed("make the target's folder", &folder, &e))?;
        Ok(SpooledTarget { folder, lanes: lanes.clone(), rows: Mutex::default() })
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn staged(&self) -> Result<Spool, ServiceError> {
        self.rows().staged.clone().ok_or_else(|| ServiceError("nothing was begun".into()))
    }
}

impl Spool {
    fn create(folder: &Path, round: u32, tables: &[Arc<str>]) -> Result<Self, ServiceError> {
        let table = |(number, name): (usize, &Arc<str>)| {
            // Named by number: what a dump calls its tables is no name for a file.
            let path = folder.join(format!("{round}-{number}.jsonl"));
            let file = File::create(&path).map_err(|e| failed("write", &path, &e))?;
            Ok(Arc::new(Table { name: Arc::clone(name), path, file: Mutex::new(file), changes: Mutex::default() }))
        };
        Ok(Spool(tables.iter().enumerate().map(table).collect::<Result<_, _>>()?))
    }

    fn table(&self, name: &str) -> Result<usize, ServiceError> {
        let number = self.0.iter().position(|table| *table.name == *name);
        number.ok_or_else(|| ServiceError(format!("table {name} was not declared")))
    }

    fn remove(&self) -> Result<(), ServiceError> {
        self.0.iter().try_for_each(|table| {
            if table.changes.lock().unwrap_or_else(PoisonError::into_inner).take().is_some() {
                let path = table.path.with_extension("changes");
                fs::remove_file(&path).map_err(|e| failed("remove", &path, &e))?;
            }
            fs::remove_file(&table.path).map_err(|e| failed("remove", &table.path, &e))
        })
    }
}

impl Table {
    /// Adds changes; their lines wait in a file beside the table's own.
    fn change(&self, lines: &[u8]) -> Result<(), ServiceError> {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.path.with_extension("changes");
        if changes.is_none() {
            let file = File::options().read(true).write(true).create(true).truncate(true).open(&path);
            *changes = Some(Overlay::new(file.map_err(|e| failed("write", &path, &e))?));
        }
        let added = changes.as_mut().map_or(Ok(()), |changes| changes.add(lines));
        added.map_err(|e| failed("write", &path, &e))
    }

    /// Makes rows and changes one file.
    fn merge(&self) -> Result<(), ServiceError> {
        let Some(changes) = self.changes.lock().unwrap_or_else(PoisonError::into_inner).take() else { return Ok(()) };
        let merged = self.path.with_extension("merged");
        let make = || {
            changes.merge(File::open(&self.path)?, File::create(&merged)?)?;
            fs::rename(&merged, &self.path)?;
            fs::remove_file(self.path.with_extension("changes"))
        };
        make().map_err(|e| failed("merge changes into", &self.path, &e))
    }
}

#[async_trait]
impl Target for SpooledTarget {
    async fn begin(&self, tables: &[Arc<str>]) -> Result<(), ServiceError> {
        let twice = tables.iter().enumerate().find(|(number, name)| tables[..*number].contains(name));
        if let Some((_, name)) = twice {
            return Err(ServiceError(format!("table {name} is declared twice")));
        }
        let mut rows = self.rows();
        if rows.staged.is_some() {
            return Err(ServiceError("rows are staged already: commit or discard them first".into()));
        }
        rows.rounds += 1;
        rows.staged = Some(Spool::create(&self.folder, rows.rounds, tables)?);
        Ok(())
    }

    async fn stage(&self, chunk: RowChunk) -> Result<(), ServiceError> {
        let spool = self.staged()?;
        let number = spool.table(&chunk.table)?;
        let write = move || {
            let table = &spool.0[number];
            let mut file = table.file.lock().unwrap_or_else(PoisonError::into_inner);
            file.write_all(&chunk.lines).map_err(|e| failed("write", &table.path, &e))
        };
        self.lanes.run(write).await
    }

    async fn apply(&self, changes: RowChunk) -> Result<(), ServiceError> {
        let spool = self.staged()?;
        let number = spool.table(&changes.table)?;
        self.lanes.run(move || spool.0[number].change(&changes.lines)).await
    }

    async fn commit(&self) -> Result<(), ServiceError> {
        let spool = self.staged()?;
        self.lanes.run(move || spool.0.iter().try_for_each(|table| table.merge())).await?;
        let mut rows = self.rows();
        let staged = rows.staged.take().ok_or_else(|| ServiceError("nothing was begun".into()))?;
        // A table that was there and that was not brought stays, as in an import over HTTP.
        let (stays, goes): (Vec<_>, Vec<_>) =
            rows.visible.0.iter().cloned().partition(|old| !staged.0.iter().any(|new| new.name == old.name));
        rows.visible = Spool(staged.0.iter().cloned().chain(stays).collect());
        Spool(goes.into()).remove()
    }

    async fn discard(&self) -> Result<(), ServiceError> {
        let mut rows = self.rows();
        let staged = rows.staged.take().unwrap_or_default();
        let visible = std::mem::take(&mut rows.visible);
        staged.remove().and(visible.remove())
    }
}

#[async_trait]
impl View for SpooledTarget {
    async fn read_back(&self) -> Result<Contents, ServiceError> {
        let spool = self.rows().visible.clone();
        let tables: Vec<Arc<str>> = spool.0.iter().map(|table| Arc::clone(&table.name)).collect();
        // Opened now, so that what is read is what was visible now.
        let readers = spool.0.iter().map(|table| Reader::open(table)).collect::<Result<Vec<_>, _>>()?;
        let lanes = self.lanes.clone();
        let rows = stream::iter(readers).flat_map(move |reader| reader.stream(lanes.clone()));
        Ok(Contents { tables, rows: rows.boxed() })
    }
}

/// Reads one table in chunks of whole lines.
struct Reader {
    table: Arc<str>,
    path: PathBuf,
    file: File,
    /// The beginning of a line that the last read cut.
    rest: Vec<u8>,
}

impl Reader {
    fn open(table: &Table) -> Result<Self, ServiceError> {
        let file = File::open(&table.path).map_err(|e| failed("read", &table.path, &e))?;
        Ok(Reader { table: Arc::clone(&table.name), path: table.path.clone(), file, rest: Vec::new() })
    }

    fn stream(self, lanes: Lanes) -> RowStream {
        let next = move |mut reader: Reader| {
            lanes.run(move || {
                let chunk = reader.next().map_err(|e| failed("read", &reader.path, &e))?;
                Ok(chunk.map(|chunk| (chunk, reader)))
            })
        };
        stream::try_unfold(self, next).into_stream().boxed()
    }

    fn next(&mut self) -> io::Result<Option<RowChunk>> {
        let mut lines = std::mem::take(&mut self.rest);
        loop {
            let known = lines.len();
            let room = CHUNK.saturating_sub(known).max(CHUNK / 4);
            lines.reserve_exact(room);
            let ended = (&mut self.file).take(room as u64).read_to_end(&mut lines)? == 0;
            let end_of_line = lines[known..].iter().rposition(|byte| *byte == b'\n').map(|at| known + at + 1);
            match end_of_line {
                Some(end) => self.rest = lines.split_off(end),
                None if !ended => continue,
                None if lines.is_empty() => return Ok(None),
                None => {} // the last line lacks its end; it is handed on as it was staged
            }
            let ends = lines.iter().filter(|byte| **byte == b'\n').count();
            let rows = ends + usize::from(lines.last() != Some(&b'\n'));
            return Ok(Some(RowChunk { table: Arc::clone(&self.table), rows: rows as u64, lines: lines.into() }));
        }
    }
}

fn failed(what: &str, path: &Path, cause: &io::Error) -> ServiceError {
    ServiceError(format!("cannot {what} {}: {cause}", path.display()))
}
