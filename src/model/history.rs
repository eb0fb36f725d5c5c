//! What is remembered of a drill: its place in the chain, and a summary that trends and compliance are read from.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    finding::Finding,
    outcome::{DrillResult, Outcome, Verdict},
    record::{Judged, Record, Way},
    time::Elapsed,
};

/// Version of the history format that this build writes.
pub const HISTORY_FORMAT: &str = "backdraft.history/1";

/// The end of a chain: whoever knows it can tell whether anything before it was changed, removed or cut off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Head {
    /// Number of its last entry, counted from 1.
    pub sequence: u64,
    /// SHA-256 of its last entry, lower-case hex: of the bytes of its line, the newline not counted.
    pub sha256: String,
}

/// One link of the chain: a drill's record by its digest, and a summary of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// `backdraft.history/1`.
    pub format: String,
    /// Counted from 1, without gaps.
    pub sequence: u64,
    /// SHA-256 of the entry before, of the bytes of its line without the newline; 64 zeros in the first.
    pub previous_sha256: String,
    /// When it was appended, by the wall clock.
    #[schemars(with = "String")]
    pub appended_at: Timestamp,
    /// SHA-256 of the record as it is kept, gzip'd JSON, lower-case hex: `sha256sum` gives it without unpacking.
    pub record_sha256: String,
    /// What the record says, in short.
    pub summary: Summary,
}

impl Entry {
    /// What the record says, with a date also where it is of a simulated drill: that of its entry.
    pub fn dated(mut self) -> Summary {
        self.summary.run_at = self.summary.run_at.or(Some(self.appended_at));
        self.summary
    }
}

/// A record in short.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Scenario file's path below the scenarios folder, without its ending.
    pub scenario: String,
    /// Its title.
    pub title: String,
    /// Platform of the plan.
    pub platform: String,
    /// Services drilled.
    pub services: Vec<String>,
    /// The plan's level of severity.
    pub level: u8,
    /// Real or simulated.
    pub way: Way,
    /// When it was run, by the wall clock; of a simulated drill, which has no such time, when it was kept in a history,
    /// as [`Entry::dated`] says it; `None` where neither is known.
    #[schemars(with = "Option<String>")]
    pub run_at: Option<Timestamp>,
    /// SHA-256 of the plan file.
    pub plan_sha256: String,
    /// SHA-256 of the scenario file.
    pub scenario_sha256: String,
    /// Pass, fail, inconclusive, interrupted or not executed.
    pub result: DrillResult,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Verdict on the objectives together.
    pub verdict: Verdict,
    /// Objectives against actuals; services first, then the level.
    pub objectives: Vec<Judged>,
    /// t0 to the last passed check.
    pub rta: Option<Elapsed>,
    /// Deviations, each with a remedy.
    pub findings: Vec<Finding>,
}

impl Summary {
    /// What the record says, in short.
    pub fn of(record: &Record) -> Self {
        Summary {
            scenario: record.identity.scenario.clone(),
            title: record.scenario.title.clone(),
            platform: record.scope.platform.clone(),
            services: record.scope.services.clone(),
            level: record.scope.level,
            way: record.identity.way,
            run_at: record.identity.run_at,
            plan_sha256: record.identity.plan_sha256.clone(),
            scenario_sha256: record.identity.scenario_sha256.clone(),
            result: record.result.result,
            outcome: record.result.outcome,
            verdict: record.result.verdict,
            objectives: record.objectives.clone(),
            rta: record.timeline.t5,
            findings: record.findings.clone(),
        }
    }
}
