//! A hosting provider: projects with immutable deployments, a production alias that can be moved back, DNS records that
//! resolvers hold for their time to live, and the application that runs there. Reached by one door
//! ([`Hosting::answer`]), over HTTP or in process; its semantics are those of Vercel's instant rollback, as far as a
//! drill needs them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use jiff::Timestamp;

use crate::{model::units::Span, sim::clock::Clock};
use repository::{Repository, Tree};

mod api;
mod application;
pub mod control;
mod dns;
pub mod face;
pub mod message;
pub mod repository;

use control::{ApiState, Counters, Upstream};
use message::{Record, Request, Response};

/// How long a build takes from its order to its deployment, in scenario time.
pub const BUILD: Span = Span(90_000);

/// One web application's provider, domain and repository.
#[derive(Debug)]
pub struct Hosting {
    clock: Clock,
    token: String,
    /// The name under which users know the application.
    domain: String,
    /// The project that serves it before the disaster.
    project: String,
    /// How long a deployment that is not in production is kept.
    keep: Span,
    repository: Arc<Repository>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    projects: BTreeMap<String, Project>,
    deployments_made: u32,
    record: Record,
    /// What resolvers still say after the record was changed, and until when.
    held: Option<(String, Timestamp)>,
    api: ApiState,
    upstream: Upstream,
    /// Whether `/api/health` answers 200 whatever happens.
    lying: bool,
    counters: Counters,
}

#[derive(Debug, Clone, Default)]
struct Project {
    /// The oldest first.
    deployments: Vec<Deployment>,
    /// The deployment that the production alias points to.
    production: Option<String>,
    /// Whether a new deployment goes to production by itself; a rollback ends that, a promotion begins it again.
    auto_promote: bool,
}

#[derive(Debug, Clone)]
struct Deployment {
    id: String,
    commit: String,
    made_at: Timestamp,
    ready_at: Timestamp,
    /// Whether it goes to production as soon as it is ready.
    promotes: bool,
    quality: Quality,
    files: Arc<Tree>,
}

/// What came of a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quality {
    /// It serves its commit.
    Sound,
    /// Every page and call is answered 500.
    Broken,
    /// Pages are served, and hold something else.
    WrongContent,
    /// One location in two has it; it fails there, and the rest serves as before.
    HalfRolledOut,
}

impl Hosting {
    /// A provider with an empty project, to which the domain points with that time to live. Deployments are built from
    /// the repository; `token` opens the management API.
    pub fn new(name: &str, token: &str, ttl: Span, keep: Span, clock: &Clock) -> Self {
        let (domain, project) = (format!("{name}.hooklabs.example"), name.to_owned());
        let record = Record { name: domain.clone(), target: address(&project), ttl };
        let empty = Project { auto_promote: true, ..Project::default() };
        let state = State {
            projects: BTreeMap::from([(project.clone(), empty)]),
            deployments_made: 0,
            record,
            held: None,
            api: ApiState::default(),
            upstream: Upstream::default(),
            lying: false,
            counters: Counters::default(),
        };
        let (clock, token) = (clock.clone(), token.to_owned());
        Hosting { clock, token, domain, project, keep, repository: Arc::default(), state: Mutex::new(state) }
    }

    /// The name under which users know the application.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The project that serves it before the disaster.
    pub fn project(&self) -> &str {
        &self.project
    }

    /// The repository that deployments are built from.
    pub fn repository(&self) -> &Arc<Repository> {
        &self.repository
    }

    /// Answers a request, whichever way it came: to the management API, to the resolver, or to a host that is served.
    pub fn answer(&self, request: &Request) -> Response {
        let now = self.clock.now();
        let mut state = self.state();
        state.settle(now);
        match request.host.as_str() {
            api::HOST => self.manage(&mut state, request, now),
            dns::HOST => self.resolve(&state, request, now),
            // Whoever asks for the domain itself is led to where resolvers say that it points.
            host if host == self.domain => {
                let (target, _) = state.resolved(now);
                self.serve(&mut state, &target, request, now)
            }
            host => self.serve(&mut state, host, request, now),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Moves the alias to what has become ready since the last time.
    fn settle(&mut self, now: Timestamp) {
        for project in self.projects.values_mut() {
            let ready = |deployment: &&mut Deployment| deployment.promotes && deployment.ready_at <= now;
            for deployment in project.deployments.iter_mut().filter(ready) {
                deployment.promotes = false;
                project.production = Some(deployment.id.clone());
            }
        }
    }

    /// The project and deployment that a host serves; `None` where nothing answers for it.
    fn at_host(&self, host: &str) -> Option<&Deployment> {
        if let Some(name) = host.strip_suffix(EDGE) {
            let project = self.projects.get(name)?;
            return project.find(project.production.as_deref()?);
        }
        let id = host.strip_suffix(PREVIEW)?;
        self.projects.values().find_map(|project| project.find(id))
    }
}

impl Project {
    fn find(&self, id: &str) -> Option<&Deployment> {
        self.deployments.iter().find(|deployment| deployment.id == id)
    }
}

/// Ending of the address of a project's production alias.
const EDGE: &str = ".edge.hosting.example";
/// Ending of the address of a single deployment.
const PREVIEW: &str = ".preview.hosting.example";

/// Where the production alias of a project is reached: what its domain's record must say.
fn address(project: &str) -> String {
    format!("{project}{EDGE}")
}

fn json(status: u16, value: &impl serde::Serialize) -> Response {
    let body = serde_json::to_vec(value).unwrap_or_default();
    Response { status, content_type: "application/json", body: Bytes::from(body) }
}
