//! Who answers, how fast, whom to call, and what users see of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::units::Span;

/// How fast people answer. These times are assumed in a drill, never measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResponsePlan {
    /// From the disaster until a monitor or a user reports it.
    pub detect: Span,
    /// From the report until the response begins and recovery is decided.
    pub initial: Span,
    /// Until recovery work should be done.
    pub recovery: Span,
    /// Until the incident report is written.
    pub aftermath: Span,
}

/// Somebody to call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// Role or company.
    pub name: String,
    /// Mail address or support page.
    pub address: String,
    /// Whether it is a member of the team or a supplier.
    pub kind: ContactKind,
    /// When to call; nobody calls where this is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallPlan>,
}

/// When somebody is called in an incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallPlan {
    /// From the detection of the incident until the call. It falls due if what it is for is not back by then; one after
    /// `0 min` always.
    pub after: Span,
    /// Services for whose loss it is; any of them where none is named.
    #[serde(default, rename = "for", skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
}

/// A part of the platform as its users know it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// Its name.
    pub name: String,
    /// Its name in Korean; the same where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_ko: Option<String>,
    /// Services without which it does not work: it is out while one of them is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<String>,
    /// Services without which it works in part: it is degraded while one of them is out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub degraded_without: Vec<String>,
}

/// Which side a contact is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ContactKind {
    /// One of ours.
    Team,
    /// A provider's support.
    Supplier,
}
