//! What a region in process answers, in the store's words: the same as over HTTP.

use std::collections::BTreeMap;

use crate::{
    emulator::{
        link::{Shut, StatusFault},
        s3::{
            listing::VersionEntry,
            refusal::Refusal,
            version::{self, Attributes, ObjectMeta, PutCondition},
        },
    },
    store::{ObjectInfo, PutOptions, StorageClass, StoreErrorKind, VersionInfo, wire::Written},
};

/// What a listing says of an object.
pub(super) fn listed(meta: ObjectMeta) -> ObjectInfo {
    ObjectInfo {
        key: meta.key,
        size: meta.size,
        modified: meta.modified,
        storage_class: meta.attributes.storage_class,
        etag: Some(meta.etag.to_string()),
        version: None,
        content_type: None,
        metadata: BTreeMap::new(),
        restore: None,
    }
}

pub(super) fn version_info(entry: VersionEntry) -> VersionInfo {
    let meta = entry.object.map(|object| object.meta);
    VersionInfo {
        key: entry.key,
        version: entry.version,
        is_latest: entry.latest,
        is_delete_marker: meta.is_none(),
        size: meta.as_ref().map_or(0, |meta| meta.size),
        modified: entry.modified,
        storage_class: meta.as_ref().map_or(StorageClass::Standard, |meta| meta.attributes.storage_class),
        etag: meta.map(|meta| meta.etag.to_string()),
    }
}

pub(super) fn written(meta: ObjectMeta) -> Written {
    Written { etag: meta.etag.to_string(), version: meta.version }
}

pub(super) fn to_put(options: &PutOptions) -> version::PutOptions {
    let attributes = Attributes {
        storage_class: options.storage_class,
        content_type: options.content_type.clone(),
        metadata: options.metadata.clone(),
        ..Default::default()
    };
    let condition = options.if_absent.then_some(PutCondition::Absent);
    version::PutOptions { attributes, retention: options.retention, condition, ..Default::default() }
}

pub(super) fn kind_of_shut(shut: Shut) -> StoreErrorKind {
    match shut {
        Shut::Nameless => StoreErrorKind::NoSuchHost,
        Shut::Refused => StoreErrorKind::Refused,
        Shut::Rejected(fault) => kind_of_status(fault),
        Shut::Reset => StoreErrorKind::Cut,
    }
}

pub(super) fn kind_of_status(fault: StatusFault) -> StoreErrorKind {
    match fault {
        StatusFault::SlowDown503 => StoreErrorKind::SlowDown,
        StatusFault::Denied403 => StoreErrorKind::Denied,
        StatusFault::Internal500 => StoreErrorKind::ServerError,
        StatusFault::Expired400 => StoreErrorKind::Expired,
        StatusFault::NotAllowed405 => StoreErrorKind::NotAllowed,
    }
}

/// A refusal as it looks over HTTP, by the status that S3 gives it.
pub(super) fn kind_of(refusal: Refusal) -> StoreErrorKind {
    let kind = match refusal {
        Refusal::NoSuchBucket(_) => StoreErrorKind::NoBucket,
        Refusal::NoSuchKey { .. } | Refusal::NoSuchVersion(_) => StoreErrorKind::NotFound,
        Refusal::Locked(_) | Refusal::Forbidden(_) => StoreErrorKind::Denied,
        Refusal::Archived(_) => StoreErrorKind::Archived,
        Refusal::IsDeleteMarker(_) => StoreErrorKind::NotAllowed,
        Refusal::PreconditionFailed => StoreErrorKind::Exists,
        Refusal::BadDigest(_) => StoreErrorKind::Corrupt,
        Refusal::Scratch(_) => StoreErrorKind::ServerError,
        _ => StoreErrorKind::Nonsense,
    };
    tracing::debug!(%kind, %refusal, "request refused");
    kind
}
