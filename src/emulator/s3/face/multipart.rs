//! Uploads in parts.

use s3s::{S3Request, S3Result, dto};

use super::{
    Face,
    convert::{claimed_checksums, date, etag, put_condition, put_options, state_checksums},
    read::{Conditions, checksum_type, signed},
    write::Claims,
};
use crate::emulator::s3::{
    checksum::{self, Algorithm},
    multipart::{PartInfo, UploadInfo, UploadOptions},
    refusal::Refusal,
    rights::{Action, Principal},
};

/// How the finished object's checksum will be made.
pub(super) fn upload_type(upload: &UploadInfo) -> dto::ChecksumType {
    let name = if upload.full_object { dto::ChecksumType::FULL_OBJECT } else { dto::ChecksumType::COMPOSITE };
    dto::ChecksumType::from_static(name)
}

fn number(part: i32) -> Result<u32, Refusal> {
    u32::try_from(part).map_err(|_| Refusal::InvalidArgument("a part's number must be from 1 to 10000"))
}

impl Face {
    pub(super) fn create_upload(
        &self,
        who: Principal,
        input: dto::CreateMultipartUploadInput,
    ) -> S3Result<dto::CreateMultipartUploadOutput> {
        let mut input = input;
        let put = put_options!(input);
        put.permit(who)?;
        let algorithm = input.checksum_algorithm.as_ref().and_then(|a| Algorithm::named(a.as_str()));
        let stated = input.checksum_type.as_ref().map(|t| t.as_str() == dto::ChecksumType::FULL_OBJECT);
        // CRC-64/NVME is the one algorithm that S3 never makes composite.
        let full_object = stated.unwrap_or(false) || algorithm == Some(Algorithm::Crc64Nvme);
        let options = UploadOptions { put, algorithm, full_object };
        let upload = self.objects().create_upload(&input.bucket, &input.key, options)?;
        let info = self.objects().upload(&input.bucket, &input.key, &upload)?;
        Ok(dto::CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            checksum_algorithm: input.checksum_algorithm,
            checksum_type: algorithm.map(|_| upload_type(&info)),
            key: Some(input.key),
            upload_id: Some(upload),
            ..Default::default()
        })
    }

    pub(super) async fn put_part(&self, request: S3Request<dto::UploadPartInput>) -> S3Result<dto::UploadPartOutput> {
        let who = self.who(&request)?;
        let mut input = request.input;
        let upload = self.objects().upload(&input.bucket, &input.key, &input.upload_id);
        let wanted = upload.as_ref().ok().and_then(|u| u.algorithm);
        let stated = input.checksum_algorithm.as_ref().and_then(|a| Algorithm::named(a.as_str()));
        let claims = Claims {
            checksums: claimed_checksums!(input),
            md5: input.content_md5.take(),
            compute: wanted.into_iter().chain(stated).collect(),
            trailers: None,
        }
        .announced(&request.headers, request.trailing_headers);
        // The body is read even for an upload that is gone: a client that is still sending would miss the answer.
        let (body, sums) = self.take_in(input.body.take(), claims).await?;
        who.permit(Action::Write)?;
        let part = number(input.part_number)?;
        let info = self.objects().put_part(&input.bucket, &input.key, &upload?.upload, part, body, sums)?;
        let mut output = dto::UploadPartOutput { e_tag: Some(etag(&info.etag)), ..Default::default() };
        state_checksums!(output, info.checksums);
        Ok(output)
    }

    pub(super) async fn copy_part(&self, input: dto::UploadPartCopyInput) -> S3Result<dto::UploadPartCopyOutput> {
        let mut input = input;
        let conditions = Conditions {
            if_match: input.copy_source_if_match.take(),
            if_none_match: input.copy_source_if_none_match.take(),
            if_modified_since: input.copy_source_if_modified_since.take(),
            if_unmodified_since: input.copy_source_if_unmodified_since.take(),
        };
        let upload = self.objects().upload(&input.bucket, &input.key, &input.upload_id)?;
        let (source, _) = self.copy_source(&input.copy_source, &conditions).await?;
        let range = match input.copy_source_range.as_deref() {
            None => 0..source.meta.size,
            Some(text) => dto::Range::parse(text)
                .ok()
                .and_then(|range| range.check(source.meta.size).ok())
                .ok_or(Refusal::InvalidRange)?,
        };
        let body = self.objects().part_of(&source, range)?;
        let algorithms: Vec<Algorithm> = upload.algorithm.into_iter().collect();
        let sums = checksum::of_body(&body, &algorithms).map_err(Refusal::from)?;
        let part = number(input.part_number)?;
        let info = self.objects().put_part(&input.bucket, &input.key, &upload.upload, part, body, sums)?;
        let mut result = dto::CopyPartResult {
            e_tag: Some(etag(&info.etag)),
            last_modified: Some(date(info.modified)),
            ..Default::default()
        };
        state_checksums!(result, info.checksums);
        Ok(dto::UploadPartCopyOutput {
            copy_part_result: Some(result),
            copy_source_version_id: source.meta.version,
            ..Default::default()
        })
    }

    pub(super) fn complete_upload(
        &self,
        input: dto::CompleteMultipartUploadInput,
    ) -> S3Result<dto::CompleteMultipartUploadOutput> {
        let mut input = input;
        let claims = claimed_checksums!(input);
        let condition = put_condition(input.if_match.take(), input.if_none_match.take())?;
        let mut parts = Vec::new();
        for part in input.multipart_upload.and_then(|m| m.parts).unwrap_or_default() {
            let nth = number(part.part_number.unwrap_or_default())?;
            parts.push((nth, part.e_tag.map(dto::ETag::into_value)));
        }
        let (bucket, key) = (input.bucket, input.key);
        let meta =
            self.objects().complete_upload(&bucket, &key, &input.upload_id, &parts, &claims, condition.as_ref())?;
        let mut output = dto::CompleteMultipartUploadOutput {
            checksum_type: checksum_type(&meta),
            e_tag: Some(etag(&meta.etag)),
            location: Some(format!("/{bucket}/{}", super::convert::encode(&key))),
            version_id: meta.version.clone(),
            bucket: Some(bucket),
            key: Some(key),
            ..Default::default()
        };
        state_checksums!(output, meta.checksums);
        Ok(output)
    }

    pub(super) fn list_parts(&self, input: dto::ListPartsInput) -> S3Result<dto::ListPartsOutput> {
        let upload = self.objects().upload(&input.bucket, &input.key, &input.upload_id)?;
        let mut parts = self.objects().parts(&input.bucket, &input.key, &input.upload_id)?;
        let after = number(input.part_number_marker.unwrap_or(0))?;
        let max = number(input.max_parts.unwrap_or(1000))?.min(1000);
        parts.retain(|part| part.number > after);
        let is_truncated = parts.len() > max as usize;
        parts.truncate(max as usize);
        Ok(dto::ListPartsOutput {
            bucket: Some(input.bucket),
            checksum_algorithm: upload.algorithm.map(|a| dto::ChecksumAlgorithm::from_static(a.name())),
            checksum_type: upload.algorithm.map(|_| upload_type(&upload)),
            is_truncated: Some(is_truncated),
            key: Some(input.key),
            max_parts: i32::try_from(max).ok(),
            next_part_number_marker: parts.last().and_then(|part| i32::try_from(part.number).ok()),
            owner: Some(super::owner()),
            part_number_marker: input.part_number_marker,
            parts: Some(parts.iter().map(listed_part).collect()),
            storage_class: Some(upload.storage_class.name().to_owned().into()),
            upload_id: Some(input.upload_id),
            ..Default::default()
        })
    }
}

fn listed_part(part: &PartInfo) -> dto::Part {
    let mut listed = dto::Part {
        e_tag: Some(etag(&part.etag)),
        last_modified: Some(date(part.modified)),
        part_number: i32::try_from(part.number).ok(),
        size: Some(signed(part.size)),
        ..Default::default()
    };
    state_checksums!(listed, part.checksums);
    listed
}
