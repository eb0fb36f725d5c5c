//! Retention: generations older than the plan keeps go, then the contents that no kept generation names. Where a kept
//! list cannot be read no content goes, for nobody knows what it needs.

use std::collections::{BTreeMap, BTreeSet};

use super::FilePipeline;
use crate::{
    model::{
        event::{BackupMade, What},
        naming::{KeyKind, PointName},
    },
    store::{SharedStore, StoreError, StoreErrorKind, VersionInfo},
};

impl FilePipeline {
    /// Removes what is old in every region that holds the backup just made. That one was read back, so what is removed
    /// is never the last good one; a region without it keeps all it has.
    pub(super) async fn prune(&self, made: &BackupMade) {
        for store in self.bench.stores.iter().filter(|s| made.regions.iter().any(|r| r == s.region())) {
            match self.prune_region(store).await {
                Ok(points) if points.is_empty() => {}
                Ok(points) => self.bench.recorder.emit(What::Pruned { region: store.region().to_owned(), points }),
                Err(why) => tracing::warn!("pruning: {why}"),
            }
        }
    }

    async fn prune_region(&self, store: &SharedStore) -> Result<Vec<String>, StoreError> {
        let (mut pruned, mut kept) = (BTreeSet::new(), BTreeMap::<PointName, Vec<VersionInfo>>::new());
        for version in store.versions(&format!("{}backup-", self.rules.layout.prefix)).await? {
            let Some(kind) = self.rules.layout.parse(&version.key) else { continue };
            let (KeyKind::Dump(point) | KeyKind::Manifest(point)) = &kind;
            if !self.is_expired(point) {
                if matches!(kind, KeyKind::Manifest(_)) && !version.is_delete_marker {
                    kept.entry(point.clone()).or_default().push(version);
                }
            } else if remove(store, &version).await? {
                pruned.insert(point.to_string());
            } else if matches!(kind, KeyKind::Manifest(_)) && !version.is_delete_marker {
                kept.entry(point.clone()).or_default().push(version); // what a lock holds is still a generation
            }
        }
        if let Some(needed) = self.needed(store, &kept).await {
            self.prune_contents(store, &needed).await?;
        }
        Ok(pruned.into_iter().collect())
    }

    /// The keys of all contents that kept generations name; `None` where one of them does not say.
    async fn needed(
        &self,
        store: &SharedStore,
        kept: &BTreeMap<PointName, Vec<VersionInfo>>,
    ) -> Option<BTreeSet<String>> {
        let mut needed = BTreeSet::new();
        for (point, versions) in kept {
            for version in versions.iter().filter(|version| version.is_latest) {
                let manifest = self.read_manifest(store, point, version).await.ok()?;
                let (_, body) = store.get(&self.rules.layout.dump_key(point)).await.ok()?;
                let entries = self.read_list(&manifest, body).await.ok()?;
                needed.extend(entries.iter().map(|entry| self.rules.layout.content_key(&entry.sha256)));
            }
            if !versions.iter().any(|version| version.is_latest) {
                return None; // somebody deleted it: not the retention's work, and it may be wanted back
            }
        }
        Some(needed)
    }

    async fn prune_contents(&self, store: &SharedStore, needed: &BTreeSet<String>) -> Result<(), StoreError> {
        for version in store.versions(&self.rules.layout.contents_prefix()).await? {
            if !needed.contains(&version.key) {
                remove(store, &version).await?;
            }
        }
        Ok(())
    }

    fn is_expired(&self, point: &PointName) -> bool {
        let now = self.bench.clock.now();
        point.taken_at().is_some_and(|taken| {
            let age = now.duration_since(taken).as_millis();
            age > i128::from(self.rules.retention.millis())
        })
    }
}

/// Removes a version for good. `false` where a lock still holds it: it stays until the next time.
async fn remove(store: &SharedStore, version: &VersionInfo) -> Result<bool, StoreError> {
    match store.delete_version(&version.key, &version.version).await {
        Err(e) if e.kind == StoreErrorKind::Denied => Ok(false),
        deleted => deleted.map(|()| true),
    }
}
