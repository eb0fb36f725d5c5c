//! A store seen through a lens: what a careless pipeline makes of its regions, without a line of it in the pipeline.

use std::{fmt, ops::Range, sync::Arc};

use async_trait::async_trait;
use backdraft::{
    pipeline::Workbench,
    store::{
        ByteStream, CopySource, ObjectInfo, PageStream, PutOptions, SharedStore, StorageClass, Store, StoreError, Tier,
        VersionInfo,
    },
};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

pub(crate) type Got<T> = Result<T, StoreError>;

/// What is changed on the way to a store and back. Whatever is not overridden passes.
#[async_trait]
pub(crate) trait Lens: Send + Sync + fmt::Debug {
    /// An object is written.
    async fn put(&self, to: &dyn Store, key: &str, body: ByteStream, options: &PutOptions) -> Got<ObjectInfo> {
        to.put_with(key, body, options).await
    }

    /// An object is read, or one of its versions.
    async fn get(&self, from: &dyn Store, key: &str, version: Option<&str>) -> Got<(ObjectInfo, ByteStream)> {
        plain_get(from, key, version).await
    }

    /// Objects are listed.
    async fn list(&self, of: &dyn Store, prefix: &str) -> Got<Vec<ObjectInfo>> {
        of.list(prefix).await
    }

    /// Versions are listed.
    async fn versions(&self, of: &dyn Store, prefix: &str) -> Got<Vec<VersionInfo>> {
        of.versions(prefix).await
    }

    /// A version is removed.
    async fn delete_version(&self, of: &dyn Store, key: &str, version: &str) -> Got<()> {
        of.delete_version(key, version).await
    }
}

pub(crate) async fn plain_get(from: &dyn Store, key: &str, version: Option<&str>) -> Got<(ObjectInfo, ByteStream)> {
    match version {
        Some(version) => from.get_version(key, version).await,
        None => from.get(key).await,
    }
}

/// The same bench with every store seen through a lens.
pub(crate) fn through(bench: Workbench, lens: impl Lens + 'static) -> Workbench {
    let lens: Arc<dyn Lens> = Arc::new(lens);
    let stores = bench.stores.iter().map(|inner| seen(inner, &lens)).collect();
    Workbench { stores, ..bench }
}

/// One store through a lens.
pub(crate) fn seen(inner: &SharedStore, lens: &Arc<dyn Lens>) -> SharedStore {
    Arc::new(Seen { inner: Arc::clone(inner), lens: Arc::clone(lens) })
}

/// All bytes of a body.
pub(crate) async fn bytes_of(body: ByteStream) -> Got<Vec<u8>> {
    body.try_fold(Vec::new(), |mut all, piece| async move {
        all.extend_from_slice(&piece);
        Ok(all)
    })
    .await
}

/// A body of these bytes.
pub(crate) fn body(bytes: impl Into<Bytes>) -> ByteStream {
    stream::iter([Ok(bytes.into())]).boxed()
}

#[derive(Debug)]
struct Seen {
    inner: SharedStore,
    lens: Arc<dyn Lens>,
}

#[async_trait]
impl Store for Seen {
    fn region(&self) -> &str {
        self.inner.region()
    }

    async fn put_with(&self, key: &str, body: ByteStream, options: &PutOptions) -> Got<ObjectInfo> {
        self.lens.put(&*self.inner, key, body, options).await
    }

    async fn copy(&self, from: &CopySource, key: &str, class: StorageClass) -> Got<ObjectInfo> {
        self.inner.copy(from, key, class).await
    }

    async fn get(&self, key: &str) -> Got<(ObjectInfo, ByteStream)> {
        self.lens.get(&*self.inner, key, None).await
    }

    async fn get_version(&self, key: &str, version: &str) -> Got<(ObjectInfo, ByteStream)> {
        self.lens.get(&*self.inner, key, Some(version)).await
    }

    async fn head(&self, key: &str) -> Got<ObjectInfo> {
        self.inner.head(key).await
    }

    async fn get_range(&self, key: &str, range: Range<u64>) -> Got<Bytes> {
        self.inner.get_range(key, range).await
    }

    fn pages<'s>(&'s self, prefix: &'s str) -> PageStream<'s> {
        stream::once(self.lens.list(&*self.inner, prefix)).boxed()
    }

    async fn delete(&self, key: &str) -> Got<()> {
        self.inner.delete(key).await
    }

    async fn versions(&self, prefix: &str) -> Got<Vec<VersionInfo>> {
        self.lens.versions(&*self.inner, prefix).await
    }

    async fn delete_version(&self, key: &str, version: &str) -> Got<()> {
        self.lens.delete_version(&*self.inner, key, version).await
    }

    async fn request_restore(&self, key: &str, tier: Tier, days: u32) -> Got<()> {
        self.inner.request_restore(key, tier, days).await
    }
}
