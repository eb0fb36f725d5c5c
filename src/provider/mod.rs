//! What a runbook asks of a hosting provider, and what users ask of a site that is hosted there. One client speaks the
//! provider's JSON; a wire carries it, over HTTP or in process.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

use crate::model::units::Span;
// The repository is a clone on the team's machines: there is no wire to it, and both ways have the same one.
use crate::emulator::hosting::message::{DeployOrder, PointOrder, Problem, ProjectOrder, Resolution};
pub use crate::emulator::hosting::{
    message::{DeploymentInfo, Method, ProjectInfo, Record, Request, Response},
    repository::{Change, Release, Repository, Tree},
};

pub mod direct;
pub mod http;

/// Carries requests to a provider.
#[async_trait]
pub trait Wire: Send + Sync {
    /// Sends a request and takes the answer in full.
    ///
    /// # Errors
    /// Why there was no answer, in words.
    async fn send(&self, request: Request) -> Result<Answer, String>;
}

/// An answer that came over a wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: Bytes,
}

/// A provider that does not do what is asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct ProviderError {
    /// What sort of failure.
    pub kind: ProviderErrorKind,
    /// In words.
    pub why: String,
}

/// Sorts of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderErrorKind {
    /// It does not answer, or not now: asking again may help.
    Unavailable,
    /// There is no such thing.
    NotFound,
    /// It will not do it.
    Refused,
}

/// The client of one application's provider.
#[derive(Clone)]
pub struct Provider {
    wire: Arc<dyn Wire>,
    token: String,
    domain: String,
}

const API: &str = "api.hosting.example";
const RESOLVER: &str = "resolver.example";

type Done<T> = Result<T, ProviderError>;

impl Provider {
    /// A client over that wire, with the token of its account, for the application of that domain.
    pub fn new(wire: Arc<dyn Wire>, token: &str, domain: &str) -> Self {
        Provider { wire, token: token.to_owned(), domain: domain.to_owned() }
    }

    /// The same client over another wire, made of this one's.
    #[must_use]
    pub fn over(&self, wrap: impl FnOnce(Arc<dyn Wire>) -> Arc<dyn Wire>) -> Self {
        Provider { wire: wrap(Arc::clone(&self.wire)), ..self.clone() }
    }

    /// A project.
    pub async fn project(&self, name: &str) -> Done<ProjectInfo> {
        self.api(Method::Get, &format!("/v1/projects/{name}"), &()).await
    }

    /// Makes an empty project.
    pub async fn create_project(&self, name: &str) -> Done<ProjectInfo> {
        self.api(Method::Post, "/v1/projects", &ProjectOrder { name: name.to_owned() }).await
    }

    /// A project's deployments, the newest first.
    pub async fn deployments(&self, project: &str) -> Done<Vec<DeploymentInfo>> {
        self.api(Method::Get, &format!("/v1/projects/{project}/deployments"), &()).await
    }

    /// One deployment.
    pub async fn deployment(&self, project: &str, id: &str) -> Done<DeploymentInfo> {
        self.api(Method::Get, &format!("/v1/projects/{project}/deployments/{id}"), &()).await
    }

    /// Orders a build of a commit. With `promote` it goes to production when it is ready, where the project lets it.
    pub async fn deploy(&self, project: &str, commit: &str, promote: bool) -> Done<DeploymentInfo> {
        let order = DeployOrder { commit: commit.to_owned(), promote };
        self.api(Method::Post, &format!("/v1/projects/{project}/deployments"), &order).await
    }

    /// Moves production back to an earlier deployment. New deployments do not go to production by themselves after it.
    pub async fn rollback(&self, project: &str, id: &str) -> Done<ProjectInfo> {
        self.api(Method::Post, &format!("/v1/projects/{project}/rollback/{id}"), &()).await
    }

    /// Moves production to a deployment. New deployments follow it by themselves again.
    pub async fn promote(&self, project: &str, id: &str) -> Done<ProjectInfo> {
        self.api(Method::Post, &format!("/v1/projects/{project}/promote/{id}"), &()).await
    }

    /// The domain's record.
    pub async fn record(&self) -> Done<Record> {
        self.api(Method::Get, &format!("/v1/domains/{}", self.domain), &()).await
    }

    /// Lets the domain point to an address.
    pub async fn point(&self, target: &str) -> Done<Record> {
        let order = PointOrder { target: target.to_owned() };
        self.api(Method::Put, &format!("/v1/domains/{}", self.domain), &order).await
    }

    /// Where users are sent for the domain, and for how long they may still be.
    pub async fn resolve(&self) -> Done<(String, Span)> {
        let answer = self.get_at(RESOLVER, &format!("/resolve?name={}", self.domain)).await?;
        let read = serde_json::from_slice::<Resolution>(&answer.body).map_err(|e| unreadable(&e))?;
        match read.answer.into_iter().next() {
            Some(record) => Ok((record.data, Span(record.ttl_s.saturating_mul(1000)))),
            None => Err(ProviderError { kind: ProviderErrorKind::NotFound, why: "the domain does not resolve".into() }),
        }
    }

    /// What users get at a path: through DNS, the production alias and the deployment behind it.
    pub async fn get(&self, path: &str) -> Done<Answer> {
        let (host, _) = self.resolve().await?;
        self.get_at(&host, path).await
    }

    /// What one host answers at a path.
    pub async fn get_at(&self, host: &str, path: &str) -> Done<Answer> {
        let (method, host, path) = (Method::Get, host.to_owned(), path.to_owned());
        self.send(Request { method, host, path, bearer: None, body: Bytes::new() }).await
    }

    async fn api<T: DeserializeOwned>(&self, method: Method, path: &str, body: &(impl Serialize + Sync)) -> Done<T> {
        let body = match method {
            Method::Get => Bytes::new(),
            _ => serde_json::to_vec(body).unwrap_or_default().into(),
        };
        let (host, path, bearer) = (API.to_owned(), path.to_owned(), Some(self.token.clone()));
        let answer = self.send(Request { method, host, path, bearer, body }).await?;
        match answer.status {
            200..300 => serde_json::from_slice(&answer.body).map_err(|e| unreadable(&e)),
            status => Err(refused(status, &answer.body)),
        }
    }

    async fn send(&self, request: Request) -> Done<Answer> {
        let unavailable = |why| ProviderError { kind: ProviderErrorKind::Unavailable, why };
        self.wire.send(request).await.map_err(unavailable)
    }
}

fn refused(status: u16, body: &[u8]) -> ProviderError {
    let said = serde_json::from_slice::<Problem>(body).map(|problem| problem.error.message);
    let kind = match status {
        404 => ProviderErrorKind::NotFound,
        429 | 500.. => ProviderErrorKind::Unavailable,
        _ => ProviderErrorKind::Refused,
    };
    ProviderError { kind, why: format!("{} (HTTP {status})", said.unwrap_or_else(|_| "it says nothing of why".into())) }
}

fn unreadable(error: &serde_json::Error) -> ProviderError {
    ProviderError { kind: ProviderErrorKind::Refused, why: format!("its answer cannot be read: {error}") }
}
