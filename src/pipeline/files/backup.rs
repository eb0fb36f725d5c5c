//! Making a generation: every file that the newest good list does not know is read and digested; each region gets the
//! contents that it lacks, then the list, and the manifest last. What was stored is read back.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::{
    AT_ONCE, BackupError, DIGEST, FilePipeline,
    list::{FORMAT, FileEntry, contents},
    transfer::{Broken, digest, transfer},
};
use crate::{
    archive::{self, MANIFEST_FORMAT, Manifest},
    model::{
        event::{AlarmKind, BackupMade, Position},
        naming::PointName,
    },
    store::{ObjectInfo, PutOptions, SharedStore, Store, StoreError, StoreErrorKind},
};

/// The files of the source at one position.
struct Survey {
    position: Position,
    entries: Vec<FileEntry>,
}

impl Survey {
    fn bytes(&self) -> u64 {
        self.entries.iter().map(|entry| entry.size).sum()
    }
}

impl FilePipeline {
    pub(super) async fn make_backup(&self, day: u32) -> Result<BackupMade, BackupError> {
        let watch = self.bench.clock.stopwatch();
        let point = PointName::at(self.bench.clock.now_to_name());
        let survey = self.survey().await.map_err(|why| self.failed(format!("the source could not be read: {why}")))?;
        let (mut regions, mut missing_in) = (Vec::new(), Vec::new());
        for store in &self.bench.stores {
            match self.store_generation(&point, &survey, store).await {
                Ok(()) => regions.push(store.region().to_owned()),
                Err(why) => missing_in.push((store.region().to_owned(), why)),
            }
        }
        let whys: Vec<String> = missing_in.iter().map(|(region, why)| format!("{region}: {why}")).collect();
        if regions.is_empty() {
            return Err(self.failed(format!("no region took the backup ({})", whys.join("; "))));
        }
        for (region, why) in &missing_in {
            self.alarm(AlarmKind::BackupFailed, Some(region), format!("{point} is not in {region}: {why}"));
        }
        let bytes = survey.bytes() * self.bench.clock.scale();
        Ok(BackupMade {
            day,
            point: point.to_string(),
            position: survey.position,
            rows: survey.entries.len() as u64,
            raw_bytes: bytes,
            stored_bytes: bytes,
            regions,
            missing_in: whys,
            took: watch.elapsed(),
        })
    }

    fn failed(&self, why: String) -> BackupError {
        self.alarm(AlarmKind::BackupFailed, None, why.clone());
        BackupError(why)
    }

    /// What the source holds. A file that has size, ETag and date of the newest good list is not read again.
    async fn survey(&self) -> Result<Survey, String> {
        let source = self.platform.source();
        let position = self.platform.position();
        let objects = source.list("").await.map_err(|e| e.kind.to_string())?;
        let known: HashMap<String, FileEntry> =
            self.newest_list().await.into_iter().map(|entry| (entry.key.clone(), entry)).collect();
        let read = |object: ObjectInfo| {
            let known = known.get(&object.key).filter(|entry| is_same(entry, &object)).cloned();
            let (source, clock) = (Arc::clone(&source), self.bench.clock.clone());
            self.bench.lanes.go(async move {
                match known {
                    Some(entry) => Ok(entry),
                    None => {
                        clock.spend_on(object.size, DIGEST).await;
                        read_file(&*source, &object).await
                    }
                }
            })
        };
        let entries = stream::iter(objects).map(read).buffered(AT_ONCE).try_collect().await?;
        Ok(Survey { position, entries })
    }

    /// One region: the contents that it lacks, the list, the manifest.
    async fn store_generation(&self, point: &PointName, survey: &Survey, store: &SharedStore) -> Result<(), String> {
        let layout = &self.rules.layout;
        let there = store.list(&layout.contents_prefix()).await.map_err(|e| e.kind.to_string())?;
        let there: HashMap<String, u64> = there.into_iter().map(|object| (object.key, object.size)).collect();
        let lacks = |entry: &&FileEntry| there.get(&layout.content_key(&entry.sha256)) != Some(&entry.size);
        let lacking: BTreeMap<&str, &FileEntry> =
            survey.entries.iter().filter(lacks).map(|entry| (&*entry.sha256, entry)).collect();
        let send = |entry: &FileEntry| {
            let (source, store, entry) = (self.platform.source(), Arc::clone(store), entry.clone());
            let (key, clock) = (layout.content_key(&entry.sha256), self.bench.clock.clone());
            self.bench.lanes.go(async move {
                clock.spend_on(entry.size * 2, DIGEST).await;
                store_content(&*source, &entry, &*store, &key).await
            })
        };
        let sent = stream::iter(lacking.into_values()).map(send).buffered(AT_ONCE);
        sent.try_collect::<Vec<()>>().await?;
        let manifest = self.store_list(point, survey, store).await?;
        let body = stream::iter([Ok(Bytes::from(manifest.to_json()))]);
        store.put(&layout.manifest_key(point), body.boxed()).await.map(drop).map_err(|e| e.kind.to_string())
    }

    async fn store_list(&self, point: &PointName, survey: &Survey, store: &SharedStore) -> Result<Manifest, String> {
        let key = self.rules.layout.dump_key(point);
        let packed = archive::pack(FORMAT, contents(&survey.entries), &self.bench.lanes, &self.bench.scratch);
        let kind = StoreErrorKind::Source;
        let failed = StoreError { region: store.region().to_owned(), operation: "put", key: key.clone(), kind };
        let body = packed.bytes.map_err(move |_| failed.clone());
        store.put(&key, body.boxed()).await.map_err(|e| e.kind.to_string())?;
        let summary = packed.summary.get().ok_or("the packer gave no summary")?;
        let manifest = Manifest {
            format: MANIFEST_FORMAT.into(),
            service: self.rules.service.clone(),
            dump: format!("{point}.{}", FORMAT.extension()),
            dump_format: FORMAT,
            stored_bytes: summary.stored_bytes,
            stored_sha256: summary.stored_sha256,
            position: survey.position,
            exported_at: self.bench.clock.now(),
            tables: summary.tables,
            content_bytes: Some(survey.bytes()),
        };
        let (info, body) = store.get(&key).await.map_err(|e| e.kind.to_string())?;
        if self.bench.stores.first().is_some_and(|first| first.region() == store.region()) {
            self.bench.compare_clocks(point, info.modified, store.region());
        }
        let read = self.read_list(&manifest, body).await;
        read.map_err(|why| format!("the list that was stored does not read back: {why}"))?;
        Ok(manifest)
    }
}

fn is_same(entry: &FileEntry, object: &ObjectInfo) -> bool {
    let same_version = object.etag.as_ref() == Some(&entry.etag);
    same_version && entry.size == object.size && entry.modified_ms == object.modified.as_millisecond()
}

async fn read_file(source: &dyn Store, object: &ObjectInfo) -> Result<FileEntry, String> {
    let named = |why: String| format!("{}: {why}", object.key);
    let (info, body) = source.get(&object.key).await.map_err(|e| named(e.kind.to_string()))?;
    let (sha256, size) = digest(body).await.map_err(|kind| named(kind.to_string()))?;
    Ok(FileEntry {
        key: object.key.clone(),
        modified_ms: info.modified.as_millisecond(),
        content_type: info.content_type.unwrap_or_default(),
        etag: info.etag.unwrap_or_default(),
        sha256,
        size,
    })
}

/// Copies a content into a region, and reads what arrived.
async fn store_content(source: &dyn Store, entry: &FileEntry, store: &dyn Store, key: &str) -> Result<(), String> {
    let (_, body) = source.get(&entry.key).await.map_err(|e| format!("{}: {}", entry.key, e.kind))?;
    let options = PutOptions { content_type: Some(entry.content_type.clone()), ..PutOptions::default() };
    transfer(body, &entry.sha256, store, key, &options).await.map_err(|why| match why {
        Broken::Write(kind) => kind.to_string(),
        why => format!("{} changed while it was copied, or broke: {why}", entry.key),
    })?;
    let (_, body) = store.get(key).await.map_err(|e| e.kind.to_string())?;
    let (sha256, _) = digest(body).await.map_err(|kind| kind.to_string())?;
    match sha256 == entry.sha256 {
        true => Ok(()),
        false => Err(format!("what was stored of {} does not read back", entry.key)),
    }
}
