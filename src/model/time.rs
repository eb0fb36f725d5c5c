//! How long something took, and how we know: measured, assumed, projected or simulated, never mixed unsaid.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::units::Span;

/// How a duration is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// By a wall clock, on this machine.
    Measured,
    /// Stated by the plan or the scenario.
    Assumed,
    /// A measured rate times the production size.
    Projected,
    /// By the virtual clock.
    Simulated,
}

/// A duration as the sum of what is known in different ways. All parts in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Elapsed {
    /// Stated by the plan or the scenario.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub assumed_ms: u64,
    /// By the virtual clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub simulated_ms: Option<u64>,
    /// By the wall clock; [`Measured::Redacted`] in golden samples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured_ms: Option<Measured>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// A measured number of milliseconds, or the mark that stands for one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Measured {
    /// Milliseconds.
    Millis(u64),
    /// Taken out, so that a golden sample does not change with the machine.
    Redacted(RedactedMark),
}

/// The text `[measured]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RedactedMark {
    /// The one spelling.
    #[serde(rename = "[measured]")]
    Measured,
}

impl Elapsed {
    /// A time that somebody stated.
    pub fn assumed(span: Span) -> Self {
        Elapsed { assumed_ms: span.millis(), ..Self::default() }
    }

    /// Time that ran on the clock: measured or simulated, as `simulated` says.
    pub fn ran(millis: u64, simulated: bool) -> Self {
        match simulated {
            true => Elapsed { simulated_ms: Some(millis), ..Self::default() },
            false => Elapsed { measured_ms: Some(Measured::Millis(millis)), ..Self::default() },
        }
    }

    /// The sum of all parts in milliseconds; a redacted part counts as nothing.
    pub fn total_ms(&self) -> u64 {
        self.assumed_ms + self.simulated_ms.unwrap_or(0) + self.measured_or_zero()
    }

    /// The sum, part by part.
    #[must_use]
    pub fn plus(self, other: Elapsed) -> Elapsed {
        let measured_ms = match (self.measured_ms, other.measured_ms) {
            (None, m) | (m, None) => m,
            (Some(Measured::Millis(a)), Some(Measured::Millis(b))) => Some(Measured::Millis(a + b)),
            _ => Some(Measured::Redacted(RedactedMark::Measured)),
        };
        let simulated_ms = match (self.simulated_ms, other.simulated_ms) {
            (None, s) | (s, None) => s,
            (Some(a), Some(b)) => Some(a + b),
        };
        Elapsed { assumed_ms: self.assumed_ms + other.assumed_ms, simulated_ms, measured_ms }
    }

    /// The time from `earlier` to `self`, part by part; both count from the same start.
    #[must_use]
    pub fn since(self, earlier: Elapsed) -> Elapsed {
        let measured_ms = match (self.measured_ms, earlier.measured_ms) {
            (Some(Measured::Millis(a)), Some(Measured::Millis(b))) => Some(Measured::Millis(a.saturating_sub(b))),
            (m, _) => m,
        };
        Elapsed {
            assumed_ms: self.assumed_ms.saturating_sub(earlier.assumed_ms),
            simulated_ms: self.simulated_ms.map(|s| s.saturating_sub(earlier.simulated_ms.unwrap_or(0))),
            measured_ms,
        }
    }

    /// The same with the measured part replaced by its mark.
    pub fn redact(&mut self) {
        if self.measured_ms.is_some() {
            self.measured_ms = Some(Measured::Redacted(RedactedMark::Measured));
        }
    }

    fn measured_or_zero(&self) -> u64 {
        match self.measured_ms {
            Some(Measured::Millis(ms)) => ms,
            _ => 0,
        }
    }
}
