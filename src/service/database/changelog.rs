//! What the source remembers of its writes, so that a stream of changes can be copied: an entry a write, the oldest
//! forgotten first, as the log of a real database is.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;

use crate::{model::event::Position, service::contract::ServiceError};

/// Writes that are remembered: some 10 MB.
const KEPT: usize = 1 << 18;

/// Writes that are handed out at once, so that a piece of the stream has a bounded size.
pub(super) const AT_ONCE: usize = 1 << 14;

/// The log.
#[derive(Debug)]
pub(super) struct ChangeLog {
    /// The position before the oldest entry.
    before: Position,
    entries: VecDeque<Entry>,
    kept: usize,
}

#[derive(Debug)]
struct Entry {
    committed_at: Timestamp,
    table: usize,
    index: u64,
    revision: Option<u32>,
}

/// What changed between two positions: table and index of each row, and its revision, `None` where it is gone.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) from: Position,
    pub(super) to: Position,
    pub(super) rows: BTreeMap<(usize, u64), Option<u32>>,
}

impl ChangeLog {
    /// An empty log of a source at that position.
    pub(super) fn new(at: Position) -> Self {
        ChangeLog { before: at, entries: VecDeque::new(), kept: KEPT }
    }

    /// Enters the write that made `position`: which row it changed, and what revision that row has now.
    pub(super) fn push(&mut self, position: Position, table: usize, index: u64, revision: Option<u32>) {
        self.entries.push_back(Entry { committed_at: position.committed_at, table, index, revision });
        if self.entries.len() > self.kept
            && let Some(oldest) = self.entries.pop_front()
        {
            self.before = Position { seq: self.before.seq + 1, committed_at: oldest.committed_at };
        }
    }

    /// What the next writes after `since` changed, at most so many.
    pub(super) fn since(&self, since: Position, most: usize) -> Result<Stretch, ServiceError> {
        let last = self.before.seq + self.entries.len() as u64;
        let Some(known) = since.seq.checked_sub(self.before.seq) else {
            let oldest = self.before.seq + 1;
            let asked = since.seq + 1;
            return Err(ServiceError(format!("the change log begins at write {oldest}, and {asked} is wanted")));
        };
        if since.seq > last {
            return Err(ServiceError(format!("the source is at write {last}, it never had {}", since.seq)));
        }
        let mut stretch = Stretch { from: since, to: since, rows: BTreeMap::new() };
        for (number, entry) in (since.seq + 1..).zip(self.entries.range(known as usize..).take(most)) {
            stretch.rows.insert((entry.table, entry.index), entry.revision);
            stretch.to = Position { seq: number, committed_at: entry.committed_at };
        }
        Ok(stretch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(seq: u64) -> Position {
        Position { seq, committed_at: Timestamp::from_second(seq as i64).unwrap() }
    }

    /// Write n changes row n % 3, deleting it each fifth time.
    fn log(kept: usize, writes: u64) -> ChangeLog {
        let mut log = ChangeLog { kept, ..ChangeLog::new(position(0)) };
        for seq in 1..=writes {
            log.push(position(seq), 0, seq % 3, (seq % 5 != 0).then_some(seq as u32));
        }
        log
    }

    #[test]
    fn of_a_row_that_changed_often_the_last_state_counts() {
        let stretch = log(100, 5).since(position(1), AT_ONCE).unwrap();
        assert_eq!((stretch.from, stretch.to), (position(1), position(5)));
        let rows: Vec<_> = stretch.rows.into_iter().collect();
        assert_eq!(rows, [((0, 0), Some(3)), ((0, 1), Some(4)), ((0, 2), None)]);
    }

    #[test]
    fn what_is_forgotten_is_refused_and_what_never_was_too() {
        let log = log(4, 10);
        assert_eq!(log.since(position(6), AT_ONCE).unwrap().to, position(10));
        assert_eq!(log.since(position(10), AT_ONCE).unwrap().to, position(10));
        let said = [5, 11].map(|seq| log.since(position(seq), AT_ONCE).unwrap_err().to_string());
        assert_eq!(said[0], "the change log begins at write 7, and 6 is wanted");
        assert_eq!(said[1], "the source is at write 10, it never had 11");
    }

    #[test]
    fn many_changes_come_in_pieces_without_a_gap() {
        let log = log(KEPT, AT_ONCE as u64 + 10);
        let first = log.since(position(0), AT_ONCE).unwrap();
        assert_eq!(first.to, position(AT_ONCE as u64));
        assert_eq!(log.since(first.to, AT_ONCE).unwrap().to, position(AT_ONCE as u64 + 10));
    }
}
