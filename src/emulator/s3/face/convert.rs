//! Between the protocol's types and the model's.

use std::{collections::BTreeMap, time::SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use s3s::{S3Error, S3ErrorCode, dto};

use super::super::{
    archive::StorageClass,
    lock::{LockMode, Retention},
    refusal::Refusal,
    version::PutCondition,
};
use crate::emulator::link::{Shut, StatusFault};

/// Where an error says, on its way to the reception, in which archive the object is.
pub(in super::super) const ARCHIVED_AS: &str = "x-amz-storage-class";

/// Where an error says, on its way to the reception, that nobody is to get it: the connection is to be reset.
pub(in super::super) const RESETS: &str = "x-backdraft-resets";

/// Copies checksums into an output's five fields.
macro_rules! state_checksums {
    ($output:expr, $sums:expr) => {{
        use $crate::emulator::s3::checksum::Algorithm;
        let value = |algorithm| $sums.get(algorithm).map(str::to_owned);
        $output.checksum_crc32 = value(Algorithm::Crc32);
        $output.checksum_crc32c = value(Algorithm::Crc32c);
        $output.checksum_sha1 = value(Algorithm::Sha1);
        $output.checksum_sha256 = value(Algorithm::Sha256);
        $output.checksum_crc64nvme = value(Algorithm::Crc64Nvme);
    }};
}
pub(super) use state_checksums;

/// The checksums that an input states in its five fields.
macro_rules! claimed_checksums {
    ($input:expr) => {{
        use $crate::emulator::s3::checksum::Algorithm;
        [
            (Algorithm::Crc32, $input.checksum_crc32.take()),
            (Algorithm::Crc32c, $input.checksum_crc32c.take()),
            (Algorithm::Sha1, $input.checksum_sha1.take()),
            (Algorithm::Sha256, $input.checksum_sha256.take()),
            (Algorithm::Crc64Nvme, $input.checksum_crc64nvme.take()),
        ]
        .into_iter()
        .filter_map(|(algorithm, claim)| Some((algorithm, claim?)))
        .collect::<Vec<_>>()
    }};
}
pub(super) use claimed_checksums;

/// The headers and metadata that an input carries, with how to write the object.
macro_rules! put_options {
    ($input:expr) => {{
        let attributes = $crate::emulator::s3::version::Attributes {
            content_type: $input.content_type.take(),
            content_encoding: $crate::emulator::s3::face::convert::stored_encoding($input.content_encoding.take()),
            content_disposition: $input.content_disposition.take(),
            content_language: $input.content_language.take(),
            cache_control: $input.cache_control.take(),
            expires: $input.expires.take().and_then(|t| $crate::emulator::s3::face::convert::moment(&t)),
            storage_class: $crate::emulator::s3::face::convert::storage_class($input.storage_class.take())?,
            metadata: $input.metadata.take().unwrap_or_default().into_iter().collect(),
            tags: $crate::emulator::s3::face::convert::tags_from_header($input.tagging.as_deref()),
        };
        $crate::emulator::s3::version::PutOptions {
            attributes,
            retention: $crate::emulator::s3::face::convert::retention(
                $input.object_lock_mode.take().map(|mode| mode.as_str().to_owned()).as_deref(),
                $input.object_lock_retain_until_date.take().as_ref(),
            )?,
            legal_hold: $input.object_lock_legal_hold_status.take().map(|status| status.as_str() == "ON"),
            ..Default::default()
        }
    }};
}
pub(super) use put_options;

/// A storage class of the protocol in the model.
pub(super) fn storage_class(asked: Option<dto::StorageClass>) -> Result<StorageClass, Refusal> {
    asked.map_or(Ok(StorageClass::Standard), |class| class.as_str().parse())
}

/// A date of the model in the protocol.
pub(super) fn date(at: Timestamp) -> dto::Timestamp {
    dto::Timestamp::from(SystemTime::from(at))
}

/// A date of the protocol in the model.
pub(super) fn moment(at: &dto::Timestamp) -> Option<Timestamp> {
    let mut text = Vec::new();
    at.format(dto::TimestampFormat::DateTime, &mut text).ok()?;
    std::str::from_utf8(&text).ok()?.parse().ok()
}

/// An ETag in the protocol.
pub(super) fn etag(value: &str) -> dto::ETag {
    dto::ETag::Strong(value.to_owned())
}

/// What stays of a `Content-Encoding` once the transfer's own coding is taken off.
pub(super) fn stored_encoding(sent: Option<String>) -> Option<String> {
    let kept: Vec<&str> =
        sent.as_deref()?.split(',').map(str::trim).filter(|c| !c.eq_ignore_ascii_case("aws-chunked")).collect();
    (!kept.is_empty()).then(|| kept.join(","))
}

/// A retention from mode and date, of which both are given or neither.
pub(super) fn retention(mode: Option<&str>, until: Option<&dto::Timestamp>) -> Result<Option<Retention>, S3Error> {
    let both = S3Error::with_message(
        S3ErrorCode::InvalidArgument,
        "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied",
    );
    match (mode, until) {
        (None, None) => Ok(None),
        (Some(mode), Some(until)) => {
            let until = moment(until).ok_or(both)?;
            Ok(Some(Retention { mode: lock_mode(mode)?, until }))
        }
        _ => Err(both),
    }
}

/// A lock mode by its name.
pub(super) fn lock_mode(name: &str) -> Result<LockMode, S3Error> {
    match name {
        "GOVERNANCE" => Ok(LockMode::Governance),
        "COMPLIANCE" => Ok(LockMode::Compliance),
        _ => Err(S3Error::with_message(S3ErrorCode::InvalidArgument, "Unknown object lock mode")),
    }
}

/// A lock mode's name.
pub(super) const fn lock_mode_name(mode: LockMode) -> &'static str {
    match mode {
        LockMode::Governance => "GOVERNANCE",
        LockMode::Compliance => "COMPLIANCE",
    }
}

/// The conditions of a write.
pub(super) fn put_condition(
    if_match: Option<dto::ETagCondition>,
    if_none_match: Option<dto::ETagCondition>,
) -> Result<Option<PutCondition>, S3Error> {
    match (if_match, if_none_match) {
        (None, None) => Ok(None),
        (None, Some(dto::ETagCondition::Any)) => Ok(Some(PutCondition::Absent)),
        (Some(dto::ETagCondition::ETag(tag)), None) => Ok(Some(PutCondition::Etag(tag.into_value()))),
        _ => Err(S3Error::with_message(S3ErrorCode::NotImplemented, "A condition that S3 does not know for a write")),
    }
}

/// Tags as a header carries them: `a=1&b=2`, percent-encoded.
pub(super) fn tags_from_header(header: Option<&str>) -> BTreeMap<String, String> {
    let pairs = header.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

/// Percent-encodes what XML could not carry or a client would take apart: everything but letters, digits, `-._~/`.
pub(in super::super) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => encoded.push(byte as char),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// Undoes percent-encoding; `+` is a space, and what is not UTF-8 is replaced.
pub(in super::super) fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let pair = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match (*first, pair.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
                continue;
            }
            (b'+', _) => bytes.push(b' '),
            (other, _) => bytes.push(other),
        }
        rest = tail;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl From<Refusal> for S3Error {
    fn from(refusal: Refusal) -> Self {
        let mut headers = HeaderMap::new();
        let mut say = |name: &'static str, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        };
        let code = match &refusal {
            Refusal::NoSuchBucket(_) => S3ErrorCode::NoSuchBucket,
            Refusal::BucketExists(_) => S3ErrorCode::BucketAlreadyOwnedByYou,
            Refusal::BucketNotEmpty(_) => S3ErrorCode::BucketNotEmpty,
            Refusal::NoSuchKey { marker, .. } => {
                if let Some(version) = marker {
                    say("x-amz-delete-marker", "true");
                    say("x-amz-version-id", version);
                }
                S3ErrorCode::NoSuchKey
            }
            Refusal::NoSuchVersion(_) => S3ErrorCode::NoSuchVersion,
            Refusal::IsDeleteMarker(_) => {
                say("x-amz-delete-marker", "true");
                say("allow", "DELETE");
                S3ErrorCode::MethodNotAllowed
            }
            Refusal::NoSuchUpload => S3ErrorCode::NoSuchUpload,
            Refusal::InvalidPart(_) => S3ErrorCode::InvalidPart,
            Refusal::InvalidPartOrder => S3ErrorCode::InvalidPartOrder,
            Refusal::PartTooSmall(_) => S3ErrorCode::EntityTooSmall,
            Refusal::Locked(_) => S3ErrorCode::AccessDenied,
            Refusal::Archived(class) => {
                // The reception moves it into the body, where clients look for it.
                say(ARCHIVED_AS, class.name());
                S3ErrorCode::InvalidObjectState
            }
            Refusal::NotArchived => S3ErrorCode::InvalidObjectState,
            Refusal::RestoreInProgress => S3ErrorCode::RestoreAlreadyInProgress,
            Refusal::UnknownStorageClass => S3ErrorCode::InvalidStorageClass,
            Refusal::Forbidden(_) => S3ErrorCode::AccessDenied,
            Refusal::PreconditionFailed => S3ErrorCode::PreconditionFailed,
            Refusal::InvalidRange => S3ErrorCode::InvalidRange,
            Refusal::BadDigest(_) => S3ErrorCode::BadDigest,
            Refusal::InvalidArgument(_) => S3ErrorCode::InvalidArgument,
            Refusal::InvalidRequest(_) => S3ErrorCode::InvalidRequest,
            Refusal::InvalidBucketState(_) => S3ErrorCode::InvalidBucketState,
            Refusal::NoLockConfiguration => S3ErrorCode::ObjectLockConfigurationNotFoundError,
            Refusal::NoObjectLock => S3ErrorCode::NoSuchObjectLockConfiguration,
            Refusal::Scratch(_) => S3ErrorCode::InternalError,
        };
        let mut error = S3Error::with_message(code, refusal.to_string());
        if !headers.is_empty() {
            error.set_headers(headers);
        }
        error
    }
}

impl From<StatusFault> for S3Error {
    fn from(fault: StatusFault) -> Self {
        match fault {
            StatusFault::SlowDown503 => {
                S3Error::with_message(S3ErrorCode::SlowDown, "Please reduce your request rate.")
            }
            StatusFault::Denied403 => S3Error::with_message(S3ErrorCode::AccessDenied, "Access Denied"),
            StatusFault::Internal500 => {
                S3Error::with_message(S3ErrorCode::InternalError, "We encountered an internal error. Please try again.")
            }
            StatusFault::Expired400 => {
                S3Error::with_message(S3ErrorCode::ExpiredToken, "The provided token has expired.")
            }
            StatusFault::NotAllowed405 => S3Error::with_message(
                S3ErrorCode::MethodNotAllowed,
                "The specified method is not allowed against this resource.",
            ),
        }
    }
}

/// The answer to an upload in which the link fails. Where the link is down, nobody will read it.
impl From<Shut> for S3Error {
    fn from(shut: Shut) -> Self {
        match shut {
            Shut::Rejected(fault) => fault.into(),
            Shut::Refused | Shut::Nameless => {
                S3Error::with_message(S3ErrorCode::ServiceUnavailable, "The link is down")
            }
            Shut::Reset => {
                let mut error = S3Error::with_message(S3ErrorCode::ServiceUnavailable, "The connection is reset");
                let resets = (HeaderName::from_static(RESETS), HeaderValue::from_static("true"));
                error.set_headers(HeaderMap::from_iter([resets]));
                error
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoded_key_is_plain_ascii_and_comes_back() {
        for key in ["a b+c", "백업/2026-11-04.json.gz", "100%", "tab\there", "plain-._~/key"] {
            assert!(encode(key).bytes().all(|b| b.is_ascii_graphic()), "{key}");
            assert_eq!(decode(&encode(key)), key);
        }
        assert_eq!(decode("a+b%2Bc%zz%"), "a b+c%zz%");
    }

    #[test]
    fn the_coding_of_the_transfer_is_not_stored() {
        assert_eq!(stored_encoding(Some("aws-chunked".into())), None);
        assert_eq!(stored_encoding(Some("gzip, aws-chunked".into())).as_deref(), Some("gzip"));
    }
}
