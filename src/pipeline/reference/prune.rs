//! Retention: removes what is older than the plan keeps, and never the last good recovery point.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Reference;
use crate::{
    model::{
        event::{BackupMade, What},
        naming::{KeyKind, PointName},
        words,
    },
    store::{Store, StoreError, StoreErrorKind, VersionInfo},
};

impl Reference {
    /// Removes old points in every region that holds the backup just made. That one was read back, so what is removed
    /// is never the last good one; a region without it keeps all it has.
    pub(super) async fn prune(&self, made: &BackupMade) {
        for store in self.bench.stores.iter().filter(|s| made.regions.iter().any(|r| r == s.region())) {
            match self.prune_region(&**store, &made.point).await {
                Ok(points) if points.is_empty() => {}
                Ok(points) => self.bench.recorder.emit(What::Pruned { region: store.region().to_owned(), points }),
                Err(why) => tracing::warn!("pruning: {why}"),
            }
        }
    }

    /// All versions go, and with the points the pieces of the change stream that are as old: nothing that is kept needs
    /// them. What a mere deletion leaves would be paid for, and found, for ever. What a lock still holds stays until the
    /// next time.
    /// A listing without the backup that was just made is not whole, and nothing is removed by it. Ages are counted by
    /// the region's own dates: the clock that gave the names may be wrong.
    async fn prune_region(&self, store: &dyn Store, made: &str) -> Result<Vec<String>, StoreError> {
        let (mut points, mut pieces) = (BTreeSet::new(), BTreeSet::new());
        let versions = store.versions(&self.layout.prefix).await?;
        let is_made = |version: &&VersionInfo| matches!(self.layout.parse(&version.key), Some(KeyKind::Dump(point)) if point.as_str() == made);
        let Some(now) = versions.iter().filter(is_made).map(|version| version.modified).max() else {
            tracing::warn!("pruning {}: its listing does not show {made}", store.region());
            return Ok(Vec::new());
        };
        for version in versions {
            let point = match self.layout.parse(&version.key) {
                Some(KeyKind::Dump(point) | KeyKind::Manifest(point)) => Some(point),
                None => None,
            };
            let piece = self.layout.parse_piece(&version.key);
            let taken_at = point.as_ref().and_then(PointName::taken_at).or(piece.map(|piece| piece.taken_at));
            if !taken_at.is_some_and(|named| self.is_expired(named, version.modified, now)) {
                continue;
            }
            match store.delete_version(&version.key, &version.version).await {
                Err(e) if e.kind == StoreErrorKind::Denied => {}
                deleted => {
                    deleted?;
                    points.extend(point);
                    pieces.extend(piece);
                }
            }
        }
        let mut pruned: Vec<String> = points.iter().map(ToString::to_string).collect();
        if !pieces.is_empty() {
            pruned.push(format!("{} of the change stream", words::count(pieces.len() as u64, "piece")));
        }
        Ok(pruned)
    }

    /// By its name and by its region's date; a name of the future says nothing.
    fn is_expired(&self, named: Timestamp, written: Timestamp, now: Timestamp) -> bool {
        let taken_at = if named > now { written } else { named.max(written) };
        now.duration_since(taken_at).as_millis() > i128::from(self.retention.millis())
    }
}
