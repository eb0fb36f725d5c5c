//! Where a history can be kept: what every such place can do.

use std::{fmt, path::Path};

use jiff::Timestamp;

use super::survey::Survey;
use crate::{
    error::Result,
    model::history::{Head, Summary},
};

/// A place that keeps a chain and its records.
pub trait Place: Send + Sync + fmt::Debug {
    /// As people name it.
    fn name(&self) -> String;

    /// Every whole line of the chain, without its newline, oldest first; none where there is no history yet.
    fn lines(&self) -> Result<Vec<Vec<u8>>>;

    /// A record as it is kept; `None` where there is none.
    fn record(&self, sequence: u64) -> Result<Option<Vec<u8>>>;

    /// Finishes or takes back what a killed write left at the end, and says what it did.
    fn repair(&self) -> Result<Vec<String>>;

    /// Appends a record, and takes its file away. Two that write at once come one after the other.
    fn append(&self, draft: &Draft<'_>) -> Result<Head>;

    /// Reads everything, every record included.
    fn survey(&self) -> Result<Survey>;
}

/// What is to be appended.
#[derive(Debug, Clone)]
pub struct Draft<'d> {
    /// What the record says, in short.
    pub summary: Summary,
    /// The packed record, in a file of this machine.
    pub file: &'d Path,
    /// When it is appended, by the wall clock.
    pub at: Timestamp,
    /// Whether a killed run left it, so that it may be in the chain already.
    pub left: bool,
}
