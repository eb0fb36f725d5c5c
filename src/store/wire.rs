//! One attempt at one request: all that differs between the ways to a region. What is made of it (tries, limits, parts,
//! pages, whole bodies) is the same for both and lives in `client`.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;

use super::{ObjectInfo, StoreErrorKind};

/// How one attempt ended.
pub(super) type Answer<T> = Result<T, StoreErrorKind>;

/// A body as it arrives.
pub(super) type Pieces = BoxStream<'static, Answer<Bytes>>;

/// A way to one bucket. No method tries twice or gives up by itself: it may take for ever.
#[async_trait]
pub trait Wire: Send + Sync + fmt::Debug + 'static {
    /// Whether the region answers anything at all, if only with an error.
    async fn is_alive(&self) -> bool;

    /// Looks at an object.
    async fn head(&self, key: &str) -> Answer<ObjectInfo>;

    /// Opens an object. A body that ends too early may just end.
    async fn get(&self, key: &str) -> Answer<(ObjectInfo, Pieces)>;

    /// One page of a listing, from the token of the page before.
    async fn page(&self, prefix: &str, token: Option<String>) -> Answer<Page>;

    /// Writes a whole object.
    async fn put(&self, key: &str, body: Bytes) -> Answer<()>;

    /// Begins an upload in parts; gives its id.
    async fn create_upload(&self, key: &str) -> Answer<String>;

    /// Sends one part; they count from 1.
    async fn put_part(&self, key: &str, upload: &str, number: u32, body: Bytes) -> Answer<Part>;

    /// Joins the parts to an object.
    async fn complete_upload(&self, key: &str, upload: &str, parts: &[Part]) -> Answer<()>;

    /// Throws the parts away.
    async fn abort_upload(&self, key: &str, upload: &str) -> Answer<()>;

    /// Removes an object; [`StoreErrorKind::NotFound`] is a way to say that there was none.
    async fn delete(&self, key: &str) -> Answer<()>;
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
