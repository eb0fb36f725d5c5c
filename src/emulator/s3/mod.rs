//! Emulated S3 regions: a versioned object model, its S3 face, and the gateway with its faulty links.

use std::{io, path::Path, sync::Arc};

use crate::{emulator::link::Link, sim::clock::Clock};

pub mod archive;
pub mod body;
pub mod buckets;
pub mod checksum;
pub mod compromise;
pub mod control;
mod cut;
pub mod face;
pub mod foreign;
pub mod gateway;
pub mod listing;
pub mod lock;
pub mod multipart;
pub mod objects;
mod reception;
pub mod refusal;
pub mod rights;
pub mod version;

use foreign::Foreign;
use objects::Objects;

/// One emulated S3 site.
#[derive(Debug)]
pub struct Region {
    name: String,
    objects: Objects,
    link: Arc<Link>,
    foreign: Option<Foreign>,
}

impl Region {
    /// A region without buckets, its link up. Large bodies go to a folder of the region's name in `scratch`, which is
    /// removed with the region and the last of its bodies.
    pub fn new(name: &str, clock: &Clock, scratch: &Path) -> io::Result<Arc<Self>> {
        Region::with(name, clock, scratch, None)
    }

    /// As [`Region::new`], its bucket in a foreign storage. What the region's objects say of it is what was read last.
    pub fn over(foreign: Foreign, name: &str, clock: &Clock, scratch: &Path) -> io::Result<Arc<Self>> {
        Region::with(name, clock, scratch, Some(foreign))
    }

    fn with(name: &str, clock: &Clock, scratch: &Path, foreign: Option<Foreign>) -> io::Result<Arc<Self>> {
        let objects = Objects::new(clock, &scratch.join(name))?;
        Ok(Arc::new(Region { name: name.to_owned(), objects, link: Arc::new(Link::new(clock)), foreign }))
    }

    /// Its name, such as `eu-west-1`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it holds. Reached this way, the link is not asked.
    pub fn objects(&self) -> &Objects {
        &self.objects
    }

    /// The foreign storage that its bucket lies in; `None` where it is emulated here.
    pub fn foreign(&self) -> Option<&Foreign> {
        self.foreign.as_ref()
    }

    /// Reads what a foreign storage holds, so that the region's objects say it; nothing where they are the region's own.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub async fn refresh(&self) -> Result<(), String> {
        match &self.foreign {
            Some(foreign) => foreign.read(self).await,
            None => Ok(()),
        }
    }

    /// The way to it.
    pub fn link(&self) -> &Arc<Link> {
        &self.link
    }
}

#[cfg(test)]
mod testing {
    //! A region to test on.

    use std::sync::Arc;

    use super::{Region, buckets::BucketOptions, objects::Objects, version::ObjectMeta};
    use crate::{model::record::Way, sim::clock::Clock};

    /// A region with an empty bucket `b`, at a time that only the test changes.
    pub(super) struct World {
        pub(super) region: Arc<Region>,
        pub(super) clock: Clock,
        _scratch: tempfile::TempDir,
    }

    impl World {
        pub(super) fn new(options: BucketOptions) -> Self {
            let clock = Clock::new(Way::Simulated, "2026-11-04T03:00:00Z".parse().unwrap());
            let scratch = tempfile::tempdir().unwrap();
            let region = Region::new("eu-west-1", &clock, scratch.path()).unwrap();
            region.objects().create_bucket("b", options).unwrap();
            World { region, clock, _scratch: scratch }
        }

        pub(super) fn objects(&self) -> &Objects {
            self.region.objects()
        }

        pub(super) fn put(&self, key: &str, bytes: &[u8]) -> ObjectMeta {
            let body = self.objects().body(bytes).unwrap();
            self.objects().put("b", key, body, Default::default()).unwrap()
        }

        pub(super) fn read(&self, key: &str, version: Option<&str>) -> Vec<u8> {
            self.objects().get("b", key, version).unwrap().body.read_all().unwrap().to_vec()
        }
    }
}
