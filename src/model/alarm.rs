//! Alarms: what a monitor, a pipeline or a check of ours calls people for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Kinds of alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AlarmKind {
    /// No backup where one should be.
    Missing,
    /// The newest backup is smaller than the limit.
    TooSmall,
    /// The newest backup is older than the limit.
    TooOld,
    /// A replica lacks the newest backup.
    ReplicaBehind,
    /// The newest backup's data is older than its name says.
    StaleContent,
    /// The newest backup or its manifest cannot be read.
    Unreadable,
    /// No piece of the change stream has come for longer than it may take.
    StreamOverdue,
    /// Pieces of the change stream do not join: writes are in none of them.
    StreamGap,
    /// A region does not answer.
    Unreachable,
    /// A backup failed, or did not reach every region.
    BackupFailed,
    /// The team's own check of its backups failed.
    VerifyFailed,
    /// The restore found nothing that it could restore.
    NothingRestorable,
    /// A backup agrees with itself, and not with what other regions or older versions say of it.
    Contradicted,
    /// A backup is dated otherwise than its region dates it: the clock of its job, or its time zone, is wrong.
    ClockSkew,
    /// A secret stands in clear in a backup, or would have.
    SecretExposed,
    /// A region, or something in it, could not be looked through for secrets: what is stored there may hold some.
    NotLookedThrough,
    /// A restored configuration names an address at which nothing answers.
    WrongAddress,
    /// The health check says that all is well, and users get something else.
    HealthCheckLies,
}

impl AlarmKind {
    /// As people read it.
    pub const fn words(self) -> &'static str {
        match self {
            AlarmKind::Missing => "missing",
            AlarmKind::TooSmall => "too small",
            AlarmKind::TooOld => "too old",
            AlarmKind::ReplicaBehind => "replica behind",
            AlarmKind::StaleContent => "stale content",
            AlarmKind::Unreadable => "unreadable",
            AlarmKind::StreamOverdue => "stream overdue",
            AlarmKind::StreamGap => "stream gap",
            AlarmKind::Unreachable => "unreachable",
            AlarmKind::BackupFailed => "backup failed",
            AlarmKind::VerifyFailed => "verify failed",
            AlarmKind::NothingRestorable => "nothing restorable",
            AlarmKind::Contradicted => "contradicted",
            AlarmKind::ClockSkew => "clock skew",
            AlarmKind::SecretExposed => "secret exposed",
            AlarmKind::NotLookedThrough => "not looked through",
            AlarmKind::WrongAddress => "wrong address",
            AlarmKind::HealthCheckLies => "health check lies",
        }
    }
}

/// An alarm as raised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Alarm {
    /// What sort.
    pub kind: AlarmKind,
    /// Region it speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// What was seen, with the limit.
    pub detail: String,
    /// Whether there was something to raise it for; `false` is a false alarm.
    pub justified: bool,
    /// Whether somebody heard it; `false` where what carries alarms to people was down.
    #[serde(default = "heard", skip_serializing_if = "is_heard")]
    #[schemars(default = "heard")]
    pub heard: bool,
}

impl Alarm {
    /// An alarm with a reason.
    pub fn new(kind: AlarmKind, region: Option<&str>, detail: impl Into<String>) -> Self {
        Alarm { kind, region: region.map(Into::into), detail: detail.into(), justified: true, heard: true }
    }
}

fn heard() -> bool {
    true
}

fn is_heard(heard: &bool) -> bool {
    *heard
}
