//! What lies in a place, as it was read: every line with its digest, every record held against its entry. Nothing is
//! judged here.

use super::chain::{Digest, End, Link};

/// All that was read.
#[derive(Debug, Default)]
pub struct Survey {
    /// Lines in the order in which they stand.
    pub(super) seen: Vec<Seen>,
    /// What is said of the end beside the chain.
    pub(super) head: HeadSeen,
    /// How it ends.
    pub(super) ending: Ending,
    /// Records beyond the last whole line, by their number, with their digest where they can be read.
    pub(super) beyond: Vec<(u64, Option<Digest>)>,
}

/// How a chain ends, as whoever appends to it sees it.
#[derive(Debug, Default)]
pub(super) enum Ending {
    /// With its last entry.
    #[default]
    Whole,
    /// With what a write leaves that was cut short; the next append puts it right.
    Unfinished(String),
    /// With what no write leaves; nothing is appended to it.
    Damaged(Damage),
}

/// Why nothing can be appended.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Damage {
    /// The entry that it concerns; none where that cannot be told.
    pub(super) sequence: Option<u64>,
    /// What is wrong.
    pub(super) why: String,
}

impl Damage {
    pub(super) fn new(sequence: u64, why: impl Into<String>) -> Self {
        Damage { sequence: Some(sequence), why: why.into() }
    }

    /// In words.
    pub(super) fn words(&self) -> String {
        self.sequence.map_or_else(|| self.why.clone(), |sequence| format!("entry {sequence}: {}", self.why))
    }
}

/// One line.
#[derive(Debug)]
pub(super) struct Seen {
    /// Its digest.
    pub(super) digest: Digest,
    /// Digest that was written beside it, where the place keeps that.
    pub(super) stated: Stated,
    /// What holds it in its place.
    pub(super) line: Line,
}

/// Whether a place keeps a line's digest beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stated {
    /// It does not.
    NotKept,
    /// It does, and there is none, or what is no digest.
    Missing,
    /// This is it.
    As(Digest),
}

/// What a line says.
#[derive(Debug)]
pub(super) enum Line {
    /// An entry, and what became of its record.
    Entry(Link, Kept),
    /// No entry, and why.
    Odd(String),
}

impl Line {
    /// What holds it in its place, where it is an entry.
    pub(super) const fn link(&self) -> Option<Link> {
        match self {
            Line::Entry(link, _) => Some(*link),
            Line::Odd(_) => None,
        }
    }
}

/// What became of a record.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// It has the digest that its entry states.
    Intact,
    /// It has another one.
    Edited,
    /// It is not there.
    Gone,
    /// It cannot be read, and why.
    Unreadable(String),
}

/// What is said of the end beside the chain.
#[derive(Debug, Default)]
pub(super) enum HeadSeen {
    /// This place keeps none.
    #[default]
    NotKept,
    /// It should be there, and is not.
    Missing,
    /// It makes no sense, and why.
    Odd(String),
    /// It names this end.
    Names(End),
}
