//! Retention: generations older than the plan keeps go, then the contents that no kept generation names. Where a kept
//! list cannot be read no content goes, for nobody knows what it needs.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

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
            match self.prune_region(store, &made.point).await {
                Ok(points) if points.is_empty() => {}
                Ok(points) => self.bench.recorder.emit(What::Pruned { region: store.region().to_owned(), points }),
                Err(why) => tracing::warn!("pruning: {why}"),
            }
        }
    }

    /// A listing without the generation that was just made is not whole: what it does not show needs contents, too, and
    /// nothing is removed by it. Ages are counted by the region's own dates: the clock that gave the names may be wrong.
    async fn prune_region(&self, store: &SharedStore, made: &str) -> Result<Vec<String>, StoreError> {
        let (mut pruned, mut kept) = (BTreeSet::new(), BTreeMap::<PointName, Vec<VersionInfo>>::new());
        let versions = store.versions(&format!("{}backup-", self.rules.layout.prefix)).await?;
        let is_made = |version: &&VersionInfo| matches!(self.rules.layout.parse(&version.key), Some(KeyKind::Dump(point)) if point.as_str() == made);
        let Some(now) = versions.iter().filter(is_made).map(|version| version.modified).max() else {
            tracing::warn!("pruning {}: its listing does not show {made}", store.region());
            return Ok(Vec::new());
        };
        for version in versions {
            let Some(kind) = self.rules.layout.parse(&version.key) else { continue };
            let (KeyKind::Dump(point) | KeyKind::Manifest(point)) = &kind;
            if !self.is_expired(point, version.modified, now) {
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

    /// By its name and by its region's date; a name of the future says nothing.
    fn is_expired(&self, point: &PointName, written: Timestamp, now: Timestamp) -> bool {
        point.taken_at().is_some_and(|named| {
            let taken_at = if named > now { written } else { named.max(written) };
            now.duration_since(taken_at).as_millis() > i128::from(self.rules.retention.millis())
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
