//! The detection matrix: every fault against a pipeline, and where it was caught.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{family::Family, outcome::Outcome, record::Way, words};

/// Version of the matrix format that this build writes.
pub const MATRIX_FORMAT: &str = "backdraft.matrix/1";

/// What a matrix is of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Subject {
    /// Version of backdraft.
    pub tool_version: String,
    /// Platform of the plan.
    pub platform: String,
    /// SHA-256 of the plan file, lower-case hex.
    pub plan_sha256: String,
    /// The pipeline under test.
    pub pipeline: String,
    /// Root of all randomness.
    pub seed: u64,
    /// `real` or `simulated`.
    pub way: Way,
}

/// Which fault a trial tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TriedFault {
    /// Its family.
    pub family: Family,
    /// Its name.
    pub name: &'static str,
    /// Its mode.
    pub mode: &'static str,
    /// Its place among the scenario's faults.
    pub number: usize,
}

/// Every fault against a pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Matrix {
    /// `backdraft.matrix/1`.
    pub format: String,
    /// What it is of.
    #[serde(flatten)]
    pub of: Subject,
    /// One drill a service without any fault. Where one is not green, nothing below means anything.
    pub controls: Vec<Control>,
    /// One cell a fault, mode and service.
    pub cells: Vec<Cell>,
    /// Scores by family, in the order of the families; those that were tried.
    pub families: Vec<FamilyScore>,
    /// The score of all cells.
    pub score: Score,
}

/// A drill without a fault.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Control {
    /// The service.
    pub service: String,
    /// Whether it recovered, as the ledger says, and nobody was alarmed with reason.
    pub green: bool,
    /// How it ended, in words.
    pub evidence: String,
}

/// One fault tried on one service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cell {
    /// What sort of fault.
    pub family: Family,
    /// Its name in the catalogue.
    pub fault: String,
    /// Its mode.
    pub mode: String,
    /// The service that was drilled.
    pub service: String,
    /// Where it was caught.
    pub caught: Caught,
    /// How the drill ended; `None` where it did not get that far.
    pub outcome: Option<Outcome>,
    /// What shows it, in words.
    pub evidence: String,
}

impl Cell {
    /// The fault as people read it.
    pub fn name(&self) -> String {
        words::fault(&self.fault, &self.mode)
    }
}

/// Where a fault was caught, the earliest place first; what was not caught comes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Caught {
    /// The backup said so when it was made.
    AtBackup,
    /// The monitor said so before the disaster.
    ByMonitor,
    /// The restore refused the recovery point before it put any of it into a target, and restored another.
    AtVerify,
    /// The restore recovered in spite of it: fell back, tried again, or was not stopped by it.
    AtRestore,
    /// Nothing could be restored; the pipeline said so.
    RefusedLoudly,
    /// It showed in the outcome alone: back after the RTO, behind the RPO, or ended by the time limit.
    Late,
    /// The pipeline claimed a recovery that the ledger contradicts, or gave up without an alarm.
    SilentlyWrong,
    /// It did not take effect, or the drill could not be judged: inconclusive.
    DidNotBite,
}

impl Caught {
    /// Every place, in the order of the columns.
    pub const ALL: [Caught; 8] = [
        Caught::AtBackup,
        Caught::ByMonitor,
        Caught::AtVerify,
        Caught::AtRestore,
        Caught::RefusedLoudly,
        Caught::Late,
        Caught::SilentlyWrong,
        Caught::DidNotBite,
    ];

    /// As people read it.
    pub const fn words(self) -> &'static str {
        match self {
            Caught::AtBackup => "at backup",
            Caught::ByMonitor => "by the monitor",
            Caught::AtVerify => "at verify",
            Caught::AtRestore => "at restore",
            Caught::RefusedLoudly => "refused loudly",
            Caught::Late => "late",
            Caught::SilentlyWrong => "silently wrong",
            Caught::DidNotBite => "did not bite",
        }
    }

    /// Its name in files and classes.
    pub const fn name(self) -> &'static str {
        match self {
            Caught::AtBackup => "at-backup",
            Caught::ByMonitor => "by-monitor",
            Caught::AtVerify => "at-verify",
            Caught::AtRestore => "at-restore",
            Caught::RefusedLoudly => "refused-loudly",
            Caught::Late => "late",
            Caught::SilentlyWrong => "silently-wrong",
            Caught::DidNotBite => "did-not-bite",
        }
    }

    /// What it means.
    pub const fn meaning(self) -> &'static str {
        match self {
            Caught::AtBackup => "the backup job raised an alarm when the backup was made",
            Caught::ByMonitor => "the monitor raised an alarm before the disaster",
            Caught::AtVerify => "the restore refused the damaged point before using it, and restored another",
            Caught::AtRestore => {
                "the restore recovered in spite of it: fell back, tried again, or was not stopped by it"
            }
            Caught::RefusedLoudly => "nothing could be restored, and the pipeline said so with an alarm",
            Caught::Late => "nobody noticed until the outcome: after the RTO, behind the RPO, or hung",
            Caught::SilentlyWrong => "a recovery was claimed that the ledger contradicts, or it gave up in silence",
            Caught::DidNotBite => {
                "the fault took no effect or the drill could not be judged: inconclusive, never a pass"
            }
        }
    }

    /// Whether it bit at all.
    pub fn bit(self) -> bool {
        self != Caught::DidNotBite
    }

    /// Whether somebody was told, or the service was back whole and in time.
    pub fn counts(self) -> bool {
        self.bit() && self != Caught::Late && self != Caught::SilentlyWrong
    }
}

/// How many faults bit, and how many of them were caught.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Score {
    /// Faults that took effect.
    pub bitten: u64,
    /// Of these, caught in time by somebody.
    pub caught: u64,
    /// Of these, noticed in the outcome alone.
    pub late: u64,
    /// Of these, noticed by nobody.
    pub silently_wrong: u64,
    /// Faults tried that did not bite.
    pub did_not_bite: u64,
}

impl Score {
    /// The score of these cells.
    pub fn of<'c>(cells: impl Iterator<Item = &'c Cell>) -> Self {
        let mut score = Score::default();
        for Cell { caught, .. } in cells {
            score.bitten += u64::from(caught.bit());
            score.caught += u64::from(caught.counts());
            score.late += u64::from(*caught == Caught::Late);
            score.silently_wrong += u64::from(*caught == Caught::SilentlyWrong);
            score.did_not_bite += u64::from(!caught.bit());
        }
        score
    }

    /// `41 of 44 caught (93%)`. Rounded down: only all is 100%.
    pub fn words(&self) -> String {
        match (self.caught * 100).checked_div(self.bitten) {
            Some(percent) => format!("{} of {} caught ({percent}%)", self.caught, self.bitten),
            None => "nothing bit".to_owned(),
        }
    }
}

/// The score of a family.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FamilyScore {
    /// The family.
    pub family: Family,
    /// Its score.
    #[serde(flatten)]
    pub score: Score,
}
