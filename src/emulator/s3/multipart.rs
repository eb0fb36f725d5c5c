//! Uploads in parts.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;

use super::{
    body::Body,
    checksum::{self, Algorithm, Checksums},
    lock::Locks,
    objects::Objects,
    refusal::Refusal,
    version::{Attributes, Content, ObjectMeta, PutCondition, PutOptions},
};

/// The smallest part that is not the last, in bytes.
pub const SMALLEST_PART: u64 = 5 << 20;

/// The highest number of a part.
pub const MOST_PARTS: u32 = 10_000;

/// How an upload in parts begins.
#[derive(Debug, Clone, Default)]
pub struct UploadOptions {
    /// The object's headers, metadata and locks. Its checksums and condition come with the completion.
    pub put: PutOptions,
    /// The algorithm of the parts' checksums.
    pub algorithm: Option<Algorithm>,
    /// Whether the object's checksum is to be that of its bytes, instead of that of the parts' checksums.
    pub full_object: bool,
}

/// An unfinished upload as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadInfo {
    /// The object's key.
    pub key: String,
    /// Its id.
    pub upload: String,
    /// When it began, by the scenario clock.
    pub initiated: Timestamp,
    /// The algorithm of the parts' checksums.
    pub algorithm: Option<Algorithm>,
    /// Whether the object's checksum is to be that of its bytes.
    pub full_object: bool,
    /// The object's storage class.
    pub storage_class: Option<String>,
}

/// A part as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartInfo {
    /// From 1.
    pub number: u32,
    /// Size in bytes.
    pub size: u64,
    /// Without quotes.
    pub etag: String,
    /// Its checksums.
    pub checksums: Checksums,
    /// When it was uploaded, by the scenario clock.
    pub modified: Timestamp,
}

#[derive(Debug)]
pub(super) struct Upload {
    key: String,
    initiated: Timestamp,
    attributes: Arc<Attributes>,
    locks: Locks,
    algorithm: Option<Algorithm>,
    full_object: bool,
    parts: BTreeMap<u32, (PartInfo, Body)>,
}

impl Upload {
    fn info(&self, id: &str) -> UploadInfo {
        UploadInfo {
            key: self.key.clone(),
            upload: id.to_owned(),
            initiated: self.initiated,
            algorithm: self.algorithm,
            full_object: self.full_object,
            storage_class: self.attributes.storage_class.clone(),
        }
    }

    /// The parts chosen, in order, if they may become an object.
    fn choose(&self, wanted: &[(u32, Option<String>)]) -> Result<Vec<(PartInfo, Body)>, Refusal> {
        if wanted.is_empty() {
            return Err(Refusal::InvalidArgument("at least one part must be named"));
        }
        if wanted.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
            return Err(Refusal::InvalidPartOrder);
        }
        let mut chosen = Vec::with_capacity(wanted.len());
        for (nth, (number, etag)) in wanted.iter().enumerate() {
            let found = self.parts.get(number).ok_or(Refusal::InvalidPart(*number))?;
            if etag.as_ref().is_some_and(|e| *e != found.0.etag) {
                return Err(Refusal::InvalidPart(*number));
            }
            if nth + 1 < wanted.len() && found.0.size < SMALLEST_PART {
                return Err(Refusal::PartTooSmall(*number));
            }
            chosen.push(found.clone());
        }
        Ok(chosen)
    }
}

impl Objects {
    /// Begins an upload in parts; returns its id.
    pub fn create_upload(&self, bucket: &str, key: &str, options: UploadOptions) -> Result<String, Refusal> {
        let initiated = self.now();
        let mut state = self.state();
        let id = state.issue();
        let locks = Locks { retention: options.put.retention, legal_hold: options.put.legal_hold };
        let upload = Upload {
            key: key.to_owned(),
            initiated,
            attributes: Arc::new(options.put.attributes),
            locks,
            algorithm: options.algorithm,
            full_object: options.full_object,
            parts: BTreeMap::new(),
        };
        state.bucket(bucket)?.uploads.insert(id.clone(), upload);
        Ok(id)
    }

    /// What is known of an unfinished upload.
    pub fn upload(&self, bucket: &str, key: &str, upload: &str) -> Result<UploadInfo, Refusal> {
        self.with_upload(bucket, key, upload, |found| Ok(found.info(upload)))
    }

    /// Takes a part; one with the same number is replaced.
    pub fn put_part(
        &self,
        bucket: &str,
        key: &str,
        upload: &str,
        number: u32,
        body: Body,
        checksums: Checksums,
    ) -> Result<PartInfo, Refusal> {
        if !(1..=MOST_PARTS).contains(&number) {
            return Err(Refusal::InvalidArgument("a part's number must be from 1 to 10000"));
        }
        let part = PartInfo { number, size: body.len(), etag: checksum::etag(&body)?, checksums, modified: self.now() };
        self.with_upload(bucket, key, upload, |found| {
            found.parts.insert(number, (part.clone(), body));
            Ok(part)
        })
    }

    /// The parts that came in so far, by number.
    pub fn parts(&self, bucket: &str, key: &str, upload: &str) -> Result<Vec<PartInfo>, Refusal> {
        self.with_upload(bucket, key, upload, |found| Ok(found.parts.values().map(|(part, _)| part.clone()).collect()))
    }

    /// Unfinished uploads by key, then by age.
    pub fn uploads(&self, bucket: &str, prefix: &str) -> Result<Vec<UploadInfo>, Refusal> {
        let mut state = self.state();
        let uploads = &state.bucket(bucket)?.uploads;
        let mut found: Vec<UploadInfo> =
            uploads.iter().filter(|(_, u)| u.key.starts_with(prefix)).map(|(id, u)| u.info(id)).collect();
        found.sort_by(|a, b| (&a.key, &a.upload).cmp(&(&b.key, &b.upload)));
        Ok(found)
    }

    /// Makes the object of the parts named, each with the ETag that it must have, where one is given. `claims` are
    /// checksums that the object must have.
    pub fn complete_upload(
        &self,
        bucket: &str,
        key: &str,
        upload: &str,
        wanted: &[(u32, Option<String>)],
        claims: &[(Algorithm, String)],
        condition: Option<&PutCondition>,
    ) -> Result<ObjectMeta, Refusal> {
        let (chosen, info, attributes, locks) = self.with_upload(bucket, key, upload, |found| {
            Ok((found.choose(wanted)?, found.info(upload), Arc::clone(&found.attributes), found.locks))
        })?;
        let bodies: Vec<Body> = chosen.iter().map(|(_, body)| body.clone()).collect();
        let body = Body::join(&bodies);
        let algorithms: Vec<Algorithm> = info.algorithm.into_iter().collect();
        let checksums = if info.full_object {
            checksum::of_body(&body, &algorithms)?
        } else {
            let sums: Vec<Checksums> = chosen.iter().map(|(part, _)| part.checksums.clone()).collect();
            checksum::composite(&sums, &algorithms)
        };
        // A claim in an algorithm that was not announced for the upload cannot be judged, and S3 does not.
        if claims.iter().any(|(a, claim)| checksums.get(*a).is_some_and(|sum| !same_sum(sum, claim))) {
            return Err(Refusal::BadDigest("checksum"));
        }
        let content = Content {
            etag: checksum::multipart_etag(chosen.iter().map(|(part, _)| part.etag.as_str())).into(),
            parts: chosen.iter().map(|(part, _)| part.size).collect(),
            body,
            checksums: Arc::new(checksums),
            attributes,
        };
        let meta = self.write(bucket, key, content, locks, condition)?;
        // A completion that comes twice at once writes twice the same; S3 does no better.
        self.state().bucket(bucket)?.uploads.remove(upload);
        Ok(meta)
    }

    /// Gives an upload up; its parts are gone.
    pub fn abort_upload(&self, bucket: &str, key: &str, upload: &str) -> Result<(), Refusal> {
        self.with_upload(bucket, key, upload, |_| Ok(()))?;
        self.state().bucket(bucket)?.uploads.remove(upload);
        Ok(())
    }

    fn with_upload<T>(
        &self,
        bucket: &str,
        key: &str,
        upload: &str,
        work: impl FnOnce(&mut Upload) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let mut state = self.state();
        let uploads = &mut state.bucket(bucket)?.uploads;
        work(uploads.get_mut(upload).filter(|u| u.key == key).ok_or(Refusal::NoSuchUpload)?)
    }
}

/// Whether a claim is the checksum; a composite one may be claimed with or without its number of parts.
fn same_sum(sum: &str, claim: &str) -> bool {
    sum == claim || sum.rsplit_once('-').is_some_and(|(bare, _)| bare == claim)
}
