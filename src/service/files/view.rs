//! What users of a bucket reach, read in full: every object's bytes are fetched and digested. A listing is believed in
//! nothing but the names.

use std::sync::Arc;

use async_trait::async_trait;
use data_encoding::HEXLOWER;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::AT_ONCE;
use crate::{
    service::contract::{Contents, RowChunk, ServiceError, View},
    sim::lanes::Lanes,
    store::{SharedStore, Store, StoreError},
};

/// The one table that files are described in.
pub(super) const TABLE: &str = "files";

/// A file described as a row.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FileRow {
    pub(super) key: String,
    pub(super) size: u64,
    pub(super) sha256: String,
    pub(super) content_type: String,
}

/// A bucket that is read.
pub(super) struct BucketView {
    store: SharedStore,
    lanes: Lanes,
}

impl BucketView {
    pub(super) fn new(store: SharedStore, lanes: &Lanes) -> Self {
        BucketView { store, lanes: lanes.clone() }
    }
}

#[async_trait]
impl View for BucketView {
    async fn read_back(&self) -> Result<Contents, ServiceError> {
        let objects = self.store.list("").await.map_err(failed)?;
        let (store, lanes, table) = (Arc::clone(&self.store), self.lanes.clone(), Arc::<str>::from(TABLE));
        let tables = vec![Arc::clone(&table)];
        let rows = stream::iter(objects).map(move |object| {
            let (store, table) = (Arc::clone(&store), Arc::clone(&table));
            lanes.go(async move { describe(&*store, &object.key, table).await })
        });
        Ok(Contents { tables, rows: rows.buffered(AT_ONCE).boxed() })
    }
}

async fn describe(store: &dyn Store, key: &str, table: Arc<str>) -> Result<RowChunk, ServiceError> {
    let (info, mut body) = store.get(key).await.map_err(failed)?;
    let (mut sha, mut size) = (Sha256::new(), 0);
    while let Some(piece) = body.try_next().await.map_err(failed)? {
        size += piece.len() as u64;
        sha.update(&piece);
    }
    let sha256 = HEXLOWER.encode(&sha.finalize());
    let content_type = info.content_type.unwrap_or_default();
    let row = FileRow { key: key.to_owned(), size, sha256, content_type };
    let mut line = serde_json::to_vec(&row).map_err(|e| ServiceError(e.to_string()))?;
    line.push(b'\n');
    Ok(RowChunk { table, rows: 1, lines: line.into() })
}

fn failed(why: StoreError) -> ServiceError {
    ServiceError(format!("the bucket cannot be read: {why}"))
}
