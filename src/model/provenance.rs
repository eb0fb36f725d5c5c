//! Where the drills of a compliance report come from, and what that leaves unknown.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::history::{Entry, Summary};

/// A drill as it is known: from a history, or from its record.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// Its place in the history; `None` where it is known from its record alone.
    pub sequence: Option<u64>,
    /// SHA-256 of the record, lower-case hex.
    pub record_sha256: String,
    /// What it says, in short.
    pub summary: Summary,
}

/// Where the drills come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Source {
    /// When the history began; of what was before, nothing is known. `None` for records alone.
    pub began: Option<Timestamp>,
    /// Drills of killed runs that are not in the history yet.
    pub waiting: u64,
    /// For records alone: what evidence lay beside them.
    pub beside: Option<Beside>,
}

impl Source {
    /// A history with these entries. A drill is kept after it was run, so either date tells when it began.
    pub fn of_history(entries: &[Entry], waiting: u64) -> Self {
        let began = entries.iter().flat_map(|entry| [Some(entry.appended_at), entry.summary.run_at]).flatten().min();
        Source { began, waiting, beside: None }
    }
}

/// How many records were held against evidence that lay beside them. One whose evidence does not hold is refused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Beside {
    /// Signed with the key that was given.
    pub signed: u64,
    /// Signed, and the signature was not checked, for no key was given.
    pub unchecked: u64,
    /// Not signed: whoever could write the record could write its evidence.
    pub unsigned: u64,
    /// No evidence: what its record says of its date is believed.
    pub none: u64,
}
