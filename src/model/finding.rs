//! Findings: what a drill found that somebody should act on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something to act on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// How bad.
    pub severity: Severity,
    /// What it is, in a few words that are the same in every drill.
    pub title: String,
    /// What was found in this drill, with its figures.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

/// How bad a finding is, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Data or truth is lost.
    Critical,
    /// An objective is missed, or nobody would have known of a danger in time.
    High,
    /// It will be missed in a worse case, or an alarm lies.
    Medium,
    /// Worth knowing.
    Low,
}

impl Severity {
    /// As people read it.
    pub const fn words(self) -> &'static str {
        match self {
            Severity::Critical => "critical",
            Severity::High => "high",
            Severity::Medium => "medium",
            Severity::Low => "low",
        }
    }
}
