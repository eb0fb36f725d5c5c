//! A refused connection is refused by the operating system, so an emulated region cannot count it. The client can: this
//! store tells the region's link, and a fault can prove that it was met.

use std::{ops::Range, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;

use super::{
    ByteStream, CopySource, ObjectInfo, PageStream, PutOptions, StorageClass, Store, StoreError, StoreErrorKind, Tier,
    VersionInfo,
};
use crate::emulator::s3::Region;

/// A store over real HTTP that tells the region of refused connections.
#[derive(Debug)]
pub struct Witness<S> {
    inner: S,
    region: Arc<Region>,
}

impl<S: Store> Witness<S> {
    /// Watches a store of that region.
    pub fn new(inner: S, region: Arc<Region>) -> Self {
        Witness { inner, region }
    }

    fn seen<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if result.as_ref().is_err_and(|error| error.kind == StoreErrorKind::Refused) {
            self.region.link().count_refused();
        }
        result
    }
}

#[async_trait]
impl<S: Store> Store for Witness<S> {
    fn region(&self) -> &str {
        self.inner.region()
    }

    async fn put_with(&self, key: &str, body: ByteStream, options: &PutOptions) -> Result<ObjectInfo, StoreError> {
        self.seen(self.inner.put_with(key, body, options).await)
    }

    async fn copy(&self, from: &CopySource, key: &str, class: StorageClass) -> Result<ObjectInfo, StoreError> {
        self.seen(self.inner.copy(from, key, class).await)
    }

    async fn get(&self, key: &str) -> Result<(ObjectInfo, ByteStream), StoreError> {
        self.seen(self.inner.get(key).await)
    }

    async fn get_version(&self, key: &str, version: &str) -> Result<(ObjectInfo, ByteStream), StoreError> {
        self.seen(self.inner.get_version(key, version).await)
    }

    async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, StoreError> {
        self.seen(self.inner.get_range(key, range).await)
    }

    async fn head(&self, key: &str) -> Result<ObjectInfo, StoreError> {
        self.seen(self.inner.head(key).await)
    }

    fn pages<'s>(&'s self, prefix: &'s str) -> PageStream<'s> {
        self.inner.pages(prefix).map(|page| self.seen(page)).boxed()
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.seen(self.inner.delete(key).await)
    }

    async fn versions(&self, prefix: &str) -> Result<Vec<VersionInfo>, StoreError> {
        self.seen(self.inner.versions(prefix).await)
    }

    async fn delete_version(&self, key: &str, version: &str) -> Result<(), StoreError> {
        self.seen(self.inner.delete_version(key, version).await)
    }

    async fn request_restore(&self, key: &str, tier: Tier, days: u32) -> Result<(), StoreError> {
        self.seen(self.inner.request_restore(key, tier, days).await)
    }
}
