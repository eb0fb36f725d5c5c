//! A disaster recovery plan as code: what is protected, how often, where to, and what was promised.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::units::Span;

mod backup;
mod commands;
mod monitoring;
mod people;

pub use backup::{BackupPlan, CopyClass, DumpFormat, Retrieval, SyncRule};
pub use commands::{Command, CommandPlan, CommandProbe, Probe, Run};
pub use monitoring::{AlertForm, AlertPlan, MonitorPlan, TestingPlan, Watch};
pub use people::{CallPlan, Component, Contact, ContactKind, ResponsePlan};

/// The whole plan; one YAML file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Version of this file format; `backdraft.plan/1`.
    pub format: PlanFormat,
    /// The platform that the plan protects, as people call it.
    pub platform: String,
    /// IANA name of the time zone in which people read times, for instance `Asia/Seoul`.
    pub time_zone: String,
    /// Where users look during an outage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_page: Option<String>,
    /// Parts of the platform as the status page shows them, in that order; each service by its name where none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<Component>,
    /// Classes of data by importance, each with the schedules it is promised.
    pub data_classes: BTreeMap<String, DataClass>,
    /// What is protected, by name.
    pub services: BTreeMap<String, ServicePlan>,
    /// Severity levels of a disaster, by number, each with its objectives.
    pub levels: BTreeMap<String, Level>,
    /// How long a backup is kept.
    pub retention: Span,
    /// Backup sites; the first is the primary.
    pub regions: Vec<RegionPlan>,
    /// Backup monitoring.
    pub monitor: MonitorPlan,
    /// Who is told of the monitor's alarms, outside drills.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<AlertPlan>,
    /// How often backups are read and restored for a test.
    #[serde(default)]
    pub testing: TestingPlan,
    /// How fast people answer.
    pub response: ResponsePlan,
    /// Whom to call.
    #[serde(default)]
    pub contacts: Vec<Contact>,
}

/// The one supported version of the plan format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PlanFormat {
    /// First version.
    #[serde(rename = "backdraft.plan/1")]
    V1,
}

/// A class of data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataClass {
    /// What belongs to it; names of tables where it names data of the database.
    pub data: Vec<String>,
    /// How often it must be backed up; every cadence listed is promised.
    pub schedule: Vec<Cadence>,
    /// The plan's service that holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
}

/// How often a backup is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Cadence {
    /// Continuously, as data changes.
    Realtime,
    /// Every 24 h.
    Daily,
    /// Every 7 days.
    Weekly,
    /// Every 30 days.
    Monthly,
}

impl Cadence {
    /// Longest time between two backups.
    pub const fn interval(self) -> Span {
        match self {
            Cadence::Realtime => Span::ZERO,
            Cadence::Daily => Span::hours(24),
            Cadence::Weekly => Span::hours(7 * 24),
            Cadence::Monthly => Span::hours(30 * 24),
        }
    }
}

/// A protected service and what the plan promises for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServicePlan {
    /// What sort of thing it is.
    pub kind: ServiceKind,
    /// Recovery time objective: the longest time that the service may stay unavailable.
    pub rto: Span,
    /// Recovery point objective: the longest time before the disaster whose writes may be lost.
    pub rpo: Span,
    /// How it is backed up.
    pub backup: BackupPlan,
    /// The commands that back it up and restore it, where a drill plays those and not the reference pipeline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pipeline: Option<CommandPlan>,
    /// Services that must be back before this one can be restored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<String>,
}

/// Kinds of service that a plan can protect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceKind {
    /// A document database with tables.
    Database,
    /// Files and media in a bucket.
    Files,
    /// Environment variables and configuration.
    Config,
    /// A deployed web application.
    WebApplication,
}

impl ServiceKind {
    /// Every kind.
    pub const ALL: [ServiceKind; 4] =
        [ServiceKind::Database, ServiceKind::Files, ServiceKind::Config, ServiceKind::WebApplication];

    /// As people read it.
    pub const fn words(self) -> &'static str {
        match self {
            ServiceKind::Database => "database",
            ServiceKind::Files => "file store",
            ServiceKind::Config => "configuration",
            ServiceKind::WebApplication => "web application",
        }
    }
}

/// A severity level of the plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// What the level is called.
    pub name: String,
    /// Typical causes.
    pub causes: Vec<String>,
    /// Recovery time objective of the level.
    pub rto: Span,
    /// Recovery point objective of the level.
    pub rpo: Span,
    /// What is done.
    pub response: Vec<String>,
}

/// A backup site.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegionPlan {
    /// Region name, for instance `us-east-1`.
    pub name: String,
    /// Bucket that holds the backups there.
    pub bucket: String,
    /// Address of the region's S3 service, `https://…`, where it is not Amazon's own. Drills emulate it and never ask it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Object lock of that bucket; none where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<LockPlan>,
}

/// What keeps backups from being deleted or overwritten for good, whoever asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LockPlan {
    /// How firmly.
    pub mode: LockKind,
    /// For how long from its writing; whole days.
    pub keep: Span,
}

/// How firmly an object lock holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LockKind {
    /// The account's owner may bypass it.
    Governance,
    /// Nobody may.
    Compliance,
}

impl Plan {
    /// These services in an order in which each comes after those that it depends on, as far as they are among them;
    /// otherwise in the order given. Services that depend on each other keep their place.
    pub fn restore_order(&self, names: &[String]) -> Vec<String> {
        let mut order: Vec<String> = Vec::new();
        let mut waiting: Vec<&String> = names.iter().collect();
        while !waiting.is_empty() {
            let blocked = |name: &String| {
                let needs = self.services.get(name).map_or(&[][..], |service| &service.depends_on);
                needs.iter().any(|need| waiting.contains(&need))
            };
            let next = waiting.iter().position(|name| !blocked(name)).unwrap_or(0);
            order.push(waiting.remove(next).clone());
        }
        order
    }

    /// What sort of thing a service is; `None` where the plan does not have it.
    pub fn kind(&self, service: &str) -> Option<ServiceKind> {
        self.services.get(service).map(|service| service.kind)
    }

    /// Whether these services are all of that kind; none at all are of no kind.
    pub fn are_all(&self, kind: ServiceKind, names: &[String]) -> bool {
        !names.is_empty() && names.iter().all(|name| self.kind(name) == Some(kind))
    }

    /// Names of the regions, primary first.
    pub fn region_names(&self) -> Vec<&str> {
        self.regions.iter().map(|r| r.name.as_str()).collect()
    }
}
