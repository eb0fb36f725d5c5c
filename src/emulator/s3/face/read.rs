//! Reading objects: GET, HEAD, attributes.

use std::ops::Range;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::StreamBody;
use hyper::body::Frame;
use jiff::Timestamp;
use s3s::{Body as HttpBody, S3Error, S3ErrorCode, S3Result, StdError, dto};

use super::{
    Face,
    convert::{date, etag, lock_mode_name, state_checksums},
};
use crate::emulator::{
    link::{Break, Ending, Intent, Shut},
    s3::{
        Region,
        archive::{RestoreState, StorageClass},
        body::Body,
        refusal::Refusal,
        version::{CONTENT_TYPE, Object, ObjectMeta},
    },
};

/// Which bytes of an object are wanted.
struct Wanted {
    range: Range<u64>,
    partial: bool,
}

/// Conditions of a read.
#[derive(Default)]
pub(super) struct Conditions {
    pub(super) if_match: Option<dto::ETagCondition>,
    pub(super) if_none_match: Option<dto::ETagCondition>,
    pub(super) if_modified_since: Option<dto::Timestamp>,
    pub(super) if_unmodified_since: Option<dto::Timestamp>,
}

impl Conditions {
    /// Whether the object may be read: 412 or 304 where it may not.
    pub(super) fn judge(&self, meta: &ObjectMeta) -> S3Result<()> {
        let same = |condition: &dto::ETagCondition| match condition {
            dto::ETagCondition::Any => true,
            dto::ETagCondition::ETag(tag) => tag.value() == &*meta.etag,
        };
        let modified = date(meta.modified);
        match (&self.if_match, &self.if_unmodified_since) {
            (Some(condition), _) if !same(condition) => return Err(Refusal::PreconditionFailed.into()),
            (None, Some(since)) if modified > *since => return Err(Refusal::PreconditionFailed.into()),
            _ => {}
        }
        match (&self.if_none_match, &self.if_modified_since) {
            (Some(condition), _) if same(condition) => Err(S3Error::new(S3ErrorCode::NotModified)),
            (None, Some(since)) if modified <= *since => Err(S3Error::new(S3ErrorCode::NotModified)),
            _ => Ok(()),
        }
    }
}

impl Face {
    pub(super) fn get(&self, input: dto::GetObjectInput) -> S3Result<dto::GetObjectOutput> {
        let object = self.objects().open(&input.bucket, &input.key, input.version_id.as_deref())?;
        let conditions = Conditions {
            if_match: input.if_match,
            if_none_match: input.if_none_match,
            if_modified_since: input.if_modified_since,
            if_unmodified_since: input.if_unmodified_since,
        };
        conditions.judge(&object.meta)?;
        let wanted = choose(&object.meta, input.range.as_ref(), input.part_number)?;
        let mut head = describe(&object.meta, &wanted, input.checksum_mode.is_some(), self.objects().now());
        let broken = self.home.link().body(Intent::Read, wanted.range.end - wanted.range.start);
        if broken.is_some_and(|broken| broken.ending == Ending::ShortUntold) {
            head.content_length = None;
        }
        let body = self.stream(object, wanted.range, broken);
        Ok(dto::GetObjectOutput {
            accept_ranges: head.accept_ranges,
            body: Some(body),
            cache_control: head.cache_control,
            checksum_crc32: head.checksum_crc32,
            checksum_crc32c: head.checksum_crc32c,
            checksum_crc64nvme: head.checksum_crc64nvme,
            checksum_sha1: head.checksum_sha1,
            checksum_sha256: head.checksum_sha256,
            checksum_type: head.checksum_type,
            content_disposition: head.content_disposition,
            content_encoding: head.content_encoding,
            content_language: head.content_language,
            content_length: head.content_length,
            content_range: head.content_range,
            content_type: head.content_type,
            e_tag: head.e_tag,
            expires: head.expires,
            last_modified: head.last_modified,
            metadata: head.metadata,
            object_lock_legal_hold_status: head.object_lock_legal_hold_status,
            object_lock_mode: head.object_lock_mode,
            object_lock_retain_until_date: head.object_lock_retain_until_date,
            parts_count: head.parts_count,
            restore: head.restore,
            storage_class: head.storage_class,
            version_id: head.version_id,
            ..Default::default()
        })
    }

    pub(super) fn head(&self, input: dto::HeadObjectInput) -> S3Result<dto::HeadObjectOutput> {
        let meta = self.objects().head(&input.bucket, &input.key, input.version_id.as_deref())?;
        let conditions = Conditions {
            if_match: input.if_match,
            if_none_match: input.if_none_match,
            if_modified_since: input.if_modified_since,
            if_unmodified_since: input.if_unmodified_since,
        };
        conditions.judge(&meta)?;
        let wanted = choose(&meta, input.range.as_ref(), input.part_number)?;
        Ok(describe(&meta, &wanted, input.checksum_mode.is_some(), self.objects().now()))
    }

    pub(super) fn attributes(&self, input: dto::GetObjectAttributesInput) -> S3Result<dto::GetObjectAttributesOutput> {
        let meta = self.objects().head(&input.bucket, &input.key, input.version_id.as_deref())?;
        let asked = |name: &str| input.object_attributes.iter().any(|wanted| wanted.as_str() == name);
        let mut checksum = dto::Checksum { checksum_type: checksum_type(&meta), ..Default::default() };
        state_checksums!(checksum, meta.checksums);
        let parts = dto::GetObjectAttributesParts {
            total_parts_count: i32::try_from(meta.parts.len()).ok(),
            is_truncated: Some(false),
            ..Default::default()
        };
        Ok(dto::GetObjectAttributesOutput {
            checksum: (asked("Checksum") && checksum.checksum_type.is_some()).then_some(checksum),
            e_tag: asked("ETag").then(|| etag(&meta.etag)),
            last_modified: Some(date(meta.modified)),
            object_parts: (asked("ObjectParts") && !meta.parts.is_empty()).then_some(parts),
            object_size: asked("ObjectSize").then(|| signed(meta.size)),
            storage_class: asked("StorageClass").then(|| meta.attributes.storage_class.name().to_owned().into()),
            version_id: meta.version.clone(),
            ..Default::default()
        })
    }

    /// A range of an object as a body that goes over the region's link piece by piece, as far as it is let.
    fn stream(&self, object: Object, mut range: Range<u64>, broken: Option<Break>) -> dto::StreamingBlob {
        let region = self.home.clone();
        if let Some(broken) = &broken {
            range.end = range.start + broken.at;
        }
        let pieces = stream::try_unfold((object.body, range), move |(body, mut left)| {
            let region = region.clone();
            async move {
                if left.is_empty() {
                    return match broken {
                        Some(broken) => end(&region, broken).await,
                        None => Ok::<_, StdError>(None),
                    };
                }
                let piece = next_piece(&body, &left, region.link().piece())?;
                if let Err(shut) = region.link().carry(piece.len() as u64).await {
                    // What was let through before must be on its way: hyper throws away what it still holds.
                    tokio::task::yield_now().await;
                    return Err(shut.into());
                }
                left.start += piece.len() as u64;
                Ok(Some((Frame::data(piece), (body, left))))
            }
        });
        HttpBody::http_body_unsync(StreamBody::new(pieces)).into()
    }
}

/// Ends a body that is not whole.
async fn end<T>(region: &Region, broken: Break) -> Result<Option<T>, StdError> {
    tokio::task::yield_now().await;
    region.link().broke(broken);
    match broken.ending {
        Ending::Reset => Err(Shut::Reset.into()),
        // Where its length was told, hyper closes the connection.
        Ending::Short | Ending::ShortUntold => Ok(None),
    }
}

/// The next bytes of what is left, `most` at the most.
pub(super) fn next_piece(body: &Body, left: &Range<u64>, most: usize) -> Result<Bytes, StdError> {
    let want = usize::try_from(left.end - left.start).unwrap_or(usize::MAX).min(most);
    let piece = body.read_at(left.start, want)?;
    if piece.is_empty() { Err("the object is shorter than its size".into()) } else { Ok(piece) }
}

fn choose(meta: &ObjectMeta, range: Option<&dto::Range>, part: Option<i32>) -> S3Result<Wanted> {
    match (range, part) {
        (Some(_), Some(_)) => {
            Err(Refusal::InvalidRequest("Cannot specify both Range header and partNumber query parameter").into())
        }
        (Some(range), None) => {
            let range = range.check(meta.size).map_err(|_| Refusal::InvalidRange)?;
            Ok(Wanted { range, partial: true })
        }
        (None, Some(number)) => part_range(meta, number),
        (None, None) => Ok(Wanted { range: 0..meta.size, partial: false }),
    }
}

fn part_range(meta: &ObjectMeta, number: i32) -> S3Result<Wanted> {
    let nth = usize::try_from(number).ok().and_then(|n| n.checked_sub(1)).ok_or(Refusal::InvalidRange)?;
    if meta.parts.is_empty() && nth == 0 {
        return Ok(Wanted { range: 0..meta.size, partial: true });
    }
    let size = meta.parts.get(nth).ok_or(Refusal::InvalidRange)?;
    let start: u64 = meta.parts[..nth].iter().sum();
    Ok(Wanted { range: start..start + size, partial: true })
}

fn describe(meta: &ObjectMeta, wanted: &Wanted, with_checksums: bool, now: Timestamp) -> dto::HeadObjectOutput {
    let a = &meta.attributes;
    let last = wanted.range.end.saturating_sub(1);
    let range = format!("bytes {}-{}/{}", wanted.range.start, last, meta.size);
    let retention = meta.locks.retention;
    let mut head = dto::HeadObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        cache_control: a.cache_control.clone(),
        content_disposition: a.content_disposition.clone(),
        content_encoding: a.content_encoding.clone(),
        content_language: a.content_language.clone(),
        content_length: Some(signed(wanted.range.end - wanted.range.start)),
        content_range: (wanted.partial && !wanted.range.is_empty()).then_some(range),
        content_type: Some(a.content_type.clone().unwrap_or_else(|| CONTENT_TYPE.to_owned())),
        e_tag: Some(etag(&meta.etag)),
        expires: a.expires.map(date),
        last_modified: Some(date(meta.modified)),
        metadata: Some(a.metadata.clone().into_iter().collect()),
        object_lock_legal_hold_status: meta.locks.legal_hold.map(|on| hold_name(on).to_owned().into()),
        object_lock_mode: retention.map(|r| dto::ObjectLockMode::from_static(lock_mode_name(r.mode))),
        object_lock_retain_until_date: retention.map(|r| date(r.until)),
        parts_count: (wanted.partial && !meta.parts.is_empty()).then(|| meta.parts.len() as i32),
        restore: meta.restore_state(now).map(restore_header),
        storage_class: storage_class(meta).map(|class| class.to_owned().into()),
        version_id: meta.version.clone(),
        ..Default::default()
    };
    // A checksum is that of the whole object: with a range it would only mislead.
    if with_checksums && wanted.range == (0..meta.size) {
        state_checksums!(head, meta.checksums);
        head.checksum_type = checksum_type(meta);
    }
    head
}

/// The name of a legal hold's state.
pub(super) const fn hold_name(on: bool) -> &'static str {
    if on { "ON" } else { "OFF" }
}

/// How the object's checksum was made; `None` where it has none.
pub(super) fn checksum_type(meta: &ObjectMeta) -> Option<dto::ChecksumType> {
    let name = if meta.checksums.composite { dto::ChecksumType::COMPOSITE } else { dto::ChecksumType::FULL_OBJECT };
    (!meta.checksums.values.is_empty()).then(|| dto::ChecksumType::from_static(name))
}

/// The storage class, which headers name only where it is not the standard one.
fn storage_class(meta: &ObjectMeta) -> Option<&str> {
    Some(meta.attributes.storage_class).filter(|class| *class != StorageClass::Standard).map(StorageClass::name)
}

/// `x-amz-restore`.
fn restore_header(state: RestoreState) -> String {
    match state {
        RestoreState::Ongoing => "ongoing-request=\"true\"".to_owned(),
        RestoreState::Ready { until } => {
            format!("ongoing-request=\"false\", expiry-date=\"{}\"", until.strftime("%a, %d %b %Y %H:%M:%S GMT"))
        }
    }
}

/// A size in the protocol.
pub(super) fn signed(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}
