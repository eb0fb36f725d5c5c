//! How a drill ends, and the verdict on an objective.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a drill ended, from good to worst (the order is the order of the variants).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Everything that the recovery point promised is back, within RTO and RPO.
    Recovered,
    /// It is back, later than the RTO.
    RecoveredLate,
    /// It is back, and more was lost than the RPO allows.
    RecoveredBehind,
    /// Nothing could be restored, the pipeline said so and raised an alarm.
    RefusedLoudly,
    /// The time limit ended it.
    Hung,
    /// The pipeline claims a recovery that the ledger contradicts, or gave up without an alarm.
    SilentlyWrong,
}

impl Outcome {
    /// As people read it.
    pub const fn words(self) -> &'static str {
        match self {
            Outcome::Recovered => "recovered",
            Outcome::RecoveredLate => "recovered late",
            Outcome::RecoveredBehind => "recovered behind",
            Outcome::RefusedLoudly => "refused loudly",
            Outcome::Hung => "hung",
            Outcome::SilentlyWrong => "silently wrong",
        }
    }
}

/// The verdict on an objective.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The actual is within the objective.
    Met,
    /// It is not.
    Missed,
    /// It could not be judged; never a pass.
    Inconclusive,
}

impl Verdict {
    /// As people read it.
    pub const fn words(self) -> &'static str {
        match self {
            Verdict::Met => "met",
            Verdict::Missed => "missed",
            Verdict::Inconclusive => "inconclusive",
        }
    }
}

/// Whether a drill went as its scenario expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DrillResult {
    /// As expected, and every invariant held.
    Pass,
    /// An expectation or the data failed.
    Fail,
    /// A fault did not bite or a check could not run.
    Inconclusive,
    /// It was stopped before its end.
    Interrupted,
    /// It could not be played.
    NotExecuted,
}

impl DrillResult {
    /// As people read it.
    pub const fn words(self) -> &'static str {
        match self {
            DrillResult::Pass => "pass",
            DrillResult::Fail => "FAIL",
            DrillResult::Inconclusive => "inconclusive",
            DrillResult::Interrupted => "interrupted",
            DrillResult::NotExecuted => "not executed",
        }
    }
}
