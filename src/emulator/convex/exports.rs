//! Snapshot exports: one at a time is made, as a ZIP in an unlinked file, and the last few are kept for downloads.

use std::{fs::File, io::Write, sync::Arc};

use futures_util::TryStreamExt;
use serde_json::{Value, json};
use zip::{ZipWriter, write::SimpleFileOptions};

use super::{Deployment, documents::contents, error::ApiError, lock, values::int64};
use crate::{
    archive::{self, ArchiveError},
    model::plan::DumpFormat,
    sim::lanes::Lanes,
};

/// Finished exports that are kept.
const KEPT: usize = 2;

/// Number of the system table that lists exports.
const EXPORTS_TABLE: u32 = 24;

/// All exports of a deployment.
#[derive(Default)]
pub(super) struct Exports {
    latest: Option<Export>,
    finished: Vec<Finished>,
}

struct Export {
    id: String,
    requested_ms: f64,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Requested,
    InProgress,
    Completed { start: i64, complete: i64 },
    Failed,
}

/// An export that can be downloaded.
#[derive(Clone)]
pub(super) struct Finished {
    start: i64,
    pub(super) file: Arc<File>,
    pub(super) bytes: u64,
}

impl Deployment {
    /// Begins an export.
    pub(super) fn request_export(self: &Arc<Self>, with_storage: bool) -> Result<(), ApiError> {
        let stuck = self.condition().export_stuck;
        {
            let mut exports = lock(&self.exports);
            let state = exports.latest.as_ref().map(|export| export.state);
            if matches!(state, Some(State::Requested | State::InProgress)) {
                let message = "There is already an export requested or in progress.";
                return Err(ApiError::bad_request("ExportInProgress", message));
            }
            let (id, requested_ms) = (self.new_id(EXPORTS_TABLE), self.now_ms());
            let state = if stuck { State::InProgress } else { State::Requested };
            exports.latest = Some(Export { id, requested_ms, state });
        }
        self.tell();
        if stuck {
            self.strike(|struck| struck.exports_stuck += 1);
            return Ok(());
        }
        let deployment = Arc::clone(self);
        self.spawn(async move {
            deployment.turn_export(State::InProgress);
            if deployment.export_fails() {
                return deployment.turn_export(State::Failed);
            }
            let state = match deployment.make_export(with_storage).await {
                Ok(state) => state,
                Err(why) => {
                    tracing::warn!("an export of {} failed: {why}", deployment.name);
                    State::Failed
                }
            };
            deployment.turn_export(state);
        });
        Ok(())
    }

    /// Whether what is exported now fails; counts it.
    pub(super) fn export_fails(&self) -> bool {
        self.state().export_fails()
    }

    /// Exports that were stuck have failed.
    pub(super) fn release_stuck_exports(&self) {
        let stuck = self.struck().exports_stuck > 0;
        let in_progress = lock(&self.exports).latest.as_ref().is_some_and(|export| export.state == State::InProgress);
        if stuck && in_progress {
            self.turn_export(State::Failed);
        }
    }

    fn turn_export(&self, state: State) {
        if let Some(export) = &mut lock(&self.exports).latest {
            export.state = state;
        }
        self.tell();
    }

    async fn make_export(&self, with_storage: bool) -> Result<State, String> {
        let snapshot = self.documents.snapshot().await.map_err(|e| e.to_string())?;
        let start = snapshot.timestamp();
        let packed = archive::pack(DumpFormat::ConvexZip, contents(snapshot), &self.lanes, &self.scratch);
        let file = tempfile::tempfile_in(&self.scratch).map_err(|e| e.to_string())?;
        let file = write_all(file, packed.bytes, &self.lanes).await?;
        let file = match with_storage {
            true => self.lanes.run(move || add_storage(file)).await.map_err(|e| e.to_string())?,
            false => file,
        };
        let bytes = file.metadata().map_err(|e| e.to_string())?.len();
        let mut exports = lock(&self.exports);
        exports.finished.retain(|finished| finished.start != start);
        if exports.finished.len() == KEPT {
            exports.finished.remove(0);
        }
        exports.finished.push(Finished { start, file: Arc::new(file), bytes });
        let complete = i64::try_from(self.clock.now().as_nanosecond()).unwrap_or(i64::MAX);
        Ok(State::Completed { start, complete: complete.max(start) })
    }

    /// The newest export as the system function shows it; null where there never was one.
    pub(super) fn latest_export(&self) -> Value {
        let exports = lock(&self.exports);
        let Some(Export { id, requested_ms, state }) = &exports.latest else { return Value::Null };
        let mut shown = json!({ "_id": id, "_creationTime": requested_ms, "format": { "format": "zip" } });
        let fields = match state {
            State::Requested => json!({ "state": "requested" }),
            State::InProgress => json!({ "state": "in_progress" }),
            State::Failed => json!({ "state": "failed" }),
            State::Completed { start, complete } => json!({
                "state": "completed",
                "start_ts": int64(*start),
                "complete_ts": int64(*complete),
                "zip_object_key": id,
            }),
        };
        if let (Some(shown), Value::Object(fields)) = (shown.as_object_mut(), fields) {
            shown.extend(fields);
        }
        shown
    }

    /// A finished export.
    pub(super) fn finished_export(&self, start: i64) -> Result<Finished, ApiError> {
        let exports = lock(&self.exports);
        let found = exports.finished.iter().find(|finished| finished.start == start).cloned();
        found.ok_or_else(|| ApiError::not_found("ExportNotFound", format!("No export found with timestamp {start}.")))
    }
}

async fn write_all(
    mut file: File,
    mut bytes: impl futures_util::Stream<Item = Result<bytes::Bytes, ArchiveError>> + Unpin,
    lanes: &Lanes,
) -> Result<File, String> {
    while let Some(piece) = bytes.try_next().await.map_err(|e| e.to_string())? {
        file = lanes.run(move || file.write_all(&piece).map(|()| file)).await.map_err(|e| e.to_string())?;
    }
    Ok(file)
}

/// Adds the list of stored files to a finished archive. This deployment stores none.
fn add_storage(file: File) -> Result<File, zip::result::ZipError> {
    let mut zip = ZipWriter::new_append(file)?;
    zip.start_file("_storage/documents.jsonl", SimpleFileOptions::default())?;
    zip.finish()
}
