//! Retention: removes what is older than the plan keeps, and never the last good recovery point.

use super::Reference;
use crate::{
    model::{
        event::{BackupMade, What},
        naming::{KeyKind, PointName},
    },
    store::{Store, StoreError, StoreErrorKind},
};

impl Reference {
    /// Removes old points in every region that holds the backup just made. That one was read back, so what is removed
    /// is never the last good one; a region without it keeps all it has.
    pub(super) async fn prune(&self, made: &BackupMade) {
        for store in self.bench.stores.iter().filter(|s| made.regions.iter().any(|r| r == s.region())) {
            match self.prune_region(&**store).await {
                Ok(points) if points.is_empty() => {}
                Ok(points) => self.bench.recorder.emit(What::Pruned { region: store.region().to_owned(), points }),
                Err(why) => tracing::warn!("pruning: {why}"),
            }
        }
    }

    /// All versions go: what a mere deletion leaves would be paid for, and found, for ever. What a lock still holds
    /// stays until the next time.
    async fn prune_region(&self, store: &dyn Store) -> Result<Vec<String>, StoreError> {
        let mut pruned: Vec<PointName> = Vec::new();
        for version in store.versions(&self.layout.prefix).await? {
            let Some(KeyKind::Dump(point) | KeyKind::Manifest(point)) = self.layout.parse(&version.key) else {
                continue;
            };
            if !self.is_expired(&point) {
                continue;
            }
            match store.delete_version(&version.key, &version.version).await {
                Err(e) if e.kind == StoreErrorKind::Denied => {}
                deleted => {
                    deleted?;
                    if !pruned.contains(&point) {
                        pruned.push(point);
                    }
                }
            }
        }
        Ok(pruned.into_iter().map(|point| point.to_string()).collect())
    }

    fn is_expired(&self, point: &PointName) -> bool {
        let now = self.bench.clock.now();
        point.taken_at().is_some_and(|taken| {
            let age = now.duration_since(taken).as_millis();
            age > i128::from(self.retention.millis())
        })
    }
}
