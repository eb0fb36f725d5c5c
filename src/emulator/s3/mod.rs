//! Emulated S3 regions: a versioned object model, its S3 face, and the gateway with its faulty links.

use std::{io, path::Path, sync::Arc};

use crate::sim::clock::Clock;

pub mod body;
pub mod buckets;
pub mod checksum;
pub mod control;
pub mod face;
pub mod gateway;
pub mod link;
mod listener;
pub mod listing;
pub mod lock;
pub mod multipart;
pub mod objects;
mod reception;
pub mod refusal;
pub mod version;

use link::Link;
use objects::Objects;

/// One emulated S3 site.
#[derive(Debug)]
pub struct Region {
    name: String,
    objects: Objects,
    link: Link,
}

impl Region {
    /// A region without buckets, its link up. Large bodies go to a folder of the region's name in `scratch`, which is
    /// removed with the region and the last of its bodies.
    pub fn new(name: &str, clock: &Clock, scratch: &Path) -> io::Result<Arc<Self>> {
        let objects = Objects::new(clock, &scratch.join(name))?;
        Ok(Arc::new(Region { name: name.to_owned(), objects, link: Link::new(clock) }))
    }

    /// Its name, such as `eu-west-1`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it holds. Reached this way, the link is not asked.
    pub fn objects(&self) -> &Objects {
        &self.objects
    }

    /// The way to it.
    pub fn link(&self) -> &Link {
        &self.link
    }
}
