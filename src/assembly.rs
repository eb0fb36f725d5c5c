//! Wires one drill together: the only place that knows which implementation stands behind which contract, and the only
//! one that asks whether time is real.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use crate::{
    emulator::{
        Backups, Schedule, Site, World,
        s3::{
            Region,
            buckets::{BucketOptions, Versioning},
            gateway::{Credentials, Gateway},
        },
    },
    engine::{Protected, Stage, timetable::Timetable},
    error::{Error, Result},
    fault,
    model::{
        naming::Layout,
        plan::{Plan, ServiceKind, ServicePlan},
        record::Way,
        scenario::Scenario,
        units::ByteSize,
    },
    monitor::Monitor,
    pipeline::{Workbench, reference::Reference},
    service::database::Database,
    sim::{
        clock::Clock,
        lanes::Lanes,
        recorder::{Listener, Recorder},
        seed::Seed,
    },
    store::{Patience, SharedStore, direct::DirectStore, s3::S3Store, witness::Witness},
};

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
    let start = Timetable::new(scenario, &[], plan.monitor.check_every).start();
    let clock = Clock::new(way, start).modelled(scale(scenario, way));
    let lanes = Lanes::new(&clock);
    let recorder = Recorder::new(&clock, listener);
    let faults = scenario.faults.iter().map(fault::prepare).collect::<std::result::Result<Vec<_>, _>>();
    let faults =
        faults.map_err(|why| Error::new(why).help("`backdraft list faults` shows faults, modes and parameters"))?;

    let sites = sites(plan, &clock, scratch)?;
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
        services.push(house.protect(&name, service_plan, &layout, recorder.of_service(&name))?);
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

impl House<'_> {
    fn protect(&self, name: &str, plan: &ServicePlan, layout: &Layout, recorder: Recorder) -> Result<Protected> {
        let bench = Workbench {
            stores: self.stores.to_vec(),
            clock: self.clock.clone(),
            lanes: self.lanes.clone(),
            recorder: recorder.clone(),
            scratch: folder(self.scratch, &format!("{name}-pipeline"))?,
        };
        let monitor = Monitor::new(self.stores.to_vec(), layout.clone(), self.plan.monitor.clone(), self.clock.scale());
        let retention = self.plan.retention;
        match plan.kind {
            ServiceKind::Database => {
                let database = self.database(name)?;
                let pipeline = Reference::new(bench, database.clone(), name, layout.clone(), retention);
                Ok(Protected {
                    name: name.to_owned(),
                    kind: plan.kind,
                    service: database,
                    pipeline: Arc::new(pipeline),
                    monitor: Some(monitor),
                    recorder,
                })
            }
            _ => Err(Error::new(format!("service `{name}` is of a kind that cannot be drilled yet"))),
        }
    }

    fn database(&self, name: &str) -> Result<Arc<Database>> {
        let dir = folder(self.scratch, name)?;
        let size = ByteSize(self.scenario.history.size.0 / self.clock.scale());
        let seeded = Database::seed(size, self.seed.child(name), self.clock.now(), &dir, self.lanes);
        Ok(Arc::new(seeded.map_err(|e| Error::new(e.to_string()))?))
    }
}

fn folder(scratch: &Path, name: &str) -> Result<std::path::PathBuf> {
    let dir = scratch.join(name);
    let made = std::fs::create_dir_all(&dir);
    made.map_err(|e| Error::new("a scratch folder cannot be made").at(dir.display().to_string()).because(e))?;
    Ok(dir)
}

fn sites(plan: &Plan, clock: &Clock, scratch: &Path) -> Result<Vec<Site>> {
    let open = |region: &crate::model::plan::RegionPlan| {
        let dir = folder(scratch, &format!("region-{}", region.name))?;
        let made = Region::new(&region.name, clock, &dir).map_err(|e| {
            Error::new(format!("region {} cannot be emulated", region.name)).at(dir.display().to_string()).because(e)
        })?;
        let (objects, bucket) = (made.objects(), &region.bucket);
        let created = objects.create_bucket(bucket, BucketOptions::default());
        let versioned = created.and_then(|()| objects.set_versioning(bucket, Versioning::Enabled));
        versioned.map_err(|e| Error::new(e.to_string()))?;
        Ok(Site { region: made, bucket: region.bucket.clone() })
    };
    plan.regions.iter().map(open).collect()
}

fn open_gateway(sites: &[Site], clock: &Clock) -> Result<Gateway> {
    let regions: Vec<Arc<Region>> = sites.iter().map(|site| Arc::clone(&site.region)).collect();
    Gateway::start(regions, &throw_away_keys(), clock).map_err(|e| {
        Error::new("no port on 127.0.0.1 can be had for the emulated regions")
            .because(e)
            .help("check that this user may listen on loopback, and how many files it may open (ulimit -n)")
    })
}

/// Keys that open nothing but the emulated regions.
fn throw_away_keys() -> Credentials {
    Credentials { access_key: "backdraft".into(), secret_key: "emulated-regions-only".into() }
}

fn http_stores(sites: &[Site], gateway: &Gateway, clock: &Clock) -> Vec<SharedStore> {
    let keys = throw_away_keys();
    let open = |site: &Site| -> Option<SharedStore> {
        let name = site.region.name();
        let url = gateway.region_url(name)?;
        let client = S3Store::new(name, &url, &site.bucket, &keys, clock, Patience::default());
        Some(Arc::new(Witness::new(client, Arc::clone(&site.region))))
    };
    sites.iter().filter_map(open).collect()
}

fn direct_stores(sites: &[Site], clock: &Clock) -> Vec<SharedStore> {
    let open = |site: &Site| -> SharedStore {
        Arc::new(DirectStore::new(Arc::clone(&site.region), &site.bucket, clock, Patience::default()))
    };
    sites.iter().map(open).collect()
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
