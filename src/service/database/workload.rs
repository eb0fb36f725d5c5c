//! What the application does to the database through the history: which row is inserted, changed or deleted next.

use super::{line::Draw, source::State, tables::TABLES};
use crate::sim::seed::Seed;

/// One write to one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Write {
    /// Number of the table.
    pub(super) table: usize,
    /// The row's place in the table.
    pub(super) index: u64,
    /// What is done.
    pub(super) change: Change,
}

/// What a write does to its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// The row is new; its index is the next one of the table.
    Insert,
    /// The row gets its next revision.
    Update,
    /// The row goes, for good.
    Delete,
}

/// Shares of the kinds of write in percent; what is left are deletions.
const INSERTS: u64 = 50;
const UPDATES: u64 = 35;

/// How often a row to change is looked for before one is inserted instead: after that, nearly all are deleted.
const TRIES: u32 = 32;

/// Chooses writes. A choice depends on the seed, the write's number and the rows that are there.
#[derive(Debug)]
pub(super) struct Workload(Seed);

impl Workload {
    /// Other seeds write otherwise.
    pub(super) fn new(seed: Seed) -> Self {
        Workload(seed.child("workload"))
    }

    /// The write of that sequence number.
    pub(super) fn next(&self, seq: u64, state: &State) -> Write {
        let mut draw = Draw::new(self.0.nth(seq));
        let table = pick_table(&mut draw);
        let change = match draw.below(100) {
            n if n < INSERTS => Change::Insert,
            n if n < INSERTS + UPDATES => Change::Update,
            _ => Change::Delete,
        };
        let existing = (change != Change::Insert).then(|| pick_row(table, &mut draw, state)).flatten();
        match existing {
            Some(index) => Write { table, index, change },
            None => Write { table, index: state.ever(table), change: Change::Insert },
        }
    }
}

fn pick_table(draw: &mut Draw) -> usize {
    let mut left = draw.below(TABLES.iter().map(|table| table.writes).sum());
    TABLES.iter().position(|table| left.checked_sub(table.writes).map(|rest| left = rest).is_none()).unwrap_or(0)
}

fn pick_row(table: usize, draw: &mut Draw, state: &State) -> Option<u64> {
    let ever = state.ever(table);
    (0..TRIES).map(|_| draw.below(ever)).find(|index| state.revision(table, *index).is_some())
}
