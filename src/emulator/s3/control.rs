//! What fault injection does to a region's objects, behind the back of S3: no lock, no link and no versioning stands
//! in its way, and nothing of it is dated.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;

use super::{
    body::Body,
    checksum,
    objects::Objects,
    refusal::Refusal,
    version::{ObjectMeta, Version},
};

/// A key with all its versions, as they were.
#[derive(Debug, Clone)]
pub struct KeyState(Vec<Version>);

/// A bucket's keys with all their versions, as they were.
#[derive(Debug, Clone)]
pub struct BucketSnapshot(BTreeMap<String, Vec<Version>>);

/// What a bucket holds, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Census {
    /// Objects that exist now.
    pub objects: u64,
    /// Their size in bytes.
    pub bytes: u64,
    /// Versions of all keys, delete markers among them.
    pub versions: u64,
}

impl Objects {
    /// What a bucket holds, counted.
    pub fn census(&self, bucket: &str) -> Result<Census, Refusal> {
        let mut state = self.state();
        let bucket = state.bucket(bucket)?;
        let versioned = bucket.versioned();
        let mut census = Census::default();
        for (key, versions) in &bucket.keys {
            census.versions += versions.len() as u64;
            if let Some(object) = versions.last().and_then(|newest| newest.object(key, true, versioned)) {
                census.objects += 1;
                census.bytes += object.meta.size;
            }
        }
        Ok(census)
    }

    /// Every object that exists now below a prefix, by key.
    pub fn keys(&self, bucket: &str, prefix: &str) -> Result<Vec<ObjectMeta>, Refusal> {
        let mut state = self.state();
        let bucket = state.bucket(bucket)?;
        let versioned = bucket.versioned();
        let below = bucket.keys.range(prefix.to_owned()..).take_while(|(key, _)| key.starts_with(prefix));
        Ok(below.filter_map(|(key, versions)| Some(versions.last()?.object(key, true, versioned)?.meta)).collect())
    }

    /// All bytes of an object at once; for small ones. [`Objects::get`] gives a body that can be read in pieces.
    pub fn read_all(&self, bucket: &str, key: &str) -> Result<Bytes, Refusal> {
        Ok(self.get(bucket, key, None)?.body.read_all()?)
    }

    /// Gives an object other bytes, as if they had been uploaded in the first place: size, ETag and checksums fit
    /// them, the date and everything else stays. Damage that happened before the upload; S3 notices nothing.
    pub fn replace_body(&self, bucket: &str, key: &str, body: Body) -> Result<ObjectMeta, Refusal> {
        let before = self.head(bucket, key, None)?;
        let part = before.parts.first().copied();
        let (etag, checksums, parts) = checksum::as_uploaded(&body, &before.checksums, part)?;
        {
            let mut state = self.state();
            let (_, content) = state.bucket(bucket)?.content_mut(key, None)?;
            content.body = body;
            content.etag = etag.into();
            content.checksums = Arc::new(checksums);
            content.parts = parts.into();
        }
        self.head(bucket, key, None)
    }

    /// All versions vanish, locked or not. Whether there was any.
    pub fn remove_key(&self, bucket: &str, key: &str) -> Result<bool, Refusal> {
        Ok(self.state().bucket(bucket)?.keys.remove(key).is_some())
    }

    /// Everything in a bucket vanishes, locked or not.
    pub fn remove_all(&self, bucket: &str) -> Result<(), Refusal> {
        let mut state = self.state();
        let bucket = state.bucket(bucket)?;
        bucket.keys.clear();
        bucket.uploads.clear();
        Ok(())
    }

    /// All versions move to another key, over whatever was there.
    pub fn rename(&self, bucket: &str, from: &str, to: &str) -> Result<(), Refusal> {
        let mut state = self.state();
        let keys = &mut state.bucket(bucket)?.keys;
        let versions = keys.remove(from).ok_or_else(|| Refusal::NoSuchKey { key: from.to_owned(), marker: None })?;
        keys.insert(to.to_owned(), versions);
        Ok(())
    }

    /// A key as it is now, also where there is none.
    pub fn key_state(&self, bucket: &str, key: &str) -> Result<KeyState, Refusal> {
        Ok(KeyState(self.state().bucket(bucket)?.keys.get(key).cloned().unwrap_or_default()))
    }

    /// Makes a key what it was, also where there was none.
    pub fn restore_key(&self, bucket: &str, key: &str, was: &KeyState) -> Result<(), Refusal> {
        set(&mut self.state().bucket(bucket)?.keys, key, &was.0);
        Ok(())
    }

    /// All keys as they are now. Cheap: bodies are shared.
    pub fn snapshot(&self, bucket: &str) -> Result<BucketSnapshot, Refusal> {
        Ok(BucketSnapshot(self.state().bucket(bucket)?.keys.clone()))
    }

    /// Makes the named keys what they were, also where there were none; all of the bucket's where none is named.
    pub fn reinstate(&self, bucket: &str, keys: Option<&[String]>, was: &BucketSnapshot) -> Result<(), Refusal> {
        let mut state = self.state();
        let now = &mut state.bucket(bucket)?.keys;
        match keys {
            None => now.clone_from(&was.0),
            Some(keys) => {
                for key in keys {
                    set(now, key, was.0.get(key).map_or(&[], Vec::as_slice));
                }
            }
        }
        Ok(())
    }
}

fn set(keys: &mut BTreeMap<String, Vec<Version>>, key: &str, versions: &[Version]) {
    if versions.is_empty() {
        keys.remove(key);
    } else {
        keys.insert(key.to_owned(), versions.to_vec());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::s3::{
        buckets::BucketOptions,
        checksum::Algorithm,
        lock::{LockMode, Retention},
        multipart::{SMALLEST_PART, UploadOptions},
        testing::World,
        version::PutOptions,
    };

    /// An object uploaded in two parts, with checksums, under a lock that nobody may lift.
    fn uploaded(world: &World, bytes: &[u8]) -> ObjectMeta {
        let retention = Some(Retention { mode: LockMode::Compliance, until: "2030-01-01T00:00:00Z".parse().unwrap() });
        let put = PutOptions { retention, ..Default::default() };
        let options = UploadOptions { put, algorithm: Some(Algorithm::Sha256), full_object: false };
        let objects = world.objects();
        let id = objects.create_upload("b", "k", options).unwrap();
        let mut parts = Vec::new();
        for (number, part) in (1..).zip(bytes.chunks(SMALLEST_PART as usize)) {
            let body = objects.body(part).unwrap();
            let sums = checksum::of_body(&body, &[Algorithm::Sha256]).unwrap();
            objects.put_part("b", "k", &id, number, body, sums).unwrap();
            parts.push((number, None));
        }
        objects.complete_upload("b", "k", &id, &parts, &[], None).unwrap()
    }

    #[test]
    fn replaced_bytes_look_as_if_they_had_been_uploaded_so() {
        let (good, mut bad) = (vec![b'g'; 6 << 20], vec![b'g'; 6 << 20]);
        bad[3] ^= 1;
        bad.truncate(5 << 20 | 77);
        let world = World::new(BucketOptions::with_lock());
        let before = uploaded(&world, &good);
        world.clock.set("2026-11-09T00:00:00Z".parse().unwrap());
        let body = world.objects().body(&bad).unwrap();
        let damaged = world.objects().replace_body("b", "k", body).unwrap();
        assert_eq!(world.read("k", None), bad);

        let honest = uploaded(&World::new(BucketOptions::with_lock()), &bad);
        assert_eq!(damaged, ObjectMeta { modified: before.modified, version: before.version, ..honest });
    }

    #[test]
    fn what_faults_did_is_undone_to_the_last_version() {
        let world = World::new(BucketOptions::with_lock());
        uploaded(&world, b"kept");
        world.put("k", b"newer");
        world.put("other", b"1");
        let history = |world: &World| format!("{:?}", world.objects().snapshot("b").unwrap());
        let (was, key, before) =
            (world.objects().snapshot("b").unwrap(), world.objects().key_state("b", "k").unwrap(), history(&world));

        world.objects().rename("b", "k", "k.bak").unwrap();
        assert!(world.objects().remove_key("b", "other").unwrap(), "locks do not matter");
        assert!(!world.objects().remove_key("b", "other").unwrap(), "nothing bites twice");
        assert_eq!(world.objects().keys("b", "").unwrap().len(), 1);
        assert_eq!(world.objects().keys("b", "k.").unwrap()[0].key, "k.bak");
        world.objects().reinstate("b", Some(&["k".into(), "k.bak".into()]), &was).unwrap();
        assert!(world.objects().read_all("b", "other").is_err(), "only what was named comes back");
        world.objects().reinstate("b", None, &was).unwrap();
        assert_eq!(history(&world), before);

        world.objects().remove_key("b", "k").unwrap();
        world.objects().restore_key("b", "k", &key).unwrap();
        assert_eq!(history(&world), before);
    }
}
