//! What is remembered of drills: every record, packed, and a chain of entries in which each holds the digest of the one
//! before it. Kept in a folder or below a prefix of a bucket; written only at its end, repaired only there.

use std::path::Path;

use jiff::Timestamp;

mod announced;
mod bucket;
mod chain;
mod contract;
mod folder;
mod judge;
mod marks;
mod packing;
mod survey;

pub use announced::{Announced, Announcement, Unbegun};
pub use bucket::Bucket;
pub use contract::{Draft, Place};
pub use folder::Folder;
pub use judge::{Flaw, Verified};
pub use marks::{Mark, OfRun, Unended, Waiting};
pub use packing::{pack, unpack};

use crate::{
    error::{Error, Result},
    model::{
        history::{Entry, Head, Summary},
        record::Record,
    },
};
use marks::Marks;

/// A history.
#[derive(Debug)]
pub struct History {
    place: Box<dyn Place>,
    marks: Marks,
}

impl History {
    /// The one in that place. Marks of drills that are being played lie in `marks`, a folder of this machine. Nothing is
    /// read or made yet.
    pub fn new(place: Box<dyn Place>, marks: &Path) -> Self {
        History { place, marks: Marks::new(marks) }
    }

    /// Where it is, as people name it.
    pub fn name(&self) -> String {
        self.place.name()
    }

    /// Makes it ready to be written to: what a killed run left half-written is finished or taken back. Says what was done.
    ///
    /// # Errors
    /// When it cannot be written to, or its end is damaged in a way that no killed run leaves.
    pub fn repair(&self) -> Result<Vec<String>> {
        self.place.repair()
    }

    /// Writes down that a drill begins. `unended` is what its record is made of if nobody ever ends it.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn begin(&self, unended: &Unended) -> Result<Mark> {
        self.marks.begin(unended)
    }

    /// Writes down which drills a run is going to play.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn announce(&self, announcement: &Announcement) -> Result<Announced> {
        self.marks.announce(announcement)
    }

    /// As [`History::begin`], of a drill that was announced.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn begin_of(&self, run: &mut Announced, unended: &Unended) -> Result<Mark> {
        run.begin(&self.marks, unended)
    }

    /// Appends the record of a drill that has ended, and takes its mark away. From the moment at which this is called the
    /// record is not lost: a later start finds it where this one is killed.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn append(&self, record: &Record, mark: Mark, at: Timestamp) -> Result<Head> {
        let finished = mark.finish(record)?;
        self.place.append(&Draft { summary: Summary::of(record), file: finished.path(), at, left: false })
    }

    /// Drills whose process is gone: those that never ended, to be made a record of and appended.
    ///
    /// # Errors
    /// When their marks cannot be read.
    pub fn unended(&self) -> Result<Vec<(Mark, Unended)>> {
        self.marks.unended()
    }

    /// Runs whose process is gone, with those of their drills that never began: to be made records of and appended. `unended`
    /// are the drills that did.
    ///
    /// # Errors
    /// When what was announced cannot be read.
    pub fn unbegun(&self, unended: &[(Mark, Unended)]) -> Result<Vec<Unbegun>> {
        let marked = unended.iter().filter_map(|(_, unended)| unended.of_run.clone()).collect();
        announced::left(&self.marks, &marked)
    }

    /// What lies beside the chain: drills of runs that are gone, and drills that are being played.
    ///
    /// # Errors
    /// When marks cannot be read.
    pub fn waiting(&self) -> Result<Waiting> {
        self.marks.waiting()
    }

    /// Appends what drills left that ended, and were killed before their record was in the chain. Says how many.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn take_in_finished(&self, at: Timestamp) -> Result<usize> {
        let finished = self.marks.finished()?;
        let mut taken_in = 0;
        for one in finished {
            let record = one.record()?;
            self.place.append(&Draft { summary: Summary::of(&record), file: one.path(), at, left: true })?;
            taken_in += 1;
        }
        Ok(taken_in)
    }

    /// Every entry, oldest first. Nothing is verified.
    ///
    /// # Errors
    /// When it cannot be read, or holds what is no entry.
    pub fn entries(&self) -> Result<Vec<Entry>> {
        let lines = self.place.lines()?;
        lines.iter().zip(1..).map(|(line, number)| chain::entry(line).map_err(|e| self.no_entry(number, e))).collect()
    }

    /// The record of an entry, held against its digest; `None` where there is no such entry.
    ///
    /// # Errors
    /// When it cannot be read, or is not the one that its entry speaks of.
    pub fn record(&self, entry: &Entry) -> Result<Record> {
        let place = format!("{}: entry {}", self.name(), entry.sequence);
        let help = "`backdraft history verify` says whether others are, too";
        let Some(packed) = self.place.record(entry.sequence)? else {
            return Err(Error::new("the record of this entry is gone").at(place).help(help));
        };
        if chain::hex(&chain::digest(&packed)) != entry.record_sha256 {
            return Err(Error::new("the record of this entry was edited").at(place).help(help));
        }
        let record = unpack(&packed).map_err(|e| e.at(place.clone()))?;
        if Summary::of(&record) != entry.summary {
            return Err(Error::new("the summary of this entry is not that of its record").at(place).help(help));
        }
        Ok(record)
    }

    /// Reads all of it, and holds it against itself and against a head that somebody kept elsewhere.
    ///
    /// # Errors
    /// When it cannot be read at all.
    pub fn verify(&self, kept: Option<&Head>) -> Result<Verified> {
        Ok(judge::judge(&self.place.survey()?, kept))
    }

    fn no_entry(&self, number: u64, why: String) -> Error {
        Error::new("this is no entry of a history")
            .at(format!("{}: line {number}", self.name()))
            .because(why)
            .help("`backdraft history verify` says what was changed")
    }
}
