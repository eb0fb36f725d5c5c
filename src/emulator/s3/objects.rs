//! The versioned object model of one region: what a write, a read or a deletion does. Synchronous, in memory but for
//! large bodies, and deterministic: ids are counted, dates come from the scenario clock.

use std::{
    collections::BTreeMap,
    io,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;

use super::{
    body::{Body, BodyWriter, Spool},
    buckets::{Bucket, Versioning},
    checksum::{self, Checksums},
    cut::Cut,
    lock::{Locks, Retention},
    refusal::Refusal,
    version::{Attributes, Content, Deleted, NULL_VERSION, Object, ObjectMeta, PutCondition, PutOptions, Version},
};
use crate::sim::clock::Clock;

/// One region's buckets and objects.
#[derive(Debug)]
pub struct Objects {
    clock: Clock,
    spool: Spool,
    state: Mutex<State>,
    pub(super) cut: Cut,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) buckets: BTreeMap<String, Bucket>,
    issued: u64,
}

impl State {
    pub(super) fn bucket(&mut self, name: &str) -> Result<&mut Bucket, Refusal> {
        self.buckets.get_mut(name).ok_or_else(|| Refusal::NoSuchBucket(name.to_owned()))
    }

    /// The next id of a version or an upload: counted, so that a run can be repeated.
    pub(super) fn issue(&mut self) -> String {
        self.issued += 1;
        format!("{:032x}", self.issued)
    }
}

impl Objects {
    /// No bucket yet. Large bodies go to files in `scratch`.
    pub fn new(clock: &Clock, scratch: &Path) -> io::Result<Self> {
        Ok(Objects { clock: clock.clone(), spool: Spool::new(scratch)?, state: Mutex::default(), cut: Cut::default() })
    }

    /// Begins the body of an object.
    pub fn writer(&self) -> BodyWriter {
        self.spool.writer()
    }

    /// A body of these bytes.
    pub fn body(&self, bytes: &[u8]) -> io::Result<Body> {
        self.spool.body(bytes)
    }

    /// Scenario time in whole seconds: what S3 keeps, and all that an HTTP date can say.
    pub(super) fn now(&self) -> Timestamp {
        Timestamp::from_second(self.clock.now().as_second()).unwrap_or_default()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes an object in one piece.
    pub fn put(&self, bucket: &str, key: &str, body: Body, options: PutOptions) -> Result<ObjectMeta, Refusal> {
        let content = Content {
            etag: checksum::etag(&body)?.into(),
            body,
            checksums: Arc::new(options.checksums),
            parts: [].into(),
            attributes: Arc::new(options.attributes),
            restore: None,
        };
        let locks = Locks { retention: options.retention, legal_hold: options.legal_hold };
        self.write(bucket, key, content, locks, options.condition.as_ref())
    }

    pub(super) fn write(
        &self,
        name: &str,
        key: &str,
        content: Content,
        mut locks: Locks,
        condition: Option<&PutCondition>,
    ) -> Result<ObjectMeta, Refusal> {
        let modified = self.now();
        let mut state = self.state();
        let id = state.issue();
        let bucket = state.bucket(name)?;
        if (locks.retention.is_some() || locks.legal_hold.is_some()) && !bucket.object_lock {
            return Err(Refusal::InvalidRequest("Bucket is missing Object Lock Configuration"));
        }
        if locks.retention.is_some_and(|r| r.until <= modified) {
            return Err(Refusal::InvalidArgument("the retain until date must be in the future"));
        }
        let current = bucket.keys.get(key).and_then(|versions| versions.last());
        judge(condition, current.and_then(|v| v.content.as_ref()), key)?;

        locks.retention = locks.retention.or(bucket.default_retention.map(|d| d.from(modified)));
        let versioned = bucket.versioned();
        let version = Version { id, modified, content: Some(content), locks };
        let written = bucket.push(key, version).object(key, true, versioned);
        written.map(|object| object.meta).ok_or_else(|| Refusal::NoSuchKey { key: key.to_owned(), marker: None })
    }

    /// Opens an object: the newest version, or the one named.
    pub fn get(&self, bucket: &str, key: &str, version: Option<&str>) -> Result<Object, Refusal> {
        let mut state = self.state();
        let bucket = state.bucket(bucket)?;
        let versioned = bucket.versioned();
        let (nth, versions) = bucket.find(key, version)?;
        let found = &versions[nth];
        found.object(key, nth + 1 == versions.len(), versioned).ok_or_else(|| match version {
            Some(_) => Refusal::IsDeleteMarker(key.to_owned()),
            None => Refusal::NoSuchKey { key: key.to_owned(), marker: Some(found.id.clone()) },
        })
    }

    /// What is known of an object: the newest version, or the one named.
    pub fn head(&self, bucket: &str, key: &str, version: Option<&str>) -> Result<ObjectMeta, Refusal> {
        self.get(bucket, key, version).map(|object| object.meta)
    }

    /// Writes an object with another's bytes. `attributes` replaces what the source carries; `checksums` are computed
    /// anew for the algorithms that `like` names, or else those of the source.
    pub fn copy(&self, source: &Object, bucket: &str, key: &str, options: CopyOptions) -> Result<ObjectMeta, Refusal> {
        let wanted = options.checksums.unwrap_or_else(|| source.meta.checksums.algorithms());
        let put = PutOptions {
            attributes: options.attributes.unwrap_or_else(|| (*source.meta.attributes).clone()),
            checksums: checksum::of_body(&source.body, &wanted)?,
            retention: options.retention,
            legal_hold: options.legal_hold,
            condition: options.condition,
        };
        self.put(bucket, key, source.body.clone(), put)
    }

    /// Deletes an object (a delete marker where versions are kept), or one version for good.
    pub fn delete(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        bypass_governance: bool,
    ) -> Result<Deleted, Refusal> {
        let now = self.now();
        let mut state = self.state();
        let id = state.issue();
        let bucket = state.bucket(bucket)?;
        match version {
            Some(version) => bucket.delete_version(key, version, now, bypass_governance),
            None if bucket.versioned() => {
                let marker = Version { id, modified: now, content: None, locks: Locks::default() };
                let made = bucket.push(key, marker);
                Ok(Deleted { version: Some(made.id.clone()), delete_marker: true })
            }
            None => {
                bucket.keys.remove(key);
                Ok(Deleted::default())
            }
        }
    }

    /// Sets or takes off a version's retention.
    pub fn set_retention(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        retention: Option<Retention>,
        bypass_governance: bool,
    ) -> Result<(), Refusal> {
        let now = self.now();
        self.relock(bucket, key, version, |locks| {
            locks.permit_change(retention, now, bypass_governance)?;
            locks.retention = retention;
            Ok(())
        })
    }

    /// Sets or lifts a version's legal hold.
    pub fn set_legal_hold(&self, bucket: &str, key: &str, version: Option<&str>, on: bool) -> Result<(), Refusal> {
        self.relock(bucket, key, version, |locks| {
            locks.legal_hold = Some(on);
            Ok(())
        })
    }

    /// Replaces a version's tags.
    pub fn set_tags(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        tags: BTreeMap<String, String>,
    ) -> Result<(), Refusal> {
        let mut state = self.state();
        let content = state.bucket(bucket)?.content_mut(key, version)?.1;
        let attributes = (*content.attributes).clone();
        content.attributes = Arc::new(Attributes { tags, ..attributes });
        Ok(())
    }

    fn relock(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        change: impl FnOnce(&mut Locks) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let mut state = self.state();
        let bucket = state.bucket(bucket)?;
        if !bucket.object_lock {
            return Err(Refusal::InvalidRequest("Bucket is missing Object Lock Configuration"));
        }
        change(bucket.content_mut(key, version)?.0)
    }
}

/// How an object is to be copied.
#[derive(Debug, Clone, Default)]
pub struct CopyOptions {
    /// Headers and metadata; the source's where `None`.
    pub attributes: Option<Attributes>,
    /// Algorithms of the checksums; the source's where `None`.
    pub checksums: Option<Vec<checksum::Algorithm>>,
    /// Retention; the bucket's default where `None`.
    pub retention: Option<Retention>,
    /// Legal hold.
    pub legal_hold: Option<bool>,
    /// Only where this holds of what is there before.
    pub condition: Option<PutCondition>,
}

impl Bucket {
    /// Adds a version as the versioning says.
    fn push(&mut self, key: &str, mut version: Version) -> &Version {
        if self.versioning != Versioning::Enabled {
            version.id = NULL_VERSION.to_owned();
        }
        let versions = self.keys.entry(key.to_owned()).or_default();
        if version.id == NULL_VERSION {
            versions.retain(|v| v.id != NULL_VERSION);
        }
        versions.push(version);
        &versions[versions.len() - 1]
    }

    /// A key's versions, and which of them is meant.
    fn find(&self, key: &str, version: Option<&str>) -> Result<(usize, &[Version]), Refusal> {
        let missing = || match version {
            Some(_) => Refusal::NoSuchVersion(key.to_owned()),
            None => Refusal::NoSuchKey { key: key.to_owned(), marker: None },
        };
        let versions = self.keys.get(key).ok_or_else(missing)?;
        let nth = match version {
            None => versions.len().checked_sub(1),
            Some(id) => versions.iter().position(|v| v.id == id),
        };
        Ok((nth.ok_or_else(missing)?, versions))
    }

    pub(super) fn content_mut(
        &mut self,
        key: &str,
        version: Option<&str>,
    ) -> Result<(&mut Locks, &mut Content), Refusal> {
        let (nth, _) = self.find(key, version)?;
        let missing = || Refusal::NoSuchKey { key: key.to_owned(), marker: None };
        let found = self.keys.get_mut(key).and_then(|versions| versions.get_mut(nth)).ok_or_else(missing)?;
        match &mut found.content {
            Some(content) => Ok((&mut found.locks, content)),
            None if version.is_some() => Err(Refusal::IsDeleteMarker(key.to_owned())),
            None => Err(missing()),
        }
    }

    fn delete_version(&mut self, key: &str, id: &str, now: Timestamp, bypass: bool) -> Result<Deleted, Refusal> {
        // Removing a version that is not there is no error, as removing an object is none.
        let Some(versions) = self.keys.get_mut(key) else {
            return Ok(Deleted { version: Some(id.to_owned()), delete_marker: false });
        };
        let mut delete_marker = false;
        if let Some(nth) = versions.iter().position(|v| v.id == id) {
            versions[nth].locks.permit_delete(now, bypass)?;
            delete_marker = versions.remove(nth).content.is_none();
        }
        if versions.is_empty() {
            self.keys.remove(key);
        }
        Ok(Deleted { version: Some(id.to_owned()), delete_marker })
    }
}

fn judge(condition: Option<&PutCondition>, current: Option<&Content>, key: &str) -> Result<(), Refusal> {
    match (condition, current) {
        (None, _) | (Some(PutCondition::Absent), None) => Ok(()),
        (Some(PutCondition::Absent), Some(_)) => Err(Refusal::PreconditionFailed),
        (Some(PutCondition::Etag(_)), None) => Err(Refusal::NoSuchKey { key: key.to_owned(), marker: None }),
        (Some(PutCondition::Etag(wanted)), Some(found)) if *wanted == *found.etag => Ok(()),
        (Some(PutCondition::Etag(_)), Some(_)) => Err(Refusal::PreconditionFailed),
    }
}

/// Options of a write that says nothing but its bytes' checksums.
impl From<Checksums> for PutOptions {
    fn from(checksums: Checksums) -> Self {
        PutOptions { checksums, ..PutOptions::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::s3::{buckets::BucketOptions, testing::World};

    fn versioned() -> World {
        let world = World::new(BucketOptions::default());
        world.objects().set_versioning("b", Versioning::Enabled).unwrap();
        world
    }

    #[test]
    fn without_versioning_a_write_replaces_and_a_deletion_is_final() {
        let world = World::new(BucketOptions::default());
        assert_eq!(world.put("k", b"one").version, None);
        world.put("k", b"two");
        assert_eq!(world.read("k", None), b"two");
        assert_eq!(world.objects().delete("b", "k", None, false), Ok(Deleted::default()));
        let missing = Refusal::NoSuchKey { key: "k".into(), marker: None };
        assert_eq!(world.objects().head("b", "k", None).unwrap_err(), missing);
        assert_eq!(world.objects().delete("b", "k", None, false), Ok(Deleted::default()), "no error the second time");
        world.objects().delete_bucket("b").unwrap();
    }

    #[test]
    fn a_delete_marker_hides_an_object_until_it_is_removed_itself() {
        let world = versioned();
        let first = world.put("k", b"one").version.unwrap();
        let second = world.put("k", b"two").version.unwrap();
        let marker = world.objects().delete("b", "k", None, false).unwrap();
        assert!(marker.delete_marker);
        let marker = marker.version.unwrap();
        let hidden = Refusal::NoSuchKey { key: "k".into(), marker: Some(marker.clone()) };
        assert_eq!(world.objects().head("b", "k", None).unwrap_err(), hidden);
        let marked = world.objects().head("b", "k", Some(&marker)).unwrap_err();
        assert_eq!(marked, Refusal::IsDeleteMarker("k".into()));
        assert_eq!(world.read("k", Some(&first)), b"one");
        assert_eq!(world.objects().delete_bucket("b"), Err(Refusal::BucketNotEmpty("b".into())));

        world.objects().delete("b", "k", Some(&marker), false).unwrap();
        assert_eq!(world.read("k", None), b"two");
        world.objects().delete("b", "k", Some(&second), false).unwrap();
        assert_eq!(world.read("k", None), b"one");
        world.objects().delete("b", "k", Some(&first), false).unwrap();
        world.objects().delete_bucket("b").unwrap();
    }

    #[test]
    fn suspended_versioning_writes_over_the_null_version_alone() {
        let world = World::new(BucketOptions::default());
        world.put("k", b"before");
        world.objects().set_versioning("b", Versioning::Enabled).unwrap();
        let kept = world.put("k", b"kept").version.unwrap();
        world.objects().set_versioning("b", Versioning::Suspended).unwrap();
        assert_eq!(world.put("k", b"after").version.as_deref(), Some(NULL_VERSION));
        assert_eq!(world.read("k", Some(NULL_VERSION)), b"after");
        assert_eq!(world.read("k", Some(&kept)), b"kept");
        let marker = world.objects().delete("b", "k", None, false).unwrap();
        assert_eq!(marker.version.as_deref(), Some(NULL_VERSION));
        assert_eq!(world.read("k", Some(&kept)), b"kept");
    }

    #[test]
    fn the_same_requests_give_the_same_version_ids_and_dates() {
        let history = || {
            let world = versioned();
            let first = world.put("k", b"one");
            world.clock.set("2026-11-05T03:00:00.789Z".parse().unwrap());
            (first, world.put("k", b"two"))
        };
        let (first, second) = history();
        assert_eq!(history(), (first.clone(), second.clone()));
        assert_ne!(first.version, second.version);
        assert_eq!(second.modified.to_string(), "2026-11-05T03:00:00Z");
    }

    #[test]
    fn a_write_under_a_condition_happens_only_where_it_holds() {
        let world = World::new(BucketOptions::default());
        let put = |condition| {
            let body = world.objects().body(b"new").unwrap();
            world.objects().put("b", "k", body, PutOptions { condition: Some(condition), ..Default::default() })
        };
        assert!(matches!(put(PutCondition::Etag("x".into())), Err(Refusal::NoSuchKey { .. })));
        let written = put(PutCondition::Absent).unwrap();
        assert_eq!(put(PutCondition::Absent), Err(Refusal::PreconditionFailed));
        assert_eq!(put(PutCondition::Etag("x".into())), Err(Refusal::PreconditionFailed));
        assert!(put(PutCondition::Etag(written.etag.to_string())).is_ok());
    }

    #[test]
    fn a_copy_carries_bytes_and_headers_and_gets_a_plain_etag() {
        let world = World::new(BucketOptions::default());
        let attributes = Attributes { content_type: Some("text/plain".into()), ..Default::default() };
        let body = world.objects().body(b"hello").unwrap();
        world.objects().put("b", "k", body, PutOptions { attributes, ..Default::default() }).unwrap();
        let source = world.objects().get("b", "k", None).unwrap();
        let copy = world.objects().copy(&source, "b", "copy", CopyOptions::default()).unwrap();
        assert_eq!(copy.attributes, source.meta.attributes);
        assert_eq!(&*copy.etag, "5d41402abc4b2a76b9719d911017c592");
        assert_eq!(world.read("copy", None), b"hello");
    }
}
