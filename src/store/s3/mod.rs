//! A region over real HTTP, through aws-sdk-s3: plain HTTP, path style, and only the patience that it was given.

use std::{future::Future, pin::pin, time::Duration};

use async_trait::async_trait;
use aws_sdk_s3::{
    Client,
    config::{BehaviorVersion, Region, StalledStreamProtectionConfig, retry::RetryConfig, timeout::TimeoutConfig},
    error::{ProvideErrorMetadata, SdkError},
};
use jiff::Timestamp;

use self::failure::kind_of;
use super::{ByteStream, ObjectInfo, Patience, Store, StoreError, StoreErrorKind, tries::Tries};
use crate::sim::clock::Clock;

mod download;
mod failure;
mod listing;
mod upload;

pub use aws_sdk_s3::config::Credentials;

/// One bucket of a region that is reached over HTTP.
#[derive(Debug)]
pub struct S3Store {
    client: Client,
    bucket: String,
    tries: Tries,
}

impl S3Store {
    /// A store for `bucket` at `endpoint_url` (scheme, host and port), where `region` is the name that requests are
    /// signed for. Nothing is sent yet.
    pub fn new(
        region: &str,
        endpoint_url: &str,
        bucket: &str,
        credentials: Credentials,
        clock: &Clock,
        patience: Patience,
    ) -> Self {
        let connect = Duration::from_millis(patience.connect_ms);
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            .endpoint_url(endpoint_url)
            .force_path_style(true)
            .credentials_provider(credentials)
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .timeout_config(TimeoutConfig::builder().connect_timeout(connect).build())
            // Tries, limits and stalls are watched here, on the drill's clock.
            .retry_config(RetryConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build();
        S3Store {
            client: Client::from_conf(config),
            bucket: bucket.to_owned(),
            tries: Tries { region: region.to_owned(), clock: clock.clone(), patience },
        }
    }

    /// One request that is answered at once or not at all.
    async fn quick<T, E: ProvideErrorMetadata + std::error::Error + 'static>(
        &self,
        send: impl Future<Output = Result<T, SdkError<E>>> + Send,
    ) -> Result<T, StoreErrorKind> {
        let answer = self.tries.clock.limit(self.tries.attempt_limit(), send).await;
        answer.ok_or(StoreErrorKind::TimedOut)?.map_err(|error| kind_of(&error))
    }

    /// One request that moves `bytes` before it is answered. A slow link and a dead one look alike from here (the
    /// kernel swallows megabytes at once), so whenever the answer is late the region is asked for a sign of life.
    async fn bulky<T, E: ProvideErrorMetadata + std::error::Error + 'static>(
        &self,
        bytes: u64,
        send: impl Future<Output = Result<T, SdkError<E>>> + Send,
    ) -> Result<T, StoreErrorKind> {
        let (clock, turn) = (&self.tries.clock, self.tries.attempt_limit());
        let answer = async {
            let mut send = pin!(send);
            loop {
                match clock.limit(turn, send.as_mut()).await {
                    Some(answer) => return answer.map_err(|error| kind_of(&error)),
                    None if self.is_alive().await => {}
                    None => return Err(StoreErrorKind::TimedOut),
                }
            }
        };
        clock.limit(self.tries.transfer_limit(bytes), answer).await.unwrap_or(Err(StoreErrorKind::TimedOut))
    }

    /// Whether the region answers anything at all.
    async fn is_alive(&self) -> bool {
        let asked = self.client.head_bucket().bucket(&self.bucket).send();
        match self.tries.clock.limit(self.tries.attempt_limit(), asked).await {
            Some(answer) => answer.map_or_else(|error| error.raw_response().is_some(), |_| true),
            None => false,
        }
    }

    async fn head_once(&self, key: &str) -> Result<ObjectInfo, StoreErrorKind> {
        let head = match self.quick(self.client.head_object().bucket(&self.bucket).key(key).send()).await {
            Ok(head) => head,
            // An answer to HEAD has no body that could tell a missing object from a missing bucket.
            Err(StoreErrorKind::NotFound) => {
                return Err(match self.quick(self.client.head_bucket().bucket(&self.bucket).send()).await {
                    Ok(_) => StoreErrorKind::NotFound,
                    Err(StoreErrorKind::NotFound) => StoreErrorKind::NoBucket,
                    Err(other) => other,
                });
            }
            Err(other) => return Err(other),
        };
        object_info(key, head.content_length(), head.last_modified())
    }
}

#[async_trait]
impl Store for S3Store {
    fn region(&self) -> &str {
        &self.tries.region
    }

    async fn put(&self, key: &str, body: ByteStream) -> Result<ObjectInfo, StoreError> {
        self.upload(key, body).await
    }

    async fn get(&self, key: &str) -> Result<(ObjectInfo, ByteStream), StoreError> {
        self.download(key).await
    }

    async fn head(&self, key: &str) -> Result<ObjectInfo, StoreError> {
        self.tries.run("head", key, || self.head_once(key)).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>, StoreError> {
        self.list_pages(prefix).await
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        let delete = || async {
            match self.quick(self.client.delete_object().bucket(&self.bucket).key(key).send()).await {
                Ok(_) | Err(StoreErrorKind::NotFound) => Ok(()),
                Err(kind) => Err(kind),
            }
        };
        self.tries.run("delete", key, delete).await
    }
}

/// What an answer says of an object; one that does not give its size or date is no answer.
fn object_info(
    key: &str,
    size: Option<i64>,
    modified: Option<&aws_sdk_s3::primitives::DateTime>,
) -> Result<ObjectInfo, StoreErrorKind> {
    let size = size.and_then(|size| u64::try_from(size).ok());
    // HEAD gives whole seconds and a listing may give more: the same object must look the same in both.
    let modified = modified.and_then(|date| Timestamp::from_second(date.secs()).ok());
    match (size, modified) {
        (Some(size), Some(modified)) => Ok(ObjectInfo { key: key.to_owned(), size, modified }),
        _ => Err(StoreErrorKind::Nonsense),
    }
}
