//! Wires one drill together: the only place that knows which implementation stands behind which contract, and the only
//! one that asks whether time is real.

use std::{path::Path, sync::Arc, time::Duration};

use crate::{
    emulator::{
        Schedule, Site, World,
        s3::{
            Region,
            buckets::{BucketOptions, Versioning},
            gateway::{Credentials, Gateway},
        },
    },
    engine::{Stage, timetable::Timetable},
    error::{Error, Result},
    fault,
    model::{
        naming::Layout,
        plan::{Plan, ServicePlan},
        record::Way,
        scenario::Scenario,
        units::ByteSize,
    },
    monitor::Monitor,
    pipeline::{Workbench, reference::Reference},
    service::{contract::Service, database::Database},
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
    let service_plan = service_plan(plan, scenario)?;
    let start = Timetable::new(scenario, service_plan, plan.monitor.check_every).start();
    let clock = Clock::new(way, start).modelled(scale(scenario, way));
    let lanes = Lanes::new(&clock);
    let recorder = Recorder::new(&clock, listener);
    let layout = Layout::new(&service_plan.backup, scenario.history.format);
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
    let service = database(scenario, seed, &clock, &lanes, scratch).await?;
    let bench = Workbench {
        stores: stores.clone(),
        clock: clock.clone(),
        lanes: lanes.clone(),
        recorder: recorder.clone(),
        scratch: folder(scratch, "pipeline")?,
    };
    Ok(Stage {
        world: Arc::new(World { sites, schedule: Schedule::default(), layout: layout.clone(), clock: clock.clone() }),
        pipeline: Arc::new(Reference::new(bench, &scenario.service, layout.clone(), plan.retention)),
        monitor: Monitor::new(stores.clone(), layout, plan.monitor.clone(), clock.scale()),
        faults,
        service,
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

fn service_plan<'p>(plan: &'p Plan, scenario: &Scenario) -> Result<&'p ServicePlan> {
    let missing = || Error::new(format!("the plan has no service `{}`", scenario.service));
    plan.services.get(&scenario.service).ok_or_else(missing)
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

async fn database(
    scenario: &Scenario,
    seed: Seed,
    clock: &Clock,
    lanes: &Lanes,
    scratch: &Path,
) -> Result<Arc<dyn Service>> {
    let dir = folder(scratch, "database")?;
    let size = ByteSize(scenario.history.size.0 / clock.scale());
    let seeded = Database::seed(size, seed.child("database"), clock.now(), &dir, lanes);
    Ok(Arc::new(seeded.map_err(|e| Error::new(e.to_string()))?))
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
    let rto = plan.services.get(&scenario.service).map_or(Duration::ZERO, |service| service.rto.duration());
    match way {
        Way::Real => Duration::from_secs(120 + scenario.history.size.0 / (4 << 20)),
        Way::Simulated => (rto * 2).max(Duration::from_secs(120)),
    }
}
