//! The way back: the newest copy of the first rule that has one, synced into a new bucket. What lies in an archive is
//! asked for first, and the wait is assumed: nobody sits through five hours of a drill.

use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::{AT_ONCE, SyncPipeline, Synced, backup::name_of, copy};
use crate::{
    model::{
        event::{AlarmKind, Claim, Phase, PointTried, What},
        plan::{Retrieval, SyncRule},
        units::Span,
    },
    pipeline::RestoreEnd,
    service::contract::Bucket,
    store::{ObjectInfo, RestoreState, SharedStore, StorageClass, Tier},
};

/// For how many days archived objects are asked for: longer than any restore takes.
const READABLE_DAYS: u32 = 7;

impl SyncPipeline {
    pub(super) async fn sync_back(&self) -> RestoreEnd {
        let Some(store) = self.store() else { return self.give_up("the plan has no region".into()) };
        let recorder = &self.bench.recorder;
        recorder.begin(Phase::Choose);
        let copies = self.copies(store).await;
        recorder.end(Phase::Choose, copies.as_ref().is_ok_and(|copies| !copies.is_empty()));
        let copies = match copies {
            Ok(copies) => copies,
            Err(why) => return self.give_up(why),
        };
        for (synced, objects) in &copies {
            match self.try_copy(synced, objects, store).await {
                Ok(()) => {
                    let (point, region) = (name_of(&synced.folder).to_owned(), store.region().to_owned());
                    return RestoreEnd::Restored(Claim { point, region, position: synced.position });
                }
                Err((phase, why)) => self.refuse(synced, store, phase, why),
            }
        }
        self.give_up(format!("none of {} copies could be synced back", copies.len()))
    }

    fn give_up(&self, why: String) -> RestoreEnd {
        self.alarm(AlarmKind::NothingRestorable, why.clone());
        RestoreEnd::Refused { why }
    }

    fn refuse(&self, synced: &Synced, store: &SharedStore, phase: Phase, why: String) {
        let (point, region) = (name_of(&synced.folder).to_owned(), store.region().to_owned());
        self.bench.recorder.emit(What::PointRefused(PointTried { point, region, phase, why }));
    }

    /// The copies that there are: those of the first rule before those of the next, the newest first.
    async fn copies(&self, store: &SharedStore) -> Result<Vec<(Synced, Vec<ObjectInfo>)>, String> {
        let mut log = self.log();
        log.reverse();
        log.sort_by_key(|synced| synced.rule);
        // One copy that is kept up to date is one, however often it was synced.
        log.dedup_by(|later, first| later.folder == first.folder);
        let region = store.region().to_owned();
        let mut copies = Vec::new();
        for synced in log.into_iter().filter(|synced| self.is_in_time(synced)) {
            match store.list(&synced.folder).await {
                Ok(objects) if objects.is_empty() => {
                    self.refuse(&synced, store, Phase::Choose, "its folder is empty".into());
                }
                Ok(objects) => copies.push((synced, objects)),
                Err(e) => {
                    let why = Some(e.kind.to_string());
                    self.bench.recorder.emit(What::Listed { region, points: None, why });
                    return Err(format!("the one bucket that is copied to cannot be listed: {}", e.kind));
                }
            }
        }
        let points = Some(copies.len() as u64);
        self.bench.recorder.emit(What::Listed { region, points, why: None });
        Ok(copies)
    }

    /// Whether a copy can be from before the target time. One that is kept up to date is all there is, whenever it is of.
    fn is_in_time(&self, synced: &Synced) -> bool {
        let is_dated = self.rules.get(synced.rule).is_some_and(|rule| rule.dated);
        !is_dated || self.target_time.is_none_or(|limit| synced.at < limit)
    }

    async fn try_copy(
        &self,
        synced: &Synced,
        objects: &[ObjectInfo],
        store: &SharedStore,
    ) -> Result<(), (Phase, String)> {
        let recorder = &self.bench.recorder;
        recorder.begin(Phase::Provision);
        let bucket = self.platform.provision().await;
        recorder.end(Phase::Provision, bucket.is_ok());
        let bucket = bucket.map_err(|e| (Phase::Provision, e.to_string()))?;
        recorder.begin(Phase::Fetch);
        recorder.begin(Phase::Import);
        let fetched = match self.unfreeze(synced, objects, store).await {
            Ok(()) => self.fetch(synced, objects, store, &bucket).await,
            Err(why) => Err(why),
        };
        recorder.end(Phase::Fetch, fetched.is_ok());
        recorder.end(Phase::Import, fetched.is_ok());
        if let Err(why) = fetched {
            if let Err(left) = self.platform.discard(&bucket).await {
                tracing::warn!("a half-filled bucket could not be discarded: {left}");
            }
            return Err((Phase::Fetch, why));
        }
        recorder.begin(Phase::CutOver);
        let switched = self.platform.cut_over(&bucket).await;
        recorder.end(Phase::CutOver, switched.is_ok());
        switched.map_err(|e| (Phase::CutOver, e.to_string()))
    }

    /// Asks for what lies in an archive, and lets the time pass that S3 documents for it.
    async fn unfreeze(&self, synced: &Synced, objects: &[ObjectInfo], store: &SharedStore) -> Result<(), String> {
        let frozen: Vec<&ObjectInfo> = objects.iter().filter(|object| object.storage_class.is_archive()).collect();
        let tier = tier(self.rules.get(synced.rule));
        let Some(wait) = frozen.iter().filter_map(|object| wait(object.storage_class, tier)).max() else {
            return match frozen.first() {
                None => Ok(()),
                Some(object) => Err(format!("{} does not offer {} retrieval", object.storage_class, tier.name())),
            };
        };
        let ask = |object: &&ObjectInfo| {
            let (store, key) = (Arc::clone(store), object.key.clone());
            async move { store.request_restore(&key, tier, READABLE_DAYS).await }
        };
        let asked = stream::iter(&frozen).map(ask).buffered(AT_ONCE).try_collect::<Vec<()>>().await;
        asked.map_err(|e| format!("the archive was asked in vain: {e}"))?;
        self.bench.clock.assume(wait);
        for object in frozen {
            let restore = store.head(&object.key).await.map_err(|e| e.to_string())?.restore;
            if !matches!(restore, Some(RestoreState::Ready { .. })) {
                return Err(format!("{} has not come back from the archive after {wait}", object.key));
            }
        }
        Ok(())
    }

    async fn fetch(
        &self,
        synced: &Synced,
        objects: &[ObjectInfo],
        store: &SharedStore,
        bucket: &Bucket,
    ) -> Result<(), String> {
        let fetch = |object: &ObjectInfo| {
            let (from, to, key) = (Arc::clone(store), Arc::clone(&bucket.store), object.key.clone());
            let as_key = key.strip_prefix(&synced.folder).unwrap_or(&key).to_owned();
            self.bench.lanes.go(async move { copy(&*from, &key, &*to, &as_key, StorageClass::Standard).await })
        };
        let fetched = stream::iter(objects).map(fetch).buffered(AT_ONCE).try_collect::<Vec<()>>().await;
        fetched.map(drop).map_err(|e| e.to_string())
    }
}

/// How fast a rule asks an archive for its objects.
fn tier(rule: Option<&SyncRule>) -> Tier {
    match rule.map(|rule| rule.retrieval).unwrap_or_default() {
        Retrieval::Expedited => Tier::Expedited,
        Retrieval::Standard => Tier::Standard,
        Retrieval::Bulk => Tier::Bulk,
    }
}

/// What a restore from the archive takes at the most.
fn wait(class: StorageClass, tier: Tier) -> Option<Span> {
    let takes = class.restore_time(tier)?;
    u64::try_from(takes.as_millis()).ok().map(Span)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::plan::CopyClass;

    #[test]
    fn a_plan_is_judged_by_the_waits_that_its_drills_assume() {
        for class in [CopyClass::Standard, CopyClass::StandardIa, CopyClass::Glacier, CopyClass::DeepArchive] {
            for (retrieval, tier) in [
                (Retrieval::Expedited, Tier::Expedited),
                (Retrieval::Standard, Tier::Standard),
                (Retrieval::Bulk, Tier::Bulk),
            ] {
                let stored: StorageClass = class.name().parse().unwrap();
                let assumed = if stored.is_archive() { wait(stored, tier) } else { Some(Span::ZERO) };
                assert_eq!(class.retrieval_time(retrieval), assumed, "{} {}", class.name(), retrieval.name());
            }
        }
    }
}
