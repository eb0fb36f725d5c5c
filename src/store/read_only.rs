//! A store that cannot write: what a user owns is looked at and never changed, whatever rights its key has.

use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;

use super::{
    ByteStream, CopySource, ObjectInfo, PageStream, PutOptions, StorageClass, Store, StoreError, StoreErrorKind, Tier,
    VersionInfo,
};

/// A store of which only the reading half is open. The rest is [`StoreErrorKind::Denied`], and no request is made.
#[derive(Debug)]
pub struct ReadOnly<S>(pub S);

impl<S: Store> ReadOnly<S> {
    fn denied<T>(&self, operation: &'static str, key: &str) -> Result<T, StoreError> {
        let (region, kind) = (self.0.region().to_owned(), StoreErrorKind::Denied);
        Err(StoreError { region, operation, key: key.to_owned(), kind })
    }
}

#[async_trait]
impl<S: Store> Store for ReadOnly<S> {
    fn region(&self) -> &str {
        self.0.region()
    }

    async fn put_with(&self, key: &str, _: ByteStream, _: &PutOptions) -> Result<ObjectInfo, StoreError> {
        self.denied("put", key)
    }

    async fn copy(&self, _: &CopySource, key: &str, _: StorageClass) -> Result<ObjectInfo, StoreError> {
        self.denied("copy", key)
    }

    async fn get(&self, key: &str) -> Result<(ObjectInfo, ByteStream), StoreError> {
        self.0.get(key).await
    }

    async fn get_version(&self, key: &str, version: &str) -> Result<(ObjectInfo, ByteStream), StoreError> {
        self.0.get_version(key, version).await
    }

    async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, StoreError> {
        self.0.get_range(key, range).await
    }

    async fn head(&self, key: &str) -> Result<ObjectInfo, StoreError> {
        self.0.head(key).await
    }

    fn pages<'s>(&'s self, prefix: &'s str) -> PageStream<'s> {
        self.0.pages(prefix)
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.denied("delete", key)
    }

    async fn versions(&self, prefix: &str) -> Result<Vec<VersionInfo>, StoreError> {
        self.0.versions(prefix).await
    }

    async fn delete_version(&self, key: &str, _: &str) -> Result<(), StoreError> {
        self.denied("delete", key)
    }

    async fn request_restore(&self, key: &str, _: Tier, _: u32) -> Result<(), StoreError> {
        self.denied("restore", key)
    }
}
