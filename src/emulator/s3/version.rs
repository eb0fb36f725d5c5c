//! What is kept of an object, version by version.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;

use super::{
    archive::{Restore, StorageClass},
    body::Body,
    checksum::Checksums,
    lock::{Locks, Retention},
    refusal::Refusal,
    rights::{Action, Principal},
};

/// The version id of objects written while versioning is off or suspended.
pub const NULL_VERSION: &str = "null";

/// What S3 says of an object that was written without a `Content-Type`.
pub const CONTENT_TYPE: &str = "binary/octet-stream";

/// Headers that an object carries, as they were sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attributes {
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Content-Encoding`, without `aws-chunked`.
    pub content_encoding: Option<String>,
    /// `Content-Disposition`.
    pub content_disposition: Option<String>,
    /// `Content-Language`.
    pub content_language: Option<String>,
    /// `Cache-Control`.
    pub cache_control: Option<String>,
    /// `Expires`.
    pub expires: Option<Timestamp>,
    /// Where it is kept.
    pub storage_class: StorageClass,
    /// `x-amz-meta-…`, by name without that prefix.
    pub metadata: BTreeMap<String, String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// What is known of one version without reading it.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectMeta {
    /// Its key.
    pub key: String,
    /// Its version id; `None` in a bucket that never had versioning.
    pub version: Option<String>,
    /// Whether it is the newest version.
    pub latest: bool,
    /// Size in bytes.
    pub size: u64,
    /// When it was written, by the scenario clock, in whole seconds as S3 keeps it.
    pub modified: Timestamp,
    /// Without quotes.
    pub etag: Arc<str>,
    /// Checksums that were asked for when it was written.
    pub checksums: Arc<Checksums>,
    /// Sizes of the parts that it was uploaded in, in bytes; none where it was written in one piece.
    pub parts: Arc<[u64]>,
    /// Headers and metadata.
    pub attributes: Arc<Attributes>,
    /// Retention and legal hold.
    pub locks: Locks,
    /// The copy that was last restored from an archive, which may have expired.
    pub restore: Option<Restore>,
}

/// An object with its bytes.
#[derive(Debug, Clone)]
pub struct Object {
    /// What is known of it.
    pub meta: ObjectMeta,
    /// Its bytes; they stay as they are, whatever happens to the object later.
    pub body: Body,
}

/// How an object is to be written.
#[derive(Debug, Clone, Default)]
pub struct PutOptions {
    /// Headers and metadata.
    pub attributes: Attributes,
    /// Checksums of the bytes, as computed while they came in.
    pub checksums: Checksums,
    /// Retention; the bucket's default where `None`.
    pub retention: Option<Retention>,
    /// Legal hold.
    pub legal_hold: Option<bool>,
    /// Only where this holds of the object's present state.
    pub condition: Option<PutCondition>,
}

impl PutOptions {
    /// Fails where a principal may not write with these options.
    pub fn permit(&self, principal: Principal) -> Result<(), Refusal> {
        principal.permit(Action::Write)?;
        match (self.retention, self.legal_hold) {
            (None, None) => Ok(()),
            _ => principal.permit(Action::Lock),
        }
    }
}

/// A condition on what is there before a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PutCondition {
    /// There is no such object (`If-None-Match: *`).
    Absent,
    /// The object has this ETag, without quotes (`If-Match`).
    Etag(String),
}

/// What a deletion did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Deleted {
    /// The version removed, or the delete marker made.
    pub version: Option<String>,
    /// Whether that is a delete marker.
    pub delete_marker: bool,
}

/// One entry of a key's history.
#[derive(Debug, Clone)]
pub(super) struct Version {
    pub(super) id: String,
    pub(super) modified: Timestamp,
    /// `None`: a delete marker.
    pub(super) content: Option<Content>,
    pub(super) locks: Locks,
}

#[derive(Debug, Clone)]
pub(super) struct Content {
    pub(super) body: Body,
    pub(super) etag: Arc<str>,
    pub(super) checksums: Arc<Checksums>,
    pub(super) parts: Arc<[u64]>,
    pub(super) attributes: Arc<Attributes>,
    pub(super) restore: Option<Restore>,
}

impl Version {
    /// The version as seen from outside; `None` for a delete marker.
    pub(super) fn object(&self, key: &str, latest: bool, versioned: bool) -> Option<Object> {
        let content = self.content.as_ref()?;
        let meta = ObjectMeta {
            key: key.to_owned(),
            version: versioned.then(|| self.id.clone()),
            latest,
            size: content.body.len(),
            modified: self.modified,
            etag: Arc::clone(&content.etag),
            checksums: Arc::clone(&content.checksums),
            parts: Arc::clone(&content.parts),
            attributes: Arc::clone(&content.attributes),
            locks: self.locks,
            restore: content.restore,
        };
        Some(Object { meta, body: content.body.clone() })
    }
}
