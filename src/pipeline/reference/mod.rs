//! The reference pipeline: what a careful team would build. Export, compress, digest, upload, read back, copy to the
//! other regions, prune; and a restore that believes nothing it has not checked.

use async_trait::async_trait;

use super::{BackupError, Pipeline, Platform, RestoreEnd, Workbench};
use crate::{
    model::{
        event::{Alarm, AlarmKind, BackupMade, What},
        naming::Layout,
        units::Span,
    },
    service::contract::Source,
};

mod backup;
mod choose;
mod cost;
mod prune;
mod restore;

/// The reference pipeline for one service.
#[derive(Clone)]
pub struct Reference {
    bench: Workbench,
    service: String,
    layout: Layout,
    retention: Span,
}

impl Reference {
    /// A pipeline for that service, with its dumps laid out so and kept so long.
    pub fn new(bench: Workbench, service: &str, layout: Layout, retention: Span) -> Self {
        Reference { bench, service: service.into(), layout, retention }
    }

    fn alarm(&self, kind: AlarmKind, region: Option<&str>, detail: String) {
        // What the pipeline itself saw fail did fail: its alarms are never false ones.
        let alarm = Alarm { kind, region: region.map(Into::into), detail, justified: true };
        self.bench.recorder.emit(What::Alarm(alarm));
    }
}

#[async_trait]
impl Pipeline for Reference {
    async fn backup(&self, day: u32, source: &dyn Source) -> Result<BackupMade, BackupError> {
        let made = self.make_backup(day, source).await?;
        self.prune(&made).await;
        Ok(made)
    }

    async fn restore(&self, platform: &dyn Platform) -> RestoreEnd {
        self.restore_newest_good(platform).await
    }
}
