//! Files copied by rule, as `aws s3 sync` does it and as plans describe it: into one bucket, without a digest, a list or a
//! reading back. Its restore is the obvious one, a sync the other way. It believes what it copied, and says so; whether
//! that holds is for the ledger to find out.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;

use super::{BackupError, Pipeline, RestoreEnd, Workbench};
use crate::{
    model::{
        event::{Alarm, AlarmKind, BackupMade, Position, What},
        plan::SyncRule,
    },
    service::contract::BucketPlatform,
    store::{PutOptions, SharedStore, StorageClass, Store, StoreError},
};

mod backup;
mod restore;

/// Objects on their way at once.
const AT_ONCE: usize = 4;

/// The copies of one service's files.
pub struct SyncPipeline {
    bench: Workbench,
    platform: Arc<dyn BucketPlatform>,
    rules: Vec<SyncRule>,
    target_time: Option<Timestamp>,
    /// What the job's log says: the copies made, in the order in which they were.
    log: Mutex<Vec<Synced>>,
}

/// A copy that was made or brought up to date.
#[derive(Debug, Clone)]
struct Synced {
    /// Number of the rule.
    rule: usize,
    /// Its folder.
    folder: String,
    /// When.
    at: Timestamp,
    /// What the source was at.
    position: Position,
}

impl SyncPipeline {
    /// Copies by these rules, in their order. A restore takes the newest copy from before `target_time`, where the rules
    /// keep more than one.
    pub fn new(
        bench: Workbench,
        platform: Arc<dyn BucketPlatform>,
        rules: Vec<SyncRule>,
        target_time: Option<Timestamp>,
    ) -> Self {
        SyncPipeline { bench, platform, rules, target_time, log: Mutex::default() }
    }

    /// The bucket that is copied into: the primary region's.
    fn store(&self) -> Option<&SharedStore> {
        self.bench.stores.first()
    }

    fn alarm(&self, kind: AlarmKind, detail: String) {
        let region = self.store().map(|store| store.region().to_owned());
        self.bench.recorder.emit(What::Alarm(Alarm::new(kind, region.as_deref(), detail)));
    }

    fn log(&self) -> Vec<Synced> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, synced: Synced) {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).push(synced);
    }
}

#[async_trait]
impl Pipeline for SyncPipeline {
    async fn backup(&self, day: u32) -> Result<BackupMade, BackupError> {
        self.sync_all(day).await
    }

    async fn restore(&self) -> RestoreEnd {
        self.sync_back().await
    }
}

/// Copies one object, with its content type and metadata.
async fn copy(
    from: &dyn Store,
    key: &str,
    to: &dyn Store,
    as_key: &str,
    class: StorageClass,
) -> Result<(), StoreError> {
    let (info, body) = from.get(key).await?;
    let options = PutOptions {
        storage_class: class,
        content_type: info.content_type,
        metadata: info.metadata,
        ..PutOptions::default()
    };
    to.put_with(as_key, body, &options).await.map(drop)
}
