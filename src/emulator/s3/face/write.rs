//! Writing objects: PUT, copies, deletions.

use data_encoding::BASE64;
use futures_util::StreamExt;
use http::HeaderMap;
use s3s::{S3Error, S3ErrorCode, S3Request, S3Result, TrailingHeaders, dto, stream::ByteStream};

use super::{
    Face,
    convert::{claimed_checksums, date, etag, put_condition, put_options, state_checksums},
    read::{Conditions, checksum_type, next_piece, signed},
};
use crate::emulator::{
    link::{Intent, Shut},
    s3::{
        body::Body,
        checksum::{Algorithm, Checksums, Digester},
        objects::CopyOptions,
        refusal::Refusal,
        rights::{Action, Principal},
        version::{Deleted, Object},
    },
};

/// What came with a body, to check it by.
#[derive(Default)]
pub(super) struct Claims {
    pub(super) checksums: Vec<(Algorithm, String)>,
    pub(super) md5: Option<String>,
    /// Algorithms to compute besides those of the claims.
    pub(super) compute: Vec<Algorithm>,
    pub(super) trailers: Option<TrailingHeaders>,
}

impl Claims {
    /// Adds what headers announce: `x-amz-trailer` names the checksums that come behind the body.
    pub(super) fn announced(mut self, headers: &HeaderMap, trailers: Option<TrailingHeaders>) -> Self {
        let named = headers.get_all("x-amz-trailer").iter().filter_map(|value| value.to_str().ok());
        let sums =
            named.flat_map(|list| list.split(',')).filter_map(|name| name.trim().strip_prefix("x-amz-checksum-"));
        self.compute.extend(sums.filter_map(Algorithm::named));
        let stated = headers.get("x-amz-sdk-checksum-algorithm").and_then(|value| value.to_str().ok());
        self.compute.extend(stated.and_then(Algorithm::named));
        self.trailers = trailers;
        self
    }
}

impl Face {
    pub(super) async fn put(&self, request: S3Request<dto::PutObjectInput>) -> S3Result<dto::PutObjectOutput> {
        let who = self.who(&request)?;
        let mut input = request.input;
        let claims = Claims {
            checksums: claimed_checksums!(input),
            md5: input.content_md5.take(),
            compute: input.checksum_algorithm.iter().filter_map(|a| Algorithm::named(a.as_str())).collect(),
            trailers: None,
        }
        .announced(&request.headers, request.trailing_headers);
        let mut options = put_options!(input);
        options.condition = put_condition(input.if_match.take(), input.if_none_match.take())?;
        let (body, checksums) = self.take_in(input.body.take(), claims).await?;
        // Only now: a client that is still sending would miss the answer.
        options.permit(who)?;
        options.checksums = checksums;
        let size = body.len();
        let meta = self.objects().put(&input.bucket, &input.key, body, options)?;
        let mut output = dto::PutObjectOutput {
            checksum_type: checksum_type(&meta),
            e_tag: Some(etag(&meta.etag)),
            size: Some(signed(size)),
            version_id: meta.version.clone(),
            ..Default::default()
        };
        state_checksums!(output, meta.checksums);
        Ok(output)
    }

    /// Takes a body in over the region's link, and checks it by what came with it.
    pub(super) async fn take_in(
        &self,
        blob: Option<dto::StreamingBlob>,
        mut claims: Claims,
    ) -> S3Result<(Body, Checksums)> {
        let mut writer = self.objects().writer();
        let mut digester = Digester::new(&claims.compute);
        for (algorithm, _) in &claims.checksums {
            digester.add(*algorithm);
        }
        if let Some(mut blob) = blob {
            let link = self.home.link();
            let size = blob.remaining_length().exact().unwrap_or_default() as u64;
            let mut spoilt = link.body(Intent::Write, size);
            while let Some(piece) = blob.next().await {
                let mut piece = piece.map_err(broken)?;
                if let Some(at) = spoilt.take_if(|spoilt| writer.len() + piece.len() as u64 > spoilt.at) {
                    piece.truncate((at.at - writer.len()) as usize);
                    link.carry_in(piece.len() as u64).await?;
                    link.broke(at);
                    return Err(Shut::Reset.into());
                }
                link.carry_in(piece.len() as u64).await?;
                digester.update(&piece);
                writer.write(&piece).map_err(Refusal::from)?;
            }
        }
        let body = writer.finish().map_err(Refusal::from)?;
        let sums = digester.finish();
        claims.checksums.extend(trailing(claims.trailers.as_ref()));
        if claims.checksums.iter().any(|(algorithm, claim)| sums.get(*algorithm) != Some(claim)) {
            return Err(Refusal::BadDigest("checksum").into());
        }
        if let Some(md5) = claims.md5
            && md5 != BASE64.encode(&body.md5().map_err(Refusal::from)?)
        {
            return Err(Refusal::BadDigest("Content-MD5").into());
        }
        Ok((body, sums))
    }

    pub(super) async fn copy(&self, who: Principal, input: dto::CopyObjectInput) -> S3Result<dto::CopyObjectOutput> {
        let mut input = input;
        let conditions = Conditions {
            if_match: input.copy_source_if_match.take(),
            if_none_match: input.copy_source_if_none_match.take(),
            if_modified_since: input.copy_source_if_modified_since.take(),
            if_unmodified_since: input.copy_source_if_unmodified_since.take(),
        };
        let (source, name) = self.copy_source(&input.copy_source, &conditions).await?;
        let replace = input.metadata_directive.as_ref().is_some_and(|d| d.as_str() == "REPLACE");
        let retag = input.tagging_directive.as_ref().is_some_and(|d| d.as_str() == "REPLACE");
        let onto_itself = name == (input.bucket.clone(), input.key.clone());
        if onto_itself && !replace && input.storage_class.is_none() {
            return Err(Refusal::InvalidRequest(
                "This copy request is illegal because it is trying to copy an object to itself without changing the \
                 object's metadata, storage class, website redirect location or encryption attributes.",
            )
            .into());
        }
        let put = put_options!(input);
        put.permit(who)?;
        let before = &source.meta.attributes;
        let tags = if retag { put.attributes.tags.clone() } else { before.tags.clone() };
        let mut attributes = if replace { put.attributes.clone() } else { (**before).clone() };
        attributes.storage_class = put.attributes.storage_class;
        attributes.tags = tags;
        let options = CopyOptions {
            attributes: Some(attributes),
            checksums: input.checksum_algorithm.and_then(|a| Algorithm::named(a.as_str())).map(|a| vec![a]),
            retention: put.retention,
            legal_hold: put.legal_hold,
            condition: None,
        };
        let meta = self.objects().copy(&source, &input.bucket, &input.key, options)?;
        let mut result = dto::CopyObjectResult {
            checksum_type: checksum_type(&meta),
            e_tag: Some(etag(&meta.etag)),
            last_modified: Some(date(meta.modified)),
            ..Default::default()
        };
        state_checksums!(result, meta.checksums);
        Ok(dto::CopyObjectOutput {
            copy_object_result: Some(result),
            copy_source_version_id: source.meta.version,
            version_id: meta.version,
            ..Default::default()
        })
    }

    /// Finds what is to be copied, here or in another region, whose link then has to carry it.
    pub(super) async fn copy_source(
        &self,
        source: &dto::CopySource,
        conditions: &Conditions,
    ) -> S3Result<(Object, (String, String))> {
        let dto::CopySource::Bucket { bucket, key, version_id } = source else {
            return Err(S3Error::with_message(S3ErrorCode::NotImplemented, "Access points cannot be copied from"));
        };
        let owner = self.owner(bucket);
        let abroad = owner.name() != self.home.name();
        if abroad {
            owner.link().enter(Intent::Read).await?;
        }
        let object = owner.objects().open(bucket, key, version_id.as_deref())?;
        conditions.judge(&object.meta).map_err(|_| Refusal::PreconditionFailed)?;
        if abroad {
            let mut left = 0..object.meta.size;
            while !left.is_empty() {
                let piece = next_piece(&object.body, &left, owner.link().piece()).map_err(broken)?;
                owner.link().carry(piece.len() as u64).await?;
                left.start += piece.len() as u64;
            }
        }
        Ok((object, (bucket.to_string(), key.to_string())))
    }

    /// Deletes an object or a version, if the one who asks may.
    fn remove(
        &self,
        who: Principal,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        bypass: bool,
    ) -> Result<Deleted, Refusal> {
        who.permit(if version.is_some() { Action::DeleteVersion } else { Action::Delete })?;
        if bypass {
            who.permit(Action::BypassGovernance)?;
        }
        self.objects().delete(bucket, key, version, bypass)
    }

    pub(super) fn delete(&self, who: Principal, input: &dto::DeleteObjectInput) -> S3Result<dto::DeleteObjectOutput> {
        let bypass = input.bypass_governance_retention.unwrap_or_default();
        let deleted = self.remove(who, &input.bucket, &input.key, input.version_id.as_deref(), bypass)?;
        Ok(dto::DeleteObjectOutput {
            delete_marker: deleted.delete_marker.then_some(true),
            version_id: deleted.version,
            ..Default::default()
        })
    }

    pub(super) fn delete_many(
        &self,
        who: Principal,
        input: dto::DeleteObjectsInput,
    ) -> S3Result<dto::DeleteObjectsOutput> {
        if !self.objects().has_bucket(&input.bucket) {
            return Err(Refusal::NoSuchBucket(input.bucket).into());
        }
        let bypass = input.bypass_governance_retention.unwrap_or_default();
        let quiet = input.delete.quiet.unwrap_or_default();
        let (mut done, mut errors) = (Vec::new(), Vec::new());
        for named in input.delete.objects {
            match self.remove(who, &input.bucket, &named.key, named.version_id.as_deref(), bypass) {
                Ok(deleted) => done.push(dto::DeletedObject {
                    delete_marker: deleted.delete_marker.then_some(true),
                    delete_marker_version_id: deleted.version.filter(|_| deleted.delete_marker),
                    key: Some(named.key),
                    version_id: named.version_id,
                }),
                Err(refusal) => {
                    let message = refusal.to_string();
                    errors.push(dto::Error {
                        code: Some(S3Error::from(refusal).code().as_str().to_owned()),
                        key: Some(named.key),
                        message: Some(message),
                        version_id: named.version_id,
                    });
                }
            }
        }
        Ok(dto::DeleteObjectsOutput {
            deleted: (!quiet).then_some(done),
            errors: (!errors.is_empty()).then_some(errors),
            ..Default::default()
        })
    }
}

/// The checksums that came behind the body; known only once it has been read.
fn trailing(trailers: Option<&TrailingHeaders>) -> Vec<(Algorithm, String)> {
    let Some(headers) = trailers.and_then(TrailingHeaders::take) else { return Vec::new() };
    let sum = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        let algorithm = Algorithm::named(name.as_str().strip_prefix("x-amz-checksum-")?)?;
        Some((algorithm, value.to_str().ok()?.to_owned()))
    };
    headers.iter().filter_map(sum).collect()
}

fn broken(error: s3s::StdError) -> S3Error {
    S3Error::with_source(S3ErrorCode::IncompleteBody, error)
}
