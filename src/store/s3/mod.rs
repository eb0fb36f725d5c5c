//! A region over real HTTP, through aws-sdk-s3: plain HTTP, path style. Tries and limits are not the SDK's but this
//! room's own, on the drill's clock.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::{
    Client as Sdk,
    config::{
        self, BehaviorVersion, Region, StalledStreamProtectionConfig, retry::RetryConfig, timeout::TimeoutConfig,
    },
    error::{ProvideErrorMetadata, SdkError},
    primitives::DateTime,
    types::{ChecksumAlgorithm, ChecksumMode, CompletedMultipartUpload, CompletedPart, Object},
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;

use self::failure::{kind_of, kind_of_body};
use super::{
    ObjectInfo, Patience, StoreErrorKind,
    client::Client,
    wire::{Answer, Page, Part, Pieces, Wire},
};
use crate::{emulator::s3::gateway::Credentials, sim::clock::Clock};

mod failure;

/// A store over HTTP.
pub type S3Store = Client<HttpWire>;

/// The way to a bucket over HTTP.
#[derive(Debug)]
pub struct HttpWire {
    sdk: Sdk,
    bucket: String,
}

impl S3Store {
    /// A store for `bucket` at `endpoint_url` (scheme, host and port), where `region` is the name that requests are
    /// signed for. Nothing is sent yet.
    pub fn new(
        region: &str,
        endpoint_url: &str,
        bucket: &str,
        credentials: &Credentials,
        clock: &Clock,
        patience: Patience,
    ) -> Self {
        let Credentials { access_key, secret_key } = credentials;
        let credentials = config::Credentials::new(access_key, secret_key, None, None, "backdraft");
        let connect = Duration::from_millis(patience.connect_ms);
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            .endpoint_url(endpoint_url)
            .force_path_style(true)
            .credentials_provider(credentials)
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .timeout_config(TimeoutConfig::builder().connect_timeout(connect).build())
            .retry_config(RetryConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build();
        let wire = HttpWire { sdk: Sdk::from_conf(config), bucket: bucket.to_owned() };
        Client::over(wire, region, clock, patience)
    }
}

#[async_trait]
impl Wire for HttpWire {
    async fn is_alive(&self) -> bool {
        let answer = self.sdk.head_bucket().bucket(&self.bucket).send().await;
        answer.map_or_else(|error| error.raw_response().is_some(), |_| true)
    }

    async fn head(&self, key: &str) -> Answer<ObjectInfo> {
        match plain(self.sdk.head_object().bucket(&self.bucket).key(key).send().await) {
            Ok(head) => object_info(key, head.content_length(), head.last_modified()),
            // An answer to HEAD has no body that could tell a missing object from a missing bucket.
            Err(StoreErrorKind::NotFound) => match plain(self.sdk.head_bucket().bucket(&self.bucket).send().await) {
                Ok(_) => Err(StoreErrorKind::NotFound),
                Err(StoreErrorKind::NotFound) => Err(StoreErrorKind::NoBucket),
                Err(other) => Err(other),
            },
            Err(other) => Err(other),
        }
    }

    async fn get(&self, key: &str) -> Answer<(ObjectInfo, Pieces)> {
        let get = self.sdk.get_object().bucket(&self.bucket).key(key).checksum_mode(ChecksumMode::Enabled);
        let answer = plain(get.send().await)?;
        // Without its length a body that breaks off would look whole.
        let info = object_info(key, answer.content_length(), answer.last_modified())?;
        let pieces = stream::try_unfold(answer.body, |mut body| async move {
            let piece = body.try_next().await.map_err(|error| kind_of_body(&error))?;
            Ok(piece.map(|piece| (piece, body)))
        });
        Ok((info, pieces.boxed()))
    }

    async fn page(&self, prefix: &str, token: Option<String>) -> Answer<Page> {
        let list = self.sdk.list_objects_v2().bucket(&self.bucket).prefix(prefix).set_continuation_token(token);
        let page = plain(list.send().await)?;
        let info = |object: &Object| {
            object_info(object.key().ok_or(StoreErrorKind::Nonsense)?, object.size(), object.last_modified())
        };
        let objects = page.contents().iter().map(info).collect::<Answer<Vec<_>>>()?;
        Ok(Page { objects, is_truncated: page.is_truncated() == Some(true), next: page.next_continuation_token })
    }

    async fn put(&self, key: &str, body: Bytes) -> Answer<()> {
        let put = self.sdk.put_object().bucket(&self.bucket).key(key).body(body.into());
        // Every S3 answers with an ETag; what does not has hardly stored anything.
        plain(put.send().await)?.e_tag.map(drop).ok_or(StoreErrorKind::Nonsense)
    }

    async fn create_upload(&self, key: &str) -> Answer<String> {
        let create = self.sdk.create_multipart_upload().bucket(&self.bucket).key(key);
        let create = create.checksum_algorithm(ChecksumAlgorithm::Crc32);
        plain(create.send().await)?.upload_id.ok_or(StoreErrorKind::Nonsense)
    }

    async fn put_part(&self, key: &str, upload: &str, number: u32, body: Bytes) -> Answer<Part> {
        let put = self.sdk.upload_part().bucket(&self.bucket).key(key).upload_id(upload).part_number(number as i32);
        let put = put.checksum_algorithm(ChecksumAlgorithm::Crc32).body(body.into());
        let done = plain(put.send().await)?;
        Ok(Part { number, e_tag: done.e_tag.ok_or(StoreErrorKind::Nonsense)?, crc32: done.checksum_crc32 })
    }

    async fn complete_upload(&self, key: &str, upload: &str, parts: &[Part]) -> Answer<()> {
        let parts = parts.iter().map(|part| {
            let completed = CompletedPart::builder().part_number(part.number as i32).e_tag(&part.e_tag);
            completed.set_checksum_crc32(part.crc32.clone()).build()
        });
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts.collect())).build();
        let complete = self.sdk.complete_multipart_upload().bucket(&self.bucket).key(key).upload_id(upload);
        plain(complete.multipart_upload(parts).send().await)?.e_tag.map(drop).ok_or(StoreErrorKind::Nonsense)
    }

    async fn abort_upload(&self, key: &str, upload: &str) -> Answer<()> {
        let abort = self.sdk.abort_multipart_upload().bucket(&self.bucket).key(key).upload_id(upload);
        plain(abort.send().await).map(drop)
    }

    async fn delete(&self, key: &str) -> Answer<()> {
        plain(self.sdk.delete_object().bucket(&self.bucket).key(key).send().await).map(drop)
    }
}

fn plain<T, E: ProvideErrorMetadata + std::error::Error + 'static>(answer: Result<T, SdkError<E>>) -> Answer<T> {
    answer.map_err(|error| kind_of(&error))
}

/// What an answer says of an object; one that does not give its size or date is no answer.
fn object_info(key: &str, size: Option<i64>, modified: Option<&DateTime>) -> Answer<ObjectInfo> {
    let size = size.and_then(|size| u64::try_from(size).ok());
    // HEAD gives whole seconds and a listing may give more: the same object must look the same in both.
    let modified = modified.and_then(|date| Timestamp::from_second(date.secs()).ok());
    match (size, modified) {
        (Some(size), Some(modified)) => Ok(ObjectInfo { key: key.to_owned(), size, modified }),
        _ => Err(StoreErrorKind::Nonsense),
    }
}
