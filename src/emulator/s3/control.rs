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

impl Objects {
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
