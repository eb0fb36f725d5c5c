//! A region over real HTTP, through aws-sdk-s3: plain HTTP, path style. Tries and limits are not the SDK's but this
//! room's own, on the drill's clock.

use std::{collections::HashMap, ops::Range, sync::Arc, time::Duration};

use async_trait::async_trait;
use aws_sdk_s3::{
    Client as Sdk,
    config::{
        self, BehaviorVersion, SharedHttpClient, StalledStreamProtectionConfig, retry::RetryConfig,
        timeout::TimeoutConfig,
    },
    error::{ProvideErrorMetadata, SdkError},
    primitives::DateTime,
    types::{
        self, ChecksumAlgorithm, ChecksumMode, CompletedMultipartUpload, CompletedPart, GlacierJobParameters, Object,
        RestoreRequest,
    },
};
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};

use self::{
    answer::{
        class, copy_source, listed_marker, listed_version, object_info, quoted, restore_state, unquoted, written,
    },
    failure::{kind_of, kind_of_body},
    names::{Names, host},
};
use super::{
    CopySource, LockMode, ObjectInfo, Patience, PutOptions, Retention, StorageClass, StoreErrorKind, Tier,
    client::Client,
    wire::{Answer, Page, Part, Pieces, Pinned, VersionPage, VersionToken, Wire, Written},
};
use crate::{
    emulator::s3::{Region, gateway::Credentials},
    sim::clock::Clock,
};

mod answer;
mod failure;
mod names;

/// A store over HTTP.
pub type S3Store = Client<HttpWire>;

/// How to be let in to a region that is not emulated here.
#[derive(Debug, Clone)]
pub struct Access {
    /// The key.
    pub credentials: Credentials,
    /// What a temporary key needs beside it.
    pub session_token: Option<String>,
    /// Whether the bucket stands in the path; else in the host's name, as Amazon wants it.
    pub path_style: bool,
}

impl Access {
    /// To a region that is emulated on loopback.
    fn emulated(credentials: &Credentials) -> Self {
        Access { credentials: credentials.clone(), session_token: None, path_style: true }
    }
}

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
        let access = Access::emulated(credentials);
        Self::with_access(region, endpoint_url, bucket, &access, clock, patience)
    }

    /// As [`S3Store::new`], for a bucket that is not emulated here: over TLS where the address says so.
    pub fn with_access(
        region: &str,
        endpoint_url: &str,
        bucket: &str,
        access: &Access,
        clock: &Clock,
        patience: Patience,
    ) -> Self {
        let http = match endpoint_url.starts_with("https://") {
            true => {
                aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
            }
            false => aws_smithy_http_client::Builder::new().build_http(),
        };
        Self::over_http(http, region, endpoint_url, bucket, access, clock, patience)
    }

    /// A store for `bucket` of an emulated region that listens on loopback, at a name that is looked up for each
    /// connection.
    pub fn of_region(
        region: &Region,
        port: u16,
        bucket: &str,
        credentials: &Credentials,
        clock: &Clock,
        patience: Patience,
    ) -> Self {
        let access = Access::emulated(credentials);
        let nobody = TlsContext::builder().with_trust_store(TrustStore::empty()).build();
        // Only with TLS does the builder take a directory; nothing is encrypted.
        let http = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
        let http = match nobody {
            Ok(nobody) => http.tls_context(nobody),
            Err(_) => http,
        };
        let http = http.build_with_resolver(Names(Arc::clone(region.link())));
        let url = format!("http://{}:{port}", host(region.name()));
        Self::over_http(http, region.name(), &url, bucket, &access, clock, patience)
    }

    fn over_http(
        http: SharedHttpClient,
        region: &str,
        endpoint_url: &str,
        bucket: &str,
        access: &Access,
        clock: &Clock,
        patience: Patience,
    ) -> Self {
        let Credentials { access_key, secret_key } = &access.credentials;
        let token = access.session_token.clone();
        let credentials = config::Credentials::new(access_key, secret_key, token, None, "backdraft");
        let connect = Duration::from_millis(patience.connect_ms);
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(config::Region::new(region.to_owned()))
            .endpoint_url(endpoint_url)
            .force_path_style(access.path_style)
            .credentials_provider(credentials)
            .http_client(http)
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
        self.look(&self.bucket, key, None).await
    }

    async fn head_source(&self, from: &CopySource) -> Answer<ObjectInfo> {
        self.look(self.bucket_of(from), &from.key, from.version.as_deref()).await
    }

    async fn get(&self, key: &str, version: Option<&str>) -> Answer<(ObjectInfo, Pieces)> {
        let get = self.sdk.get_object().bucket(&self.bucket).key(key).checksum_mode(ChecksumMode::Enabled);
        let answer = plain(get.set_version_id(version.map(str::to_owned)).send().await)?;
        // Without its length a body that breaks off would look whole.
        let size = match answer.content_length() {
            Some(size) => Some(size),
            None => self.length(key, answer.version_id().or(version), answer.e_tag()).await?,
        };
        let mut info = object_info(key, size, answer.last_modified())?;
        info.storage_class = class(answer.storage_class().map(types::StorageClass::as_str));
        info.etag = answer.e_tag().map(unquoted);
        info.version = answer.version_id().map(str::to_owned);
        info.content_type = answer.content_type().map(str::to_owned);
        info.metadata = answer.metadata().cloned().unwrap_or_default().into_iter().collect();
        info.restore = answer.restore().and_then(restore_state);
        let pieces = stream::try_unfold(answer.body, |mut body| async move {
            let piece = body.try_next().await.map_err(|error| kind_of_body(&error))?;
            Ok(piece.map(|piece| (piece, body)))
        });
        Ok((info, pieces.boxed()))
    }

    async fn get_range(&self, key: &str, range: Range<u64>) -> Answer<Bytes> {
        let bytes = format!("bytes={}-{}", range.start, range.end.saturating_sub(1));
        let get = self.sdk.get_object().bucket(&self.bucket).key(key).range(bytes);
        let mut body = plain(get.send().await)?.body;
        let (mut all, most) = (BytesMut::new(), range.end - range.start);
        while let Some(piece) = body.try_next().await.map_err(|error| kind_of_body(&error))? {
            all.extend_from_slice(&piece);
            // A server that knows no ranges sends the whole object.
            if all.len() as u64 > most {
                return Err(StoreErrorKind::Nonsense);
            }
        }
        Ok(all.freeze())
    }

    async fn page(&self, prefix: &str, token: Option<String>) -> Answer<Page> {
        let list = self.sdk.list_objects_v2().bucket(&self.bucket).prefix(prefix).set_continuation_token(token);
        let page = plain(list.send().await)?;
        let info = |object: &Object| {
            let key = object.key().ok_or(StoreErrorKind::Nonsense)?;
            let mut info = object_info(key, object.size(), object.last_modified())?;
            info.storage_class = class(object.storage_class().map(types::ObjectStorageClass::as_str));
            info.etag = object.e_tag().map(unquoted);
            Ok(info)
        };
        let objects = page.contents().iter().map(info).collect::<Answer<Vec<_>>>()?;
        Ok(Page { objects, is_truncated: page.is_truncated() == Some(true), next: page.next_continuation_token })
    }

    async fn version_page(&self, prefix: &str, token: Option<VersionToken>) -> Answer<VersionPage> {
        let (key, version) = token.unzip();
        let list = self.sdk.list_object_versions().bucket(&self.bucket).prefix(prefix);
        let page = plain(list.set_key_marker(key).set_version_id_marker(version.flatten()).send().await)?;
        let versions = page.versions().iter().map(listed_version);
        let versions = versions.chain(page.delete_markers().iter().map(listed_marker)).collect::<Answer<Vec<_>>>()?;
        let next = page.next_key_marker.map(|key| (key, page.next_version_id_marker));
        Ok(VersionPage { versions, is_truncated: page.is_truncated == Some(true), next })
    }

    async fn put(&self, key: &str, body: Bytes, options: &PutOptions) -> Answer<Written> {
        let put = self.sdk.put_object().bucket(&self.bucket).key(key).body(body.into());
        let put = put.set_content_type(options.content_type.clone()).set_storage_class(asked(options.storage_class));
        let (mode, until) = retention(options)?;
        let put = put.set_object_lock_mode(mode).set_object_lock_retain_until_date(until);
        let put = put.set_if_none_match(options.if_absent.then(|| "*".to_owned()));
        let put = put.set_checksum_algorithm(options.retention.map(|_| ChecksumAlgorithm::Crc32));
        let done = plain(put.set_metadata(metadata(options)).send().await)?;
        written(done.e_tag(), done.version_id())
    }

    async fn copy(&self, from: &Pinned, key: &str, class: StorageClass) -> Answer<Written> {
        let copy = self.sdk.copy_object().bucket(&self.bucket).key(key).copy_source(self.address_of(&from.source));
        // The class is always said: without it an object could not be copied onto itself.
        let copy = copy.storage_class(class.name().into()).set_copy_source_if_match(from.etag.as_deref().map(quoted));
        let done = copied(copy.send().await)?;
        written(done.copy_object_result().and_then(|result| result.e_tag()), done.version_id())
    }

    async fn create_upload(&self, key: &str, options: &PutOptions) -> Answer<String> {
        let create = self.sdk.create_multipart_upload().bucket(&self.bucket).key(key);
        let create = create.checksum_algorithm(ChecksumAlgorithm::Crc32).set_metadata(metadata(options));
        let create = create.set_content_type(options.content_type.clone());
        let create = create.set_storage_class(asked(options.storage_class));
        let (mode, until) = retention(options)?;
        let create = create.set_object_lock_mode(mode).set_object_lock_retain_until_date(until);
        plain(create.send().await)?.upload_id.ok_or(StoreErrorKind::Nonsense)
    }

    async fn put_part(&self, key: &str, upload: &str, number: u32, body: Bytes) -> Answer<Part> {
        let put = self.sdk.upload_part().bucket(&self.bucket).key(key).upload_id(upload).part_number(number as i32);
        let put = put.checksum_algorithm(ChecksumAlgorithm::Crc32).body(body.into());
        let done = plain(put.send().await)?;
        Ok(Part { number, e_tag: done.e_tag.ok_or(StoreErrorKind::Nonsense)?, crc32: done.checksum_crc32 })
    }

    async fn copy_part(&self, from: &Pinned, range: Range<u64>, key: &str, upload: &str, number: u32) -> Answer<Part> {
        let copy = self.sdk.upload_part_copy().bucket(&self.bucket).key(key).upload_id(upload);
        let copy = copy.part_number(number as i32).copy_source(self.address_of(&from.source));
        let copy = copy.copy_source_range(format!("bytes={}-{}", range.start, range.end.saturating_sub(1)));
        let done = copied(copy.set_copy_source_if_match(from.etag.as_deref().map(quoted)).send().await)?;
        let part = done.copy_part_result.ok_or(StoreErrorKind::Nonsense)?;
        Ok(Part { number, e_tag: part.e_tag.ok_or(StoreErrorKind::Nonsense)?, crc32: part.checksum_crc32 })
    }

    async fn complete_upload(&self, key: &str, upload: &str, parts: &[Part]) -> Answer<Written> {
        let parts = parts.iter().map(|part| {
            let completed = CompletedPart::builder().part_number(part.number as i32).e_tag(&part.e_tag);
            completed.set_checksum_crc32(part.crc32.clone()).build()
        });
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts.collect())).build();
        let complete = self.sdk.complete_multipart_upload().bucket(&self.bucket).key(key).upload_id(upload);
        let done = plain(complete.multipart_upload(parts).send().await)?;
        written(done.e_tag(), done.version_id())
    }

    async fn abort_upload(&self, key: &str, upload: &str) -> Answer<()> {
        let abort = self.sdk.abort_multipart_upload().bucket(&self.bucket).key(key).upload_id(upload);
        plain(abort.send().await).map(drop)
    }

    async fn delete(&self, key: &str, version: Option<&str>) -> Answer<()> {
        let delete = self.sdk.delete_object().bucket(&self.bucket).key(key);
        plain(delete.set_version_id(version.map(str::to_owned)).send().await).map(drop)
    }

    async fn restore(&self, key: &str, tier: Tier, days: u32) -> Answer<()> {
        let days = i32::try_from(days).map_err(|_| StoreErrorKind::Nonsense)?;
        let request = RestoreRequest::builder().days(days);
        let job = GlacierJobParameters::builder().tier(tier.name().into()).build();
        let request = request.glacier_job_parameters(job.map_err(|_| StoreErrorKind::Nonsense)?).build();
        let restore = self.sdk.restore_object().bucket(&self.bucket).key(key).restore_request(request);
        match restore.send().await {
            Err(error) if error.code() == Some("RestoreAlreadyInProgress") => Ok(()),
            answer => match plain(answer) {
                // Here this means the opposite: there is nothing to restore.
                Err(StoreErrorKind::Archived) => Err(StoreErrorKind::Nonsense),
                answer => answer.map(drop),
            },
        }
    }
}

impl HttpWire {
    async fn look(&self, bucket: &str, key: &str, version: Option<&str>) -> Answer<ObjectInfo> {
        let head = self.sdk.head_object().bucket(bucket).key(key).set_version_id(version.map(str::to_owned));
        let answer = head.send().await;
        let is_bad = |error: &SdkError<_>| error.raw_response().is_some_and(|raw| raw.status().as_u16() == 400);
        let is_bad = answer.as_ref().is_err_and(is_bad);
        match plain(answer) {
            Ok(head) => {
                let mut info = object_info(key, head.content_length(), head.last_modified())?;
                info.storage_class = class(head.storage_class().map(types::StorageClass::as_str));
                info.etag = head.e_tag().map(unquoted);
                info.version = head.version_id().map(str::to_owned);
                info.content_type = head.content_type().map(str::to_owned);
                info.metadata = head.metadata().cloned().unwrap_or_default().into_iter().collect();
                info.restore = head.restore().and_then(restore_state);
                Ok(info)
            }
            // An answer to HEAD has no body that could tell a missing object from a missing bucket,
            Err(StoreErrorKind::NotFound) => match plain(self.sdk.head_bucket().bucket(bucket).send().await) {
                Ok(_) => Err(StoreErrorKind::NotFound),
                Err(StoreErrorKind::NotFound) => Err(StoreErrorKind::NoBucket),
                Err(other) => Err(other),
            },
            // or say that the key has expired.
            Err(StoreErrorKind::Nonsense) if is_bad => {
                let list = self.sdk.list_objects_v2().bucket(bucket).max_keys(0).send().await;
                Err(plain(list).err().unwrap_or(StoreErrorKind::Nonsense))
            }
            Err(other) => Err(other),
        }
    }

    /// The length of an object whose body came without; of that very object or not at all.
    async fn length(&self, key: &str, version: Option<&str>, etag: Option<&str>) -> Answer<Option<i64>> {
        let head = self.sdk.head_object().bucket(&self.bucket).key(key).set_version_id(version.map(str::to_owned));
        let head = plain(head.send().await)?;
        Ok(head.content_length().filter(|_| etag.is_some() && head.e_tag() == etag))
    }

    fn bucket_of<'a>(&'a self, from: &'a CopySource) -> &'a str {
        from.bucket.as_deref().unwrap_or(&self.bucket)
    }

    fn address_of(&self, from: &CopySource) -> String {
        copy_source(self.bucket_of(from), &from.key, from.version.as_deref())
    }
}

fn plain<T, E: ProvideErrorMetadata + std::error::Error + 'static>(answer: Result<T, SdkError<E>>) -> Answer<T> {
    answer.map_err(|error| kind_of(&error))
}

/// Here a precondition that failed says that the source is not what was looked at.
fn copied<T, E: ProvideErrorMetadata + std::error::Error + 'static>(answer: Result<T, SdkError<E>>) -> Answer<T> {
    plain(answer).map_err(|kind| if kind == StoreErrorKind::Exists { StoreErrorKind::Nonsense } else { kind })
}

/// The class as a request says it; the standard one goes without saying.
fn asked(class: StorageClass) -> Option<types::StorageClass> {
    (class != StorageClass::Standard).then(|| class.name().into())
}

/// How firmly and until when the object is held, as a request says it.
fn retention(options: &PutOptions) -> Answer<(Option<types::ObjectLockMode>, Option<DateTime>)> {
    let Some(Retention { mode, until }) = options.retention else { return Ok((None, None)) };
    let mode = match mode {
        LockMode::Governance => types::ObjectLockMode::Governance,
        LockMode::Compliance => types::ObjectLockMode::Compliance,
    };
    Ok((Some(mode), Some(DateTime::from_secs(until.as_second()))))
}

fn metadata(options: &PutOptions) -> Option<HashMap<String, String>> {
    (!options.metadata.is_empty()).then(|| options.metadata.clone().into_iter().collect())
}
