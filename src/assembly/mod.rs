//! Wires one drill together, one file a kind of service: the only place that knows which implementation stands behind
//! which contract, and the only one that asks whether time is real.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

pub mod buckets;
mod database;
mod regions;

use crate::{
    emulator::{Backups, Schedule, World},
    engine::{Protected, Stage, timetable::Timetable},
    error::{Error, Result},
    fault,
    model::{
        naming::Layout,
        plan::{Plan, ServiceKind, ServicePlan},
        record::Way,
        scenario::Scenario,
    },
    monitor::{Means, Monitor},
    pipeline::Workbench,
    sim::{
        clock::Clock,
        lanes::Lanes,
        recorder::{Listener, Recorder},
        seed::Seed,
    },
    store::SharedStore,
};
use regions::{direct_stores, http_stores, open_gateway, sites};

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
    /// Told each event.
    pub listener: Option<Listener>,
}

/// Builds the world of a drill and everything that acts in it.
///
/// # Errors
/// When the scenario names what the plan does not have, or a folder or a port cannot be had.
pub async fn assemble(parts: Parts<'_>) -> Result<Stage> {
    let Parts { plan, scenario, seed, way, scratch, listener } = parts;
    let order = plan.restore_order(scenario.service.names());
    let start = Timetable::new(scenario, &[], scenario.monitor(plan).check_every).start();
    let clock = Clock::new(way, start).modelled(scale(scenario, way));
    let lanes = Lanes::new(&clock);
    let recorder = Recorder::new(&clock, listener);
    let faults = scenario.faults.iter().map(fault::prepare).collect::<std::result::Result<Vec<_>, _>>();
    let faults =
        faults.map_err(|why| Error::new(why).help("`backdraft list faults` shows faults, modes and parameters"))?;

    let sites = sites(plan, scenario, &clock, scratch)?;
    let (stores, close) = match way {
        Way::Simulated => (direct_stores(&sites, &clock), None),
        Way::Real => {
            let gateway = open_gateway(&sites, &clock)?;
            (http_stores(&sites, &gateway, &clock), Some(gateway))
        }
    };
    let mut backups = BTreeMap::new();
    let mut services = Vec::new();
    let house = House { plan, scenario, seed, clock: &clock, lanes: &lanes, stores: &stores, scratch };
    for name in order {
        let service_plan = service_plan(plan, &name)?;
        let layout = Layout::new(&service_plan.backup, scenario.history.format);
        let recorder = recorder.of_service(&name);
        services.push(house.protect(Wanted { name: &name, plan: service_plan, layout: &layout, recorder })?);
        backups.insert(name, Backups { schedule: Schedule::default(), layout });
    }
    Ok(Stage {
        world: Arc::new(World { sites, backups, clock: clock.clone() }),
        services,
        faults,
        stores,
        clock,
        lanes,
        recorder,
        close: Box::pin(async move {
            if let Some(gateway) = close {
                gateway.shutdown().await;
            }
        }),
    })
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
    scratch: &'h Path,
}

/// A service to be built.
struct Wanted<'w> {
    name: &'w str,
    plan: &'w ServicePlan,
    layout: &'w Layout,
    recorder: Recorder,
}

impl House<'_> {
    fn protect(&self, wanted: Wanted<'_>) -> Result<Protected> {
        match wanted.plan.kind {
            ServiceKind::Database => self.database(wanted),
            _ => Err(Error::new(format!("service `{}` is of a kind that cannot be drilled yet", wanted.name))),
        }
    }

    /// What a pipeline of that service works with.
    fn bench(&self, wanted: &Wanted<'_>) -> Result<Workbench> {
        Ok(Workbench {
            stores: self.stores.to_vec(),
            clock: self.clock.clone(),
            lanes: self.lanes.clone(),
            recorder: wanted.recorder.clone(),
            scratch: folder(self.scratch, &format!("{}-pipeline", wanted.name))?,
        })
    }

    /// The drill's monitor over the backups of that service.
    fn monitor(&self, wanted: &Wanted<'_>) -> Monitor {
        let (stores, limits) = (self.stores.to_vec(), self.scenario.monitor(self.plan).clone());
        let means = Means { lanes: self.lanes.clone(), scratch: self.scratch.to_owned() };
        Monitor::new(stores, wanted.layout.clone(), limits, self.clock.scale(), means)
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
        Way::Simulated => scenario.history.size.0 / SIMULATED_BYTES,
    }
}

/// Bytes of disk that a drill may need, generously: targets, and every region's share of the dumps that are kept. A full
/// disk is the harness' failure, and must never be judged as the pipeline's.
pub fn scratch_bytes(plan: &Plan, scenario: &Scenario, way: Way) -> u64 {
    let size = scenario.history.size.0 / scale(scenario, way).max(1);
    let kept = u64::from(scenario.history.days).min(plan.retention.millis() / 86_400_000 + 2);
    let dumps = (size / 2).saturating_mul(kept).saturating_mul(plan.regions.len() as u64);
    dumps.saturating_add(size.saturating_mul(2)).saturating_add(16 << 20)
}

/// How long a restore may take before it counts as hung, by the drill's own clock: in a real drill two minutes and what
/// the data takes at 4 MiB/s, far below what any pipeline here needs; in a simulated one twice the RTO.
pub fn time_limit(plan: &Plan, scenario: &Scenario, way: Way) -> Duration {
    let rto = |name: &String| plan.services.get(name).map(|service| service.rto.duration());
    let rto = scenario.service.names().iter().filter_map(rto).max().unwrap_or_default();
    match way {
        Way::Real => Duration::from_secs(120 + scenario.history.size.0 / (4 << 20)),
        Way::Simulated => (rto * 2).max(Duration::from_secs(120)),
    }
}
