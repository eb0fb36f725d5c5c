//! One attempt at one request: all that differs between the ways to a region. What is made of it (tries, limits, parts,
//! pages, whole bodies) is the same for both and lives in `client`.

use std::{fmt, ops::Range};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;

use super::{CopySource, ObjectInfo, PutOptions, StorageClass, StoreErrorKind, Tier, VersionInfo};

/// How one attempt ended.
pub(super) type Answer<T> = Result<T, StoreErrorKind>;

/// A body as it arrives.
pub(super) type Pieces = BoxStream<'static, Answer<Bytes>>;

/// A way to one bucket. No method tries twice or gives up by itself: it may take for ever.
#[async_trait]
pub trait Wire: Send + Sync + fmt::Debug + 'static {
    /// Whether the region answers anything at all, if only with an error.
    async fn is_alive(&self) -> bool;

    /// Looks at an object of its own bucket.
    async fn head(&self, key: &str) -> Answer<ObjectInfo>;

    /// Looks at what is to be copied.
    async fn head_source(&self, from: &CopySource) -> Answer<ObjectInfo>;

    /// Opens an object, or one of its versions. A body that ends too early may just end.
    async fn get(&self, key: &str, version: Option<&str>) -> Answer<(ObjectInfo, Pieces)>;

    /// Some bytes of an object, and no more than were asked for.
    async fn get_range(&self, key: &str, range: Range<u64>) -> Answer<Bytes>;

    /// One page of a listing, from the token of the page before.
    async fn page(&self, prefix: &str, token: Option<String>) -> Answer<Page>;

    /// One page of a listing of versions, from the token of the page before.
    async fn version_page(&self, prefix: &str, token: Option<VersionToken>) -> Answer<VersionPage>;

    /// Writes a whole object.
    async fn put(&self, key: &str, body: Bytes, options: &PutOptions) -> Answer<Written>;

    /// Copies a whole object.
    async fn copy(&self, from: &Pinned, key: &str, class: StorageClass) -> Answer<Written>;

    /// Begins an upload in parts; gives its id.
    async fn create_upload(&self, key: &str, options: &PutOptions) -> Answer<String>;

    /// Sends one part; they count from 1.
    async fn put_part(&self, key: &str, upload: &str, number: u32, body: Bytes) -> Answer<Part>;

    /// Copies a range of bytes of an object as a part.
    async fn copy_part(&self, from: &Pinned, range: Range<u64>, key: &str, upload: &str, number: u32) -> Answer<Part>;

    /// Joins the parts to an object.
    async fn complete_upload(&self, key: &str, upload: &str, parts: &[Part]) -> Answer<Written>;

    /// Throws the parts away.
    async fn abort_upload(&self, key: &str, upload: &str) -> Answer<()>;

    /// Removes an object or a version; [`StoreErrorKind::NotFound`] is a way to say that there was none.
    async fn delete(&self, key: &str, version: Option<&str>) -> Answer<()>;

    /// Asks for a restore. One that is on its way already is as good.
    async fn restore(&self, key: &str, tier: Tier, days: u32) -> Answer<()>;
}

/// What to copy, exactly: another version than this is not copied.
#[derive(Debug, Clone)]
pub struct Pinned {
    /// Which object; a version where the bucket keeps them.
    pub source: CopySource,
    /// The ETag that it must have, without quotes.
    pub etag: Option<String>,
}

/// What a region says of an object that it has written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Without quotes.
    pub etag: String,
    /// Its version, in a bucket that keeps them.
    pub version: Option<String>,
}

/// Where the next page of versions begins: key and version.
pub(super) type VersionToken = (String, Option<String>);

/// One page of a listing of versions.
#[derive(Debug)]
pub struct VersionPage {
    /// Versions and delete markers, in any order.
    pub versions: Vec<VersionInfo>,
    /// Whether others follow.
    pub is_truncated: bool,
    /// Where the next begins.
    pub next: Option<VersionToken>,
}

/// One page of a listing.
#[derive(Debug)]
pub struct Page {
    /// Its objects, in any order.
    pub objects: Vec<ObjectInfo>,
    /// Whether others follow.
    pub is_truncated: bool,
    /// Where the next begins.
    pub next: Option<String>,
}

/// A part that has arrived.
#[derive(Debug, Clone)]
pub struct Part {
    /// Its number.
    pub number: u32,
    /// As the region gave it.
    pub e_tag: String,
    /// CRC-32 in base64, if the region gave one.
    pub crc32: Option<String>,
}
