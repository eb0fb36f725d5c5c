//! The regression gate: this run's durations against those of a baseline. A measured one is a regression only where
//! every value that its interval leaves possible is slower than allowed; what is exact is compared exactly; what cannot
//! be compared is said, and never passes. docs/decisions/0023 says why it is done so.

mod rank;
mod times;

use std::collections::{BTreeMap, BTreeSet};

pub use times::baseline;

use crate::model::{
    baseline::{Baseline, DrillTimes, MOST_PLAYS, Machine, ServiceTimes},
    gate::{Bounds, Compared, Gate, NotComparable, Pace, Sample},
    record::{Record, Way},
    time::{Basis, Elapsed},
    words,
};

/// How often a run in which nothing became slower may be called a regression, by all its comparisons together.
const FALSE_ALARMS: f64 = 0.05;

/// A measured duration is slower only where it takes at least so much longer, in milliseconds: below that a scheduler's
/// time slice decides, and the clock's own millisecond.
const FLOOR_MS: f64 = 5.0;

/// Plays that a baseline needs at the least to be of use for a run of the same drills; more than one only where
/// something is measured.
pub fn plays_needed(baseline: &Baseline) -> usize {
    let both = |name: &str| Some((&baseline.drills[name], &baseline.drills[name]));
    match pairs(baseline.drills.keys().filter_map(|name| Some((name.as_str(), both(name)?)))).len() {
        0 => 1,
        measured => rank::plays_needed(FALSE_ALARMS / measured as f64, MOST_PLAYS),
    }
}

/// Holds all plays of a run against a baseline, as [`compare`] does.
pub fn gate(before: &Baseline, plays: &[Record], machine: Machine, allowed_percent: u32) -> Gate {
    match baseline(plays, machine) {
        Some(now) => compare(before, &now, allowed_percent),
        None => Gate {
            allowed_percent,
            level: FALSE_ALARMS,
            plays_needed: plays_needed(before),
            compared: Vec::new(),
            not_comparable: vec![NotComparable { drill: None, why: "no drill of this run passed".into() }],
            notes: Vec::new(),
        },
    }
}

/// Holds `now` against `before`; anything may take `allowed_percent` longer.
pub fn compare(before: &Baseline, now: &Baseline, allowed_percent: u32) -> Gate {
    let (drills, mut not_comparable) = common_drills(before, now);
    let measured = pairs(drills.iter().copied());
    let level = FALSE_ALARMS / measured.len().max(1) as f64;
    let judge = Judge { allowed: 1.0 + f64::from(allowed_percent) / 100.0, level };
    let mut chances = BTreeMap::new();
    let mut compared = Vec::new();
    for Pair { place, before, now } in measured {
        let (b, n) = (before.len(), now.len());
        let chances = chances.entry((b, n)).or_insert_with(|| rank::chances(b, n));
        compared.extend(judge.measured(place, &before, &now, chances));
    }
    for (drill, (before, now)) in &drills {
        compared.extend(judge.exact_of(drill, before, now));
        not_comparable.extend(one_sided(drill, before, now));
    }
    compared.sort_by(|a, b| (a.pace, &a.drill, &a.service).cmp(&(b.pace, &b.drill, &b.service)));
    let plays_needed = rank::plays_needed(level, MOST_PLAYS);
    Gate { allowed_percent, level, plays_needed, compared, not_comparable, notes: notes(before, now) }
}

type Sides<'a> = (&'a DrillTimes, &'a DrillTimes);

/// Drills on both sides that are the same drill, and why others are not.
fn common_drills<'a>(before: &'a Baseline, now: &'a Baseline) -> (Vec<(&'a str, Sides<'a>)>, Vec<NotComparable>) {
    let whole = |why: String| (Vec::new(), vec![NotComparable { drill: None, why }]);
    if before.machine != now.machine {
        return whole(format!("the baseline is of another machine ({}), this is {}", before.machine, now.machine));
    }
    if (before.way, before.seed) != (now.way, now.seed) {
        let side = |one: &Baseline| format!("{}, seed {}", one.way.words(), one.seed);
        return whole(format!("the baseline is of other runs ({}), this one is {}", side(before), side(now)));
    }
    let mut common = Vec::new();
    let mut others = Vec::new();
    for (name, drill) in &now.drills {
        let why = match before.drills.get(name) {
            None => "the baseline does not have it",
            Some(other) if other.plan_sha256 != drill.plan_sha256 => "the plan is another one than the baseline's",
            Some(other) if other.scenario_sha256 != drill.scenario_sha256 => {
                "the scenario is another one than the baseline's"
            }
            Some(other) => {
                common.push((name.as_str(), (other, drill)));
                continue;
            }
        };
        others.push(NotComparable { drill: Some(name.clone()), why: why.to_owned() });
    }
    (common, others)
}

/// What is measured on both sides, in milliseconds.
struct Pair {
    place: [String; 3],
    before: Vec<u64>,
    now: Vec<u64>,
}

fn pairs<'a>(drills: impl Iterator<Item = (&'a str, Sides<'a>)>) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for (drill, (before, now)) in drills {
        each_stretch(before, now, |service, stretch, before, now| {
            let [before, now] = [before, now].map(|side| millis(side, Basis::Measured));
            if !before.is_empty() && !now.is_empty() {
                pairs.push(Pair { place: [drill.to_owned(), service.to_owned(), stretch.to_owned()], before, now });
            }
        });
    }
    pairs
}

/// Everything that was timed on either side; nothing where it was not on one.
fn each_stretch(before: &DrillTimes, now: &DrillTimes, mut visit: impl FnMut(&str, &str, &[Elapsed], &[Elapsed])) {
    let services: BTreeSet<&String> = before.services.keys().chain(now.services.keys()).collect();
    for service in services {
        let [before, now] = [before, now].map(|drill| drill.services.get(service).map(ServiceTimes::stretches));
        let (before, now) = (before.unwrap_or_default(), now.unwrap_or_default());
        let stretches: BTreeSet<&str> = before.keys().chain(now.keys()).copied().collect();
        for stretch in stretches {
            let side =
                |of: &BTreeMap<&str, &'_ [Elapsed]>| of.get(stretch).map(|took| took.to_vec()).unwrap_or_default();
            visit(service, stretch, &side(&before), &side(&now));
        }
    }
}

fn millis(side: &[Elapsed], basis: Basis) -> Vec<u64> {
    let part = |elapsed: &Elapsed| elapsed.parts().find(|(of, _)| *of == basis)?.1.millis();
    side.iter().filter_map(part).collect()
}

/// What was timed in every play of one side and not in every play of the other.
fn one_sided(drill: &str, before: &DrillTimes, now: &DrillTimes) -> Vec<NotComparable> {
    let mut found: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    each_stretch(before, now, |service, stretch, b, n| {
        let in_each = b.len() == before.plays && n.len() == now.plays;
        let why = match (b.is_empty(), n.is_empty()) {
            (true, false) => "not in the baseline".to_owned(),
            (false, true) => "in the baseline and not in this run".to_owned(),
            _ if in_each => return,
            _ => format!("in {} of {} plays before, in {} of {} now", b.len(), before.plays, n.len(), now.plays),
        };
        found.entry((service.to_owned(), why)).or_default().push(stretch.to_owned());
    });
    let said = |((service, why), stretches): ((String, String), Vec<String>)| NotComparable {
        drill: Some(drill.to_owned()),
        why: format!("{service}, {}: {why}", words::list(&stretches)),
    };
    found.into_iter().map(said).collect()
}

/// What is slower, and how sure that must be.
struct Judge {
    /// Times as long as before.
    allowed: f64,
    /// Chance of a false alarm in one comparison.
    level: f64,
}

impl Judge {
    fn measured(&self, place: [String; 3], before: &[u64], now: &[u64], chances: &[f64]) -> Option<Compared> {
        let all = |of: &dyn Fn(f64, f64) -> f64| -> Vec<f64> {
            let values = before.iter().flat_map(|b| now.iter().map(move |n| (*b as f64, *n as f64)));
            let mut values: Vec<f64> = values.map(|(b, n)| of(b, n)).collect();
            values.sort_by(f64::total_cmp);
            values
        };
        let excess = all(&|b, n| n - (b * self.allowed).max(b + FLOOR_MS));
        let within = excess.iter().filter(|excess| **excess <= 0.0).count();
        let chance = *chances.get(within)?;
        let depth = rank::depth(chances, self.level);
        let pace = match depth {
            None => Pace::TooFew,
            Some(_) if chance <= self.level => Pace::Slower,
            Some(_) if rank::median(&excess)? > 0.0 => Pace::MaybeSlower,
            Some(_) => Pace::Held,
        };
        let bounds = |values: Vec<f64>| -> Option<Bounds> {
            let (first, last) = (depth.unwrap_or(0), values.len().checked_sub(depth.unwrap_or(0) + 1)?);
            Some(Bounds { low: *values.get(first)?, middle: rank::median(&values)?, high: *values.get(last)? })
        };
        let times = if before.contains(&0) { None } else { bounds(all(&|b, n| n / b)) };
        let slower_ms = bounds(all(&|b, n| n - b))?;
        Self::compared(place, Basis::Measured, [before, now], slower_ms, times, Some(chance), pace)
    }

    /// What is the same in each run: assumed by the plan, or by the virtual clock.
    fn exact_of(&self, drill: &str, before: &DrillTimes, now: &DrillTimes) -> Vec<Compared> {
        let mut compared = Vec::new();
        each_stretch(before, now, |service, stretch, b, n| {
            for basis in [Basis::Assumed, Basis::Scenario, Basis::Simulated] {
                let place = [drill, service, stretch].map(str::to_owned);
                compared.extend(self.exact(place, basis, &millis(b, basis), &millis(n, basis)));
            }
        });
        compared
    }

    /// The longest of each side stand against each other: there is but one, unless something is not exact after all.
    fn exact(&self, place: [String; 3], basis: Basis, before: &[u64], now: &[u64]) -> Option<Compared> {
        let (b, n) = (*before.iter().max()? as f64, *now.iter().max()? as f64);
        let pace = match () {
            () if n > b * self.allowed => Pace::Slower,
            () if (n - b).abs() > 0.0 => Pace::Changed,
            () => Pace::Held,
        };
        let one = |value: f64| Bounds { low: value, middle: value, high: value };
        let times = (b > 0.0).then(|| one(n / b));
        Self::compared(place, basis, [before, now], one(n - b), times, None, pace)
    }

    fn compared(
        place: [String; 3],
        basis: Basis,
        sides: [&[u64]; 2],
        slower_ms: Bounds,
        times: Option<Bounds>,
        chance: Option<f64>,
        pace: Pace,
    ) -> Option<Compared> {
        let [drill, service, stretch] = place;
        let sample = |side: &[u64]| Some(Sample { plays: side.len(), median_ms: rank::median(side)? });
        let (before, now) = (sample(sides[0])?, sample(sides[1])?);
        Some(Compared { drill, service, stretch, basis, before, now, slower_ms, times, chance, pace })
    }
}

fn notes(before: &Baseline, now: &Baseline) -> Vec<String> {
    let mut notes = Vec::new();
    if before.tool_version != now.tool_version {
        let (was, is) = (&before.tool_version, &now.tool_version);
        notes.push(format!("The baseline was measured by backdraft {was}, this run by {is}."));
    }
    let unplayed = before.drills.keys().filter(|name| !now.drills.contains_key(*name)).count();
    if unplayed > 0 {
        let drills = words::count(unplayed as u64, "drill");
        let were = if unplayed == 1 { "was" } else { "were" };
        notes.push(format!("{drills} of the baseline did not pass in this run, or {were} not chosen."));
    }
    if now.way == Way::Simulated {
        notes.push("Time is simulated: it shows how the work changed, and nothing of this machine.".into());
    }
    notes
}

#[cfg(test)]
mod tests;
