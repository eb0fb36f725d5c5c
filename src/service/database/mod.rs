//! The HookLabs database: generated rows, a workload, a ledger, a target.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use futures_util::StreamExt;
use jiff::{SignedDuration, Timestamp};

use self::{dataset::DataSet, ledger::WriteLedger, source::LiveSource, target::SpooledTarget, workload::Workload};
use super::{
    contract::{Ledger, Platform, Service, ServiceError, Source, Target, View},
    live::Live,
};
use crate::{
    model::{event::Position, units::ByteSize},
    sim::{lanes::Lanes, seed::Seed},
};

mod changelog;
mod dataset;
mod documents;
mod exact;
pub mod hosted;
mod ids;
mod ledger;
mod line;
mod overlay;
pub mod place;
mod remote;
mod source;
mod stored;
mod tables;
mod target;
mod text;
mod workload;

/// A table that the application has.
pub const KNOWN_TABLE: &str = tables::TABLES[0].name;

/// The database as a protected service.
#[derive(Debug)]
pub struct Database {
    data: Arc<DataSet>,
    source: Arc<LiveSource>,
    ledger: Arc<WriteLedger>,
    /// Locked while writing: what the source commits is acknowledged before the next write.
    workload: Mutex<Workload>,
    scratch: PathBuf,
    targets: AtomicU32,
    live: Live,
    lanes: Lanes,
}

impl Database {
    /// A database whose source holds about `size` bytes of rows as JSON lines (within 2 %, from 64 KiB to 10 GiB, or none),
    /// committed at `started_at`. Targets keep their files below `scratch`, which the caller removes.
    ///
    /// # Errors
    /// When the size cannot be made.
    pub fn seed(
        size: ByteSize,
        seed: Seed,
        started_at: Timestamp,
        scratch: &Path,
        lanes: &Lanes,
    ) -> Result<Database, ServiceError> {
        let data = Arc::new(DataSet::new(size, seed, started_at)?);
        let seeding = Position { seq: 0, committed_at: started_at };
        Ok(Database {
            source: Arc::new(LiveSource::new(Arc::clone(&data), seeding, lanes)),
            ledger: Arc::new(WriteLedger::new(Arc::clone(&data), started_at)),
            workload: Mutex::new(Workload::new(seed)),
            data,
            scratch: scratch.to_owned(),
            targets: AtomicU32::new(1),
            live: Live::default(),
            lanes: lanes.clone(),
        })
    }
}

#[async_trait]
impl Platform for Database {
    fn source(&self) -> Arc<dyn Source> {
        Arc::clone(&self.source) as _
    }

    async fn provision(&self) -> Result<Arc<dyn Target>, ServiceError> {
        let number = self.targets.fetch_add(1, Ordering::Relaxed);
        let folder = self.scratch.join(format!("target-{number}"));
        Ok(Arc::new(SpooledTarget::new(folder, &self.lanes)?))
    }

    async fn cut_over(&self, target: Arc<dyn Target>) -> Result<(), ServiceError> {
        self.live.switch(target);
        Ok(())
    }
}

#[async_trait]
impl Service for Database {
    async fn steady(&self) -> Result<String, ServiceError> {
        let mut contents = self.source.export().await?.contents;
        let tables = contents.tables.len();
        match contents.rows.next().await {
            Some(rows) => rows.map(|_| format!("the source exports {tables} tables")),
            None if self.data.rows() == 0 => Ok(format!("the source exports {tables} tables, all empty")),
            None => Err(ServiceError("the source has no rows".into())),
        }
    }

    fn live(&self) -> Option<Arc<dyn View>> {
        self.live.view()
    }

    fn ledger(&self) -> Arc<dyn Ledger> {
        Arc::clone(&self.ledger) as _
    }

    async fn write(&self, at: Timestamp, writes: u32) -> Result<(), ServiceError> {
        let workload = self.workload.lock().unwrap_or_else(PoisonError::into_inner);
        for n in 0..writes {
            // A millisecond apart, and never before the write that came before.
            let at = at.checked_add(SignedDuration::from_millis(n.into())).unwrap_or(Timestamp::MAX);
            let (write, position) = self.source.commit(|state| {
                let last = state.position();
                // No two writes share a moment: the moment alone says which write it was.
                let earliest = last.committed_at.checked_add(SignedDuration::from_nanos(1)).unwrap_or(at);
                let position = Position { seq: last.seq + 1, committed_at: at.max(earliest) };
                (workload.next(position.seq, state), position)
            })?;
            self.ledger.acknowledge(write, position)?;
        }
        Ok(())
    }

    async fn lose(&self) -> Result<(), ServiceError> {
        self.source.lose();
        Ok(())
    }

    fn rows(&self) -> u64 {
        self.source.rows()
    }

    fn seeded_bytes(&self) -> u64 {
        self.data.bytes()
    }
}
