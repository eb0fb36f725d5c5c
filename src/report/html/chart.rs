//! Durations as bars. Places are shares of a width in percent, for SVG without a view box: bars stretch with the page,
//! and text beside them keeps its size. What is drawn is said in words in the same row.

use crate::{
    model::{
        time::{Basis, Elapsed},
        words,
    },
    report::Options,
};

/// Times since t0 in milliseconds, from left to right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scale {
    from: u64,
    to: u64,
}

/// A bar, or a part of one that is known in one way.
#[derive(Debug, PartialEq)]
pub(super) struct Bar {
    pub(super) x: String,
    pub(super) width: String,
    /// How it is known, as a class of the style sheet.
    pub(super) basis: &'static str,
}

/// An upright line: an objective.
#[derive(Debug, PartialEq)]
pub(super) struct Line {
    pub(super) x: String,
    pub(super) label: String,
    /// On which side of the line its label stands.
    pub(super) anchor: &'static str,
}

/// A mark on the axis; marks that stand too close together are one.
#[derive(Debug, PartialEq)]
pub(super) struct Mark {
    pub(super) x: String,
    pub(super) label: String,
    pub(super) anchor: &'static str,
}

/// Narrowest bar that is still seen, in percent.
const THINNEST: f64 = 0.4;

impl Scale {
    pub(super) fn new(from: u64, to: u64) -> Self {
        Scale { from, to: to.max(from.saturating_add(1)) }
    }

    /// Share of the width at which a moment is; moments off the scale are at its ends.
    fn at(&self, ms: u64) -> f64 {
        let (from, to) = (self.from as f64, self.to as f64);
        ((ms as f64 - from) / (to - from) * 100.0).clamp(0.0, 100.0)
    }

    pub(super) fn has(&self, ms: u64) -> bool {
        (self.from..=self.to).contains(&ms)
    }

    /// The parts of a duration one after another, each as long as it is; what was taken out is not there.
    pub(super) fn bars(&self, from: Elapsed, took: Elapsed) -> Vec<Bar> {
        let mut at = from.total_ms();
        let mut bars = Vec::new();
        for (basis, part) in took.parts() {
            let Some(ms) = part.millis() else { continue };
            let end = at.saturating_add(ms);
            if end >= self.from && at <= self.to && (ms > 0 || took.total_ms() == 0) {
                let x = self.at(at).min(100.0 - THINNEST);
                let width = (self.at(end) - x).max(THINNEST);
                bars.push(Bar { x: percent(x), width: percent(width), basis: class(basis) });
            }
            at = end;
        }
        bars
    }

    /// A line at that moment; `None` where it is off the scale.
    pub(super) fn line(&self, ms: u64, label: String) -> Option<Line> {
        let x = self.at(ms);
        let anchor = if x > 55.0 { "end" } else { "start" };
        self.has(ms).then(|| Line { x: percent(x), label, anchor })
    }

    /// The marks in their order; where several stand within a few percent of each other they are said as one.
    pub(super) fn marks(&self, marks: &[(&'static str, Option<u64>)]) -> Vec<Mark> {
        let mut groups: Vec<(f64, Vec<&'static str>)> = Vec::new();
        for (name, at) in marks {
            let Some(ms) = at.filter(|ms| self.has(*ms)) else { continue };
            let x = self.at(ms);
            match groups.last_mut() {
                Some((first, names)) if x - *first < 7.0 => names.push(name),
                _ => groups.push((x, vec![name])),
            }
        }
        let mark = |(x, names): (f64, Vec<&'static str>)| {
            let label = match names[..] {
                [first, .., last] => format!("{first}–{last}"),
                _ => names.concat(),
            };
            let anchor = match x {
                ..4.0 => "start",
                96.0.. => "end",
                _ => "middle",
            };
            Mark { x: percent(x), label, anchor }
        };
        groups.into_iter().map(mark).collect()
    }

    /// Whether a moment lies before it, or at its very start.
    pub(super) fn is_before(&self, ms: u64) -> bool {
        self.from > 0 && ms <= self.from
    }

    /// The same as times since its start, which is said since t0.
    pub(super) fn ends_from_start(&self, options: &Options) -> [String; 3] {
        let length = self.to - self.from;
        let say = |ms| options.say(&words::hours(ms)).into_owned();
        [format!("t0 + {}", say(self.from)), format!("+ {}", say(length / 2)), format!("+ {}", say(length))]
    }

    /// What its start, middle and end say.
    pub(super) fn ends(&self, options: &Options) -> [String; 3] {
        let middle = self.from + (self.to - self.from) / 2;
        [self.from, middle, self.to].map(|ms| options.say(&words::hours(ms)).into_owned())
    }
}

/// A share as it stands in SVG.
pub(super) fn percent(share: f64) -> String {
    let short = format!("{share:.2}");
    format!("{}%", short.trim_end_matches('0').trim_end_matches('.'))
}

/// How a duration is known, as a class of the style sheet.
pub(super) const fn class(basis: Basis) -> &'static str {
    match basis {
        Basis::Measured => "measured",
        Basis::Assumed => "assumed",
        Basis::Projected => "projected",
        Basis::Simulated => "simulated",
        Basis::Scenario => "scenario",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_each_of_its_parts_and_never_invisible() {
        let scale = Scale::new(0, 100_000);
        let took = Elapsed::assumed("50 s".parse().unwrap()).plus(Elapsed::ran(1, false));
        let bars = scale.bars(Elapsed::ran(25_000, false), took);
        let places: Vec<_> = bars.iter().map(|bar| (bar.x.as_str(), bar.width.as_str(), bar.basis)).collect();
        assert_eq!(places, [("25%", "50%", "assumed"), ("75%", "0.4%", "measured")]);
    }

    #[test]
    fn a_time_that_was_taken_out_has_no_bar() {
        let mut took = Elapsed::assumed("50 s".parse().unwrap()).plus(Elapsed::ran(1, false));
        took.redact();
        let bars = Scale::new(0, 100_000).bars(Elapsed::default(), took);
        assert_eq!(bars.iter().map(|bar| bar.basis).collect::<Vec<_>>(), ["assumed"]);
    }

    #[test]
    fn marks_that_would_cover_each_other_are_said_as_one() {
        let marks = Scale::new(0, 1_000).marks(&[
            ("t0", Some(0)),
            ("t1", Some(500)),
            ("t2", Some(510)),
            ("t3", Some(520)),
            ("t4", None),
            ("t5", Some(5_000)),
        ]);
        assert_eq!(marks.iter().map(|mark| mark.label.as_str()).collect::<Vec<_>>(), ["t0", "t1–t3"]);
    }

    #[test]
    fn nothing_divides_by_nothing_and_nothing_leaves_the_page() {
        let endless = Elapsed { assumed_ms: u64::MAX, ..Elapsed::default() };
        for scale in [Scale::new(0, 0), Scale::new(u64::MAX, 0), Scale::new(5, 10)] {
            for bar in scale.bars(endless, endless).into_iter().chain(scale.bars(Elapsed::default(), endless)) {
                let number = |text: &str| text.trim_end_matches('%').parse::<f64>().unwrap();
                assert!(number(&bar.x) + number(&bar.width) <= 100.5, "{bar:?}");
            }
        }
    }
}
