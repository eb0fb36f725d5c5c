//! The reference pipeline: what a careful team would build. Export, compress, digest, upload, read back, copy to the
//! other regions, prune; between the backups a stream of changes, where the plan has one; and a restore that believes
//! nothing it has not checked.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Mutex;

use super::{BackupError, Pipeline, RestoreEnd, Workbench};
use crate::{
    model::{
        event::{Alarm, AlarmKind, BackupMade, What},
        naming::Layout,
        units::Span,
    },
    service::contract::Platform,
};

mod backup;
mod chain;
mod changed;
mod choose;
mod cost;
mod piece;
mod prune;
mod restore;
mod stream;

/// The reference pipeline for one service.
#[derive(Clone)]
pub struct Reference {
    bench: Workbench,
    platform: Arc<dyn Platform>,
    service: String,
    layout: Layout,
    retention: Span,
    tap: Arc<Mutex<stream::Tap>>,
}

impl Reference {
    /// A pipeline for that service on its platform, with its dumps laid out so and kept so long.
    pub fn new(bench: Workbench, platform: Arc<dyn Platform>, service: &str, layout: Layout, retention: Span) -> Self {
        Reference { bench, platform, service: service.into(), layout, retention, tap: Arc::default() }
    }

    fn alarm(&self, kind: AlarmKind, region: Option<&str>, detail: String) {
        // What the pipeline itself saw fail did fail: its alarms are never false ones.
        let alarm = Alarm { kind, region: region.map(Into::into), detail, justified: true };
        self.bench.recorder.emit(What::Alarm(alarm));
    }
}

#[async_trait]
impl Pipeline for Reference {
    async fn backup(&self, day: u32) -> Result<BackupMade, BackupError> {
        let made = self.make_backup(day).await?;
        self.tap.lock().await.stand_on(made.position);
        self.prune(&made).await;
        Ok(made)
    }

    async fn stream(&self) {
        self.copy_changes().await;
    }

    async fn restore(&self) -> RestoreEnd {
        self.restore_newest_good().await
    }
}
