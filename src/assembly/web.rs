//! A web application at an emulated hosting provider, with the runbook that brings its last healthy release back.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use super::{House, Wanted, rigging::Reach};
use crate::{
    emulator::hosting::{Hosting, Quality, face::Server},
    engine::Protected,
    error::{Error, Result},
    model::{
        plan::{Plan, ServiceKind},
        record::Way,
        scenario::Scenario,
        units::{ByteSize, Span},
    },
    pipeline::release::{self, Runbook},
    provider::{Provider, Wire, direct::DirectWire, http::HttpWire},
    service::web::{self, Disaster, Web},
    sim::clock::Clock,
};

/// Time to live of the domain's record, where no fault sets another: what providers set by themselves is between one
/// minute and an hour.
const TTL: Span = Span::minutes(5);

/// A token that opens nothing but the emulated provider.
pub(super) const TOKEN: &str = "emulated-hosting-only";

/// The providers of a drill's web applications, by service.
#[derive(Default)]
pub(super) struct Homes {
    pub(super) hosting: BTreeMap<String, Arc<Hosting>>,
    /// Where they listen; nowhere in a simulated drill.
    servers: BTreeMap<String, Server>,
}

impl Homes {
    /// A provider for each web application among these services.
    pub(super) async fn open(plan: &Plan, names: &[String], clock: &Clock, way: Way) -> Result<Self> {
        let mut homes = Homes::default();
        let kind = |name: &String| plan.services.get(name).map(|service| service.kind);
        for name in names.iter().filter(|name| kind(name) == Some(ServiceKind::WebApplication)) {
            let hosting = Arc::new(Hosting::new(name, TOKEN, TTL, plan.retention, clock));
            if way == Way::Real {
                let server = Server::start(Arc::clone(&hosting)).await.map_err(|e| {
                    Error::new("no port on 127.0.0.1 can be had for the emulated hosting provider")
                        .because(e)
                        .help("check that this user may listen on loopback, and how many files it may open (ulimit -n)")
                })?;
                homes.servers.insert(name.clone(), server);
            }
            homes.hosting.insert(name.clone(), hosting);
        }
        Ok(homes)
    }

    /// Where each listens, by service; nowhere in a simulated drill.
    pub(super) fn addresses(&self) -> BTreeMap<String, SocketAddr> {
        self.servers.iter().map(|(name, server)| (name.clone(), server.address())).collect()
    }

    /// Ends whatever listens.
    pub(super) async fn close(servers: BTreeMap<String, Server>) {
        for server in servers.into_values() {
            server.shutdown().await;
        }
    }

    /// The two halves: what the world holds, and what must be closed.
    pub(super) fn split(self) -> (BTreeMap<String, Arc<Hosting>>, BTreeMap<String, Server>) {
        (self.hosting, self.servers)
    }
}

impl House<'_> {
    pub(super) async fn web(&self, wanted: Wanted<'_>) -> Result<Protected> {
        let name = wanted.name;
        let lacks = || Error::new(format!("service `{name}` has no hosting provider"));
        let hosting = self.homes.hosting.get(name).ok_or_else(lacks)?;
        let wire: Arc<dyn Wire> =
            match self.homes.servers.get(name) {
                None => Arc::new(DirectWire::new(Arc::clone(hosting), self.clock)),
                Some(server) => Arc::new(HttpWire::new(server.address()).map_err(|e| {
                    Error::new("no HTTP client can be made for the emulated hosting provider").because(e)
                })?),
            };
        let provider = Provider::new(wire, TOKEN, hosting.domain());
        let (repository, project) = (Arc::clone(hosting.repository()), hosting.project().to_owned());
        let parts = web::Parts {
            provider: provider.clone(),
            repository: Arc::clone(&repository),
            project: project.clone(),
            disaster: disaster(self.scenario, hosting),
        };
        let size = ByteSize(self.scenario.history.size.0 / self.clock.scale());
        let seeded = Web::seed(parts, size, self.seed.child(name), self.clock.now()).await;
        let service = seeded.map_err(|e| Error::new(e.to_string()))?;
        let parts = release::Parts { provider, repository, project, patience: self.plan.response.recovery };
        let bench = self.bench(&wanted)?;
        let own = Runbook::new(parts.clone(), &bench.clock, bench.recorder.clone());
        let pipeline = self.rigged(&wanted, bench, Reach::Hosting(parts), own);
        Ok(Protected {
            name: name.to_owned(),
            kind: ServiceKind::WebApplication,
            by_commands: false,
            service: Arc::new(service),
            pipeline,
            monitor: None,
            recorder: wanted.recorder,
        })
    }
}

/// What the disaster does. In a failure of the whole system, or together with other services, the project is gone. Alone
/// it is what level 1 names first, a failed deployment, unless a fault has broken what users get already.
fn disaster(scenario: &Scenario, hosting: &Arc<Hosting>) -> Disaster {
    let (hosting, total) = (Arc::clone(hosting), scenario.level >= 3 || !scenario.service.is_single());
    Box::new(move || {
        // A loss always strikes: where nothing can be pushed to production any more, the project itself goes.
        if total || (hosting.serves_newest_release() && hosting.ship(Quality::Broken).is_err()) {
            hosting.lose_project();
        }
    })
}
