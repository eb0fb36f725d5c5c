//! Buckets and their settings.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    lock::{DefaultRetention, LockMode},
    multipart::Upload,
    objects::Objects,
    refusal::Refusal,
    version::Version,
};

/// Whether a bucket keeps old versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Versioning {
    /// Never switched on: writes replace, deletions are final.
    #[default]
    Off,
    /// Every write and deletion makes a new version.
    Enabled,
    /// Was on: older versions stay, new writes replace the `null` version.
    Suspended,
}

/// What a bucket is made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BucketOptions {
    /// Whether old versions are kept from the start.
    pub versioned: bool,
    /// Whether object lock is on; switches versioning on for good.
    pub object_lock: bool,
    /// What new objects are locked with where the request says nothing; switches object lock on.
    pub default_retention: Option<DefaultRetention>,
}

impl BucketOptions {
    /// Keeps old versions.
    pub const fn versioned() -> Self {
        BucketOptions { versioned: true, object_lock: false, default_retention: None }
    }

    /// Keeps old versions and takes locks; nothing is locked by itself.
    pub const fn with_lock() -> Self {
        BucketOptions { versioned: true, object_lock: true, default_retention: None }
    }

    /// Locks every new version for so many days, in governance or compliance mode.
    pub const fn retaining(mode: LockMode, days: u32) -> Self {
        BucketOptions { default_retention: Some(DefaultRetention::of_days(mode, days)), ..BucketOptions::with_lock() }
    }
}

/// A bucket as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketInfo {
    /// Its name.
    pub name: String,
    /// When it was made, by the scenario clock.
    pub created: Timestamp,
}

#[derive(Debug)]
pub(super) struct Bucket {
    pub(super) created: Timestamp,
    pub(super) versioning: Versioning,
    pub(super) object_lock: bool,
    pub(super) default_retention: Option<DefaultRetention>,
    /// Versions by key, the oldest first; never an empty list.
    pub(super) keys: BTreeMap<String, Vec<Version>>,
    pub(super) uploads: BTreeMap<String, Upload>,
}

impl Bucket {
    /// Whether version ids are shown.
    pub(super) fn versioned(&self) -> bool {
        self.versioning != Versioning::Off
    }
}

impl Objects {
    /// Makes a bucket.
    pub fn create_bucket(&self, name: &str, options: BucketOptions) -> Result<(), Refusal> {
        permit_default(options.default_retention)?;
        let created = self.now();
        let mut state = self.state();
        if state.buckets.contains_key(name) {
            return Err(Refusal::BucketExists(name.to_owned()));
        }
        let object_lock = options.object_lock || options.default_retention.is_some();
        let versioning = if options.versioned || object_lock { Versioning::Enabled } else { Versioning::Off };
        let bucket = Bucket {
            created,
            versioning,
            object_lock,
            default_retention: options.default_retention,
            keys: BTreeMap::new(),
            uploads: BTreeMap::new(),
        };
        state.buckets.insert(name.to_owned(), bucket);
        Ok(())
    }

    /// Removes a bucket in which there is no version, no delete marker and no unfinished upload.
    pub fn delete_bucket(&self, name: &str) -> Result<(), Refusal> {
        let mut state = self.state();
        let bucket = state.bucket(name)?;
        if !bucket.keys.is_empty() || !bucket.uploads.is_empty() {
            return Err(Refusal::BucketNotEmpty(name.to_owned()));
        }
        state.buckets.remove(name);
        Ok(())
    }

    /// All buckets by name.
    pub fn buckets(&self) -> Vec<BucketInfo> {
        let state = self.state();
        state.buckets.iter().map(|(name, b)| BucketInfo { name: name.clone(), created: b.created }).collect()
    }

    /// Whether there is such a bucket.
    pub fn has_bucket(&self, name: &str) -> bool {
        self.state().buckets.contains_key(name)
    }

    /// A bucket's versioning.
    pub fn versioning(&self, bucket: &str) -> Result<Versioning, Refusal> {
        Ok(self.state().bucket(bucket)?.versioning)
    }

    /// Switches versioning on or suspends it; once on it is never off again.
    pub fn set_versioning(&self, bucket: &str, to: Versioning) -> Result<(), Refusal> {
        let mut state = self.state();
        let bucket = state.bucket(bucket)?;
        match to {
            Versioning::Off => Err(Refusal::InvalidArgument("versioning can be suspended, not switched off")),
            Versioning::Suspended if bucket.object_lock => {
                Err(Refusal::InvalidBucketState("object lock needs versioning"))
            }
            _ => {
                bucket.versioning = to;
                Ok(())
            }
        }
    }

    /// The default retention of a bucket with object lock.
    pub fn lock_configuration(&self, bucket: &str) -> Result<Option<DefaultRetention>, Refusal> {
        let mut state = self.state();
        let bucket = state.bucket(bucket)?;
        if bucket.object_lock { Ok(bucket.default_retention) } else { Err(Refusal::NoLockConfiguration) }
    }

    /// Switches object lock on where versioning is, and sets the default retention.
    pub fn set_lock_configuration(&self, bucket: &str, default: Option<DefaultRetention>) -> Result<(), Refusal> {
        let mut state = self.state();
        let bucket = state.bucket(bucket)?;
        if bucket.versioning != Versioning::Enabled {
            return Err(Refusal::InvalidBucketState("object lock needs versioning"));
        }
        permit_default(default)?;
        bucket.object_lock = true;
        bucket.default_retention = default;
        Ok(())
    }
}

fn permit_default(retention: Option<DefaultRetention>) -> Result<(), Refusal> {
    match retention {
        Some(DefaultRetention { days: 0, .. }) => {
            Err(Refusal::InvalidArgument("the default retention must be at least one day"))
        }
        _ => Ok(()),
    }
}
