//! A region whose objects lie in a foreign S3: LocalStack, MinIO, SeaweedFS, or whatever answers at an address. The way to
//! it stays ours: gateway, link, rights, listings that are cut. Requests are handed on as they are (`forward`); what faults
//! and checks need to see is read into the region's object model (`mirror`), and what a fault changed there is written
//! back through the S3 API (`push`), so that no fault is written twice.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration, VersioningConfiguration,
};
use http::{HeaderMap, HeaderValue, Method};
use jiff::Timestamp;

use super::version::Version;
use asked::{Asked, encode_step};
use dates::Dates;
use wire::{Wire, chain};

mod asked;
mod bodies;
mod dates;
pub(super) mod forward;
mod mirror;
mod push;
mod told;
mod wire;

pub use wire::Endpoint;

/// A drill's part of a foreign storage: its address, and which bucket is whose.
#[derive(Debug)]
pub struct Storage {
    wire: Arc<Wire>,
    /// What the storage calls a bucket, and what the plan does.
    names: Arc<Mutex<Vec<(String, String)>>>,
}

impl Storage {
    /// The storage at that address. Nothing is sent yet. Belongs to the runtime that it is made on.
    ///
    /// # Errors
    /// When the address makes no sense, or the system has no certificates to trust.
    pub fn at(endpoint: &Endpoint) -> Result<Storage, String> {
        Ok(Storage { wire: Arc::new(Wire::new(endpoint)?), names: Arc::default() })
    }

    /// Makes a bucket that keeps versions, under a name that nobody has yet, for one of the plan's.
    ///
    /// # Errors
    /// What the storage says where it does not.
    pub async fn make(&self, real: &str, bucket: &str) -> Result<Foreign, String> {
        let create = self.wire.sdk.create_bucket().bucket(real);
        let elsewhere = (self.wire.region() != "us-east-1").then(|| {
            let place = BucketLocationConstraint::from(self.wire.region());
            CreateBucketConfiguration::builder().location_constraint(place).build()
        });
        create.set_create_bucket_configuration(elsewhere).send().await.map_err(|e| chain(&e))?;
        let versioning = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        let enable = self.wire.sdk.put_bucket_versioning().bucket(real).versioning_configuration(versioning);
        enable.send().await.map_err(|e| format!("it keeps no versions: {}", chain(&e)))?;
        lock(&self.names).push((real.to_owned(), bucket.to_owned()));
        Ok(Foreign {
            wire: Arc::clone(&self.wire),
            bucket: bucket.to_owned(),
            real: real.to_owned(),
            names: Arc::clone(&self.names),
            dates: Mutex::default(),
            read: Mutex::default(),
            trouble: Mutex::default(),
            limit: Mutex::default(),
        })
    }

    /// Removes every bucket whose name begins so, with all that is in it. How many there were.
    ///
    /// # Errors
    /// What the storage says where it does not; what was not reached is left.
    pub async fn remove(&self, prefix: &str) -> Result<usize, String> {
        let sdk = &self.wire.sdk;
        let all = sdk.list_buckets().send().await.map_err(|e| chain(&e))?;
        let names = all.buckets().iter().filter_map(|bucket| bucket.name());
        let ours: Vec<&str> = names.filter(|name| !prefix.is_empty() && name.starts_with(prefix)).collect();
        for name in &ours {
            self.empty(name).await.map_err(|why| format!("bucket {name}: {why}"))?;
            sdk.delete_bucket().bucket(*name).send().await.map_err(|e| format!("bucket {name}: {}", chain(&e)))?;
        }
        Ok(ours.len())
    }

    async fn empty(&self, real: &str) -> Result<(), String> {
        let sdk = &self.wire.sdk;
        let uploads = sdk.list_multipart_uploads().bucket(real).send().await.map_err(|e| chain(&e))?;
        for upload in uploads.uploads() {
            let abort = sdk.abort_multipart_upload().bucket(real).set_key(upload.key.clone());
            abort.set_upload_id(upload.upload_id.clone()).send().await.map_err(|e| chain(&e))?;
        }
        // From the start each time: what was listed is gone when the next page is asked for.
        loop {
            let page = sdk.list_object_versions().bucket(real).send().await.map_err(|e| chain(&e))?;
            let versions = page.versions().iter().map(|one| (one.key(), one.version_id()));
            let markers = page.delete_markers().iter().map(|one| (one.key(), one.version_id()));
            let doomed: Vec<_> = versions.chain(markers).filter_map(|(key, id)| Some((key?, id))).collect();
            if doomed.is_empty() {
                return Ok(());
            }
            for (key, id) in doomed {
                let delete = sdk.delete_object().bucket(real).key(key).set_version_id(id.map(str::to_owned));
                delete.send().await.map_err(|e| format!("{key}: {}", chain(&e)))?;
            }
        }
    }
}

/// A region's bucket in a foreign storage.
#[derive(Debug)]
pub struct Foreign {
    wire: Arc<Wire>,
    /// As the plan calls it.
    bucket: String,
    /// As the storage does.
    real: String,
    names: Arc<Mutex<Vec<(String, String)>>>,
    dates: Mutex<Dates>,
    /// What was last read of it, by key.
    read: Mutex<BTreeMap<String, Vec<Version>>>,
    trouble: Mutex<Option<String>>,
    limit: Mutex<Option<String>>,
}

impl Foreign {
    /// What the storage failed at first, by itself and not by a fault of the drill; `None` where nothing.
    pub fn trouble(&self) -> Option<String> {
        lock(&self.trouble).clone()
    }

    /// What was asked of the storage that it does not do as a drill needs it; `None` where nothing.
    pub fn limit(&self) -> Option<String> {
        lock(&self.limit).clone()
    }

    fn troubled(&self, why: &str) {
        lock(&self.trouble)
            .get_or_insert_with(|| format!("the storage at {} failed by itself: {why}", self.wire.url()));
    }

    fn limited(&self, why: &str) {
        lock(&self.limit).get_or_insert_with(|| why.to_owned());
    }

    fn dates(&self) -> MutexGuard<'_, Dates> {
        lock(&self.dates)
    }

    fn names(&self) -> Vec<(String, String)> {
        lock(&self.names).clone()
    }

    /// Gives the source of a copy its name in the storage.
    fn name_source(&self, headers: &mut HeaderMap) {
        let Some(source) = forward::text(headers, "x-amz-copy-source") else { return };
        let path = source.strip_prefix('/').unwrap_or(&source);
        let Some((bucket, rest)) = path.split_once('/').or_else(|| path.split_once("%2F")) else { return };
        let names = self.names();
        let other = names.iter().find(|(_, plan)| plan == bucket).map(|(real, _)| real.as_str());
        let real = if bucket == self.bucket { Some(self.real.as_str()) } else { other };
        // A bucket that is none of the drill's is not read: it gets a name that none has.
        let real = real.map_or_else(|| format!("{}-no-such-{}", self.real, encode_step(bucket)), str::to_owned);
        if let Ok(value) = HeaderValue::from_str(&format!("{real}/{rest}")) {
            headers.insert("x-amz-copy-source", value);
        }
    }

    /// A request had its way: what it wrote or removed, now.
    fn saw(&self, method: &Method, asked: &Asked, version: Option<&str>, doomed: &[told::Entry], now: Timestamp) {
        let mut dates = self.dates();
        match *method {
            Method::PUT if asked.is_object() => dates.written(&asked.key, version, now),
            Method::POST if asked.has("uploadId") => dates.written(&asked.key, version, now),
            Method::DELETE if asked.is_object() => match (asked.value("versionId"), version) {
                (Some(named), _) => dates.gone(&asked.key, Some(named)),
                (None, Some(marker)) => dates.written(&asked.key, Some(marker), now),
                (None, None) => dates.gone(&asked.key, None),
            },
            _ => {}
        }
        for one in doomed.iter().filter(|one| one.name == "Object") {
            if let (Some(key), Some(version)) = (one.field("Key"), one.field("VersionId")) {
                dates.gone(key, Some(version));
            }
        }
    }

    /// An answer says what was deleted: delete markers have a moment, too.
    fn heard(&self, all: &[told::Entry], asked: &Asked, now: Timestamp) {
        for one in all.iter().filter(|one| asked.has("delete") && one.name == "Deleted") {
            let marker = one.field("DeleteMarkerVersionId").filter(|_| one.field("VersionId").is_none());
            if let (Some(key), Some(marker)) = (one.field("Key"), marker) {
                self.dates().written(key, Some(marker), now);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
