//! The rule of status, once for every report: a colour that never stands without its word. Green is met with a fifth of
//! the limit to spare and the data whole; amber is a thinner margin or a part only; red is missed or wrong; grey is what
//! nobody knows, and never a kind of green.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Share of a limit that must be left for green, in percent.
pub const MARGIN_PERCENT: i64 = 20;

/// What an actual leaves of a limit, both in the same unit, in percent, rounded down; negative where it is over. Of a
/// limit of nothing all or nothing.
pub fn margin_percent(actual: u64, limit: u64) -> i64 {
    let (actual, limit) = (i128::from(actual), i128::from(limit));
    let percent = match limit {
        0 if actual == 0 => 100,
        0 => -100,
        _ => ((limit - actual) * 100).div_euclid(limit),
    };
    percent.clamp(-999_999, 100) as i64
}

/// The four colours, from good to bad: grey is worse than amber, for what nobody knows may be anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Colour {
    /// Met, with room, and the data whole.
    Green,
    /// Met with little room, or shown in part.
    Amber,
    /// Untested, stale or unmeasured.
    Grey,
    /// Missed or wrong.
    Red,
}

impl Colour {
    /// Its name: in words, in files and in style sheets.
    pub const fn name(self) -> &'static str {
        match self {
            Colour::Green => "green",
            Colour::Amber => "amber",
            Colour::Red => "red",
            Colour::Grey => "grey",
        }
    }
}

/// A status, from bad to good within each colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// What came back is not what was claimed, or a check failed.
    IntegrityFailed,
    /// An objective was not held.
    Missed,
    /// The drill did not end as its scenario expects.
    Failed,
    /// Nobody tried it.
    Untested,
    /// It was tried under another plan, or too long ago.
    Stale,
    /// It was tried, and came to no figure.
    Unmeasured,
    /// The drill shows nothing: a fault did not bite, or a check could not run.
    Inconclusive,
    /// The drill was stopped, or could not be played.
    NotPlayed,
    /// A part of it is known.
    Partial,
    /// Met; by how much was taken out.
    MarginUnknown,
    /// Met with less than a fifth of the limit to spare.
    Thin,
    /// Met with a fifth of the limit to spare, and the data whole.
    Met,
}

impl Status {
    /// That of a limit which was met with so much of it to spare.
    pub const fn of_margin(percent: i64) -> Self {
        if percent >= MARGIN_PERCENT { Status::Met } else { Status::Thin }
    }

    /// Every status, from bad to good within each colour.
    pub const ALL: [Status; 12] = [
        Status::IntegrityFailed,
        Status::Missed,
        Status::Failed,
        Status::Untested,
        Status::Stale,
        Status::Unmeasured,
        Status::Inconclusive,
        Status::NotPlayed,
        Status::Partial,
        Status::MarginUnknown,
        Status::Thin,
        Status::Met,
    ];

    /// Its colour.
    pub const fn colour(self) -> Colour {
        match self {
            Status::IntegrityFailed | Status::Missed | Status::Failed => Colour::Red,
            Status::Untested | Status::Stale | Status::Unmeasured | Status::Inconclusive | Status::NotPlayed => {
                Colour::Grey
            }
            Status::Partial | Status::MarginUnknown | Status::Thin => Colour::Amber,
            Status::Met => Colour::Green,
        }
    }

    /// The word beside the colour.
    pub const fn words(self) -> &'static str {
        match self {
            Status::IntegrityFailed => "integrity failed",
            Status::Missed => "missed",
            Status::Failed => "failed",
            Status::Untested => "untested",
            Status::Stale => "stale",
            Status::Unmeasured => "unmeasured",
            Status::Inconclusive => "inconclusive",
            Status::NotPlayed => "not played",
            Status::Partial => "in part",
            Status::MarginUnknown => "met, margin unknown",
            Status::Thin => "met, thin margin",
            Status::Met => "met",
        }
    }

    /// What it means.
    pub const fn meaning(self) -> &'static str {
        match self {
            Status::IntegrityFailed => "what came back is not what was claimed, or a check failed",
            Status::Missed => "an objective was not held",
            Status::Failed => "the drill did not end as its scenario expects",
            Status::Untested => "no drill tried it",
            Status::Stale => "it was tried under another plan, or too long ago",
            Status::Unmeasured => "a drill tried it and came to no figure",
            Status::Inconclusive => "a fault did not bite or a check could not run: it shows nothing",
            Status::NotPlayed => "the drill was stopped or could not be played",
            Status::Partial => "a part of it is known, and that part is met",
            Status::MarginUnknown => "met; the measured time was taken out, and the margin with it",
            Status::Thin => "met with less than a fifth of the limit to spare",
            Status::Met => "met with at least a fifth of the limit to spare, and the data whole",
        }
    }
}

/// Several together: red where one is, grey where all are, in part where some are; else the thinnest.
pub fn together(all: impl IntoIterator<Item = Status>) -> Status {
    let all: Vec<Status> = all.into_iter().collect();
    let worst = |colour: Colour| all.iter().copied().filter(|status| status.colour() == colour).min();
    let grey = all.iter().filter(|status| status.colour() == Colour::Grey).count();
    match worst(Colour::Red) {
        Some(red) => red,
        None if grey == all.len() => worst(Colour::Grey).unwrap_or(Status::Untested),
        None if grey > 0 => Status::Partial,
        None => all.iter().copied().min().unwrap_or(Status::Untested),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_margin_is_rounded_down_and_never_overflows() {
        let margins = [(80, 100), (81, 100), (100, 100), (1_001, 1_000), (0, 0), (1, 0), (u64::MAX, 1)];
        assert_eq!(margins.map(|(a, l)| margin_percent(a, l)), [20, 19, 0, -1, 100, -100, -999_999]);
    }

    #[test]
    fn green_needs_a_fifth_of_the_limit_to_spare() {
        assert_eq!([100, 20, 19, 0].map(Status::of_margin), [Status::Met, Status::Met, Status::Thin, Status::Thin]);
    }

    #[test]
    fn what_nobody_knows_is_grey_beside_grey_and_a_part_beside_what_is_met() {
        assert_eq!(together([]), Status::Untested);
        assert_eq!(together([Status::Met, Status::Untested]), Status::Partial);
        assert_eq!(together([Status::Stale, Status::Untested]), Status::Untested);
        assert_eq!(together([Status::Met, Status::Thin]), Status::Thin);
        assert_eq!(together([Status::Untested, Status::Missed]), Status::Missed);
        assert!(Colour::Green < Colour::Amber && Colour::Amber < Colour::Grey && Colour::Grey < Colour::Red);
    }

    #[test]
    fn each_status_has_a_word_of_its_own_and_a_colour() {
        let mut words: Vec<&str> = Status::ALL.iter().map(|status| status.words()).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), Status::ALL.len());
        assert!(Status::ALL.is_sorted());
    }
}
