//! What a report format is: a pure function from a run to text. Writing files is the caller's.

use jiff::{Timestamp, tz::TimeZone};
use std::borrow::Cow;

use super::language::Language;
use crate::model::{
    gate::Gate,
    history::{Head, Summary},
    matrix::Matrix,
    origin::Origins,
    record::Record,
    trend::Trend,
};

/// What a report is made of.
#[derive(Debug, Clone, Copy, Default)]
pub struct Run<'a> {
    /// The drills, in the order in which they were played.
    pub records: &'a [Record],
    /// What is known of earlier drills, oldest first, these ones included; empty where no history is kept.
    pub past: &'a [Summary],
    /// Month by month, what earlier drills and these gave; `None` where no history is kept.
    pub trend: Option<&'a Trend>,
    /// End of the chain that these drills are in; `None` where no history is kept.
    pub head: Option<&'a Head>,
    /// The detection matrix of the pipeline, where it was made.
    pub matrix: Option<&'a Matrix>,
    /// Name of the key that the evidence will be signed with; `None` where it stays unsigned.
    pub key: Option<&'a str>,
    /// What came of holding the drills against a baseline; `None` where none was given.
    pub gate: Option<&'a Gate>,
    /// Where the scenarios were written; `None` where that is not known.
    pub origins: Option<&'a Origins>,
}

impl<'a> Run<'a> {
    /// These drills and nothing beside them.
    pub fn of(records: &'a [Record]) -> Self {
        Run { records, ..Run::default() }
    }
}

/// A report format.
pub trait Report: Sync {
    /// Its name in the catalogue: `backdraft list reports`.
    fn name(&self) -> &'static str;

    /// What it is for, in one line.
    fn summary(&self) -> &'static str;

    /// The file's name in a run's folder, without the language: `report.md`, `junit.xml`.
    fn file(&self) -> &'static str;

    /// Whether people read it: then it is written in the language that was asked for, else always in English.
    fn is_read(&self) -> bool {
        true
    }

    /// The whole report, with a newline at its end. The same run and options give the same text.
    fn render(&self, run: &Run<'_>, options: &Options) -> String;
}

/// How a report is laid out, for formats that are read by people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Columns of the terminal.
    pub width: usize,
    /// Whether to use ANSI colours. Whatever a colour says is said in words too.
    pub colour: bool,
    /// Language of everything that backdraft itself says.
    pub language: Language,
}

impl Default for Options {
    fn default() -> Self {
        Options { width: 100, colour: false, language: Language::English }
    }
}

impl Options {
    /// A text of backdraft's own in the language asked for: a label, or a sentence with its figures.
    pub fn say<'t>(&self, english: &'t str) -> Cow<'t, str> {
        self.language.say(english)
    }
}

/// A moment as the plan's people read it, to the second: `2026-03-02 18:00:05 KST`. UTC where the zone is not known here.
pub fn moment(at: Timestamp, time_zone: &str) -> String {
    let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
    at.to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}
