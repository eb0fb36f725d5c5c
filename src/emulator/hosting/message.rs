//! What goes in and out of the provider: requests and answers as both ways carry them, and the values of its management
//! API and of its resolver.

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::units::Span;

/// A request, as HTTP carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `POST` or `PUT`.
    pub method: Method,
    /// The host that is asked: the management API, the resolver, a project's address or a deployment's.
    pub host: String,
    /// Path, with its query.
    pub path: String,
    /// Bearer token; the management API wants one.
    pub bearer: Option<String>,
    /// JSON, or empty.
    pub body: Bytes,
}

/// Methods that the provider knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Makes or does.
    Post,
    /// Sets.
    Put,
}

/// An answer, as HTTP carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Media type of the body.
    pub content_type: &'static str,
    /// The body.
    pub body: Bytes,
}

/// A project as the management API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectInfo {
    /// Its name.
    pub name: String,
    /// Where its production alias is reached; a domain's record points there.
    pub address: String,
    /// The deployment in production.
    pub production: Option<String>,
    /// Whether new deployments go to production by themselves.
    pub auto_promote: bool,
}

/// A deployment as the management API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentInfo {
    /// Its name.
    pub id: String,
    /// What it was built from.
    pub commit: String,
    /// When it was ordered.
    pub made_at: Timestamp,
    /// Whether it serves; until then it is being built.
    pub ready: bool,
    /// Where it is reached, whether in production or not.
    pub address: String,
}

/// What to build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeployOrder {
    /// From which commit.
    pub commit: String,
    /// Whether it may go to production by itself, where the project lets it.
    pub promote: bool,
}

/// What to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectOrder {
    /// The new project's name.
    pub name: String,
}

/// A DNS record of type CNAME.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The domain.
    pub name: String,
    /// Where it points.
    pub target: String,
    /// For how long resolvers hold it.
    pub ttl: Span,
}

/// Where a record should point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointOrder {
    /// An address.
    pub target: String,
}

/// What a resolver answers, in the shape of DNS over HTTPS as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Resolution {
    /// 0 where there is an answer, 3 where the name does not exist.
    pub status: u8,
    /// The answers.
    #[serde(default)]
    pub answer: Vec<ResolvedRecord>,
}

/// One answer of a resolver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolvedRecord {
    /// The domain.
    pub name: String,
    /// Seconds for which this answer may still be held.
    #[serde(rename = "TTL")]
    pub ttl_s: u64,
    /// Where it points.
    pub data: String,
}

/// Why the management API did not do it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The error.
    pub error: ProblemText,
}

/// Code and text of an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemText {
    /// For programs.
    pub code: String,
    /// For people.
    pub message: String,
}
