//! Imports: an upload in parts, a reading that stages every document and says what would change, a confirmation, and
//! the commit. Nothing is visible before that; appending alone can fail half-way.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{Read, Seek, SeekFrom, Write},
    sync::Arc,
};

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{
    Deployment,
    documents::{ImportPlan, Snapshot, Staging},
    error::ApiError,
    ids, lock,
    reading::{Format, Upload, is_table_name},
    values::int64,
};
use crate::{
    emulator::targets::{Load, failed_after, split},
    service::contract::RowChunk,
};

/// Most parts of an upload.
const MOST_PARTS: u32 = 9_999;

/// Number of the system table that lists imports.
const IMPORTS_TABLE: u32 = 30;

/// All uploads and imports of a deployment.
#[derive(Default)]
pub(super) struct Imports {
    uploads: BTreeMap<String, Arc<tokio::sync::Mutex<Parts>>>,
    imports: Vec<Import>,
}

/// An upload in the making. Parts may come again, and in any order.
pub(super) struct Parts {
    file: File,
    end: u64,
    /// Where each lies in the file: start and length.
    parts: BTreeMap<u32, (u64, u64)>,
}

/// What an import is asked to do.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    mode: Mode,
    format: Format,
    table_name: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Mode {
    RequireEmpty,
    Append,
    Replace,
    ReplaceAll,
}

struct Import {
    id: String,
    requested_ms: f64,
    state: State,
    prepared: Option<Prepared>,
}

enum State {
    Uploaded,
    Waiting { message: String, manual: bool },
    InProgress,
    Completed { rows: u64, at: i64 },
    Failed { message: String },
}

/// What a confirmed import needs.
struct Prepared {
    plan: ImportPlan,
    upload: Arc<Upload>,
    staging: Box<dyn Staging>,
    rows: u64,
}

impl Parts {
    /// Writes a part to the end of the file, piece by piece.
    pub(super) fn append(&mut self, piece: &[u8]) -> std::io::Result<()> {
        self.file.seek(SeekFrom::End(0))?;
        self.file.write_all(piece)?;
        self.end += piece.len() as u64;
        Ok(())
    }

    /// Where the next part begins.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// What was written since `start` is that part.
    pub(super) fn keep(&mut self, number: u32, start: u64) {
        self.parts.insert(number, (start, self.end - start));
    }

    /// The upload in one file, its parts in order.
    fn join(self, scratch: &std::path::Path) -> std::io::Result<File> {
        let mut next = 0;
        let in_order = self.parts.values().all(|(start, length)| {
            let fits = *start == next;
            next = start + length;
            fits
        });
        if in_order && next == self.end {
            return Ok(self.file);
        }
        let (mut from, mut whole) = (self.file, tempfile::tempfile_in(scratch)?);
        for (start, length) in self.parts.values() {
            from.seek(SeekFrom::Start(*start))?;
            std::io::copy(&mut (&mut from).take(*length), &mut whole)?;
        }
        Ok(whole)
    }
}

impl Deployment {
    /// A new upload's token.
    pub(super) fn start_upload(&self) -> Result<String, ApiError> {
        let file = tempfile::tempfile_in(&self.scratch).map_err(ApiError::internal)?;
        let token = self.new_id(IMPORTS_TABLE);
        let parts = Parts { file, end: 0, parts: BTreeMap::new() };
        lock(&self.imports).uploads.insert(token.clone(), Arc::new(tokio::sync::Mutex::new(parts)));
        Ok(token)
    }

    /// An upload, for one of its parts.
    pub(super) fn upload(&self, token: &str, part: u32) -> Result<Arc<tokio::sync::Mutex<Parts>>, ApiError> {
        if !(1..=MOST_PARTS).contains(&part) {
            let message = format!("part {part} is out of range: an upload has 1 to {MOST_PARTS} parts");
            return Err(ApiError::bad_request("InvalidPartNumber", message));
        }
        let imports = lock(&self.imports);
        imports.uploads.get(token).cloned().ok_or_else(|| ApiError::not_found("UploadNotFound", "no such upload"))
    }

    /// Makes an import of an upload and begins to read it. Returns its id.
    pub(super) fn finish_upload(self: &Arc<Self>, token: &str, request: Request) -> Result<String, ApiError> {
        let table = table_of(&request)?;
        let parts = lock(&self.imports).uploads.remove(token);
        let parts = parts.and_then(Arc::into_inner);
        let parts = parts.ok_or_else(|| ApiError::not_found("UploadNotFound", "no such upload"))?.into_inner();
        let file = parts.join(&self.scratch).map_err(ApiError::internal)?;
        let upload = Arc::new(Upload { file, format: request.format, table });
        let id = self.new_id(IMPORTS_TABLE);
        let import = Import { id: id.clone(), requested_ms: self.now_ms(), state: State::Uploaded, prepared: None };
        lock(&self.imports).imports.push(import);
        self.tell();
        let (deployment, of) = (Arc::clone(self), id.clone());
        self.spawn(async move {
            match deployment.prepare(request.mode, upload).await {
                Ok((prepared, message, manual)) => {
                    deployment.turn_import(&of, State::Waiting { message, manual }, Some(prepared));
                }
                Err(why) => deployment.fail_import(&of, &why),
            }
        });
        Ok(id)
    }

    /// Commits a confirmed import.
    pub(super) fn perform_import(self: &Arc<Self>, id: &str) -> Result<(), ApiError> {
        let prepared = {
            let mut imports = lock(&self.imports);
            let import = imports.imports.iter_mut().find(|import| import.id == id);
            let import = import.ok_or_else(|| ApiError::not_found("ImportNotFound", format!("no import {id}")))?;
            let prepared = import.prepared.take();
            let message = "the import does not wait for a confirmation";
            let prepared = prepared.ok_or_else(|| ApiError::bad_request("ImportNotWaiting", message))?;
            import.state = State::InProgress;
            prepared
        };
        self.tell();
        let (deployment, id) = (Arc::clone(self), id.to_owned());
        self.spawn(async move {
            match deployment.commit(prepared).await {
                Ok(rows) => {
                    let at = i64::try_from(deployment.clock.now().as_nanosecond()).unwrap_or(i64::MAX);
                    deployment.turn_import(&id, State::Completed { rows, at }, None);
                }
                Err(why) => deployment.fail_import(&id, &why),
            }
        });
        Ok(())
    }

    /// An import as the system function shows it; null where there is none of that id.
    pub(super) fn import_shown(&self, id: &str) -> Value {
        let imports = lock(&self.imports);
        imports.imports.iter().find(|import| import.id == id).map_or(Value::Null, Import::shown)
    }

    /// All imports, the newest first.
    pub(super) fn imports_shown(&self) -> Value {
        lock(&self.imports).imports.iter().rev().map(Import::shown).collect()
    }

    fn turn_import(&self, id: &str, state: State, prepared: Option<Prepared>) {
        if let Some(import) = lock(&self.imports).imports.iter_mut().find(|import| import.id == id) {
            import.state = state;
            import.prepared = prepared;
        }
        self.tell();
    }

    fn fail_import(&self, id: &str, why: &str) {
        let message = format!("Hit an error while importing:\n{why}");
        self.turn_import(id, State::Failed { message }, None);
    }

    /// Reads and stages an upload. Says what would change, and whether somebody has to agree to it.
    async fn prepare(self: &Arc<Self>, mode: Mode, upload: Arc<Upload>) -> Result<(Prepared, String, bool), String> {
        let reading = Arc::clone(&upload);
        let tables = self.lanes.run(move || reading.tables()).await?;
        let snapshot = self.documents.snapshot().await.map_err(|e| e.to_string())?;
        let has_rows = |table: &Arc<str>| existing(&*snapshot, table) > 0;
        if mode == Mode::RequireEmpty
            && let Some(table) = tables.iter().find(|table| has_rows(table))
        {
            let advice = "Please choose a new table name or use replace/append modes.";
            return Err(format!("Table {table} already exists. {advice}"));
        }
        let (joins, deletes_others) = (mode == Mode::Append, mode == Mode::ReplaceAll);
        let plan = ImportPlan { tables, joins, deletes_others };
        let staging = self.documents.begin(plan.clone()).await.map_err(|e| e.to_string())?;
        let counts = self.stage(&upload, &*staging, None).await?;
        let changes = changes(&plan, &*snapshot, &counts);
        let manual = changes.iter().any(|change| change.deleted > 0);
        let rows = counts.values().sum();
        Ok((Prepared { plan, upload, staging, rows }, summary(&changes), manual))
    }

    /// Stages the documents of an upload, at most so many; returns how many each table got.
    async fn stage(
        self: &Arc<Self>,
        upload: &Arc<Upload>,
        staging: &dyn Staging,
        most: Option<u64>,
    ) -> Result<BTreeMap<Arc<str>, u64>, String> {
        let (sender, mut receiver) = mpsc::channel::<RowChunk>(2);
        let (deployment, upload) = (Arc::clone(self), Arc::clone(upload));
        let reading = self.lanes.run(move || {
            let new = || (deployment.new_id(ids::FIRST_TABLE), deployment.now_ms());
            upload.read(&new, &mut |chunk| sender.blocking_send(chunk).is_ok())
        });
        let mut counts = BTreeMap::new();
        let (mut left, mut load) = (most.unwrap_or(u64::MAX), Load::default());
        while let Some(chunk) = receiver.recv().await {
            let (chunk, _) = split(chunk, left);
            left -= chunk.rows;
            let chunk = self.state().take(&mut load, chunk)?;
            *counts.entry(Arc::clone(&chunk.table)).or_default() += chunk.rows;
            staging.stage(chunk).await.map_err(|e| e.to_string())?;
            if left == 0 {
                break;
            }
        }
        drop(receiver);
        reading.await?;
        Ok(counts)
    }

    async fn commit(self: &Arc<Self>, prepared: Prepared) -> Result<u64, String> {
        let Prepared { plan, upload, staging, rows } = prepared;
        match self.state().fails_after(rows) {
            Some(after) => {
                drop(staging);
                if plan.joins {
                    let some = self.documents.begin(plan).await.map_err(|e| e.to_string())?;
                    self.stage(&upload, &*some, Some(after)).await?;
                    some.commit().await.map_err(|e| e.to_string())?;
                }
                Err(failed_after(after, rows))
            }
            None => staging.commit().await.map(|()| rows).map_err(|e| e.to_string()),
        }
    }
}

impl Import {
    fn shown(&self) -> Value {
        let state = match &self.state {
            State::Uploaded => json!({ "state": "uploaded" }),
            State::Waiting { message, manual } => json!({
                "state": "waiting_for_confirmation",
                "message_to_confirm": message,
                "require_manual_confirmation": manual,
            }),
            State::InProgress => {
                json!({ "state": "in_progress", "progress_message": "Importing", "checkpoint_messages": [] })
            }
            State::Completed { rows, at } => json!({
                "state": "completed",
                "num_rows_written": int64(i64::try_from(*rows).unwrap_or(i64::MAX)),
                "timestamp": int64(*at),
            }),
            State::Failed { message } => json!({ "state": "failed", "error_message": message }),
        };
        json!({ "_id": self.id, "_creationTime": self.requested_ms, "state": state })
    }
}

/// The table that a request names, where its form needs one.
fn table_of(request: &Request) -> Result<Option<Arc<str>>, ApiError> {
    match (&request.table_name, request.format) {
        (None, Format::Zip) => Ok(None),
        (Some(_), Format::Zip) => {
            Err(ApiError::bad_request("InvalidImport", "an archive says itself which tables it has"))
        }
        (None, _) => Err(ApiError::bad_request("InvalidImport", "this format needs a tableName")),
        (Some(name), _) if is_table_name(name) => Ok(Some(name.as_str().into())),
        (Some(name), _) => {
            Err(ApiError::bad_request("InvalidTableName", format!("invalid table name '{}'", name.escape_debug())))
        }
    }
}

fn existing(snapshot: &dyn Snapshot, table: &str) -> u64 {
    snapshot.tables().iter().find(|known| &*known.name == table).map_or(0, |known| known.rows)
}

/// What an import changes in a table.
struct Change {
    table: Arc<str>,
    created: u64,
    deleted: u64,
    existing: u64,
}

fn changes(plan: &ImportPlan, snapshot: &dyn Snapshot, counts: &BTreeMap<Arc<str>, u64>) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    for table in &plan.tables {
        let existing = existing(snapshot, table);
        let created = counts.get(table).copied().unwrap_or(0);
        let deleted = if plan.joins { 0 } else { existing };
        changes.push(Change { table: Arc::clone(table), created, deleted, existing });
    }
    if plan.deletes_others {
        let others = snapshot.tables().iter().filter(|known| !plan.tables.contains(&known.name) && known.rows > 0);
        changes.extend(others.map(|other| Change {
            table: Arc::clone(&other.name),
            created: 0,
            deleted: other.rows,
            existing: other.rows,
        }));
    }
    changes
}

/// The changes as people are asked to confirm them.
fn summary(changes: &[Change]) -> String {
    let mut cells = vec![["table".to_owned(), "create".to_owned(), "delete".to_owned()]];
    cells.extend(changes.iter().map(|change| {
        [change.table.to_string(), change.created.to_string(), format!("{} of {}", change.deleted, change.existing)]
    }));
    let width = |column: usize| cells.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2)];
    let mut lines = vec!["Import change summary:".to_owned()];
    for (number, [table, create, delete]) in cells.iter().enumerate() {
        let [first, second, third] = widths;
        lines.push(format!("{table:first$} | {create:second$} | {delete:third$} |"));
        if number == 0 {
            lines.push("-".repeat(first + second + third + 8));
        }
    }
    lines.push("Once the import has started, it will run in the background.".into());
    lines.push("Interrupting `npx convex import` will not cancel it.".into());
    lines.join("\n")
}
