//! The outside world on loopback: what a pipeline talks to and what faults strike. A fault changes the state of this
//! world; how the pipeline reaches it, over HTTP or in process, makes no difference to the fault.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use s3::Region;

use crate::{model::naming::Layout, sim::clock::Clock};

pub mod convex;
pub mod s3;

/// The emulated world of one drill.
pub struct World {
    /// Backup sites in the plan's order.
    pub sites: Vec<Site>,
    /// The services' backups, by service.
    pub backups: BTreeMap<String, Backups>,
    /// Scenario time.
    pub clock: Clock,
}

/// A service's backups: what starts them, and how they are named.
#[derive(Debug)]
pub struct Backups {
    /// What starts them.
    pub schedule: Schedule,
    /// How recovery points are named.
    pub layout: Layout,
}

/// A region and the plan's bucket in it.
#[derive(Clone)]
pub struct Site {
    /// The region.
    pub region: Arc<Region>,
    /// The bucket.
    pub bucket: String,
}

impl World {
    /// The sites of those names, in the plan's order; all where none is named.
    pub fn sites_named<'w>(&'w self, names: &'w [String]) -> impl Iterator<Item = &'w Site> {
        self.sites.iter().filter(move |site| names.is_empty() || names.iter().any(|name| name == site.region.name()))
    }

    /// The backups of the service of that name; of every service where none is named.
    pub fn backups_of<'w>(&'w self, service: Option<&'w str>) -> impl Iterator<Item = &'w Backups> {
        self.backups.iter().filter(move |(name, _)| service.is_none_or(|wanted| wanted == *name)).map(|(_, of)| of)
    }
}

/// The scheduler that starts backups: cron, a workflow. It can stop, as they do.
#[derive(Debug, Default)]
pub struct Schedule {
    stopped: AtomicBool,
    missed: AtomicU32,
}

impl Schedule {
    /// Whether the next backup starts; counts it as missed where not.
    pub fn starts(&self) -> bool {
        let stopped = self.stopped.load(Ordering::SeqCst);
        if stopped {
            self.missed.fetch_add(1, Ordering::SeqCst);
        }
        !stopped
    }

    /// Stops it, or lets it go on.
    pub fn stop(&self, stopped: bool) {
        self.stopped.store(stopped, Ordering::SeqCst);
    }

    /// Backups that did not start so far.
    pub fn missed(&self) -> u32 {
        self.missed.load(Ordering::SeqCst)
    }
}
