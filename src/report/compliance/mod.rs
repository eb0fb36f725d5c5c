//! The compliance report, in five formats: what it says is laid out once, block by block, so that each format says the
//! same; each then makes harmless what came from elsewhere.

mod blocks;
mod csv;
mod details;
mod html;
mod json;
mod markdown;
#[cfg(test)]
mod tests;

use super::Options;
use crate::model::compliance::Compliance;

/// What a report is made of.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// What the drills of the period show.
    pub of: &'a Compliance,
    /// Name of the key that the evidence will be signed with; `None` where it stays unsigned.
    pub key: Option<&'a str>,
}

/// A format: a pure function from the page to text.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// Its name.
    pub name: &'static str,
    /// The file's name.
    pub file: &'static str,
    /// Whether people read it: then it is in the language that was asked for.
    pub is_read: bool,
    /// The whole report, with a newline at its end.
    pub render: fn(&Page<'_>, &Options) -> String,
}

/// All formats. Those that people read are in the language asked for; JSON and CSV are always in English.
pub static FORMATS: [Format; 4] = [
    Format { name: "html", file: "compliance.html", is_read: true, render: html::render },
    Format { name: "markdown", file: "compliance.md", is_read: true, render: markdown::render },
    Format { name: "json", file: "compliance.json", is_read: false, render: json::render },
    Format { name: "csv", file: "compliance.csv", is_read: false, render: csv::render },
];
