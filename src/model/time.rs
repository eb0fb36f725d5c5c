//! How long something took, and how we know: measured, assumed, projected, simulated or read from the ledger; never
//! mixed unsaid.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{units::Span, words};

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
    /// Scenario time, from the ledger or the schedule: exact, and the same in every run.
    Scenario,
}

impl Basis {
    /// As people read it, after a number.
    pub const fn words(self) -> &'static str {
        match self {
            Basis::Measured => "measured",
            Basis::Assumed => "assumed",
            Basis::Projected => "projected",
            Basis::Simulated => "simulated",
            Basis::Scenario => "of scenario time",
        }
    }
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
    /// Scenario time, from the ledger or the schedule: exact, never redacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenario_ms: Option<u64>,
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

    /// Time between two moments of the scenario.
    pub fn scenario(millis: u64) -> Self {
        Elapsed { scenario_ms: Some(millis), ..Self::default() }
    }

    /// The parts that are there, each with how it is known. Nothing assumed is no part.
    pub fn parts(&self) -> impl Iterator<Item = (Basis, Measured)> + use<> {
        let assumed = Some(self.assumed_ms).filter(|ms| *ms > 0);
        let exact =
            [(Basis::Assumed, assumed), (Basis::Scenario, self.scenario_ms), (Basis::Simulated, self.simulated_ms)];
        let exact = exact.into_iter().filter_map(|(basis, ms)| Some((basis, Measured::Millis(ms?))));
        exact.chain(self.measured_ms.map(|ms| (Basis::Measured, ms)))
    }

    /// The sum of all parts in milliseconds; a redacted part counts as nothing.
    pub fn total_ms(&self) -> u64 {
        self.parts().fold(0, |sum, (_, part)| sum.saturating_add(part.millis().unwrap_or(0)))
    }

    /// Whether its measured part was taken out, so that [`Elapsed::total_ms`] is not the whole.
    pub fn is_redacted(&self) -> bool {
        matches!(self.measured_ms, Some(Measured::Redacted(_)))
    }

    /// The sum, part by part.
    #[must_use]
    pub fn plus(self, other: Elapsed) -> Elapsed {
        let measured_ms = match (self.measured_ms, other.measured_ms) {
            (None, m) | (m, None) => m,
            (Some(Measured::Millis(a)), Some(Measured::Millis(b))) => Some(Measured::Millis(a.saturating_add(b))),
            _ => Some(Measured::Redacted(RedactedMark::Measured)),
        };
        let sum = |a: Option<u64>, b: Option<u64>| match (a, b) {
            (None, s) | (s, None) => s,
            (Some(a), Some(b)) => Some(a.saturating_add(b)),
        };
        Elapsed {
            assumed_ms: self.assumed_ms.saturating_add(other.assumed_ms),
            simulated_ms: sum(self.simulated_ms, other.simulated_ms),
            scenario_ms: sum(self.scenario_ms, other.scenario_ms),
            measured_ms,
        }
    }

    /// The time from `earlier` to `self`, part by part; both count from the same start.
    #[must_use]
    pub fn since(self, earlier: Elapsed) -> Elapsed {
        let measured_ms = match (self.measured_ms, earlier.measured_ms) {
            (Some(Measured::Millis(a)), Some(Measured::Millis(b))) => Some(Measured::Millis(a.saturating_sub(b))),
            (m, _) => m,
        };
        let rest = |a: Option<u64>, b: Option<u64>| a.map(|a| a.saturating_sub(b.unwrap_or(0)));
        Elapsed {
            assumed_ms: self.assumed_ms.saturating_sub(earlier.assumed_ms),
            simulated_ms: rest(self.simulated_ms, earlier.simulated_ms),
            scenario_ms: rest(self.scenario_ms, earlier.scenario_ms),
            measured_ms,
        }
    }

    /// The same with the measured part replaced by its mark.
    pub fn redact(&mut self) {
        if self.measured_ms.is_some() {
            self.measured_ms = Some(Measured::Redacted(RedactedMark::Measured));
        }
    }
}

impl Measured {
    /// The number, where it was not taken out.
    pub fn millis(self) -> Option<u64> {
        match self {
            Measured::Millis(ms) => Some(ms),
            Measured::Redacted(_) => None,
        }
    }
}

/// `6 min assumed + 183 ms measured = 6 min 0.2 s`; a redacted part is `[measured]`, and then there is no sum.
impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What took no time is said only where nothing else did.
        let lasted = |part: &Measured| part.millis() != Some(0);
        let all_zero = !self.parts().any(|(_, part)| lasted(&part));
        let mut count = 0;
        for (basis, part) in self.parts().filter(|(_, part)| all_zero || lasted(part)) {
            f.write_str(if count > 0 { " + " } else { "" })?;
            match part.millis() {
                Some(ms) => write!(f, "{} {}", words::duration(ms), basis.words())?,
                None => f.write_str("[measured]")?,
            }
            count += 1;
        }
        match count {
            0 => f.write_str(&words::duration(0)),
            1 => Ok(()),
            _ if self.is_redacted() => Ok(()),
            _ => write!(f, " = {}", words::duration(self.total_ms())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_says_how_each_part_is_known_and_their_sum() {
        let mut recovery = Elapsed::assumed(Span::minutes(6)).plus(Elapsed::ran(183, false));
        assert_eq!(recovery.to_string(), "6 min assumed + 183 ms measured = 6 min 0.2 s");
        assert_eq!(Elapsed::ran(1_500, true).to_string(), "1.5 s simulated");
        assert_eq!(Elapsed::scenario(Span::hours(9).millis()).to_string(), "9 h of scenario time");
        assert_eq!(Elapsed::default().to_string(), "0 ms");
        recovery.redact();
        assert_eq!(recovery.to_string(), "6 min assumed + [measured]");
        assert_eq!(serde_json::to_value(recovery).unwrap()["measured_ms"], "[measured]");
    }

    #[test]
    fn sums_and_differences_keep_the_parts_apart_and_never_overflow() {
        let t2 = Elapsed::assumed(Span::minutes(35));
        let t5 = t2.plus(Elapsed::ran(250, true));
        assert_eq!(t5.since(t2), Elapsed::ran(250, true));
        let endless = Elapsed { assumed_ms: u64::MAX, measured_ms: Some(Measured::Millis(u64::MAX)), ..t5 };
        assert_eq!(endless.plus(endless).total_ms(), u64::MAX);
        assert_eq!(t2.since(endless).total_ms(), 0);
    }
}
