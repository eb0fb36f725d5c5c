//! What a pipeline reads and writes backups through. The contract is here; `s3` reaches a region over real HTTP with
//! aws-sdk-s3, `direct` reaches it in process under the virtual clock, `folder` is one on a disk. Nothing above this room knows which it holds.

use std::{collections::BTreeMap, fmt, ops::Range, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{TryStreamExt, stream::BoxStream};
use jiff::Timestamp;

pub use crate::emulator::s3::{
    archive::{RestoreState, StorageClass, Tier},
    lock::{LockMode, Retention},
};

mod client;
pub mod direct;
pub mod folder;
mod parts;
pub mod read_only;
pub mod s3;
mod tries;
mod wire;
pub mod witness;

/// A body as it streams, in pieces of any size.
pub type ByteStream = BoxStream<'static, Result<Bytes, StoreError>>;

/// Pages of a listing as they come, each in the order of its keys and after the one before.
pub type PageStream<'s> = BoxStream<'s, Result<Vec<ObjectInfo>, StoreError>>;

/// Most bytes that [`Store::get_range`] is asked for.
pub const MOST_RANGE: u64 = 1 << 20;

/// One bucket in one region.
#[async_trait]
pub trait Store: Send + Sync + fmt::Debug {
    /// The region's name.
    fn region(&self) -> &str;

    /// Writes an object from a stream, in parts where it is large; memory stays bounded. When the stream fails, or the
    /// region does, nothing is left under the key.
    async fn put(&self, key: &str, body: ByteStream) -> Result<ObjectInfo, StoreError> {
        self.put_with(key, body, &PutOptions::default()).await
    }

    /// As [`Store::put`], with a storage class, a content type and metadata.
    async fn put_with(&self, key: &str, body: ByteStream, options: &PutOptions) -> Result<ObjectInfo, StoreError>;

    /// Copies an object within the region, without its bytes coming here. It keeps content type and metadata, and gets
    /// this storage class; where it is copied in parts (above 64 MiB), other headers are lost.
    async fn copy(&self, from: &CopySource, key: &str, class: StorageClass) -> Result<ObjectInfo, StoreError>;

    /// Opens an object. The stream ends with an error where the body breaks off or stalls; it is never just short.
    async fn get(&self, key: &str) -> Result<(ObjectInfo, ByteStream), StoreError>;

    /// Opens a version, also of an object that is deleted.
    async fn get_version(&self, key: &str, version: &str) -> Result<(ObjectInfo, ByteStream), StoreError>;

    /// Some bytes of an object, no more than [`MOST_RANGE`]; fewer where it ends before.
    async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, StoreError>;

    /// What is known of an object without reading it.
    async fn head(&self, key: &str) -> Result<ObjectInfo, StoreError>;

    /// Every object below a prefix, page by page, in the order of their keys: only a page is in memory. Ends after the
    /// first error.
    fn pages<'s>(&'s self, prefix: &'s str) -> PageStream<'s>;

    /// Every object below a prefix, all pages of it, in the order of their keys.
    async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>, StoreError> {
        self.pages(prefix).try_concat().await
    }

    /// Removes an object; removing what is not there is no error.
    async fn delete(&self, key: &str) -> Result<(), StoreError>;

    /// Every version and delete marker below a prefix, all pages of it, in the order of their keys; of one key the
    /// newest first, as far as dates in whole seconds tell.
    async fn versions(&self, prefix: &str) -> Result<Vec<VersionInfo>, StoreError>;

    /// Removes a version or a delete marker for good; removing what is not there is no error. What a lock holds is
    /// [`StoreErrorKind::Denied`].
    async fn delete_version(&self, key: &str, version: &str) -> Result<(), StoreError>;

    /// Asks for a copy of an archived object that can be read for so many days; [`ObjectInfo::restore`] of a later
    /// [`Store::head`] says how far it is. To ask again while it is on its way is no error.
    async fn request_restore(&self, key: &str, tier: Tier, days: u32) -> Result<(), StoreError>;
}

/// A region's store, shared.
pub type SharedStore = Arc<dyn Store>;

/// How an object is to be written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PutOptions {
    /// Where it is to be kept.
    pub storage_class: StorageClass,
    /// Its content type; `application/octet-stream` where `None`.
    pub content_type: Option<String>,
    /// Metadata of the pipeline's own, such as a digest: names of lower-case letters, digits and `-`, values of printable
    /// ASCII. Anything else is [`StoreErrorKind::Nonsense`], for not every way to a region would carry it.
    pub metadata: BTreeMap<String, String>,
    /// Until when nobody may delete it; the bucket's default where `None`. The bucket must have object lock.
    pub retention: Option<Retention>,
    /// Only where there is no such object; else it is [`StoreErrorKind::Exists`]. It must fit into one request (8 MiB),
    /// for a larger one is [`StoreErrorKind::Nonsense`].
    pub if_absent: bool,
}

/// What to copy.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CopySource {
    /// Another bucket of the same region; the store's own where `None`.
    pub bucket: Option<String>,
    /// The object's key.
    pub key: String,
    /// One of its versions; the newest where `None`.
    pub version: Option<String>,
}

impl CopySource {
    /// An object of the store's own bucket, as it is now.
    pub fn key(key: &str) -> Self {
        CopySource { bucket: None, key: key.to_owned(), version: None }
    }

    /// From another bucket of the same region.
    #[must_use]
    pub fn in_bucket(self, bucket: &str) -> Self {
        CopySource { bucket: Some(bucket.to_owned()), ..self }
    }

    /// One of its versions.
    #[must_use]
    pub fn at_version(self, version: &str) -> Self {
        CopySource { version: Some(version.to_owned()), ..self }
    }
}

/// What is known of an object without reading it. A listing does not say everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Its key.
    pub key: String,
    /// Size in bytes.
    pub size: u64,
    /// When it was written, by the region's clock.
    pub modified: Timestamp,
    /// Where it is kept.
    pub storage_class: StorageClass,
    /// Without quotes; `None` where a server gives none.
    pub etag: Option<String>,
    /// Its version, in a bucket that keeps them; `None` in a listing.
    pub version: Option<String>,
    /// `None` in a listing.
    pub content_type: Option<String>,
    /// Metadata that it was written with; empty in a listing.
    pub metadata: BTreeMap<String, String>,
    /// How far its restore from the archive is; `None` without one, and in a listing.
    pub restore: Option<RestoreState>,
}

/// What a listing of versions says of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionInfo {
    /// Its object's key.
    pub key: String,
    /// Its id; `null` where it was written without versioning.
    pub version: String,
    /// Whether it is the newest.
    pub is_latest: bool,
    /// Whether it has no bytes and only says that the object is deleted.
    pub is_delete_marker: bool,
    /// Size in bytes; 0 of a delete marker.
    pub size: u64,
    /// When it was written, by the region's clock.
    pub modified: Timestamp,
    /// Where it is kept; the standard class of a delete marker.
    pub storage_class: StorageClass,
    /// Without quotes; `None` of a delete marker.
    pub etag: Option<String>,
}

/// A request that failed for good, after the retries.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{region}: {kind} ({operation} {key})")]
pub struct StoreError {
    /// The region asked.
    pub region: String,
    /// What was asked: `get`, `put`, `copy`, `list`, `versions`, `head`, `delete`, `restore`.
    pub operation: &'static str,
    /// Key or prefix.
    pub key: String,
    /// How it failed.
    pub kind: StoreErrorKind,
}

/// How a request failed. The same in both ways, so that a simulated drill reads like a real one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum StoreErrorKind {
    /// There is no such object.
    #[error("no such object")]
    NotFound,
    /// There is no such bucket.
    #[error("no such bucket")]
    NoBucket,
    /// Its name does not resolve.
    #[error("no such host")]
    NoSuchHost,
    /// Nobody listens there.
    #[error("connection refused")]
    Refused,
    /// No answer in time.
    #[error("no answer in time")]
    TimedOut,
    /// 503: asked to slow down, again and again.
    #[error("503 SlowDown")]
    SlowDown,
    /// 5xx.
    #[error("server error")]
    ServerError,
    /// 403.
    #[error("403 access denied")]
    Denied,
    /// 400: the key was good once.
    #[error("credentials expired")]
    Expired,
    /// 412: the object was to be new, and is there.
    #[error("412 there already")]
    Exists,
    /// 405: what is there cannot be changed, or cannot be read.
    #[error("405 not allowed")]
    NotAllowed,
    /// 403: the object is in an archive and must be restored before it can be read.
    #[error("403 archived: restore it first")]
    Archived,
    /// The connection broke in the middle of a body.
    #[error("connection broke off in the middle")]
    Cut,
    /// The body does not have the checksum that the region states.
    #[error("checksum mismatch in transfer")]
    Corrupt,
    /// The answer makes no sense.
    #[error("answer not understood")]
    Nonsense,
    /// The stream to be written failed before it ended.
    #[error("the data to write could not be read")]
    Source,
}

impl StoreErrorKind {
    /// Whether it says that the whole region is out, not just the object asked for.
    pub fn is_region_out(self) -> bool {
        use StoreErrorKind::{Denied, Expired, NoSuchHost, Refused, ServerError, SlowDown, TimedOut};
        matches!(self, NoSuchHost | Refused | TimedOut | SlowDown | ServerError | Denied | Expired)
    }
}

/// Timeouts and retries of a store, the same for both implementations. All in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Tries of one request, the first included.
    pub attempts: u32,
    /// To connect.
    pub connect_ms: u64,
    /// Of silence while a body is read.
    pub read_ms: u64,
    /// For one try, up to the response's head.
    pub attempt_ms: u64,
    /// Shortest wait before another try.
    pub backoff_ms: u64,
}

impl Default for Patience {
    fn default() -> Self {
        Patience { attempts: 3, connect_ms: 500, read_ms: 1_000, attempt_ms: 1_000, backoff_ms: 20 }
    }
}
