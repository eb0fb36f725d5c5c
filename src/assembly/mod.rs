//! Wires one drill together, one file a kind of service: the only place that knows which implementation stands behind
//! which contract, and the only one that asks whether time is real.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

pub mod buckets;
mod commands;
mod config;
#[cfg(feature = "containers")]
pub mod containers;
mod database;
mod doors;
mod files;
mod regions;
pub mod rigging;
pub mod storage;
mod web;

use futures_util::future::BoxFuture;

use crate::{
    emulator::{
        Backups, Schedule, Site, World, operator::Operator, restorer::Restorer, s3::gateway::Key, targets::Targets,
    },
    engine::{Protected, Stage, timetable::Timetable},
    error::{Error, Result},
    fault,
    model::{
        naming::Layout,
        plan::{CommandPlan, Plan, ServiceKind, ServicePlan},
        record::Way,
        scenario::Scenario,
        units::DayTime,
    },
    monitor::{self, Monitor},
    pipeline::{Pipeline, Workbench},
    sim::{
        clock::{Clock, Deviation},
        lanes::Lanes,
        recorder::{Listener, Recorder},
        seed::Seed,
    },
    store::SharedStore,
};
use commands::Addresses;
pub use doors::{Doors, Kept, KeptDatabase, keep};
use files::Home;
use jiff::{SignedDuration, Timestamp};
use regions::{addresses, direct_stores, http_stores, open_gateway, sites};
use rigging::{AsBuilt, Means, Reach, Rigging};
use storage::Storage;
use web::Homes;

/// What a drill is made of.
pub struct Parts<'p> {
    /// The plan.
    pub plan: &'p Plan,
    /// The scenario.
    pub scenario: &'p Scenario,
    /// Root of all randomness.
    pub seed: Seed,
    /// Real or simulated; a simulated drill must be assembled and played on a runtime whose time is paused.
    pub way: Way,
    /// The drill's own scratch folder.
    pub scratch: &'p Path,
    /// Folder of the plan's file: what the plan names lies there.
    pub beside: &'p Path,
    /// Told each event.
    pub listener: Option<Listener>,
    /// Where the regions' objects are to lie; emulated here where `None`. For a real drill only.
    pub storage: Option<&'p Storage>,
}

impl<'p> Parts<'p> {
    /// Of a plan that names nothing beside it, on emulated storage, with nobody told.
    pub fn of(plan: &'p Plan, scenario: &'p Scenario, seed: Seed, way: Way, scratch: &'p Path) -> Self {
        Parts { plan, scenario, seed, way, scratch, beside: Path::new(""), listener: None, storage: None }
    }
}

/// Builds the world of a drill and everything that acts in it.
///
/// # Errors
/// When the scenario names what the plan does not have, or a folder or a port cannot be had.
pub async fn assemble(parts: Parts<'_>) -> Result<Stage> {
    assemble_with(parts, &AsBuilt).await
}

/// As [`assemble`], with other pipelines in it, or other things for them to act through.
///
/// # Errors
/// As [`assemble`].
pub async fn assemble_with(parts: Parts<'_>, rigging: &dyn Rigging) -> Result<Stage> {
    build(parts, rigging, &[regions::pipeline_key()]).await.map(|(stage, _)| stage)
}

/// Builds a world, whose regions are opened by these keys; and says where it is reached.
async fn build(parts: Parts<'_>, rigging: &dyn Rigging, keys: &[Key]) -> Result<(Stage, Doors)> {
    let Parts { plan, scenario, seed, way, scratch, beside, listener, storage } = parts;
    let order = plan.restore_order(scenario.service.names());
    let start = Timetable::new(scenario, &[], scenario.monitor(plan).check_every).start();
    let clock = Clock::new(way, start).modelled(scale(scenario, way));
    let lanes = Lanes::new(&clock);
    let recorder = Recorder::new(&clock, listener);
    let faults = scenario.faults.iter().map(fault::prepare).collect::<std::result::Result<Vec<_>, _>>();
    let faults =
        faults.map_err(|why| Error::new(why).help("`backdraft list faults` shows faults, modes and parameters"))?;

    let sites = match storage {
        Some(storage) => storage::sites(storage, plan, &clock, scratch).await?,
        None => sites(plan, scenario, &clock, scratch)?,
    };
    let home = files::region(plan, scenario, &clock, scratch)?;
    let (stores, close) = match way {
        Way::Simulated => (direct_stores(&sites, &clock), None),
        Way::Real => {
            let gateway = open_gateway(&sites, home.as_ref(), keys, &clock)?;
            (http_stores(&sites, &gateway, &clock), Some(gateway))
        }
    };
    let mut doors =
        close.as_ref().map_or_else(Doors::default, |gateway| Doors::of(gateway, &sites, home.as_ref(), keys));
    let homes = Homes::open(plan, &order, &clock, way).await?;
    let home = home.map(|region| Arc::new(Home::new(region, close.as_ref(), &clock)));
    let (mut backups, mut sources) = (BTreeMap::new(), BTreeMap::new());
    let mut services = Vec::new();
    let operator = Arc::new(Operator::default());
    config::publish_addresses(&operator, seed, 0);
    let targets = targets(plan, &order, &clock);
    let exported = exported(plan, &order, &clock);
    let house = House {
        plan,
        scenario,
        seed,
        clock: &clock,
        lanes: &lanes,
        stores: &stores,
        sites: &sites,
        addresses: close.as_ref().map(|gateway| addresses(gateway, &sites)).unwrap_or_default(),
        beside,
        home,
        homes: &homes,
        operator: &operator,
        targets: &targets,
        exported: &exported,
        scratch,
        rigging,
        closing: Mutex::default(),
        databases: Mutex::default(),
    };
    for name in order {
        let service_plan = service_plan(plan, &name)?;
        let layout = Layout::new(&service_plan.backup, scenario.history.format);
        let layout = if service_plan.pipeline.is_some() { layout.of_others() } else { layout };
        let recorder = recorder.of_service(&name);
        let schedule = Schedule::default();
        let wanted = Wanted {
            name: &name,
            plan: service_plan,
            layout: &layout,
            recorder,
            job_clock: Arc::clone(&schedule.clock),
        };
        services.push(house.protect(wanted).await?);
        if service_plan.kind == ServiceKind::Files {
            sources.extend(house.source_site(&name).map(|site| (name.clone(), site)));
        }
        backups.insert(name, Backups { kind: service_plan.kind, schedule, layout });
    }
    let closing = house.closing.into_inner().unwrap_or_else(PoisonError::into_inner);
    doors.databases = house.databases.into_inner().unwrap_or_else(PoisonError::into_inner);
    doors.hosting = homes.addresses();
    let (hosting, servers) = homes.split();
    let stage = Stage {
        world: Arc::new(World {
            sites,
            backups,
            sources,
            operator,
            hosting,
            targets,
            exported,
            restorer: Restorer::default(),
            messenger: Arc::clone(recorder.messenger()),
            clock: clock.clone(),
        }),
        services,
        faults,
        stores,
        clock,
        lanes,
        recorder,
        keep_in: None,
        close: Box::pin(async move {
            for end in closing {
                end.await;
            }
            if let Some(gateway) = close {
                gateway.shutdown().await;
            }
            Homes::close(servers).await;
        }),
    };
    Ok((stage, doors))
}

/// Where each service that is imported is restored to.
fn targets(plan: &Plan, services: &[String], clock: &Clock) -> BTreeMap<String, Arc<Targets>> {
    let is_imported = |kind: ServiceKind| kind != ServiceKind::WebApplication;
    let imported = services.iter().filter(|name| plan.services.get(*name).is_some_and(|one| is_imported(one.kind)));
    imported.map(|name| (name.clone(), Targets::new(clock))).collect()
}

/// What each database is exported from.
fn exported(plan: &Plan, services: &[String], clock: &Clock) -> BTreeMap<String, Arc<Targets>> {
    let is_database = |name: &&String| plan.services.get(*name).is_some_and(|one| one.kind == ServiceKind::Database);
    services.iter().filter(is_database).map(|name| (name.clone(), Targets::new(clock))).collect()
}

fn service_plan<'p>(plan: &'p Plan, name: &str) -> Result<&'p ServicePlan> {
    plan.services.get(name).ok_or_else(|| Error::new(format!("the plan has no service `{name}`")))
}

/// What services are built from.
struct House<'h> {
    plan: &'h Plan,
    scenario: &'h Scenario,
    seed: Seed,
    clock: &'h Clock,
    lanes: &'h Lanes,
    stores: &'h [SharedStore],
    sites: &'h [Site],
    /// Where the regions are reached; nowhere in a simulated drill.
    addresses: Addresses,
    /// Folder of the plan's file.
    beside: &'h Path,
    /// Where media buckets are, if any.
    home: Option<Arc<Home>>,
    operator: &'h Arc<Operator>,
    targets: &'h BTreeMap<String, Arc<Targets>>,
    exported: &'h BTreeMap<String, Arc<Targets>>,
    scratch: &'h Path,
    rigging: &'h dyn Rigging,
    /// What is to end with the drill.
    closing: Mutex<Vec<BoxFuture<'static, ()>>>,
    /// Databases that are reached over HTTP.
    databases: Mutex<Vec<KeptDatabase>>,
    homes: &'h Homes,
}

/// A service to be built.
struct Wanted<'w> {
    name: &'w str,
    plan: &'w ServicePlan,
    layout: &'w Layout,
    recorder: Recorder,
    /// How far off the clock is that its backup job reads.
    job_clock: Arc<Deviation>,
}

impl House<'_> {
    async fn protect(&self, wanted: Wanted<'_>) -> Result<Protected> {
        if let Some(commands) = &wanted.plan.pipeline {
            return self.commands(wanted, commands).await;
        }
        match wanted.plan.kind {
            ServiceKind::Database => self.database(wanted),
            ServiceKind::Files => self.files(wanted).await,
            ServiceKind::Config => self.config(wanted),
            ServiceKind::WebApplication => self.web(wanted).await,
        }
    }

    /// A moment of the history.
    fn moment(&self, at: DayTime) -> Timestamp {
        let since = SignedDuration::from_millis(i64::try_from(at.millis()).unwrap_or(i64::MAX));
        let start = Timetable::new(self.scenario, &[], self.plan.monitor.check_every).start();
        start.checked_add(since).unwrap_or(Timestamp::MAX)
    }

    /// What that service is restored to.
    fn targets(&self, name: &str) -> Result<&Arc<Targets>> {
        self.targets.get(name).ok_or_else(|| Error::new(format!("service `{name}` is restored to nothing")))
    }

    /// What that database is exported from.
    fn exported(&self, name: &str) -> Result<&Arc<Targets>> {
        self.exported.get(name).ok_or_else(|| Error::new(format!("service `{name}` is exported from nothing")))
    }

    /// Something that is to end with the drill.
    fn at_close(&self, end: impl Future<Output = ()> + Send + 'static) {
        self.closing.lock().unwrap_or_else(PoisonError::into_inner).push(Box::pin(end));
    }

    /// What a pipeline of that service works with.
    fn bench(&self, wanted: &Wanted<'_>) -> Result<Workbench> {
        let bench = Workbench {
            stores: self.stores.to_vec(),
            clock: self.clock.clone().read_on(&wanted.job_clock),
            lanes: self.lanes.clone(),
            recorder: wanted.recorder.clone(),
            scratch: folder(self.scratch, &format!("{}-pipeline", wanted.name))?,
        };
        Ok(self.rigging.bench(wanted.name, bench))
    }

    /// The pipeline that the drill plays: the house's own, unless it is rigged otherwise.
    fn rigged(
        &self,
        wanted: &Wanted<'_>,
        bench: Workbench,
        reach: Reach,
        own: impl Pipeline + 'static,
    ) -> Arc<dyn Pipeline> {
        let means = Means {
            service: wanted.name.to_owned(),
            kind: wanted.plan.kind,
            layout: wanted.layout.clone(),
            retention: self.plan.retention,
            bench,
            reach,
        };
        self.rigging.pipeline(means, Arc::new(own))
    }

    /// The drill's monitor over the backups of that service.
    fn monitor(&self, wanted: &Wanted<'_>) -> Monitor {
        let (stores, limits) = (self.stores.to_vec(), self.scenario.monitor(self.plan).clone());
        let means = monitor::Means { lanes: self.lanes.clone(), scratch: self.scratch.to_owned() };
        let scale = if wanted.plan.kind == ServiceKind::Config { 1 } else { self.clock.scale() };
        let is_database = wanted.plan.kind == ServiceKind::Database;
        let stream = self.scenario.history.stream.or(wanted.plan.backup.stream).filter(|_| is_database);
        Monitor::new(stores, wanted.layout.clone(), limits, scale, means).with_stream(stream)
    }
}

fn folder(scratch: &Path, name: &str) -> Result<PathBuf> {
    let dir = scratch.join(name);
    let made = std::fs::create_dir_all(&dir);
    made.map_err(|e| Error::new("a scratch folder cannot be made").at(dir.display().to_string()).because(e))?;
    Ok(dir)
}

/// Data that a simulated drill really handles, in bytes; a larger size is modelled.
const SIMULATED_BYTES: u64 = 64 << 10;

/// How many bytes one byte stands for.
fn scale(scenario: &Scenario, way: Way) -> u64 {
    match way {
        Way::Real => 1,
        Way::Simulated => (scenario.history.size.0 / SIMULATED_BYTES).max(1),
    }
}

/// Bytes of disk that a drill may need, generously: targets (staged rows, the archive, its upload, what was imported) and
/// every region's share of the dumps that are kept. A full disk is the harness' failure, and must never be judged as the pipeline's.
pub fn scratch_bytes(plan: &Plan, scenario: &Scenario, way: Way) -> u64 {
    let size = scenario.history.size.0 / scale(scenario, way).max(1);
    let kept = u64::from(scenario.history.days).min(plan.retention.millis() / 86_400_000 + 2);
    let dumps = (size / 2).saturating_mul(kept).saturating_mul(plan.regions.len() as u64);
    // Files do not shrink: the source, each region's copy, a target, and what the edits of the history add.
    let is_files = |name: &String| plan.services.get(name).is_some_and(|one| one.kind == ServiceKind::Files);
    let copies = if scenario.service.names().iter().any(is_files) { plan.regions.len() as u64 + 3 } else { 0 };
    dumps.saturating_add(size.saturating_mul(4 + copies)).saturating_add(16 << 20)
}

/// How long the commands of a restore may take, which have limits of their own.
fn by_commands(plan: &Plan, scenario: &Scenario) -> Duration {
    let pipelines = scenario.service.names().iter().filter_map(|name| plan.services.get(name)?.pipeline.as_ref());
    let of_all = |pipeline: &CommandPlan| {
        let commands =
            [Some(&pipeline.restore), pipeline.list.as_ref(), pipeline.provision.as_ref(), pipeline.query.as_ref()];
        let limits = commands.into_iter().flatten();
        limits.map(|command| command.time_limit.unwrap_or(pipeline.time_limit).duration()).sum::<Duration>()
    };
    pipelines.map(of_all).sum()
}

/// How long a restore may take before it counts as hung, by the drill's own clock: in a real drill two minutes and what
/// the data takes at 4 MiB/s, far below what any pipeline here needs; in a simulated one twice the RTO.
pub fn time_limit(plan: &Plan, scenario: &Scenario, way: Way) -> Duration {
    let rto = |name: &String| plan.services.get(name).map(|service| service.rto.duration());
    let rto = scenario.service.names().iter().filter_map(rto).max().unwrap_or_default();
    match way {
        Way::Real => Duration::from_secs(120 + scenario.history.size.0 / (4 << 20)) + by_commands(plan, scenario),
        Way::Simulated => (rto * 2).max(Duration::from_secs(120)),
    }
}
