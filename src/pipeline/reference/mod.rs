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
mod follow;
mod piece;
mod provision;
mod prune;
mod refusal;
mod restore;
mod secrets;
mod stream;
mod witness;

/// The reference pipeline for one service.
#[derive(Clone)]
pub struct Reference {
    bench: Workbench,
    platform: Arc<dyn Platform>,
    service: String,
    layout: Layout,
    retention: Span,
    tap: Arc<Mutex<stream::Tap>>,
    guards_secrets: bool,
}

impl Reference {
    /// A pipeline for that service on its platform, with its dumps laid out so and kept so long.
    pub fn new(bench: Workbench, platform: Arc<dyn Platform>, service: &str, layout: Layout, retention: Span) -> Self {
        let (tap, guards_secrets) = (Arc::default(), false);
        Reference { bench, platform, service: service.into(), layout, retention, tap, guards_secrets }
    }

    /// The same pipeline for a service whose backups must hold no secret: it looks for them before it stores anything,
    /// and in what is stored.
    #[must_use]
    pub fn guarding_secrets(self) -> Self {
        Reference { guards_secrets: true, ..self }
    }

    fn alarm(&self, kind: AlarmKind, region: Option<&str>, detail: String) {
        // What the pipeline itself saw fail did fail: its alarms are never false ones.
        self.bench.recorder.emit(What::Alarm(Alarm::new(kind, region, detail)));
    }
}

#[async_trait]
impl Pipeline for Reference {
    async fn backup(&self, day: u32) -> Result<BackupMade, BackupError> {
        let made = self.make_backup(day).await?;
        self.tap.lock().await.stand_on(made.position);
        self.prune(&made).await;
        self.audit_backup(&made.regions).await;
        Ok(made)
    }

    async fn stream(&self) {
        self.copy_changes().await;
    }

    async fn restore(&self) -> RestoreEnd {
        self.restore_newest_good().await
    }

    async fn follow(&self) {
        self.follow_services().await;
    }
}
