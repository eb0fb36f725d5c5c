//! What lies in a place, as it was read: every line with its digest, every record held against its entry. Nothing is
//! judged here.

use super::chain::{Digest, End, Link};

/// All that was read.
#[derive(Debug, Default)]
pub struct Survey {
    /// Lines in the order in which they stand.
    pub(super) seen: Vec<Seen>,
    /// What follows the last newline, where that is not nothing.
    pub(super) torn: Option<Torn>,
    /// What is said of the end beside the chain.
    pub(super) head: HeadSeen,
    /// Sequence numbers of records beyond the last whole line, in order.
    pub(super) beyond: Vec<u64>,
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

/// What follows the last newline.
#[derive(Debug)]
pub(super) struct Torn {
    /// How many bytes.
    pub(super) bytes: usize,
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
