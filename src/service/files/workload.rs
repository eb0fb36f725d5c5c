//! What the application does to its files through the history: which one is uploaded, edited or deleted next.

use super::media::{File, Media};
use crate::sim::seed::Seed;

/// What a write does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// A new file, or an edited one, is uploaded.
    Put,
    /// The file goes, for good.
    Delete,
}

/// Shares of the kinds of write in percent; what is left are deletions.
const UPLOADS: u64 = 45;
const EDITS: u64 = 40;
/// Of the edits, how many in a hundred keep the file's size: a caption set again, a picture rotated in place.
const KEEP_SIZE: u64 = 50;

/// Chooses writes. A choice depends on the seed, the write's number and the files that the application knows of.
#[derive(Debug)]
pub(super) struct Workload {
    seed: Seed,
    files: Vec<File>,
    /// The number of the next file.
    next: u64,
}

impl Workload {
    /// An application that has these files.
    pub(super) fn new(seed: Seed, files: Vec<File>) -> Self {
        Workload { seed: seed.child("workload"), next: files.len() as u64, files }
    }

    /// The write of that sequence number.
    pub(super) fn next(&mut self, seq: u64, media: &Media) -> (File, Change) {
        let draw = self.seed.nth(seq);
        let kind = draw.nth(1).0 % 100;
        let place = (draw.nth(2).0 % self.files.len().max(1) as u64) as usize;
        match self.files.get(place).copied() {
            Some(file) if (UPLOADS..UPLOADS + EDITS).contains(&kind) => {
                let mut edited = media.file(file.number, file.revision + 1);
                if draw.nth(3).0 % 100 < KEEP_SIZE {
                    edited.size = file.size;
                }
                self.files[place] = edited;
                (edited, Change::Put)
            }
            Some(_) if kind >= UPLOADS + EDITS && self.files.len() > 1 => {
                (self.files.swap_remove(place), Change::Delete)
            }
            _ => {
                let file = media.file(self.next, 0);
                self.next += 1;
                self.files.push(file);
                (file, Change::Put)
            }
        }
    }
}
