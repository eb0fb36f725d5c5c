//! What a regression gate found: each duration of this run held against the same one of a baseline.

use serde::Serialize;

use super::{time::Basis, words};

/// One run against one baseline.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Gate {
    /// How much slower anything may be, in percent of the baseline.
    pub allowed_percent: u32,
    /// Measured durations were compared at this level each, so that all of them together raise a false alarm in one run
    /// of twenty at the most.
    pub level: f64,
    /// Plays of each side that this level needs at the least, where that many measured durations are compared.
    pub plays_needed: usize,
    /// Every comparison, in order.
    pub compared: Vec<Compared>,
    /// What could not be compared, and why.
    pub not_comparable: Vec<NotComparable>,
    /// What else to know.
    pub notes: Vec<String>,
}

/// One duration, before and now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Compared {
    /// Scenario.
    pub drill: String,
    /// Service.
    pub service: String,
    /// A phase of the recovery, `backups`, or `t0 to t5`.
    pub stretch: String,
    /// How both are known.
    pub basis: Basis,
    /// The baseline.
    pub before: Sample,
    /// This run.
    pub now: Sample,
    /// How much longer it takes, in milliseconds; negative where it is faster.
    pub slower_ms: Bounds,
    /// How many times as long it takes; `None` where the baseline has durations of 0 ms.
    pub times: Option<Bounds>,
    /// How often noise alone would look so bad, 0 to 1; `None` where nothing is left to chance.
    pub chance: Option<f64>,
    /// What comes of it.
    pub pace: Pace,
}

/// Durations of several plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Sample {
    /// How many.
    pub plays: usize,
    /// The middle one, in milliseconds.
    pub median_ms: u64,
}

/// An estimate with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bounds {
    /// Not below this.
    pub low: f64,
    /// The best guess.
    pub middle: f64,
    /// Not above this.
    pub high: f64,
}

/// What a comparison shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pace {
    /// Slower than allowed, and not by chance.
    Slower,
    /// It looks slower than allowed, and may be so by chance.
    MaybeSlower,
    /// It was played too seldom to be judged.
    TooFew,
    /// An exact duration is another one, within what is allowed.
    Changed,
    /// Nothing shows that it is slower than allowed.
    Held,
}

/// Something that could not be compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotComparable {
    /// Scenario; `None` for the whole run.
    pub drill: Option<String>,
    /// Why, in words.
    pub why: String,
}

/// What a gate says of the whole run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum GateVerdict {
    /// Nothing is slower than allowed, as far as these plays can tell.
    Held,
    /// Something is.
    Regression,
    /// Something could not be compared.
    Inconclusive,
}

impl GateVerdict {
    /// As people read it.
    pub const fn words(self) -> &'static str {
        match self {
            GateVerdict::Held => "held",
            GateVerdict::Regression => "REGRESSION",
            GateVerdict::Inconclusive => "inconclusive",
        }
    }
}

impl Gate {
    /// A regression where one was found, whatever else could not be compared; never held where nothing was compared.
    pub fn verdict(&self) -> GateVerdict {
        let any = |pace| self.of(pace).next().is_some();
        match () {
            () if any(Pace::Slower) => GateVerdict::Regression,
            () if any(Pace::TooFew) || !self.not_comparable.is_empty() => GateVerdict::Inconclusive,
            () if self.compared.is_empty() => GateVerdict::Inconclusive,
            () => GateVerdict::Held,
        }
    }

    /// Comparisons with that end.
    pub fn of(&self, pace: Pace) -> impl Iterator<Item = &Compared> {
        self.compared.iter().filter(move |one| one.pace == pace)
    }
}

impl Compared {
    /// `database/control, database, fetch`.
    pub fn place(&self) -> String {
        format!("{}, {}, {}", self.drill, self.service, self.stretch)
    }

    /// Which phase is meant, by how much it is slower, and how sure that is: `2.1 times as long (at least 1.8), 40 ms ▸ 84 ms`.
    pub fn figures(&self) -> String {
        let (before, now) = (words::duration(self.before.median_ms), words::duration(self.now.median_ms));
        let by = match (&self.times, self.chance) {
            (Some(times), None) => format!("{:.2} times as long", times.middle),
            (Some(times), Some(_)) => {
                format!("{:.2} times as long ({:.2} to {:.2})", times.middle, times.low, times.high)
            }
            (None, _) => format!("{} more", words::duration(self.slower_ms.middle.max(0.0).round() as u64)),
        };
        let sure = match self.chance {
            None => format!("exact, {}", self.basis.words()),
            Some(chance) => {
                let plays = format!("{} plays against {}", self.now.plays, self.before.plays);
                format!("{plays}, by chance in {} of such comparisons", percent(chance))
            }
        };
        format!("{by}: {before} before, {now} now; {sure}")
    }
}

/// A share in percent, never rounded down to nothing.
fn percent(share: f64) -> String {
    match share * 100.0 {
        tiny if tiny < 0.01 => "less than 0.01%".to_owned(),
        small if small < 1.0 => format!("{small:.2}%"),
        large => format!("{large:.0}%"),
    }
}
