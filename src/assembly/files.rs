//! A media bucket with the reference pipeline for files, or with copies made by rule. Its buckets lie in a region of
//! their own, the provider's: no fault on a backup region touches what the application writes to.

use std::sync::Arc;

use super::{
    House, Wanted, folder,
    regions::{PIPELINE, throw_away_keys},
    rigging::Reach,
};
use crate::{
    emulator::{
        Site,
        s3::{Region, buckets::BucketOptions, gateway::Gateway},
    },
    engine::Protected,
    error::{Error, Result},
    model::{
        plan::{Plan, ServiceKind, SyncRule},
        scenario::Scenario,
        units::ByteSize,
    },
    monitor::{self, Copies, Lookout},
    pipeline::{
        Pipeline,
        files::{FilePipeline, Rules},
        sync::SyncPipeline,
    },
    service::{
        contract::ServiceError,
        files::{Amount, Files, Provider},
    },
    sim::clock::Clock,
    store::{Patience, SharedStore, direct::DirectStore, s3::S3Store},
};

/// The provider's region, where the plan has none of that name.
const HOME: &str = "media-home";

/// Where media buckets are.
pub(super) struct Home {
    region: Arc<Region>,
    /// Its address; `None` where it is reached in process.
    url: Option<String>,
    clock: Clock,
}

/// The region for media buckets, where the scenario drills any.
pub(super) fn region(
    plan: &Plan,
    scenario: &Scenario,
    clock: &Clock,
    scratch: &std::path::Path,
) -> Result<Option<Arc<Region>>> {
    let is_files = |name: &String| plan.services.get(name).is_some_and(|service| service.kind == ServiceKind::Files);
    if !scenario.service.names().iter().any(is_files) {
        return Ok(None);
    }
    let dir = folder(scratch, "media")?;
    let mut name = HOME.to_owned();
    while plan.region_names().contains(&&*name) {
        name.push_str("-2");
    }
    let made = Region::new(&name, clock, &dir)
        .map_err(|e| Error::new("the media buckets cannot be emulated").at(dir.display().to_string()).because(e))?;
    Ok(Some(made))
}

impl Home {
    pub(super) fn new(region: Arc<Region>, gateway: Option<&Gateway>, clock: &Clock) -> Self {
        let url = gateway.and_then(|gateway| gateway.region_url(region.name()));
        Home { region, url, clock: clock.clone() }
    }

    /// The region's name.
    pub(super) fn name(&self) -> &str {
        self.region.name()
    }

    fn store(&self, bucket: &str) -> SharedStore {
        let (clock, patience) = (&self.clock, Patience::default());
        match &self.url {
            Some(url) => Arc::new(S3Store::new(self.region.name(), url, bucket, &throw_away_keys(), clock, patience)),
            None => Arc::new(DirectStore::acting_as(PIPELINE, Arc::clone(&self.region), bucket, clock, patience)),
        }
    }
}

impl Provider for Home {
    fn create(&self, bucket: &str) -> std::result::Result<SharedStore, ServiceError> {
        let made = self.region.objects().create_bucket(bucket, BucketOptions::versioned());
        made.map_err(|e| ServiceError(format!("bucket {bucket} cannot be made: {e}")))?;
        Ok(self.store(bucket))
    }

    fn empty(&self, bucket: &str) -> std::result::Result<(), ServiceError> {
        let emptied = self.region.objects().remove_all(bucket);
        emptied.map_err(|e| ServiceError(format!("bucket {bucket} cannot be emptied: {e}")))
    }
}

/// Bucket of a service's media; service names are freer than those of buckets.
fn bucket_of(service: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    format!("media-{}", service.chars().map(plain).collect::<String>())
}

impl House<'_> {
    pub(super) async fn files(&self, wanted: Wanted<'_>) -> Result<Protected> {
        let home = self.home.as_ref().ok_or_else(|| Error::new("media buckets have no region"))?;
        let name = wanted.name;
        let seeded = self.media(name, Arc::clone(home) as _).await;
        let files = seeded.map_err(|e| Error::new(e.to_string()))?.restoring_into(self.targets(name)?);
        // What is restored to a moment before some damage was not lost: it is there, and wrong.
        let is_damaged = self.scenario.disaster.target_time.is_some();
        let files = Arc::new(if is_damaged { files.left_damaged() } else { files });
        let rules = self.scenario.copies(wanted.plan);
        let target_time = self.scenario.disaster.target_time.map(|at| self.moment(at));
        let bench = self.bench(&wanted)?;
        let buckets = self.rigging.buckets(name, files.clone());
        let reach = Reach::Buckets(Arc::clone(&buckets));
        let (pipeline, monitor): (Arc<dyn Pipeline>, _) = if rules.is_empty() {
            let (layout, retention) = (wanted.layout.clone(), self.plan.retention);
            let rules = Rules { service: name.to_owned(), layout, retention, target_time };
            let monitor = Lookout::Backups(self.monitor(&wanted).of_generations());
            let own = FilePipeline::new(bench.clone(), buckets, rules);
            (self.rigged(&wanted, bench, reach, own), monitor)
        } else {
            let monitor = Lookout::Copies(self.monitor_of_copies(rules));
            let own = SyncPipeline::new(bench.clone(), buckets, rules.to_vec(), target_time);
            (self.rigged(&wanted, bench, reach, own), monitor)
        };
        Ok(Protected {
            name: name.to_owned(),
            kind: ServiceKind::Files,
            by_commands: false,
            service: files,
            pipeline,
            monitor: Some(monitor),
            recorder: wanted.recorder,
        })
    }

    /// The service's files, in the buckets of that provider.
    pub(super) async fn media(
        &self,
        name: &str,
        provider: Arc<dyn Provider>,
    ) -> std::result::Result<Files, ServiceError> {
        let scale = self.clock.scale();
        let amount = Amount { size: ByteSize(self.scenario.history.size.0 / scale), scale };
        let seed = self.seed.child(name);
        Files::seed(&bucket_of(name), provider, amount, seed, self.clock.now(), self.lanes).await
    }

    /// The drill's monitor over what rules copy.
    fn monitor_of_copies(&self, rules: &[SyncRule]) -> Copies {
        Copies {
            stores: self.stores.to_vec(),
            rules: rules.to_vec(),
            limits: self.scenario.monitor(self.plan).clone(),
            retention: self.plan.retention,
            scale: self.clock.scale(),
            means: monitor::Means { lanes: self.lanes.clone(), scratch: self.scratch.to_owned() },
        }
    }

    /// The bucket of a service's source, for the faults that strike there.
    pub(super) fn source_site(&self, service: &str) -> Option<Site> {
        let home = self.home.as_ref()?;
        Some(Site { region: Arc::clone(&home.region), bucket: bucket_of(service) })
    }
}
