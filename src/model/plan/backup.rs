//! When and in what form services are backed up: dumps, change streams, copies by rule.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    super::units::{ByteSize, Span, TimeOfDay},
    Cadence,
};

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
    /// For files: copies made by rule, as `aws s3 sync` makes them. A drill plays them where its scenario says
    /// `sync: as-planned`, and the reference pipeline's generations otherwise.
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

    /// The longest time that S3 documents until an archived object can be read; zero where it is read at once, `None`
    /// where the class does not offer that retrieval.
    pub const fn retrieval_time(self, retrieval: Retrieval) -> Option<Span> {
        match (self, retrieval) {
            (CopyClass::Standard | CopyClass::StandardIa, _) => Some(Span::ZERO),
            (CopyClass::Glacier, Retrieval::Expedited) => Some(Span::minutes(5)),
            (CopyClass::Glacier, Retrieval::Standard) => Some(Span::hours(5)),
            (CopyClass::Glacier, Retrieval::Bulk) | (CopyClass::DeepArchive, Retrieval::Standard) => {
                Some(Span::hours(12))
            }
            (CopyClass::DeepArchive, Retrieval::Expedited) => None,
            (CopyClass::DeepArchive, Retrieval::Bulk) => Some(Span::hours(48)),
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

impl Retrieval {
    /// Its name in a plan.
    pub const fn name(self) -> &'static str {
        match self {
            Retrieval::Expedited => "expedited",
            Retrieval::Standard => "standard",
            Retrieval::Bulk => "bulk",
        }
    }
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
