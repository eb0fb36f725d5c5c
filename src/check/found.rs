//! What a read-back found of each item, in one byte an item: millions of rows are compared in a few megabytes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::judge::EXAMPLES;
use crate::service::contract::{Ledger, Recognised, RowChunk};

/// What was found of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// No row.
    Absent,
    /// That version of it.
    Version(usize),
    /// A row that was never written so.
    Altered,
}

/// What was found in one chunk. Bounded by the chunk, whatever stands in it.
#[derive(Debug, Default)]
pub(super) struct Piece {
    rows: u64,
    known: Vec<(u64, Found)>,
    unknown: u64,
    names: Vec<String>,
}

impl Piece {
    /// Recognises the rows of a chunk.
    pub(super) fn read(ledger: &dyn Ledger, chunk: &RowChunk) -> Self {
        let mut piece = Piece::default();
        for row in chunk.lines.split_inclusive(|byte| *byte == b'\n') {
            piece.rows += 1;
            match ledger.recognise(&chunk.table, row) {
                Recognised::Version { item, version } => piece.known.push((item, Found::Version(version))),
                Recognised::Altered { item } => piece.known.push((item, Found::Altered)),
                Recognised::Unknown(name) => {
                    piece.unknown += 1;
                    if piece.names.len() < EXAMPLES {
                        piece.names.push(name);
                    }
                }
            }
        }
        piece
    }
}

/// What was found of all items. Of several rows of one item the first counts, the others are extra.
#[derive(Debug)]
pub(super) struct Findings {
    /// Rows read.
    pub(super) rows: u64,
    /// Rows of no item, and rows of an item that had been seen.
    pub(super) extra: u64,
    /// Items that were seen more than once; the lowest few.
    pub(super) twice: BTreeSet<u64>,
    /// Tables that should be there, with rows or without.
    pub(super) missing: Vec<Arc<str>>,
    /// Names of rows of no item; the first few.
    pub(super) unknown: Vec<String>,
    marks: Vec<u8>,
    /// Versions whose number does not fit a mark.
    high: BTreeMap<u64, usize>,
}

const ABSENT: u8 = 0;
const ALTERED: u8 = 254;
const HIGH: u8 = 255;

impl Findings {
    /// Nothing found yet, of so many items.
    pub(super) fn new(items: u64) -> Self {
        let marks = vec![ABSENT; items as usize];
        let (twice, unknown, high) = Default::default();
        Findings { rows: 0, extra: 0, twice, missing: Vec::new(), unknown, marks, high }
    }

    /// Adds the next chunk.
    pub(super) fn add(&mut self, piece: Piece) {
        self.rows += piece.rows;
        self.extra += piece.unknown;
        let room = EXAMPLES - self.unknown.len();
        self.unknown.extend(piece.names.into_iter().take(room));
        for (item, found) in piece.known {
            self.mark(item, found);
        }
    }

    /// What was found of an item.
    pub(super) fn of(&self, item: u64) -> Found {
        match self.marks.get(item as usize) {
            None | Some(&ABSENT) => Found::Absent,
            Some(&ALTERED) => Found::Altered,
            Some(&HIGH) => self.high.get(&item).map_or(Found::Absent, |version| Found::Version(*version)),
            Some(mark) => Found::Version(usize::from(*mark) - 1),
        }
    }

    fn mark(&mut self, item: u64, found: Found) {
        match self.marks.get_mut(item as usize) {
            Some(mark) if *mark == ABSENT => {
                *mark = match found {
                    Found::Absent => ABSENT,
                    Found::Altered => ALTERED,
                    Found::Version(version) => {
                        let small = u8::try_from(version + 1).ok().filter(|mark| *mark < ALTERED);
                        small.unwrap_or_else(|| {
                            self.high.insert(item, version);
                            HIGH
                        })
                    }
                }
            }
            _ => {
                self.extra += 1;
                self.twice.insert(item);
                if self.twice.len() > EXAMPLES {
                    self.twice.pop_last();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_number_is_kept() {
        let mut findings = Findings::new(6);
        for (item, version) in [(0, 0), (1, 252), (2, 253), (3, 254), (4, 70_000)] {
            findings.mark(item, Found::Version(version));
            assert_eq!(findings.of(item), Found::Version(version));
        }
        assert_eq!(findings.of(5), Found::Absent);
        assert_eq!(findings.of(6), Found::Absent);
    }
}
