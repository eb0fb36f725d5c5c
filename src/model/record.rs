//! The record of one drill: everything a report or an auditor needs, made from its events alone.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    event::{Alarm, AlarmKind, BackupMade, CheckResult, Claim, Comparison, Event, Phase, PointTried, Position, Proof},
    outcome::{DrillResult, Outcome, Verdict},
    plan::Plan,
    scenario::Scenario,
    time::Elapsed,
    units::{ByteSize, Span},
};

pub use super::finding::{Finding, Severity};

/// Version of the record format that this build writes.
pub const RECORD_FORMAT: &str = "backdraft.record/2";

/// One drill.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Record {
    /// `backdraft.record/2`.
    pub format: String,
    /// Which drill this is.
    pub identity: Identity,
    /// How it ended, and whether that was expected.
    pub result: ResultBlock,
    /// What was drilled, and what was not.
    pub scope: Scope,
    /// Objectives against actuals; services first, then the level.
    pub objectives: Vec<Judged>,
    /// t0 to t5 of the whole drill: from the first service's restore to the last one's checks.
    pub timeline: Timeline,
    /// What became of each service, in the order in which they were restored.
    pub services: Vec<ServiceRecord>,
    /// Faults with their proof.
    pub faults: Vec<FaultRecord>,
    /// Alarms in order.
    pub alarms: Vec<AlarmRecord>,
    /// Deviations from the plan or the expectation, each with a remedy.
    pub findings: Vec<Finding>,
    /// What this drill does not show.
    pub limits: Vec<String>,
    /// Healing and removal.
    pub cleanup: Cleanup,
    /// The plan as read.
    pub plan: Plan,
    /// The scenario as read.
    pub scenario: Scenario,
    /// Every event.
    pub events: Vec<Event>,
}

/// Which drill a record is of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Identity {
    /// Scenario file's path below the scenarios folder, without its ending: `database/control`.
    pub scenario: String,
    /// Root of all randomness.
    pub seed: u64,
    /// `real` or `simulated`.
    pub way: Way,
    /// The foreign storage that the regions' objects lay in, as it was named; `None` where regions are emulated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<String>,
    /// Version of backdraft.
    pub tool_version: String,
    /// SHA-256 of the plan file, lower-case hex.
    pub plan_sha256: String,
    /// SHA-256 of the scenario file, lower-case hex.
    pub scenario_sha256: String,
    /// When the drill was run, by the wall clock; `None` where time is simulated, and where it was redacted.
    #[schemars(with = "Option<String>")]
    pub run_at: Option<Timestamp>,
}

/// How time passes in a drill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// Real HTTP, wall clock.
    Real,
    /// Virtual time, in process.
    Simulated,
}

impl Way {
    /// As people read it.
    pub const fn words(self) -> &'static str {
        match self {
            Way::Real => "real",
            Way::Simulated => "simulated",
        }
    }
}

/// The end of a drill.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResultBlock {
    /// Pass, fail, inconclusive, interrupted or not executed.
    pub result: DrillResult,
    /// How it ended; `None` where it did not get that far.
    pub outcome: Option<Outcome>,
    /// What shows how it ended, in words; empty in records of earlier versions.
    #[serde(default)]
    pub why: String,
    /// Verdict on the objectives together: missed where one is, inconclusive where one could not be judged.
    pub verdict: Verdict,
    /// Each reason why the result is not a pass.
    pub reasons: Vec<String>,
}

/// One service in a drill.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceRecord {
    /// Its name in the plan.
    pub service: String,
    /// How it ended; `None` where the drill did not get that far.
    pub outcome: Option<Outcome>,
    /// How much of it could be lost: three figures, kept apart.
    pub exposure: Exposure,
    /// t0 to t5 of this service; t0 to t2 are the drill's.
    pub timeline: Timeline,
    /// Phases of its recovery, in the order in which they began. They may overlap.
    pub phases: Vec<PhaseTimed>,
    /// Its backups in the history.
    pub backups: Vec<BackupMade>,
    /// The restore: points refused, the point chosen.
    pub restore: RestoreBlock,
    /// Restored state against the ledger; `None` where nothing was restored.
    pub comparison: Option<Comparison>,
    /// Checks on the restored service.
    pub checks: Vec<CheckResult>,
}

impl ServiceRecord {
    /// The record of a service of which nothing is known.
    pub fn none() -> Self {
        let timeline = Timeline { t0: None, t1: None, t2: None, t3: None, t4: None, t5: None };
        let exposure = Exposure { backup_age: None, rpa: None, worst_case: None };
        let restore = RestoreBlock::default();
        ServiceRecord {
            service: String::new(),
            outcome: None,
            exposure,
            timeline,
            phases: Vec::new(),
            backups: Vec::new(),
            restore,
            comparison: None,
            checks: Vec::new(),
        }
    }
}

/// What a drill covers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Scope {
    /// Platform of the plan.
    pub platform: String,
    /// Services drilled, in the order in which they are restored.
    pub services: Vec<String>,
    /// The plan's level of severity.
    pub level: u8,
    /// Rows of all services at the start; `None` where a source was never filled.
    pub rows: Option<u64>,
    /// Size of all data at the start; `None` where a source was never filled.
    pub bytes: Option<ByteSize>,
    /// How many bytes one byte stands for: 1 unless sizes are modelled, as in simulated drills.
    pub scale: u64,
    /// Parts of the plan that this drill leaves out.
    pub exclusions: Vec<String>,
}

/// How much could be lost, by three measures that are often taken for each other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Exposure {
    /// Age of the newest backup at t0, by the moment it was made; says nothing of what is in it.
    pub backup_age: Option<Elapsed>,
    /// RPA: from the commit of the last write of the unbroken prefix found after the restore to t0.
    pub rpa: Option<Elapsed>,
    /// The most that the schedule lets be lost: backup interval (assumed, from the plan) and longest backup.
    pub worst_case: Option<Elapsed>,
}

/// One objective judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Judged {
    /// Whose objective: `service database`, `level 2`.
    pub whose: String,
    /// `RTO` or `RPO`.
    pub objective: ObjectiveKind,
    /// What was promised.
    pub limit: Span,
    /// What the drill gave; `None` where it was not measured.
    pub actual: Option<Elapsed>,
    /// The verdict.
    pub verdict: Verdict,
    /// Why it is not met, or not judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Kinds of objective.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum ObjectiveKind {
    /// Recovery time objective.
    Rto,
    /// Recovery point objective.
    Rpo,
}

impl ObjectiveKind {
    /// `RTO` or `RPO`.
    pub const fn words(self) -> &'static str {
        match self {
            ObjectiveKind::Rto => "RTO",
            ObjectiveKind::Rpo => "RPO",
        }
    }
}

/// The clock of a recovery. Times count from t0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Timeline {
    /// Disruption, in scenario time; `None` where the drill did not get there.
    #[schemars(with = "Option<String>")]
    pub t0: Option<Timestamp>,
    /// Detected.
    pub t1: Option<Elapsed>,
    /// Declared.
    pub t2: Option<Elapsed>,
    /// Restore starts.
    pub t3: Option<Elapsed>,
    /// Data restored.
    pub t4: Option<Elapsed>,
    /// Automated data and function checks pass.
    pub t5: Option<Elapsed>,
}

/// A phase with its times since t0. A phase that was tried again is there again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PhaseTimed {
    /// Which.
    pub phase: Phase,
    /// When it began, since t0.
    pub from: Elapsed,
    /// How long it took; `None` where it did not end.
    pub took: Option<Elapsed>,
    /// Whether it did what it should.
    pub ok: bool,
}

/// What the restore tried; nothing at first.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct RestoreBlock {
    /// Regions with the number of recovery points they showed, or why they showed none.
    pub listed: Vec<ListedRegion>,
    /// Points refused, in order, each with its reason.
    pub refused: Vec<PointTried>,
    /// The point restored.
    pub chosen: Option<Claim>,
    /// Day of the history whose backup it is.
    pub chosen_day: Option<u32>,
    /// Changes that were put on top of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub streamed: Option<Streamed>,
    /// Why nothing was restored.
    pub refusal: Option<String>,
}

/// A change stream on top of a recovery point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Streamed {
    /// How many pieces of it.
    pub pieces: u64,
    /// The position of the recovery point.
    pub from: Position,
    /// The last write of the last piece.
    pub to: Position,
}

/// A region's answer when asked for recovery points.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ListedRegion {
    /// Region.
    pub region: String,
    /// How many it has; `None` where it did not answer.
    pub points: Option<u64>,
    /// Why it did not answer.
    pub why: Option<String>,
}

/// A fault with its proof.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FaultRecord {
    /// Name in the catalogue.
    pub fault: String,
    /// Mode.
    pub mode: String,
    /// What it changed, once injected.
    pub detail: Option<String>,
    /// Why it could not be injected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impossible: Option<String>,
    /// Proof; `None` where there is none.
    pub proof: Option<Proof>,
    /// Whether what it had changed is as it was; also where it changed nothing.
    pub healed: bool,
    /// What monitoring knew of it before the disaster; `None` where it was injected with the disaster or later, where it
    /// did not bite, and in records of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
}

impl FaultRecord {
    /// It as people read it.
    pub fn name(&self) -> String {
        super::words::fault(&self.fault, &self.mode)
    }
}

/// What monitoring knew of a fault before the disaster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Seen {
    /// An alarm spoke of it.
    ByAlarm {
        /// The first one.
        kind: AlarmKind,
        /// Region that it spoke of.
        region: Option<String>,
        /// From the injection to that alarm, in scenario time.
        after: Elapsed,
    },
    /// The monitor looked, and no alarm spoke of it.
    SleptThrough {
        /// How often it looked.
        looks: u64,
    },
    /// The monitor did not look.
    DidNotLook,
}

/// An alarm with its time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AlarmRecord {
    /// Scenario time, up to t0.
    #[schemars(with = "Option<String>")]
    pub at: Option<Timestamp>,
    /// Time since t0, after it.
    pub since_t0: Option<Elapsed>,
    /// The alarm.
    #[serde(flatten)]
    pub alarm: Alarm,
    /// The service that it is about; `None` where it is about all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
}

/// Whether the world is as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cleanup {
    /// Every fault was healed.
    pub healed: bool,
    /// The steady state held again; `None` where it was not checked.
    pub steady_after: Option<bool>,
    /// Everything that the drill made is gone, but for what was to be kept.
    pub removed: bool,
    /// The scratch folder was kept, because somebody asked for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub kept: bool,
    /// What is left, or was kept.
    pub detail: String,
}
