//! What the SDK's answers say of objects and versions, in the words of the contract, and the forms that S3 wants.

use std::collections::BTreeMap;

use aws_sdk_s3::{
    primitives::DateTime,
    types::{DeleteMarkerEntry, ObjectVersion, ObjectVersionStorageClass},
};
use jiff::{Timestamp, fmt::rfc2822};

use crate::store::{
    ObjectInfo, RestoreState, StorageClass, StoreErrorKind, VersionInfo,
    wire::{Answer, Written},
};

/// What every answer says of an object; one that does not give its size or date is no answer.
pub(super) fn object_info(key: &str, size: Option<i64>, modified: Option<&DateTime>) -> Answer<ObjectInfo> {
    Ok(ObjectInfo {
        key: key.to_owned(),
        size: size.and_then(|size| u64::try_from(size).ok()).ok_or(StoreErrorKind::Nonsense)?,
        modified: date(modified)?,
        storage_class: StorageClass::Standard,
        etag: None,
        version: None,
        content_type: None,
        metadata: BTreeMap::new(),
        restore: None,
    })
}

/// HEAD gives whole seconds and a listing may give more: the same object must look the same in both.
fn date(modified: Option<&DateTime>) -> Answer<Timestamp> {
    modified.and_then(|date| Timestamp::from_second(date.secs()).ok()).ok_or(StoreErrorKind::Nonsense)
}

pub(super) fn listed_version(version: &ObjectVersion) -> Answer<VersionInfo> {
    let key = version.key().ok_or(StoreErrorKind::Nonsense)?;
    let info = object_info(key, version.size(), version.last_modified())?;
    Ok(VersionInfo {
        key: info.key,
        version: version.version_id().ok_or(StoreErrorKind::Nonsense)?.to_owned(),
        is_latest: version.is_latest() == Some(true),
        is_delete_marker: false,
        size: info.size,
        modified: info.modified,
        storage_class: class(version.storage_class().map(ObjectVersionStorageClass::as_str)),
        etag: version.e_tag().map(unquoted),
    })
}

pub(super) fn listed_marker(marker: &DeleteMarkerEntry) -> Answer<VersionInfo> {
    Ok(VersionInfo {
        key: marker.key().ok_or(StoreErrorKind::Nonsense)?.to_owned(),
        version: marker.version_id().ok_or(StoreErrorKind::Nonsense)?.to_owned(),
        is_latest: marker.is_latest() == Some(true),
        is_delete_marker: true,
        size: 0,
        modified: date(marker.last_modified())?,
        storage_class: StorageClass::Standard,
        etag: None,
    })
}

/// What a write was answered with. Every S3 answers with an ETag; what does not has hardly stored anything.
pub(super) fn written(etag: Option<&str>, version: Option<&str>) -> Answer<Written> {
    let etag = etag.map(unquoted).ok_or(StoreErrorKind::Nonsense)?;
    Ok(Written { etag, version: version.map(str::to_owned) })
}

/// A class by its name. One that is not known, or not named, is read at once.
pub(super) fn class(name: Option<&str>) -> StorageClass {
    name.and_then(|name| name.parse().ok()).unwrap_or_default()
}

/// What `x-amz-restore` says.
pub(super) fn restore_state(header: &str) -> Option<RestoreState> {
    if header.contains("ongoing-request=\"true\"") {
        return Some(RestoreState::Ongoing);
    }
    let until = header.split_once("expiry-date=\"")?.1.split('"').next()?;
    Some(RestoreState::Ready { until: rfc2822::parse(until).ok()?.timestamp() })
}

pub(super) fn unquoted(etag: &str) -> String {
    etag.trim_matches('"').to_owned()
}

pub(super) fn quoted(etag: &str) -> String {
    format!("\"{etag}\"")
}

/// An object as `x-amz-copy-source` names it: percent-encoded, and with its version.
pub(super) fn copy_source(bucket: &str, key: &str, version: Option<&str>) -> String {
    let mut source = format!("{bucket}/");
    for byte in key.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => source.push(byte as char),
            _ => source.push_str(&format!("%{byte:02X}")),
        }
    }
    match version {
        Some(version) => format!("{source}?versionId={version}"),
        None => source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_of_a_restore_is_read_from_its_header() {
        assert_eq!(restore_state("ongoing-request=\"true\""), Some(RestoreState::Ongoing));
        let ready = restore_state("ongoing-request=\"false\", expiry-date=\"Fri, 21 Dec 2012 00:00:00 GMT\"");
        assert_eq!(ready, Some(RestoreState::Ready { until: "2012-12-21T00:00:00Z".parse().unwrap() }));
        for nonsense in ["", "ongoing-request=\"false\"", "expiry-date=\"soon\""] {
            assert_eq!(restore_state(nonsense), None, "{nonsense}");
        }
    }
}
