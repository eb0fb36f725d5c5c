//! The outside world on loopback: what a pipeline talks to and what faults strike. A fault changes the state of this
//! world; how the pipeline reaches it, over HTTP or in process, makes no difference to the fault.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use hosting::Hosting;
use s3::Region;

use operator::Operator;
use restorer::Restorer;
use targets::Targets;

use crate::{
    model::{naming::Layout, plan::ServiceKind},
    sim::{
        clock::{Clock, Deviation},
        messenger::Messenger,
    },
};

pub mod addresses;
pub mod convex;
pub mod gate;
pub mod hosting;
pub mod link;
pub mod operator;
pub mod restorer;
pub mod s3;
pub mod status;
mod storage;
pub mod targets;

/// The emulated world of one drill.
pub struct World {
    /// Backup sites in the plan's order.
    pub sites: Vec<Site>,
    /// The services' backups, by service.
    pub backups: BTreeMap<String, Backups>,
    /// Buckets that hold a service's source, by service.
    pub sources: BTreeMap<String, Site>,
    /// What the people who run the platform hold outside of it.
    pub operator: Arc<Operator>,
    /// The hosting of the web applications, by service.
    pub hosting: BTreeMap<String, Arc<Hosting>>,
    /// What services are restored to, by service; a web application has none of this sort.
    pub targets: BTreeMap<String, Arc<Targets>>,
    /// What databases are exported from, by service: the deployment that is in use before the disaster.
    pub exported: BTreeMap<String, Arc<Targets>>,
    /// The process that restores.
    pub restorer: Restorer,
    /// What carries alarms to people.
    pub messenger: Arc<Messenger>,
    /// Scenario time.
    pub clock: Clock,
}

/// A service's backups: what starts them, and how they are named.
#[derive(Debug)]
pub struct Backups {
    /// What sort of thing the service is.
    pub kind: ServiceKind,
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
    /// A world with nothing in it.
    pub fn empty(clock: &Clock) -> Self {
        World {
            sites: Vec::new(),
            backups: BTreeMap::new(),
            sources: BTreeMap::new(),
            operator: Arc::default(),
            hosting: BTreeMap::new(),
            targets: BTreeMap::new(),
            exported: BTreeMap::new(),
            restorer: Restorer::default(),
            messenger: Arc::default(),
            clock: clock.clone(),
        }
    }

    /// The sites of those names, in the plan's order; all where none is named.
    pub fn sites_named<'w>(&'w self, names: &'w [String]) -> impl Iterator<Item = &'w Site> {
        self.sites.iter().filter(move |site| names.is_empty() || names.iter().any(|name| name == site.region.name()))
    }

    /// The backups of the service of that name; of every service where none is named.
    pub fn backups_of<'w>(&'w self, service: Option<&'w str>) -> impl Iterator<Item = &'w Backups> {
        self.backups.iter().filter(move |(name, _)| service.is_none_or(|wanted| wanted == *name)).map(|(_, of)| of)
    }

    /// The targets of the service of that name; of every service that has any where none is named.
    pub fn targets_of<'w>(&'w self, service: Option<&'w str>) -> impl Iterator<Item = &'w Arc<Targets>> {
        self.targets.iter().filter(move |(name, _)| service.is_none_or(|wanted| wanted == *name)).map(|(_, of)| of)
    }

    /// The hosting of the service of that name; of every web application where none is named.
    pub fn hosting_of<'w>(&'w self, service: Option<&'w str>) -> impl Iterator<Item = &'w Arc<Hosting>> {
        self.hosting.iter().filter(move |(name, _)| service.is_none_or(|wanted| wanted == *name)).map(|(_, of)| of)
    }
}

/// The scheduler that starts backups: cron, a workflow; and the agent that copies the change stream between them. Either
/// can stop, as they do.
#[derive(Debug, Default)]
pub struct Schedule {
    stopped: AtomicBool,
    missed: AtomicU32,
    stream_stopped: AtomicBool,
    pieces_missed: AtomicU32,
    /// How far off the clock is that the backup job reads.
    pub clock: Arc<Deviation>,
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

    /// Whether the next piece of the change stream is copied; counts it as missed where not.
    pub fn streams(&self) -> bool {
        let stopped = self.stream_stopped.load(Ordering::SeqCst);
        if stopped {
            self.pieces_missed.fetch_add(1, Ordering::SeqCst);
        }
        !stopped
    }

    /// Stops the change stream, or lets it go on.
    pub fn stop_stream(&self, stopped: bool) {
        self.stream_stopped.store(stopped, Ordering::SeqCst);
    }

    /// Pieces that were not copied so far.
    pub fn pieces_missed(&self) -> u32 {
        self.pieces_missed.load(Ordering::SeqCst)
    }
}
