//! What the world is like now, as a program reads it and the page shows it.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use super::{Held, book::Healed, entry};
use crate::{
    emulator::{
        link::{LinkCounters, LinkState},
        s3::{Region, lock::LockMode},
    },
    fault::{self, Fault},
    model::{
        event::Proof,
        family::Family,
        plan::ServiceKind,
        scenario::FaultSpec,
        units::{Rate, Span},
    },
};

/// Version of the state's form.
const FORMAT: &str = "backdraft.serve/1";

/// The world at one moment.
#[derive(Debug, Serialize)]
pub(super) struct State {
    pub(super) format: &'static str,
    pub(super) platform: String,
    /// The world's own clock.
    pub(super) now: Timestamp,
    pub(super) endpoint: String,
    pub(super) regions: Vec<RegionState>,
    pub(super) services: Vec<ServiceState>,
    pub(super) deployments: Vec<DeploymentState>,
    pub(super) faults: Vec<FaultState>,
    /// What was done, the newest first.
    pub(super) done: Vec<Done>,
}

#[derive(Debug, Serialize)]
pub(super) struct RegionState {
    pub(super) name: String,
    pub(super) endpoint: Option<String>,
    /// Whether it is one of the plan's, which faults strike.
    pub(super) is_planned: bool,
    pub(super) link: LinkInfo,
    pub(super) buckets: Vec<BucketState>,
}

#[derive(Debug, Serialize)]
pub(super) struct LinkInfo {
    /// The newest condition that acts, in a word; `up` where none does.
    pub(super) state: &'static str,
    /// The same with its figures.
    pub(super) words: String,
    /// How many conditions there are, whether they have begun or not.
    pub(super) conditions: usize,
    pub(super) requests: u64,
    pub(super) refused: u64,
    pub(super) nameless: u64,
    pub(super) hung: u64,
    pub(super) rejected: u64,
    pub(super) delayed: u64,
    pub(super) cut: u64,
    pub(super) bytes_out: u64,
    pub(super) bytes_in: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct BucketState {
    pub(super) name: String,
    pub(super) objects: u64,
    pub(super) bytes: u64,
    pub(super) versions: u64,
    /// What new objects are locked with; `None` where nothing is.
    pub(super) lock: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct ServiceState {
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) rows: u64,
    /// Why it is not well; `None` where it is.
    pub(super) ails: Option<String>,
    /// Whether a backup can be asked for.
    pub(super) is_backed_up: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct DeploymentState {
    pub(super) service: String,
    /// Whether the application writes to it; it takes no imports then.
    pub(super) is_source: bool,
    pub(super) url: String,
    pub(super) admin_key: String,
}

#[derive(Debug, Serialize)]
pub(super) struct FaultState {
    pub(super) id: u64,
    /// Fault and mode, as people read them.
    pub(super) name: String,
    pub(super) entry: FaultSpec,
    pub(super) since: Timestamp,
    /// What was changed.
    pub(super) changed: String,
    pub(super) proof: Proof,
}

#[derive(Debug, Serialize)]
pub(super) struct Done {
    pub(super) at: Timestamp,
    pub(super) well: bool,
    pub(super) what: String,
}

#[derive(Debug, Serialize)]
pub(super) struct HealedState {
    id: u64,
    name: String,
    proof: Proof,
    /// Whether everything could be put back.
    complete: bool,
}

impl HealedState {
    pub(super) fn of(healed: Healed) -> Self {
        let Healed { id, name, proof, complete } = healed;
        HealedState { id, name, proof, complete }
    }
}

/// A family of the catalogue.
#[derive(Debug, Serialize)]
pub(super) struct FamilyInfo {
    pub(super) family: Family,
    pub(super) faults: Vec<CatalogueFault>,
}

/// A fault of the catalogue.
#[derive(Debug, Serialize)]
pub(super) struct CatalogueFault {
    pub(super) name: &'static str,
    pub(super) summary: &'static str,
    pub(super) strikes: Vec<&'static str>,
    pub(super) modes: Vec<Named>,
    pub(super) parameters: Vec<Named>,
    /// Whether `generations` says which recovery points it strikes.
    pub(super) takes_generations: bool,
    /// An entry that begins at once.
    pub(super) example: Option<FaultSpec>,
    /// Why it cannot act in this world; `None` where it can.
    pub(super) why_not_here: Option<String>,
}

/// A mode or a parameter.
#[derive(Debug, Serialize)]
pub(super) struct Named {
    pub(super) name: &'static str,
    pub(super) summary: &'static str,
}

/// The catalogue, as far as it concerns the kinds of services that are there.
pub(super) fn catalogue(held: &Held) -> Vec<FamilyInfo> {
    let kinds: Vec<ServiceKind> = held.services.iter().map(|one| one.kind).collect();
    let one = |fault: &'static dyn Fault| {
        let (example, mut why) = entry::example(fault);
        if !kinds.iter().any(|kind| fault.is_for(*kind)) {
            why = Some("no service is here that it could strike".into());
        }
        let mode = |mode: &fault::Mode| Named { name: mode.name, summary: mode.summary };
        let parameter = |one: &fault::Parameter| Named { name: one.name, summary: one.summary };
        CatalogueFault {
            name: fault.name(),
            summary: fault.summary(),
            strikes: ServiceKind::ALL.iter().filter(|kind| fault.is_for(**kind)).map(|kind| kind.words()).collect(),
            modes: fault.modes().iter().map(mode).collect(),
            parameters: fault.parameters().iter().map(parameter).collect(),
            takes_generations: fault.strikes_points(),
            example,
            why_not_here: why,
        }
    };
    let family = |(family, faults): &(Family, &'static [&dyn Fault])| FamilyInfo {
        family: *family,
        faults: faults.iter().map(|fault| one(*fault)).collect(),
    };
    fault::CATALOGUE.iter().map(family).collect()
}

impl Held {
    /// What it is like now.
    pub(super) async fn state(self: &Arc<Self>) -> State {
        let mut services = Vec::new();
        for one in &self.services {
            services.push(ServiceState {
                name: one.name.clone(),
                kind: one.kind.words(),
                rows: one.service.rows(),
                ails: self.ails(one).await,
                is_backed_up: one.kind != ServiceKind::WebApplication,
            });
        }
        // Faults are injected under the same lock, and may read and write large bodies.
        let held = Arc::clone(self);
        let faults = self.lanes.run(move || {
            let state = |one: &super::book::Acting| FaultState {
                id: one.id,
                name: one.spec.name(),
                entry: one.spec.clone(),
                since: one.since,
                changed: one.detail.clone(),
                proof: one.proof(&held.world),
            };
            held.book().acting().iter().map(state).collect()
        });
        let planned = self.world.sites.iter().map(|site| (&site.region, true));
        let mut media: Vec<_> = self.world.sources.values().map(|site| (&site.region, false)).collect();
        media.dedup_by_key(|(region, _)| region.name().to_owned());
        State {
            format: FORMAT,
            platform: self.plan.platform.clone(),
            now: self.clock.now(),
            endpoint: self.doors.gateway.clone(),
            regions: planned.chain(media).map(|(region, is_planned)| self.region(region, is_planned)).collect(),
            services,
            deployments: self.deployments(),
            faults: faults.await,
            done: self.told().into_iter().map(|told| Done { at: told.at, well: told.well, what: told.text }).collect(),
        }
    }

    fn region(&self, region: &Region, is_planned: bool) -> RegionState {
        let bucket = |name: String| {
            let census = region.objects().census(&name).unwrap_or_default();
            let lock = region.objects().lock_configuration(&name).ok().flatten();
            let lock = lock.map(|held| format!("{}, {} days", mode(held.mode), held.days));
            BucketState { objects: census.objects, bytes: census.bytes, versions: census.versions, lock, name }
        };
        RegionState {
            name: region.name().to_owned(),
            endpoint: self.doors.regions.get(region.name()).cloned(),
            is_planned,
            link: link(region),
            buckets: region.objects().buckets().into_iter().map(|info| bucket(info.name)).collect(),
        }
    }

    fn deployments(&self) -> Vec<DeploymentState> {
        let source = |one: &crate::assembly::KeptDatabase| DeploymentState {
            service: one.service.clone(),
            is_source: true,
            url: one.source().url.clone(),
            admin_key: one.source().key.clone(),
        };
        let sources: Vec<_> = self.doors.databases.iter().map(source).collect();
        let more = self.provisioned().into_iter().map(|made| DeploymentState {
            service: made.service,
            is_source: false,
            url: made.url,
            admin_key: made.admin_key,
        });
        sources.into_iter().chain(more).collect()
    }
}

const fn mode(mode: LockMode) -> &'static str {
    match mode {
        LockMode::Governance => "governance",
        LockMode::Compliance => "compliance",
    }
}

fn link(region: &Region) -> LinkInfo {
    let link = region.link();
    let LinkCounters { requests, nameless, refused, hung, rejected, delayed, cut, bytes_out, bytes_in } =
        link.counters();
    let (state, words) = words(&link.state());
    let conditions = link.layers();
    LinkInfo {
        state,
        words,
        conditions,
        requests,
        refused,
        nameless,
        hung,
        rejected,
        delayed,
        cut,
        bytes_out,
        bytes_in,
    }
}

fn words(state: &LinkState) -> (&'static str, String) {
    let (word, more) = match state {
        LinkState::Up => ("up", String::new()),
        LinkState::Nameless => ("nameless", "its name does not resolve".into()),
        LinkState::Refused => ("refused", "connections are refused".into()),
        LinkState::BlackHole => ("black-hole", "connections are taken and never answered".into()),
        LinkState::Status(fault) => ("errors", format!("every request is answered {fault:?}")),
        LinkState::FirstRejected { requests, fault } => {
            ("first-errors", format!("the first {requests} requests are answered {fault:?}"))
        }
        LinkState::WritesRejected(fault) => ("read-only", format!("every write is answered {fault:?}")),
        LinkState::Flapping { fault, .. } => {
            ("flapping", format!("requests are answered {fault:?}, and served, in turn"))
        }
        LinkState::Slow { bytes_per_second, latency } => {
            let latency = Span(u64::try_from(latency.as_millis()).unwrap_or(u64::MAX));
            ("slow", format!("{} and {latency} of latency", Rate(*bytes_per_second)))
        }
        LinkState::Bodies(_) => ("bodies-cut", "bodies do not arrive whole".into()),
    };
    (word, if more.is_empty() { word.to_owned() } else { more })
}
