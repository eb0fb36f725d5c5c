//! What watches the backups, who is told, and how often they are tested.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::units::{ByteSize, Span};

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
    /// Whether the backup that was due is there, and where there is a change stream every piece of it.
    Missing,
    /// Size of the newest backup.
    TooSmall,
    /// Age of the newest backup.
    TooOld,
    /// Whether every region has the newest backup; of backups that others make, every object of the primary.
    ReplicaBehind,
    /// The newest backup's manifest: readable, and of the time that the name says; of files, whether those that it names
    /// are there with their sizes. Of backups that others make, first and last bytes.
    Manifest,
    /// Every byte of the newest backup in each region, against its manifest or as far as its form allows: all of it is
    /// read at each look.
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
