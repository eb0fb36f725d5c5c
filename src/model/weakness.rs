//! A promise of a plan that its own numbers break.

use serde::Serialize;

use super::record::Severity;

/// A weakness of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Weakness {
    /// The rule that found it.
    pub id: &'static str,
    /// How bad.
    pub severity: Severity,
    /// Where in the plan: a path such as `monitor.max_age`.
    pub path: String,
    /// Where in the file: `file:line:column`.
    pub place: String,
    /// What is wrong, in one line.
    pub what: String,
    /// Why, with the numbers.
    pub why: String,
    /// What to change.
    pub remedy: String,
}

/// A weakness with what a drill showed of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// The weakness.
    pub weakness: Weakness,
    /// The drill that proves it; `None` where none of those played does.
    pub proof: Option<Shows>,
}

/// What a drill shows of a weakness.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shows {
    /// The scenario's id: `database/control`.
    pub scenario: String,
    /// Its title.
    pub title: String,
    /// What was seen, with the drill's own figures.
    pub evidence: String,
}
