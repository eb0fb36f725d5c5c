//! What happens in a drill, as it happens. Events are the only thing that leaves the engine: records, reports and
//! progress bars are made from them alone.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ran::Ran, time::Elapsed};

pub use super::alarm::{Alarm, AlarmKind};

/// One event with its place in time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// Scenario time; for events up to and including t0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub at: Option<Timestamp>,
    /// Time since t0; for events after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_t0: Option<Elapsed>,
    /// The service that it is about; `None` where it is about the whole drill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// Kinds of event, with what is known of each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum What {
    /// The source holds its first data.
    Seeded {
        /// Rows in the source.
        rows: u64,
        /// The size that they stand for as JSON, in bytes.
        bytes: u64,
        /// How many bytes one byte stands for: 1 unless sizes are modelled.
        scale: u64,
    },
    /// The steady state was checked, before the history and after healing.
    SteadyState {
        /// Before or after.
        when: SteadyWhen,
        /// Whether it held.
        held: bool,
        /// What was looked at, or what did not hold.
        detail: String,
    },
    /// A backup was made.
    BackedUp(BackupMade),
    /// A scheduled backup failed; nothing restorable came of it.
    BackupFailed {
        /// Day of the history.
        day: u32,
        /// Why.
        why: String,
    },
    /// A scheduled backup did not start.
    BackupSkipped {
        /// Day of the history.
        day: u32,
        /// Why.
        why: String,
    },
    /// A command of the team's own pipeline ran.
    Ran(Ran),
    /// Old backups were removed, as the retention says.
    Pruned {
        /// Where.
        region: String,
        /// Names of the dumps removed; how many pieces of a change stream.
        points: Vec<String>,
    },
    /// A monitor or the pipeline raised an alarm.
    Alarm(Alarm),
    /// A fault was injected.
    FaultInjected {
        /// Its number in the scenario, from 0.
        fault: usize,
        /// What it changed.
        detail: String,
    },
    /// A fault could not be injected.
    FaultImpossible {
        /// Its number in the scenario, from 0.
        fault: usize,
        /// Why.
        why: String,
    },
    /// Whether a fault took effect.
    FaultProven {
        /// Its number in the scenario, from 0.
        fault: usize,
        /// The proof.
        proof: Proof,
    },
    /// A fault was healed.
    FaultHealed {
        /// Its number in the scenario, from 0.
        fault: usize,
        /// Whether what it had changed is as it was.
        complete: bool,
    },
    /// t0: the source is lost.
    Disaster {
        /// What was lost and why.
        cause: String,
    },
    /// A phase of the recovery began. Phases may overlap.
    PhaseStarted {
        /// Which.
        phase: Phase,
    },
    /// A phase of the recovery ended.
    PhaseEnded {
        /// Which.
        phase: Phase,
        /// Whether it did what it should.
        ok: bool,
    },
    /// A region was asked for its recovery points.
    Listed {
        /// Where.
        region: String,
        /// How many it has; `None` where it did not answer.
        points: Option<u64>,
        /// Why it did not answer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    /// A recovery point was tried and found wanting.
    PointRefused(PointTried),
    /// A change stream is whole up to a position and cannot be read on.
    StreamBroken {
        /// The last write before the break.
        after: Position,
        /// What is missing or wrong.
        why: String,
    },
    /// Changes were put on top of a recovery point, before the service was switched to it.
    Streamed {
        /// How many pieces of the stream.
        pieces: u64,
        /// The position of the recovery point.
        from: Position,
        /// The last write of the last piece.
        to: Position,
    },
    /// A recovery point was restored; the pipeline says that the service is back.
    Restored(Claim),
    /// The pipeline says that nothing can be restored.
    Refused {
        /// Why.
        why: String,
    },
    /// The process that restored was killed. What it had imported is left as it was; a person starts it again.
    RestoreKilled {
        /// By what.
        why: String,
    },
    /// The drill's time limit ended the restore.
    TimeLimit {
        /// The limit, in milliseconds.
        limit_ms: u64,
    },
    /// The restored state was compared with the ledger.
    Compared(Comparison),
    /// A check ran on the restored service.
    Checked(CheckResult),
    /// What the drill made was removed.
    CleanedUp {
        /// Whether everything is gone.
        complete: bool,
        /// Whether the scratch folder was kept, because somebody asked for it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        kept: bool,
        /// What is left, or what was kept and why.
        detail: String,
    },
    /// The storage that was asked for does not do what this drill needs of it: the drill shows nothing.
    Undrillable {
        /// What it does not do.
        why: String,
    },
    /// Somebody stopped the drill.
    Interrupted,
    /// The drill could not go on.
    Aborted {
        /// Why.
        why: String,
    },
}

/// When a steady state is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SteadyWhen {
    /// Before the history.
    Before,
    /// After healing.
    After,
}

/// Phases of a recovery, in their usual order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// t0 to t1.
    Detect,
    /// t1 to t2.
    Declare,
    /// Find the recovery points and put them in order.
    Choose,
    /// Get an empty target.
    Provision,
    /// Read the backup from its region.
    Fetch,
    /// Check digest, archive, JSON and manifest.
    Verify,
    /// Run the team's own command that restores: it fetches, verifies and imports as it will.
    Restore,
    /// Write the rows into the target.
    Import,
    /// Read the target back and compare with the manifest.
    Compare,
    /// Let the service use the target.
    CutOver,
    /// Data and function checks; its end is t5.
    Check,
}

impl Phase {
    /// As people read it.
    pub const fn words(self) -> &'static str {
        match self {
            Phase::Detect => "detect",
            Phase::Declare => "declare",
            Phase::Choose => "choose",
            Phase::Provision => "provision",
            Phase::Fetch => "fetch",
            Phase::Verify => "verify",
            Phase::Restore => "restore",
            Phase::Import => "import",
            Phase::Compare => "compare",
            Phase::CutOver => "cut over",
            Phase::Check => "check",
        }
    }
}

/// A place in the source's sequence of acknowledged writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Position {
    /// Sequence number of the last write; 0 is the seeded data.
    pub seq: u64,
    /// When the source committed it.
    #[schemars(with = "String")]
    pub committed_at: Timestamp,
}

/// A backup that was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BackupMade {
    /// Day of the history.
    pub day: u32,
    /// Name of the dump, without its folder.
    pub point: String,
    /// The source's position that it holds.
    pub position: Position,
    /// Rows in it.
    pub rows: u64,
    /// Size of the rows as JSON, in bytes.
    pub raw_bytes: u64,
    /// Size of the dump as stored, in bytes.
    pub stored_bytes: u64,
    /// Regions that hold it.
    pub regions: Vec<String>,
    /// Regions that do not, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_in: Vec<String>,
    /// How long it took.
    pub took: Elapsed,
}

/// Evidence that a fault took effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Proof {
    /// Whether it bit.
    pub bit: bool,
    /// What was seen, with numbers.
    pub evidence: String,
}

/// A recovery point that was tried and refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PointTried {
    /// Name of the dump.
    pub point: String,
    /// Region.
    pub region: String,
    /// In which phase it was found wanting.
    pub phase: Phase,
    /// Why.
    pub why: String,
}

/// What a pipeline claims to have restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Claim {
    /// Name of the dump.
    pub point: String,
    /// Region that it was fetched from.
    pub region: String,
    /// The source's position that it claims to hold.
    pub position: Position,
}

/// The restored state against the ledger of acknowledged writes. Counts are complete, never sampled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// Whether the restored state is exactly the ledger's prefix that was claimed.
    pub as_claimed: bool,
    /// Last write of the unbroken prefix found.
    pub prefix: Position,
    /// Last write that the source had acknowledged.
    pub last: Position,
    /// Rows that the claimed prefix holds.
    pub rows_expected: u64,
    /// Rows found.
    pub rows_found: u64,
    /// Acknowledged writes whose effect is not there.
    pub writes_lost: u64,
    /// Of those, the ones at or before the claimed position: holes in what was promised.
    pub holes: u64,
    /// Writes after the claimed position whose effect is there.
    pub writes_ahead: u64,
    /// Rows whose content is none that was ever written.
    pub altered: u64,
    /// Rows that were never written, or that are there twice.
    pub extra: u64,
    /// Rows that had been deleted by the claimed position and are back.
    pub resurrected: u64,
    /// A few of the rows that are wrong, `table/id: what`, for the report.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<String>,
}

/// The result of one check on the restored service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CheckResult {
    /// The check's name in the catalogue.
    pub check: String,
    /// Whether it passed; `None` where it could not run.
    pub passed: Option<bool>,
    /// What was looked at, or what failed.
    pub detail: String,
    /// Each stored object that made it fail, where it is about what is stored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<Place>,
}

/// Where an object is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    /// Region.
    pub region: String,
    /// The object's key.
    pub object: String,
}
