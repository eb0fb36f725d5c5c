//! The documents of a deployment that was restored into: one file a table. An import writes files of its own, and
//! committing it exchanges files for files.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use memchr::memchr_iter;

use crate::{
    emulator::convex::documents::{Deltas, Documents, ImportPlan, Page, Snapshot, Staging, TableInfo},
    service::contract::{RowChunk, ServiceError},
    sim::lanes::Lanes,
};

/// Bytes of a page; more only where one line is longer.
const PAGE: u64 = 1 << 20;

/// Documents in files of a folder. Whoever gave the folder removes it.
#[derive(Debug, Clone)]
pub(super) struct StoredDocuments {
    folder: PathBuf,
    lanes: Lanes,
    visible: Arc<Mutex<Visible>>,
}

/// What there is, and how often that changed.
#[derive(Debug, Default)]
struct Visible {
    changes: i64,
    imports: u32,
    tables: Vec<Arc<Table>>,
}

/// A table's file. It goes with the last that holds it.
#[derive(Debug)]
struct Table {
    name: Arc<str>,
    path: PathBuf,
    file: File,
    written: Mutex<Written>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Written {
    bytes: u64,
    rows: u64,
}

impl StoredDocuments {
    /// No documents, in a folder that is made for them.
    pub(super) fn new(folder: PathBuf, lanes: &Lanes) -> Result<Self, ServiceError> {
        fs::create_dir_all(&folder).map_err(|e| failed("make the deployment's folder", &folder, &e))?;
        Ok(StoredDocuments { folder, lanes: lanes.clone(), visible: Arc::default() })
    }

    /// Leaves rows there that nobody imported.
    pub(super) fn leave(&self, chunk: &RowChunk) -> Result<(), ServiceError> {
        let table = Table::create(self.folder.join("left.jsonl"), &chunk.table)?;
        table.append(chunk.rows, &chunk.lines)?;
        let mut visible = self.visible();
        visible.tables.push(table);
        visible.changes += 1;
        Ok(())
    }

    fn visible(&self) -> MutexGuard<'_, Visible> {
        self.visible.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Exchanges what is visible for what was staged.
    fn exchange(&self, plan: &ImportPlan, staged: Vec<Arc<Table>>) -> Result<(), ServiceError> {
        let mut visible = self.visible();
        let mut tables = Vec::new();
        for table in &visible.tables {
            match staged.iter().find(|new| new.name == table.name) {
                Some(new) if plan.joins => tables.push(table.joined_by(new)?),
                Some(new) => tables.push(Arc::clone(new)),
                None if plan.deletes_others => {}
                None => tables.push(Arc::clone(table)),
            }
        }
        let known: Vec<Arc<str>> = visible.tables.iter().map(|table| Arc::clone(&table.name)).collect();
        tables.extend(staged.into_iter().filter(|new| !known.contains(&new.name)));
        visible.tables = tables;
        visible.changes += 1;
        Ok(())
    }
}

impl Table {
    fn create(path: PathBuf, name: &Arc<str>) -> Result<Arc<Table>, ServiceError> {
        // Named by number: what a dump calls its tables is no name for a file.
        let file = File::options().read(true).write(true).create_new(true).open(&path);
        let file = file.map_err(|e| failed("write", &path, &e))?;
        Ok(Arc::new(Table { name: Arc::clone(name), path, file, written: Mutex::default() }))
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn append(&self, rows: u64, lines: &[u8]) -> Result<(), ServiceError> {
        let mut written = self.written();
        self.file.write_all_at(lines, written.bytes).map_err(|e| failed("write", &self.path, &e))?;
        *written = Written { bytes: written.bytes + lines.len() as u64, rows: written.rows + rows };
        Ok(())
    }

    /// The rows of both, the new ones last. In a file of its own: whoever reads this table goes on reading it.
    fn joined_by(&self, new: &Table) -> Result<Arc<Table>, ServiceError> {
        let joined = Table::create(new.path.with_extension("joined"), &self.name)?;
        for part in [self, new] {
            let mut from = Some(0);
            while let Some(at) = from {
                let page = part.page(at, usize::MAX).map_err(|e| failed("read", &part.path, &e))?;
                joined.append(page.rows, &page.lines)?;
                from = page.next;
            }
        }
        Ok(joined)
    }

    /// Whole lines from a place on.
    fn page(&self, from: u64, most_rows: usize) -> io::Result<Page> {
        let end = self.written().bytes;
        let mut lines: Vec<u8> = Vec::new();
        loop {
            let known = lines.len() as u64;
            // Most pages take one look; a line that is longer takes more.
            lines = vec![0; (known + PAGE).min(end.saturating_sub(from)) as usize];
            self.file.read_exact_at(&mut lines, from)?;
            let at_end = from + lines.len() as u64 >= end;
            let (mut rows, mut cut) = (0, 0);
            for line_end in memchr_iter(b'\n', &lines).take(most_rows) {
                (rows, cut) = (rows + 1, line_end + 1);
            }
            if rows == 0 && !at_end {
                continue;
            }
            if at_end && rows < most_rows && cut < lines.len() {
                (rows, cut) = (rows + 1, lines.len()); // the last line lacks its end
            }
            lines.truncate(cut);
            let next = Some(from + cut as u64).filter(|next| *next < end);
            return Ok(Page { rows: rows as u64, lines: lines.into(), next });
        }
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!("{} cannot be removed: {error}", self.path.display());
        }
    }
}

#[async_trait]
impl Documents for StoredDocuments {
    async fn snapshot(&self) -> Result<Arc<dyn Snapshot>, ServiceError> {
        let visible = self.visible();
        let files = visible.tables.clone();
        let info = |table: &Arc<Table>| TableInfo { name: Arc::clone(&table.name), rows: table.written().rows };
        let tables = files.iter().map(info).collect();
        Ok(Arc::new(StoredSnapshot { timestamp: visible.changes, files, tables, lanes: self.lanes.clone() }))
    }

    async fn changes(&self, _: i64, _: u64) -> Result<Deltas, ServiceError> {
        Err(ServiceError("a deployment that was restored into keeps no record of its changes".into()))
    }

    async fn begin(&self, plan: ImportPlan) -> Result<Box<dyn Staging>, ServiceError> {
        let import = {
            let mut visible = self.visible();
            visible.imports += 1;
            visible.imports
        };
        let path = |number: usize| self.folder.join(format!("{import}-{number}.jsonl"));
        let tables = plan.tables.iter().enumerate().map(|(number, name)| Table::create(path(number), name));
        let tables = tables.collect::<Result<_, _>>()?;
        Ok(Box::new(Import { documents: self.clone(), plan, tables }))
    }
}

struct Import {
    documents: StoredDocuments,
    plan: ImportPlan,
    tables: Vec<Arc<Table>>,
}

#[async_trait]
impl Staging for Import {
    async fn stage(&self, chunk: RowChunk) -> Result<(), ServiceError> {
        let table = self.tables.iter().find(|table| table.name == chunk.table).cloned();
        let table = table.ok_or_else(|| ServiceError(format!("table {} is not part of the import", chunk.table)))?;
        self.documents.lanes.run(move || table.append(chunk.rows, &chunk.lines)).await
    }

    async fn commit(self: Box<Self>) -> Result<(), ServiceError> {
        let lanes = self.documents.lanes.clone();
        lanes.run(move || self.documents.exchange(&self.plan, self.tables)).await
    }
}

struct StoredSnapshot {
    timestamp: i64,
    files: Vec<Arc<Table>>,
    tables: Vec<TableInfo>,
    lanes: Lanes,
}

#[async_trait]
impl Snapshot for StoredSnapshot {
    fn timestamp(&self) -> i64 {
        self.timestamp
    }

    fn tables(&self) -> &[TableInfo] {
        &self.tables
    }

    async fn page(&self, table: usize, from: u64, most_rows: usize) -> Result<Page, ServiceError> {
        let table = Arc::clone(&self.files[table]);
        let read = move || table.page(from, most_rows).map_err(|e| failed("read", &table.path, &e));
        self.lanes.run(read).await
    }
}

fn failed(what: &str, path: &Path, cause: &io::Error) -> ServiceError {
    ServiceError(format!("cannot {what} {}: {cause}", path.display()))
}
