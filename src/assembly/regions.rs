//! The backup regions of a drill, and the stores that reach them.

use std::{path::Path, sync::Arc};

use super::{commands::Addresses, folder};
use crate::{
    emulator::{
        Site,
        s3::{
            Region,
            buckets::BucketOptions,
            gateway::{Credentials, Gateway, Key},
            lock::LockMode,
            rights::Principal,
        },
    },
    error::{Error, Result},
    model::{
        plan::{LockKind, LockPlan, Plan, RegionPlan},
        scenario::Scenario,
    },
    sim::clock::Clock,
    store::{Patience, SharedStore, direct::DirectStore, s3::S3Store, witness::Witness},
};

pub(super) fn sites(plan: &Plan, scenario: &Scenario, clock: &Clock, scratch: &Path) -> Result<Vec<Site>> {
    let open = |region: &RegionPlan| {
        let dir = folder(scratch, &format!("region-{}", region.name))?;
        let made = Region::new(&region.name, clock, &dir).map_err(|e| {
            Error::new(format!("region {} cannot be emulated", region.name)).at(dir.display().to_string()).because(e)
        })?;
        let (objects, bucket) = (made.objects(), &region.bucket);
        let options = options(scenario.history.lock.or(region.lock));
        objects.create_bucket(bucket, options).map_err(|e| Error::new(e.to_string()))?;
        Ok(Site { region: made, bucket: region.bucket.clone() })
    };
    plan.regions.iter().map(open).collect()
}

fn options(lock: Option<LockPlan>) -> BucketOptions {
    let Some(LockPlan { mode, keep }) = lock else { return BucketOptions::versioned() };
    let mode = match mode {
        LockKind::Governance => LockMode::Governance,
        LockKind::Compliance => LockMode::Compliance,
    };
    BucketOptions::retaining(mode, u32::try_from(keep.millis() / 86_400_000).unwrap_or(u32::MAX))
}

pub(super) fn open_gateway(sites: &[Site], home: Option<&Arc<Region>>, keys: &[Key], clock: &Clock) -> Result<Gateway> {
    let regions: Vec<Arc<Region>> = sites.iter().map(|site| &site.region).chain(home).map(Arc::clone).collect();
    Gateway::start_with_keys(regions, keys, clock).map_err(|e| {
        Error::new("no port on 127.0.0.1 can be had for the emulated regions")
            .because(e)
            .help("check that this user may listen on loopback, and how many files it may open (ulimit -n)")
    })
}

/// Where the regions are reached.
pub(super) fn addresses(gateway: &Gateway, sites: &[Site]) -> Addresses {
    let own = |site: &Site| {
        let name = site.region.name();
        Some((name.to_owned(), gateway.region_url(name)?))
    };
    Addresses { shared: gateway.url(), own: sites.iter().filter_map(own).collect() }
}

/// Whose rights a pipeline has: enough to back up, restore and prune, and not to lift a lock.
pub(super) const PIPELINE: Principal = Principal::Writer;

/// The pipelines' key, with their rights.
pub(super) fn pipeline_key() -> Key {
    Key { principal: PIPELINE, credentials: throw_away_keys() }
}

/// Keys that open nothing but the emulated regions.
pub(super) fn throw_away_keys() -> Credentials {
    Credentials { access_key: "backdraft".into(), secret_key: "emulated-regions-only".into() }
}

pub(super) fn http_stores(sites: &[Site], gateway: &Gateway, clock: &Clock) -> Vec<SharedStore> {
    let keys = throw_away_keys();
    let open = |site: &Site| -> Option<SharedStore> {
        let port = gateway.region_port(site.region.name())?;
        let client = S3Store::of_region(&site.region, port, &site.bucket, &keys, clock, Patience::default());
        Some(Arc::new(Witness::new(client, Arc::clone(&site.region))))
    };
    sites.iter().filter_map(open).collect()
}

pub(super) fn direct_stores(sites: &[Site], clock: &Clock) -> Vec<SharedStore> {
    let open = |site: &Site| -> SharedStore {
        let region = Arc::clone(&site.region);
        Arc::new(DirectStore::acting_as(PIPELINE, region, &site.bucket, clock, Patience::default()))
    };
    sites.iter().map(open).collect()
}
