//! Listings.

use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use s3s::{S3Result, dto};

use super::{
    Face,
    convert::{date, encode, etag},
    read::{checksum_type, signed},
};
use crate::emulator::s3::{
    archive::RestoreState,
    listing::ListQuery,
    refusal::Refusal,
    version::{Object, ObjectMeta},
};

/// Writes names as the client asked for them.
struct Naming {
    url: bool,
    /// The scenario's time, where the state of restores is asked for as well.
    restores_at: Option<Timestamp>,
}

impl Naming {
    fn asked(encoding: Option<&dto::EncodingType>) -> Self {
        Naming { url: encoding.is_some_and(|e| e.as_str() == dto::EncodingType::URL), restores_at: None }
    }

    /// With the state of restores, if that was asked for.
    fn with_restores(self, asked: Option<&dto::OptionalObjectAttributesList>, now: Timestamp) -> Self {
        let asked = asked.is_some_and(|names| names.iter().any(|name| name.as_str() == "RestoreStatus"));
        Naming { restores_at: asked.then_some(now), ..self }
    }

    fn restore_status(&self, meta: &ObjectMeta) -> Option<dto::RestoreStatus> {
        let (is_ongoing, until) = match meta.restore_state(self.restores_at?)? {
            RestoreState::Ongoing => (true, None),
            RestoreState::Ready { until } => (false, Some(date(until))),
        };
        Some(dto::RestoreStatus { is_restore_in_progress: Some(is_ongoing), restore_expiry_date: until })
    }

    fn name(&self, name: &str) -> String {
        if self.url { encode(name) } else { name.to_owned() }
    }

    fn prefixes(&self, found: &[String]) -> Option<Vec<dto::CommonPrefix>> {
        let each = found.iter().map(|p| dto::CommonPrefix { prefix: Some(self.name(p)) });
        (!found.is_empty()).then(|| each.collect())
    }

    fn object(&self, object: &Object, owner: bool) -> dto::Object {
        let meta = &object.meta;
        dto::Object {
            checksum_algorithm: algorithms(meta),
            checksum_type: checksum_type(meta),
            e_tag: Some(etag(&meta.etag)),
            key: Some(self.name(&meta.key)),
            last_modified: Some(date(meta.modified)),
            owner: owner.then(super::owner),
            restore_status: self.restore_status(meta),
            size: Some(signed(meta.size)),
            storage_class: Some(meta.attributes.storage_class.name().to_owned().into()),
        }
    }
}

fn algorithms(meta: &ObjectMeta) -> Option<Vec<dto::ChecksumAlgorithm>> {
    let names = meta.checksums.values.keys().map(|a| dto::ChecksumAlgorithm::from_static(a.name()));
    (!meta.checksums.values.is_empty()).then(|| names.collect())
}

/// The most entries of a page, and what of it to repeat to the client.
fn page_size(asked: Option<i32>) -> S3Result<(usize, i32)> {
    let asked = asked.unwrap_or(1000);
    let size = usize::try_from(asked).map_err(|_| Refusal::InvalidArgument("max-keys must not be negative"))?;
    Ok((size.min(1000), asked.min(1000)))
}

impl Face {
    pub(super) fn list_v2(&self, input: dto::ListObjectsV2Input) -> S3Result<dto::ListObjectsV2Output> {
        let naming = Naming::asked(input.encoding_type.as_ref())
            .with_restores(input.optional_object_attributes.as_ref(), self.objects().now());
        let (max, max_keys) = page_size(input.max_keys)?;
        let resume =
            input.continuation_token.as_deref().filter(|token| !token.is_empty()).map(read_token).transpose()?;
        let query = ListQuery {
            prefix: input.prefix.clone().unwrap_or_default(),
            delimiter: input.delimiter.clone().unwrap_or_default(),
            start_after: input.start_after.clone().filter(|after| !after.is_empty()),
            resume,
            max,
        };
        let page = self.objects().list(&input.bucket, &query)?;
        let owner = input.fetch_owner.unwrap_or_default();
        Ok(dto::ListObjectsV2Output {
            name: Some(input.bucket),
            prefix: Some(naming.name(&query.prefix)),
            max_keys: Some(max_keys),
            key_count: i32::try_from(page.objects.len() + page.common_prefixes.len()).ok(),
            continuation_token: input.continuation_token,
            is_truncated: Some(page.next.is_some()),
            next_continuation_token: page.next.map(|next| BASE64URL_NOPAD.encode(next.as_bytes())),
            contents: Some(page.objects.iter().map(|object| naming.object(object, owner)).collect()),
            common_prefixes: naming.prefixes(&page.common_prefixes),
            delimiter: input.delimiter.filter(|d| !d.is_empty()).map(|d| naming.name(&d)),
            encoding_type: input.encoding_type,
            start_after: input.start_after.map(|after| naming.name(&after)),
            ..Default::default()
        })
    }

    pub(super) fn list_v1(&self, input: dto::ListObjectsInput) -> S3Result<dto::ListObjectsOutput> {
        let naming = Naming::asked(input.encoding_type.as_ref())
            .with_restores(input.optional_object_attributes.as_ref(), self.objects().now());
        let (max, max_keys) = page_size(input.max_keys)?;
        let delimiter = input.delimiter.clone().unwrap_or_default();
        let marker = input.marker.clone().filter(|marker| !marker.is_empty());
        // A marker that is a common prefix means all of what it stands for.
        let of_group = marker.as_ref().is_some_and(|m| !delimiter.is_empty() && m.ends_with(&delimiter));
        let (start_after, resume) = if of_group { (None, marker) } else { (marker, None) };
        let query = ListQuery { prefix: input.prefix.clone().unwrap_or_default(), delimiter, start_after, resume, max };
        let page = self.objects().list(&input.bucket, &query)?;
        Ok(dto::ListObjectsOutput {
            name: Some(input.bucket),
            prefix: Some(naming.name(&query.prefix)),
            marker: Some(naming.name(input.marker.as_deref().unwrap_or_default())),
            max_keys: Some(max_keys),
            is_truncated: Some(page.next.is_some()),
            contents: Some(page.objects.iter().map(|object| naming.object(object, true)).collect()),
            common_prefixes: naming.prefixes(&page.common_prefixes),
            delimiter: input.delimiter.filter(|d| !d.is_empty()).map(|d| naming.name(&d)),
            next_marker: page.next.map(|next| naming.name(&next)),
            encoding_type: input.encoding_type,
            ..Default::default()
        })
    }

    pub(super) fn list_versions(&self, input: dto::ListObjectVersionsInput) -> S3Result<dto::ListObjectVersionsOutput> {
        let naming = Naming::asked(input.encoding_type.as_ref())
            .with_restores(input.optional_object_attributes.as_ref(), self.objects().now());
        let (max, max_keys) = page_size(input.max_keys)?;
        let query = ListQuery {
            prefix: input.prefix.clone().unwrap_or_default(),
            delimiter: input.delimiter.clone().unwrap_or_default(),
            start_after: None,
            resume: input.key_marker.clone().filter(|marker| !marker.is_empty()),
            max,
        };
        let version_marker = input.version_id_marker.as_deref().filter(|marker| !marker.is_empty());
        let page = self.objects().list_versions(&input.bucket, &query, version_marker)?;
        let (mut versions, mut markers) = (Vec::new(), Vec::new());
        for entry in page.entries {
            let (key, last_modified) = (Some(naming.name(&entry.key)), Some(date(entry.modified)));
            let (version_id, is_latest, owner) = (Some(entry.version), Some(entry.latest), Some(super::owner()));
            match entry.object {
                None => markers.push(dto::DeleteMarkerEntry { is_latest, key, last_modified, owner, version_id }),
                Some(object) => versions.push(dto::ObjectVersion {
                    checksum_algorithm: algorithms(&object.meta),
                    checksum_type: checksum_type(&object.meta),
                    e_tag: Some(etag(&object.meta.etag)),
                    is_latest,
                    key,
                    last_modified,
                    owner,
                    restore_status: naming.restore_status(&object.meta),
                    size: Some(signed(object.meta.size)),
                    storage_class: Some(object.meta.attributes.storage_class.name().to_owned().into()),
                    version_id,
                }),
            }
        }
        let is_truncated = Some(page.next.is_some());
        let (next_key, next_version) = page.next.unzip();
        Ok(dto::ListObjectVersionsOutput {
            common_prefixes: naming.prefixes(&page.common_prefixes),
            delete_markers: Some(markers),
            delimiter: input.delimiter.filter(|d| !d.is_empty()).map(|d| naming.name(&d)),
            encoding_type: input.encoding_type,
            is_truncated,
            key_marker: Some(naming.name(input.key_marker.as_deref().unwrap_or_default())),
            max_keys: Some(max_keys),
            name: Some(input.bucket),
            next_key_marker: next_key.map(|key| naming.name(&key)),
            next_version_id_marker: next_version.flatten(),
            prefix: Some(naming.name(&query.prefix)),
            version_id_marker: input.version_id_marker,
            versions: Some(versions),
            ..Default::default()
        })
    }

    pub(super) fn list_uploads(
        &self,
        input: dto::ListMultipartUploadsInput,
    ) -> S3Result<dto::ListMultipartUploadsOutput> {
        let naming = Naming::asked(input.encoding_type.as_ref());
        let prefix = input.prefix.unwrap_or_default();
        let delimiter = input.delimiter.clone().unwrap_or_default();
        let (max, max_uploads) = page_size(input.max_uploads)?;
        let after_key = input.key_marker.clone().unwrap_or_default();
        let after_upload = input.upload_id_marker.clone().unwrap_or_default();
        let mut uploads = self.objects().uploads(&input.bucket, &prefix)?;
        uploads.retain(|u| {
            u.key > after_key || (u.key == after_key && u.upload > after_upload && !after_upload.is_empty())
        });
        let mut groups = Vec::new();
        if !delimiter.is_empty() {
            uploads.retain(|u| match u.key[prefix.len()..].find(&delimiter) {
                None => true,
                Some(at) => {
                    groups.push(u.key[..prefix.len() + at + delimiter.len()].to_owned());
                    false
                }
            });
            groups.dedup();
        }
        let is_truncated = uploads.len() > max;
        uploads.truncate(max);
        let last = uploads.last().filter(|_| is_truncated);
        Ok(dto::ListMultipartUploadsOutput {
            bucket: Some(input.bucket),
            common_prefixes: naming.prefixes(&groups),
            delimiter: input.delimiter.filter(|d| !d.is_empty()).map(|d| naming.name(&d)),
            encoding_type: input.encoding_type,
            is_truncated: Some(is_truncated),
            key_marker: input.key_marker.map(|key| naming.name(&key)),
            max_uploads: Some(max_uploads),
            next_key_marker: last.map(|u| naming.name(&u.key)),
            next_upload_id_marker: last.map(|u| u.upload.clone()),
            prefix: Some(naming.name(&prefix)),
            upload_id_marker: input.upload_id_marker,
            uploads: Some(uploads.iter().map(|u| listed_upload(u, &naming)).collect()),
            ..Default::default()
        })
    }
}

fn listed_upload(upload: &crate::emulator::s3::multipart::UploadInfo, naming: &Naming) -> dto::MultipartUpload {
    dto::MultipartUpload {
        checksum_algorithm: upload.algorithm.map(|a| dto::ChecksumAlgorithm::from_static(a.name())),
        checksum_type: upload.algorithm.map(|_| super::multipart::upload_type(upload)),
        initiated: Some(date(upload.initiated)),
        initiator: None,
        key: Some(naming.name(&upload.key)),
        owner: Some(super::owner()),
        storage_class: Some(upload.storage_class.name().to_owned().into()),
        upload_id: Some(upload.upload.clone()),
    }
}

fn read_token(token: &str) -> Result<String, Refusal> {
    let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).ok();
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or(Refusal::InvalidArgument("The continuation token provided is incorrect"))
}
