//! The HookLabs rows in a place of the team's own kind, behind a probe. Rows, writes and ledger are those of the emulated
//! database; what is backed up, lost and restored is the real thing.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::TryStreamExt;
use jiff::Timestamp;

use super::{
    contract::{Contents, Ledger, Platform, RowChunk, Service, ServiceError, Source, Structure, View},
    database::Database,
    live::Live,
    place::{Place, Probe},
};
use crate::model::{event::Position, words};

pub mod commands;
pub mod postgresql;
pub mod sqlite;

/// Bytes of a chunk that is read back.
const CHUNK: usize = 1 << 20;

/// A service whose data lies behind a probe.
pub struct Probed {
    rows: Arc<Database>,
    source: Arc<dyn Source>,
    probe: Arc<dyn Probe>,
    /// Up to which write the place has been told.
    told: Mutex<Position>,
    live: Live,
    /// What was there beside the rows when it was lost.
    structure: Mutex<Option<Result<Structure, ServiceError>>>,
}

impl Probed {
    /// Fills a place with the rows of a database.
    ///
    /// # Errors
    /// What the place says.
    pub async fn fill(rows: Arc<Database>, probe: Arc<dyn Probe>) -> Result<Probed, ServiceError> {
        let source = Platform::source(rows.as_ref());
        let export = source.export().await?;
        let told = Mutex::new(export.position);
        probe.fill(export.contents).await?;
        Ok(Probed { rows, source, probe, told, live: Live::default(), structure: Mutex::default() })
    }

    fn told(&self) -> Position {
        *self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Place for Probed {
    fn variables(&self) -> Vec<(String, String)> {
        self.probe.variables()
    }

    fn position(&self) -> Position {
        self.told()
    }

    fn load(&self) -> (u64, u64) {
        (self.rows.rows(), self.rows.seeded_bytes())
    }

    async fn provision(&self) -> Result<(), ServiceError> {
        self.probe.provision().await
    }

    async fn cut_over(&self) -> Result<(), ServiceError> {
        self.live.switch(Arc::new(Read(Arc::clone(&self.probe))));
        Ok(())
    }
}

#[async_trait]
impl Service for Probed {
    fn ledger(&self) -> Arc<dyn Ledger> {
        self.rows.ledger()
    }

    async fn steady(&self) -> Result<String, ServiceError> {
        let contents = self.probe.read().await?;
        match contents.tables.len() {
            0 if self.rows.rows() > 0 => Err(ServiceError("the source holds nothing that the probe can read".into())),
            tables => Ok(format!("the source holds {tables} tables")),
        }
    }

    async fn write(&self, at: Timestamp, writes: u32) -> Result<(), ServiceError> {
        self.rows.write(at, writes).await?;
        // A source hands its changes out piece by piece.
        loop {
            let from = self.told();
            let changes = self.source.changes(from).await?;
            if changes.to.seq == from.seq {
                return Ok(());
            }
            self.probe.write(changes.rows).await?;
            *self.told.lock().unwrap_or_else(PoisonError::into_inner) = changes.to;
        }
    }

    async fn lose(&self) -> Result<(), ServiceError> {
        let noted = self.probe.structure().await.transpose();
        *self.structure.lock().unwrap_or_else(PoisonError::into_inner) = noted;
        self.rows.lose().await?;
        self.probe.lose().await?;
        // A place that cannot be read any more is as lost as an empty one.
        let Ok(left) = self.probe.read().await else { return Ok(()) };
        let rows = left.rows.map_ok(|chunk| chunk.rows).try_fold(0, async |sum, rows| Ok(sum + rows)).await;
        match rows {
            Ok(rows @ 1..) => Err(ServiceError(format!("{} are still there", words::count(rows, "row")))),
            _ => Ok(()),
        }
    }

    fn live(&self) -> Option<Arc<dyn View>> {
        self.live.view()
    }

    fn structure(&self) -> Option<Result<Structure, ServiceError>> {
        self.structure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn rows(&self) -> u64 {
        self.rows.rows()
    }

    fn seeded_bytes(&self) -> u64 {
        self.rows.seeded_bytes()
    }
}

/// The place as it can be read.
struct Read(Arc<dyn Probe>);

#[async_trait]
impl View for Read {
    async fn read_back(&self) -> Result<Contents, ServiceError> {
        self.0.read().await
    }

    async fn structure(&self) -> Result<Option<Structure>, ServiceError> {
        self.0.structure().await
    }
}

/// Rows of a table, each with the end of its line, in pieces.
fn chunked(table: &Arc<str>, rows: &[Vec<u8>]) -> Vec<RowChunk> {
    let mut chunks = Vec::new();
    let (mut lines, mut count) = (Vec::new(), 0);
    for row in rows {
        lines.extend_from_slice(row);
        count += 1;
        if lines.len() >= CHUNK {
            chunks.push(RowChunk { table: Arc::clone(table), rows: count, lines: std::mem::take(&mut lines).into() });
            count = 0;
        }
    }
    if count > 0 {
        chunks.push(RowChunk { table: Arc::clone(table), rows: count, lines: Bytes::from(lines) });
    }
    chunks
}
