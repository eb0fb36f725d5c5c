//! Uploads in parts.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use jiff::Timestamp;

use super::{
    archive::StorageClass,
    body::Body,
    checksum::{self, Algorithm, Checksums},
    lock::Locks,
    objects::Objects,
    refusal::Refusal,
    version::{Attributes, Content, Object, ObjectMeta, PutCondition, PutOptions},
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
    pub storage_class: StorageClass,
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
            storage_class: self.attributes.storage_class,
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

    /// A range of an object's bytes, to be a part.
    pub fn part_of(&self, source: &Object, range: Range<u64>) -> Result<Body, Refusal> {
        let mut writer = self.writer();
        let mut written = Ok(());
        let read = source.body.read_through(range, |piece| {
            if written.is_ok() {
                written = writer.write(piece);
            }
        });
        read.and(written)?;
        Ok(writer.finish()?)
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
            restore: None,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::s3::{buckets::BucketOptions, testing::World};

    const PART: usize = SMALLEST_PART as usize;

    fn upload(world: &World, parts: &[&[u8]], options: UploadOptions) -> (String, Vec<(u32, Option<String>)>) {
        let algorithms: Vec<Algorithm> = options.algorithm.into_iter().collect();
        let id = world.objects().create_upload("b", "k", options).unwrap();
        let mut named = Vec::new();
        for (number, bytes) in (1..).zip(parts) {
            let body = world.objects().body(bytes).unwrap();
            let sums = checksum::of_body(&body, &algorithms).unwrap();
            let part = world.objects().put_part("b", "k", &id, number, body, sums).unwrap();
            named.push((number, Some(part.etag)));
        }
        (id, named)
    }

    #[test]
    fn parts_become_one_object_with_the_etag_and_checksum_of_their_parts() {
        let world = World::new(BucketOptions::default());
        let options = UploadOptions { algorithm: Some(Algorithm::Crc32), ..Default::default() };
        let (id, named) = upload(&world, &[&vec![b'a'; PART], b"tail"], options);
        assert!(world.objects().head("b", "k", None).is_err(), "nothing is there before the completion");
        let meta = world.objects().complete_upload("b", "k", &id, &named, &[], None).unwrap();
        // As S3 states them: MD5 of the MD5s, CRC-32 of the CRC-32s, computed with md5sum and python's zlib.
        assert_eq!(&*meta.etag, "30dcfd3901d1c613b7fb532281748544-2");
        assert_eq!(meta.checksums.get(Algorithm::Crc32), Some("4fn9rQ==-2"));
        assert_eq!(&*meta.parts, [SMALLEST_PART, 4]);
        assert_eq!(world.read("k", None).len(), PART + 4);
        let again = world.objects().complete_upload("b", "k", &id, &named, &[], None);
        assert_eq!(again, Err(Refusal::NoSuchUpload));
    }

    #[test]
    fn a_completion_that_names_the_wrong_parts_is_refused_and_can_be_tried_again() {
        let world = World::new(BucketOptions::default());
        let (id, named) = upload(&world, &[b"short", b"tail"], UploadOptions::default());
        let complete = |parts: &[(u32, Option<String>)]| {
            world.objects().complete_upload("b", "k", &id, parts, &[], None).unwrap_err()
        };
        assert_eq!(complete(&named), Refusal::PartTooSmall(1));
        assert_eq!(complete(&[named[1].clone(), named[0].clone()]), Refusal::InvalidPartOrder);
        assert_eq!(complete(&[(1, Some("0".into()))]), Refusal::InvalidPart(1));
        assert_eq!(complete(&[(7, None)]), Refusal::InvalidPart(7));
        assert!(matches!(complete(&[]), Refusal::InvalidArgument(_)));
        assert!(world.objects().complete_upload("b", "k", &id, &named[1..], &[], None).is_ok());
        assert_eq!(world.read("k", None), b"tail");
    }

    #[test]
    fn a_claimed_checksum_of_the_whole_object_must_be_true() {
        let world = World::new(BucketOptions::default());
        let options = UploadOptions { algorithm: Some(Algorithm::Crc32), full_object: true, ..Default::default() };
        let (id, named) = upload(&world, &[b"123456789"], options);
        let complete = |claim: &str| {
            let claims = [(Algorithm::Crc32, claim.to_owned())];
            world.objects().complete_upload("b", "k", &id, &named, &claims, None)
        };
        assert_eq!(complete("AAAAAA=="), Err(Refusal::BadDigest("checksum")));
        assert!(complete("y/Q5Jg==").is_ok(), "the check value of CRC-32");
    }

    #[test]
    fn an_aborted_upload_leaves_no_part_and_lets_its_bucket_go() {
        let world = World::new(BucketOptions::default());
        let (id, _) = upload(&world, &[b"part"], UploadOptions::default());
        assert_eq!(world.objects().uploads("b", "").unwrap().len(), 1);
        assert_eq!(world.objects().delete_bucket("b"), Err(Refusal::BucketNotEmpty("b".into())));
        world.objects().abort_upload("b", "k", &id).unwrap();
        assert_eq!(world.objects().parts("b", "k", &id), Err(Refusal::NoSuchUpload));
        world.objects().delete_bucket("b").unwrap();
    }
}
