//! Writes one row as one JSON line, byte by byte: rows are made by the gigabyte, and a tree of values for each would
//! cost ten times as much. What is written is spelled as serde_json spells it, so that a tool that reads and writes
//! it again gives the same bytes.

use super::{ids::Ids, text};
use crate::sim::seed::{Rng, Seed};
use rand::Rng as _;

/// Draws what varies from row to row.
pub(super) struct Draw(Rng);

impl Draw {
    /// Starts where the seed says.
    pub(super) fn new(seed: Seed) -> Self {
        Draw(seed.rng())
    }

    /// Any 64 bits.
    pub(super) fn word(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `bound`, which must be above 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.word()) * u128::from(bound)) >> 64) as u64
    }

    /// One of several.
    pub(super) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }

    /// True in `percent` of 100 draws.
    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// An integer that a 64-bit float cannot hold exactly: odd and above 2⁵³.
    pub(super) fn wide(&mut self) -> i64 {
        ((self.word() >> 2) | (1 << 54) | 1) as i64
    }
}

/// A line in the making, at the end of a buffer.
pub(super) struct Line<'b> {
    out: &'b mut Vec<u8>,
    start: usize,
    ids: &'b Ids,
}

impl<'b> Line<'b> {
    /// Begins a line behind what the buffer holds.
    pub(super) fn new(out: &'b mut Vec<u8>, ids: &'b Ids) -> Self {
        Line { start: out.len(), out, ids }
    }

    /// Writes JSON as it stands.
    pub(super) fn raw(&mut self, json: &str) -> &mut Self {
        self.out.extend_from_slice(json.as_bytes());
        self
    }

    /// Writes an integer.
    pub(super) fn int(&mut self, value: i64) -> &mut Self {
        if value < 0 {
            self.out.push(b'-');
        }
        self.digits(value.unsigned_abs(), 1)
    }

    /// Writes a float, given in thousandths; always with a decimal point.
    pub(super) fn float(&mut self, thousandths: i64) -> &mut Self {
        if thousandths < 0 {
            self.out.push(b'-');
        }
        let size = thousandths.unsigned_abs();
        self.digits(size / 1000, 1).raw(".");
        match size % 1000 {
            f if f % 100 == 0 => self.digits(f / 100, 1),
            f if f % 10 == 0 => self.digits(f / 10, 2),
            f => self.digits(f, 3),
        }
    }

    /// Writes a number with at least `width` digits.
    pub(super) fn digits(&mut self, mut value: u64, width: usize) -> &mut Self {
        let mut buffer = [b'0'; 20];
        let mut at = buffer.len();
        while value > 0 {
            at -= 1;
            buffer[at] = b'0' + (value % 10) as u8;
            value /= 10;
        }
        at = at.min(buffer.len() - width);
        self.out.extend_from_slice(&buffer[at..]);
        self
    }

    /// Writes the id of a row, in quotes.
    pub(super) fn id(&mut self, table: usize, index: u64) -> &mut Self {
        self.out.push(b'"');
        self.out.extend_from_slice(&self.ids.encode(table, index));
        self.out.push(b'"');
        self
    }

    /// Writes `true` or `false`.
    pub(super) fn flag(&mut self, value: bool) -> &mut Self {
        self.raw(if value { "true" } else { "false" })
    }

    /// Bytes of the line so far.
    pub(super) fn len(&self) -> usize {
        self.out.len() - self.start
    }

    /// Ends the row, whose last value is an open string, with as much prose as makes the line `length` bytes long.
    pub(super) fn finish(&mut self, length: usize, draw: &mut Draw) {
        const END: &str = "\"}\n";
        let mut room = length.saturating_sub(self.len() + END.len());
        loop {
            let phrase = draw.pick(text::PHRASES);
            if phrase.len() > room {
                break;
            }
            self.raw(phrase);
            room -= phrase.len();
        }
        self.raw(&text::CLOSING[..room]).raw(END);
    }
}
