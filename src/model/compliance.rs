//! What the drills of a period show of a plan: objectives, cadence, coverage, findings with their actions, controls.
//! Values only; `measure::compliance` judges them, `report::compliance` writes them.

use jiff::{Timestamp, civil::Date};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    finding::Severity,
    history::Head,
    outcome::{DrillResult, Outcome, Verdict},
    record::{ObjectiveKind, Way},
    status::{Colour, Status},
    time::Elapsed,
    units::Span,
};

pub use super::provenance::{Beside, Known, Source};

/// Version of the format that this build writes.
pub const COMPLIANCE_FORMAT: &str = "backdraft.compliance/1";

/// A scenario that could be played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Playable {
    /// Its name.
    pub id: String,
    /// SHA-256 of its file.
    pub sha256: String,
}

/// What is done about findings; one YAML file beside the records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Actions {
    /// Version of this file format; `backdraft.actions/1`.
    pub format: ActionsFormat,
    /// What is done. The first that fits a finding is its action.
    pub actions: Vec<Action>,
}

/// The one supported version of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ActionsFormat {
    /// First version.
    #[serde(rename = "backdraft.actions/1")]
    V1,
}

/// A corrective action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// Title of the finding, as reports have it.
    pub finding: String,
    /// Only where it was found in drills of this service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Only where it was found in this scenario.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenario: Option<String>,
    /// Who does it.
    pub owner: String,
    /// The last day on which it is in time.
    #[schemars(with = "String", extend("format" = "date", "examples" = ["2026-11-30"]))]
    pub due: Date,
    /// How far it is.
    #[serde(default)]
    pub status: ActionStatus,
    /// What is done, or why nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// How far an action is. None of these closes a finding: only a retest does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ActionStatus {
    /// To be done.
    #[default]
    Open,
    /// Done, and waiting for its retest.
    Done,
    /// The risk is accepted; the note says why.
    Accepted,
}

impl ActionStatus {
    /// As people read it.
    pub const fn words(self) -> &'static str {
        match self {
            ActionStatus::Open => "open",
            ActionStatus::Done => "done, waiting for its retest",
            ActionStatus::Accepted => "risk accepted",
        }
    }
}

/// The whole report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Compliance {
    /// [`COMPLIANCE_FORMAT`].
    pub format: String,
    /// Platform of the plan.
    pub platform: String,
    /// SHA-256 of the plan file.
    pub plan_sha256: String,
    /// Version of backdraft.
    pub tool_version: String,
    /// What it is about.
    pub period: Period,
    /// When it was made.
    #[schemars(with = "String")]
    pub made_at: Timestamp,
    /// The whole, at its worst.
    pub standing: Colour,
    /// Every drill of the period by its end.
    pub completeness: Completeness,
    /// Each objective of the plan.
    pub objectives: Vec<Objective>,
    /// Restore tests of each service in time.
    pub cadence: Vec<Kept>,
    /// What was tested of what there is.
    pub coverage: Coverage,
    /// Findings that were open in the period, worst first.
    pub findings: Vec<Tracked>,
    /// Actions that no finding is known for.
    pub idle_actions: Vec<String>,
    /// Controls, and what the period shows for them.
    pub controls: Vec<Control>,
    /// The drills of the period, oldest first, simulated ones too.
    pub drills: Vec<Played>,
    /// End of the history that it was made from; `None` where it was made from records alone.
    pub head: Option<Head>,
    /// What evidence lay beside those records; `None` where it was made from a history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<Beside>,
    /// What it does not show.
    pub limits: Vec<String>,
}

/// From the beginning of one day to the beginning of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Period {
    /// The first day.
    #[schemars(with = "String")]
    pub from: Date,
    /// The first day that is no part of it.
    #[schemars(with = "String")]
    pub to: Date,
    /// IANA name of the time zone in which days begin: the plan's.
    pub time_zone: String,
}

impl Period {
    /// The last day of it.
    pub fn last(&self) -> Date {
        self.to.yesterday().unwrap_or(self.to)
    }
}

/// How many drills of the period ended how. Nothing is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Completeness {
    /// All of them.
    pub drills: u64,
    /// Went as their scenario expects.
    pub passed: u64,
    /// Did not.
    pub failed: u64,
    /// Showed nothing.
    pub inconclusive: u64,
    /// Were stopped.
    pub interrupted: u64,
    /// Could not be played.
    pub not_executed: u64,
    /// Of all of them, those in virtual time: listed, and no evidence.
    pub simulated: u64,
    /// Of all of them, those of another plan file than this one.
    pub of_another_plan: u64,
    /// Drills without a date, which are in no period and not counted above.
    pub undated: u64,
}

/// One objective of the plan in the period. Real drills only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Objective {
    /// Whose: `service database`, `level 2`.
    pub whose: String,
    /// `RTO` or `RPO`.
    pub objective: ObjectiveKind,
    /// What the plan promises.
    pub limit: Span,
    /// Drills that met it, of this plan file.
    pub met: u64,
    /// Drills that missed it, or met it with data that was wrong, of whatever plan file.
    pub missed: u64,
    /// Drills that could not judge it.
    pub unmeasured: u64,
    /// Drills of another plan file that met it, which shows nothing of this one.
    pub stale: u64,
    /// The greatest actual of those that met or missed it; `None` where none was measured, or a drill brought nothing back.
    pub worst: Option<Elapsed>,
    /// The scenario that it is of, or in which nothing came back.
    pub worst_in: Option<String>,
    /// What the worst leaves of the limit, in percent, rounded down; negative where it is over; `None` where unknown.
    pub margin_percent: Option<i64>,
    /// How it stands, as every report says it.
    pub status: Status,
    /// Its colour.
    pub standing: Colour,
}

impl Objective {
    /// The worst actual in words: what was measured, that nothing came back, or that nothing was measured.
    pub fn worst_words(&self) -> String {
        match self.worst {
            Some(worst) => worst.to_string(),
            None if self.missed > 0 => "not recovered".to_owned(),
            None => "-".to_owned(),
        }
    }
}

/// Restore tests of one service against the plan's cadence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Kept {
    /// Its name.
    pub service: String,
    /// How often the plan has it tested.
    pub every: Span,
    /// The period in pieces, each of which must hold a restore test.
    pub windows: Vec<Window>,
    /// How it stands.
    pub standing: Colour,
}

/// A piece of the period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Window {
    /// Its first day.
    #[schemars(with = "String")]
    pub from: Date,
    /// The first day that is no part of it.
    #[schemars(with = "String")]
    pub to: Date,
    /// Restore tests in it: real drills that passed and in which the service was restored.
    pub tests: u64,
    /// Green where there was one, red where there was none, grey where there was none yet, or that cannot be known.
    pub standing: Colour,
    /// Whether it began before the history did, so that a test in it may not be known.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub before_history: bool,
}

impl Window {
    /// The last day of it.
    pub fn last(&self) -> Date {
        self.to.yesterday().unwrap_or(self.to)
    }
}

/// What was tested of what there is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    /// Objectives that a drill judged.
    pub objectives: Share,
    /// Services in each level.
    pub levels: Share,
    /// Scenarios as they are now.
    pub scenarios: Share,
    /// All of these.
    pub whole: Share,
    /// What was not tested, by name.
    pub untested: Vec<Untested>,
}

/// So many of so many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Share {
    /// Tested.
    pub tested: u64,
    /// There are.
    pub of: u64,
}

impl Share {
    /// In percent, rounded down; 0 of nothing.
    pub const fn percent(self) -> u64 {
        match (self.tested * 100).checked_div(self.of) {
            Some(percent) => percent,
            None => 0,
        }
    }
}

/// Something that was not tested in the period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Untested {
    /// `objective`, `level` or `scenario`.
    pub kind: String,
    /// Which: `service web RTO`, `service web in level 3`, `database/control`.
    pub name: String,
    /// Why it counts as untested: no drill, an earlier file, no result.
    pub why: String,
}

/// A finding that was open in the period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Tracked {
    /// How bad, at its worst.
    pub severity: Severity,
    /// What it is.
    pub title: String,
    /// What to do.
    pub remedy: String,
    /// Scenarios in which it is open at the end of the period; where it is in none, those whose retest closed it.
    pub scenarios: Vec<String>,
    /// When it was first found.
    #[schemars(with = "String")]
    pub since: Timestamp,
    /// Whether it was found before the period.
    pub carried_over: bool,
    /// When the last retest closed it; `None` where it is open.
    #[schemars(with = "Option<String>")]
    pub closed_at: Option<Timestamp>,
    /// What is done about it; `None` where no action is assigned.
    pub action: Option<Action>,
    /// Whether the action is open beyond its due day.
    pub overdue: bool,
}

/// A control and what the period shows for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Control {
    /// Whose it is: `SOC 2`.
    pub framework: String,
    /// Which: `A1.3`.
    pub id: String,
    /// What it asks for, in a few words.
    pub asks: String,
    /// What the evidence is worth for it; `None` where there is none in the period.
    pub support: Option<Support>,
    /// The evidence, or that there is none.
    pub evidence: String,
    /// Whether its wording or its number should be confirmed with its text.
    pub confirm: bool,
}

/// What evidence is worth for a control. Never more: whether a control is met is for an auditor to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Support {
    /// It supports it.
    Supports,
    /// It supports a part of it.
    Partly,
    /// It shows that tests are done, and that what the control asks for was not reached in all of them.
    #[serde(rename = "not-reached")]
    NotReached,
}

impl Support {
    /// As people read it.
    pub const fn words(self) -> &'static str {
        match self {
            Support::Supports => "supports",
            Support::Partly => "partly supports",
            Support::NotReached => "shows the testing; NOT reached",
        }
    }
}

/// A drill of the period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Played {
    /// When; of a simulated drill when it was kept in the history.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// Its place in the history.
    pub sequence: Option<u64>,
    /// SHA-256 of its record.
    pub record_sha256: String,
    /// Its scenario.
    pub scenario: String,
    /// Services drilled.
    pub services: Vec<String>,
    /// The plan's level.
    pub level: u8,
    /// Real, or simulated and no evidence.
    pub way: Way,
    /// How it went.
    pub result: DrillResult,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Verdict on its objectives together.
    pub verdict: Verdict,
    /// Whether it is of the plan file that this report is about.
    pub of_this_plan: bool,
}
