//! A bucket that is restored into: each file that is written passes the gate at which an import waits for a fault.

use std::{ops::Range, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;

use crate::{
    emulator::targets::Targets,
    store::{
        ByteStream, CopySource, ObjectInfo, PageStream, PutOptions, SharedStore, StorageClass, Store, StoreError, Tier,
        VersionInfo,
    },
};

/// The way to such a bucket.
#[derive(Debug)]
pub(super) struct Gated {
    store: SharedStore,
    targets: Arc<Targets>,
}

impl Gated {
    /// An import into that bucket begins.
    pub(super) fn begin(store: SharedStore, targets: &Arc<Targets>) -> SharedStore {
        targets.gate().begin();
        Arc::new(Gated { store, targets: Arc::clone(targets) })
    }
}

#[async_trait]
impl Store for Gated {
    fn region(&self) -> &str {
        self.store.region()
    }

    async fn put_with(&self, key: &str, body: ByteStream, options: &PutOptions) -> Result<ObjectInfo, StoreError> {
        self.targets.gate().pass(1).await;
        self.store.put_with(key, body, options).await
    }

    async fn copy(&self, from: &CopySource, key: &str, class: StorageClass) -> Result<ObjectInfo, StoreError> {
        self.targets.gate().pass(1).await;
        self.store.copy(from, key, class).await
    }

    async fn get(&self, key: &str) -> Result<(ObjectInfo, ByteStream), StoreError> {
        self.store.get(key).await
    }

    async fn get_version(&self, key: &str, version: &str) -> Result<(ObjectInfo, ByteStream), StoreError> {
        self.store.get_version(key, version).await
    }

    async fn head(&self, key: &str) -> Result<ObjectInfo, StoreError> {
        self.store.head(key).await
    }

    async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, StoreError> {
        self.store.get_range(key, range).await
    }

    fn pages<'s>(&'s self, prefix: &'s str) -> PageStream<'s> {
        self.store.pages(prefix)
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.store.delete(key).await
    }

    async fn versions(&self, prefix: &str) -> Result<Vec<VersionInfo>, StoreError> {
        self.store.versions(prefix).await
    }

    async fn delete_version(&self, key: &str, version: &str) -> Result<(), StoreError> {
        self.store.delete_version(key, version).await
    }

    async fn request_restore(&self, key: &str, tier: Tier, days: u32) -> Result<(), StoreError> {
        self.store.request_restore(key, tier, days).await
    }
}
