//! A disaster recovery plan as code: what is protected, how often, where to, and what was promised.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::units::{ByteSize, Span, TimeOfDay};

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

/// When and in what form a service is backed up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BackupPlan {
    /// Time between two backups.
    pub every: Cadence,
    /// What copies each change as it happens, where `every` is `realtime`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replication: Option<String>,
    /// Time between two pieces of the change stream that is copied between the backups; none where there is no stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<Span>,
    /// Time of day, UTC, for daily and rarer backups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<TimeOfDay>,
    /// Form of the dump, for a database.
    #[serde(default)]
    pub format: DumpFormat,
    /// Folder (key prefix) of the dumps in each region's bucket; ends in `/`.
    #[serde(default = "default_prefix")]
    pub prefix: String,
    /// For files: copies made by rule, as `aws s3 sync` makes them, instead of the reference pipeline's generations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sync: Vec<SyncRule>,
    /// Size of the service's data in production, from which a recovery time can be projected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub production_size: Option<ByteSize>,
}

fn default_prefix() -> String {
    "daily/".into()
}

/// One copy of a bucket into the primary region's backup bucket, as `aws s3 sync` makes it at each backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SyncRule {
    /// Folder (key prefix) that the copy lies in; ends in `/`.
    pub into: String,
    /// Storage class of what is copied.
    #[serde(default)]
    pub class: CopyClass,
    /// Whether each backup goes into a new folder of its date below `into`. Where not, one copy is kept up to date.
    #[serde(default)]
    pub dated: bool,
    /// Whether what is no longer in the source is deleted from the copy (`--delete`).
    #[serde(default)]
    pub delete: bool,
    /// Whether an object counts as changed by its size alone (`--size-only`); otherwise also where it is newer.
    #[serde(default)]
    pub size_only: bool,
    /// Endings of the names that are copied, such as `.jpg`; every object where none is named. Upper and lower case
    /// differ, as they do for `--include "*.jpg"`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// How fast archived objects are asked for in a restore.
    #[serde(default)]
    pub retrieval: Retrieval,
}

/// Storage classes of copies, by their names in S3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CopyClass {
    /// Read at once.
    #[default]
    Standard,
    /// Read at once, for a fee.
    StandardIa,
    /// Read only after a restore of minutes to hours.
    Glacier,
    /// Read only after a restore of many hours.
    DeepArchive,
}

impl CopyClass {
    /// Its name in S3.
    pub const fn name(self) -> &'static str {
        match self {
            CopyClass::Standard => "STANDARD",
            CopyClass::StandardIa => "STANDARD_IA",
            CopyClass::Glacier => "GLACIER",
            CopyClass::DeepArchive => "DEEP_ARCHIVE",
        }
    }
}

/// How fast an archived object is asked for. What it takes is assumed in a drill: the longest time that S3 documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Retrieval {
    /// 5 minutes; not from the deep archive.
    Expedited,
    /// 5 hours; 12 from the deep archive.
    #[default]
    Standard,
    /// 12 hours; 48 from the deep archive.
    Bulk,
}

/// Forms in which a database is dumped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DumpFormat {
    /// One JSON document a line, gzip'd in members of about 1 MiB (`.jsonl.gz`).
    #[default]
    JsonlGz,
    /// One JSON object with an array a table, gzip'd (`.json.gz`).
    JsonGz,
    /// The Convex snapshot archive (`.zip`).
    ConvexZip,
}

impl DumpFormat {
    /// File name ending, without the leading dot.
    pub const fn extension(self) -> &'static str {
        match self {
            DumpFormat::JsonlGz => "jsonl.gz",
            DumpFormat::JsonGz => "json.gz",
            DumpFormat::ConvexZip => "zip",
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

/// Limits of the backup monitor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MonitorPlan {
    /// Time between two looks, counted from midnight UTC.
    pub check_every: Span,
    /// A newest backup older than this raises an alarm.
    pub max_age: Span,
    /// A newest backup smaller than this raises an alarm.
    pub min_size: ByteSize,
    /// What is looked at; all but the contents where nothing is named.
    #[serde(default = "Watch::cheap", skip_serializing_if = "Watch::is_cheap")]
    pub watches: Vec<Watch>,
    /// How long a replica may lack the newest backup before that raises an alarm.
    #[serde(default, skip_serializing_if = "Span::is_zero")]
    pub replica_grace: Span,
}

/// What a backup monitor can look at. Whether a region answers is always seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Watch {
    /// Whether the backup that was due is there.
    Missing,
    /// Size of the newest backup.
    TooSmall,
    /// Age of the newest backup.
    TooOld,
    /// Whether every region has the newest backup.
    ReplicaBehind,
    /// The newest backup's manifest: readable, and of the time that the name says.
    Manifest,
    /// Every byte of the newest backup in each region, against its manifest: the whole dump is read at each look.
    Contents,
}

impl Watch {
    /// All that is seen without reading a dump.
    pub fn cheap() -> Vec<Watch> {
        vec![Watch::Missing, Watch::TooSmall, Watch::TooOld, Watch::ReplicaBehind, Watch::Manifest]
    }

    fn is_cheap(watches: &[Watch]) -> bool {
        watches == Self::cheap()
    }
}

/// Where alarms of `backdraft monitor` are sent. The plan stands in every record, so it names where the address is
/// found and never the address: who knows it may write there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertPlan {
    /// Environment variable that holds the webhook's URL.
    pub url_env: String,
    /// What is sent.
    #[serde(default)]
    pub form: AlertForm,
}

/// Forms of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AlertForm {
    /// A JSON object for programs.
    #[default]
    Json,
    /// What Slack's incoming webhooks take.
    Slack,
}

/// How often backups are tested beyond what the monitor looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestingPlan {
    /// Time between two readings of a backup's contents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify_every: Option<Span>,
    /// Time between two full restores into a test environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore_every: Option<Span>,
}

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
