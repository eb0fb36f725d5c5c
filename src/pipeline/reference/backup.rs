//! Making a backup: one streaming pass into the first region that takes it, a reading of what arrived, copies.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::{BackupError, Reference, cost};
use crate::{
    archive::{self, MANIFEST_FORMAT, Manifest, Summary},
    model::{
        event::{AlarmKind, BackupMade, Position},
        naming::PointName,
    },
    service::contract::Source,
    store::{ByteStream, SharedStore, Store, StoreError, StoreErrorKind},
};

/// A dump as it lies in its first region.
struct Stored {
    manifest: Manifest,
    summary: Summary,
    position: Position,
}

impl Reference {
    pub(super) async fn make_backup(&self, day: u32) -> Result<BackupMade, BackupError> {
        let watch = self.bench.clock.stopwatch();
        let point = PointName::at(self.bench.clock.now_to_name());
        let mut missing_in = Vec::new();
        let mut first: Option<(SharedStore, Stored)> = None;
        let source = self.platform.source();
        for store in &self.bench.stores {
            match self.write_first(&point, &*source, store).await {
                Ok(stored) => {
                    first = Some((Arc::clone(store), stored));
                    break;
                }
                Err(why) => missing_in.push((store.region().to_owned(), why)),
            }
        }
        let Some((origin, stored)) = first else {
            let whys: Vec<_> = missing_in.into_iter().map(|(region, why)| format!("{region}: {why}")).collect();
            return Err(self.failed(format!("no region took the backup ({})", whys.join("; "))));
        };
        let mut regions = vec![origin.region().to_owned()];
        let failed_before: Vec<String> = missing_in.iter().map(|(region, _)| region.clone()).collect();
        let others = self.bench.stores.iter();
        for replica in
            others.filter(|s| s.region() != origin.region() && !failed_before.iter().any(|r| r == s.region()))
        {
            match self.copy(&point, &stored.manifest, &*origin, &**replica).await {
                Ok(()) => regions.push(replica.region().to_owned()),
                Err(why) => missing_in.push((replica.region().to_owned(), why)),
            }
        }
        for (region, why) in &missing_in {
            self.alarm(AlarmKind::BackupFailed, Some(region), format!("{point} is not in {region}: {why}"));
        }
        Ok(BackupMade {
            day,
            point: point.to_string(),
            position: stored.position,
            rows: stored.summary.tables.iter().map(|t| t.rows).sum(),
            raw_bytes: stored.summary.raw_bytes * self.bench.clock.scale(),
            stored_bytes: stored.summary.stored_bytes * self.bench.clock.scale(),
            regions,
            missing_in: missing_in.into_iter().map(|(region, why)| format!("{region}: {why}")).collect(),
            took: watch.elapsed(),
        })
    }

    fn failed(&self, why: String) -> BackupError {
        self.alarm(AlarmKind::BackupFailed, None, why.clone());
        BackupError(why)
    }

    /// Exports into a region and reads back what arrived there. The manifest comes last: it says that the dump is whole.
    async fn write_first(&self, point: &PointName, source: &dyn Source, store: &SharedStore) -> Result<Stored, String> {
        let export = source.export().await.map_err(|e| format!("the export failed: {e}"))?;
        let (position, format) = (export.position, self.layout.format);
        let contents = self.guard(export.contents).await?;
        let packed = archive::pack(format, contents, &self.bench.lanes, &self.bench.scratch);
        let region = store.region().to_owned();
        let key = self.layout.dump_key(point);
        let failed = StoreError { region, operation: "put", key: key.clone(), kind: StoreErrorKind::Source };
        let body = packed.bytes.map(move |piece| {
            piece.map_err(|why| {
                tracing::warn!("packing failed: {why}");
                failed.clone()
            })
        });
        store.put(&key, body.boxed()).await.map_err(|e| e.kind.to_string())?;
        let summary = packed.summary.get().ok_or("the packer gave no summary")?;
        self.bench.clock.spend_on(summary.raw_bytes, cost::PACK).await;
        let exported_at = self.bench.clock.now();
        let dump = format!("{point}.{}", format.extension());
        let manifest = Manifest {
            format: MANIFEST_FORMAT.into(),
            service: self.service.clone(),
            dump,
            dump_format: format,
            stored_bytes: summary.stored_bytes,
            stored_sha256: summary.stored_sha256.clone(),
            position,
            exported_at,
            tables: summary.tables.clone(),
            content_bytes: None,
        };
        let stored_at = self.read_back(point, &manifest, &**store).await?;
        self.bench.compare_clocks(point, stored_at, store.region());
        self.put_manifest(point, &manifest, &**store).await?;
        Ok(Stored { manifest, summary, position })
    }

    /// Reads a stored dump in full and checks it against its manifest. Returns when the region says that it got it.
    async fn read_back(&self, point: &PointName, manifest: &Manifest, store: &dyn Store) -> Result<Timestamp, String> {
        let (info, body) = store.get(&self.layout.dump_key(point)).await.map_err(|e| e.kind.to_string())?;
        let mut opened = self.open(manifest, body);
        while let Some(chunk) = opened.rows.next().await {
            chunk.map_err(|e| format!("what was stored does not read back: {e}"))?;
        }
        let summary = opened.summary.get().ok_or("the dump ended without a summary")?;
        self.bench.clock.spend_on(summary.raw_bytes, cost::UNPACK_AND_IMPORT).await;
        manifest.check(&summary).map_err(|why| format!("what was stored does not read back: {why}"))?;
        Ok(info.modified)
    }

    async fn put_manifest(&self, point: &PointName, manifest: &Manifest, store: &dyn Store) -> Result<(), String> {
        let body = stream::iter([Ok(Bytes::from(manifest.to_json()))]);
        store.put(&self.layout.manifest_key(point), body.boxed()).await.map_err(|e| e.kind.to_string())?;
        Ok(())
    }

    /// Copies a dump, digesting what passes: damage is stopped here, not replicated.
    async fn copy(
        &self,
        point: &PointName,
        manifest: &Manifest,
        from: &dyn Store,
        to: &dyn Store,
    ) -> Result<(), String> {
        let key = self.layout.dump_key(point);
        let unread = |e: StoreError| format!("the copy in {} could not be read: {}", e.region, e.kind);
        let (_, body) = from.get(&key).await.map_err(unread)?;
        let failed = StoreError {
            region: from.region().to_owned(),
            operation: "get",
            key: key.clone(),
            kind: StoreErrorKind::Corrupt,
        };
        to.put(&key, digest_guard(body, manifest.stored_sha256.clone(), failed))
            .await
            .map_err(|e| e.kind.to_string())?;
        self.put_manifest(point, manifest, to).await
    }
}

/// Passes a body on and fails at its end where its SHA-256 is not the expected one.
fn digest_guard(body: ByteStream, expected: String, failed: StoreError) -> ByteStream {
    let state = (body, Some(Sha256::new()), expected, failed);
    let guarded = stream::unfold(state, |(mut body, hasher, expected, failed)| async move {
        let mut hasher = hasher?;
        match body.next().await {
            Some(Ok(piece)) => {
                hasher.update(&piece);
                Some((Ok(piece), (body, Some(hasher), expected, failed)))
            }
            Some(Err(e)) => Some((Err(e), (body, None, expected, failed))),
            None => {
                let found = data_encoding::HEXLOWER.encode(&hasher.finalize());
                (found != expected).then(|| (Err(failed.clone()), (body, None, expected, failed)))
            }
        }
    });
    guarded.fuse().boxed()
}
