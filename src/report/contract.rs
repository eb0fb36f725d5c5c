//! What a report format is: a pure function from records to text. Writing files is the caller's.

use crate::model::record::Record;

/// A report format.
pub trait Report: Sync {
    /// Its name in the catalogue: `backdraft list reports`.
    fn name(&self) -> &'static str;

    /// What it is for, in one line.
    fn summary(&self) -> &'static str;

    /// File name ending, without the leading dot.
    fn extension(&self) -> &'static str;

    /// The whole report, with a newline at its end. The same records and options give the same text.
    fn render(&self, records: &[Record], options: &Options) -> String;
}

/// How a report is laid out, for formats that are read on a screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Columns of the terminal.
    pub width: usize,
    /// Whether to use ANSI colours. Whatever a colour says is said in words too.
    pub colour: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options { width: 100, colour: false }
    }
}
