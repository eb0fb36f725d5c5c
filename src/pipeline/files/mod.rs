//! The reference pipeline for files: what a careful team would build. A generation is a list of all files with their
//! digests, and a manifest of that list; the contents lie beside it, each once a region, under their digest. Whatever is
//! stored is read back, whatever is restored is compared, and nothing that a kept generation needs is removed.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{BackupError, Pipeline, RestoreEnd, Workbench};
use crate::{
    model::{
        event::{Alarm, AlarmKind, BackupMade, Phase, PointTried, What},
        naming::{Layout, PointName},
        units::Span,
    },
    service::contract::BucketPlatform,
};

mod backup;
mod choose;
mod list;
mod prune;
mod restore;
mod transfer;

/// Files on their way at once.
const AT_ONCE: usize = 4;

/// Bytes per second that are digested in a simulated drill, where computation takes no time of its own: one core's
/// SHA-256 (docs/performance.md).
const DIGEST: u64 = 1_000_000_000;

/// The pipeline of one service's files.
#[derive(Clone)]
pub struct FilePipeline {
    bench: Workbench,
    platform: Arc<dyn BucketPlatform>,
    rules: Rules,
}

/// How a service's files are kept.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The service's name.
    pub service: String,
    /// Where its generations lie.
    pub layout: Layout,
    /// How long they are kept.
    pub retention: Span,
    /// A restore takes the newest generation from before this moment; the newest of all where there is none.
    pub target_time: Option<Timestamp>,
}

impl FilePipeline {
    /// A pipeline for the files on that platform.
    pub fn new(bench: Workbench, platform: Arc<dyn BucketPlatform>, rules: Rules) -> Self {
        FilePipeline { bench, platform, rules }
    }

    fn alarm(&self, kind: AlarmKind, region: Option<&str>, detail: String) {
        // What the pipeline itself saw fail did fail: its alarms are never false ones.
        self.bench.recorder.emit(What::Alarm(Alarm::new(kind, region, detail)));
    }

    fn refuse(&self, point: &PointName, region: &str, phase: Phase, why: String) {
        let tried = PointTried { point: point.to_string(), region: region.to_owned(), phase, why };
        self.bench.recorder.emit(What::PointRefused(tried));
    }
}

#[async_trait]
impl Pipeline for FilePipeline {
    async fn backup(&self, day: u32) -> Result<BackupMade, BackupError> {
        let made = self.make_backup(day).await?;
        self.prune(&made).await;
        Ok(made)
    }

    async fn restore(&self) -> RestoreEnd {
        self.restore_newest_good().await
    }
}
