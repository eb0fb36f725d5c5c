//! What a pipeline reads and writes backups through. The contract is here; `s3` reaches a region over real HTTP with
//! aws-sdk-s3, `direct` reaches it in process under the virtual clock. Nothing above this room knows which it holds.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use jiff::Timestamp;

mod client;
pub mod direct;
mod parts;
pub mod s3;
mod tries;
mod wire;
pub mod witness;

/// A body as it streams, in pieces of any size.
pub type ByteStream = BoxStream<'static, Result<Bytes, StoreError>>;

/// One bucket in one region.
#[async_trait]
pub trait Store: Send + Sync + fmt::Debug {
    /// The region's name.
    fn region(&self) -> &str;

    /// Writes an object from a stream, in parts where it is large; memory stays bounded. When the stream fails, or the
    /// region does, nothing is left under the key.
    async fn put(&self, key: &str, body: ByteStream) -> Result<ObjectInfo, StoreError>;

    /// Opens an object. The stream ends with an error where the body breaks off or stalls; it is never just short.
    async fn get(&self, key: &str) -> Result<(ObjectInfo, ByteStream), StoreError>;

    /// What is known of an object without reading it.
    async fn head(&self, key: &str) -> Result<ObjectInfo, StoreError>;

    /// Every object below a prefix, all pages of it, in the order of their keys.
    async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>, StoreError>;

    /// Removes an object; removing what is not there is no error.
    async fn delete(&self, key: &str) -> Result<(), StoreError>;
}

/// A region's store, shared.
pub type SharedStore = Arc<dyn Store>;

/// What a listing says of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Its key.
    pub key: String,
    /// Size in bytes.
    pub size: u64,
    /// When it was written, by the region's clock.
    pub modified: Timestamp,
}

/// A request that failed for good, after the retries.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{region}: {kind} ({operation} {key})")]
pub struct StoreError {
    /// The region asked.
    pub region: String,
    /// What was asked: `get`, `put`, `list`, `head`, `delete`.
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
