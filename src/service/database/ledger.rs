//! The truth: every acknowledged write, in a list of its own. It shares the generator of rows with the source, and
//! nothing of the source's state: what the source forgets, it still knows.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};

use jiff::Timestamp;

use super::{
    dataset::DataSet,
    exact,
    tables::TABLES,
    workload::{Change, Write},
};
use crate::{
    model::event::Position,
    service::contract::{Ledger, Recognised, ServiceError, Version},
};

/// Characters of an unknown row's name that are kept.
const NAME_LEN: usize = 60;

/// The ledger.
#[derive(Debug)]
pub(super) struct WriteLedger {
    data: Arc<DataSet>,
    started_at: Timestamp,
    /// The item number of each table's first seeded row.
    first: [u64; TABLES.len()],
    book: RwLock<Book>,
}

#[derive(Debug, Default)]
struct Book {
    entries: Vec<Entry>,
    /// Table and index of each inserted item, in the order of their numbers.
    inserted: Vec<(usize, u64)>,
    /// Item numbers of each table's inserted rows, in the order of their indices.
    numbers: [Vec<u64>; TABLES.len()],
    /// Versions of the items that a write ever touched.
    versions: HashMap<u64, Vec<Version>>,
}

/// One acknowledged write.
#[derive(Debug)]
struct Entry {
    committed_at: Timestamp,
    /// Rows there are after it.
    rows: u64,
}

impl WriteLedger {
    /// A ledger that knows of the seeding alone.
    pub(super) fn new(data: Arc<DataSet>, started_at: Timestamp) -> Self {
        let mut next = 0;
        let first = std::array::from_fn(|table| {
            let first = next;
            next += data.seeded(table);
            first
        });
        WriteLedger { data, started_at, first, book: RwLock::default() }
    }

    /// Enters a write. Refuses one that is out of sequence, or does not fit what was entered before.
    pub(super) fn acknowledge(&self, write: Write, position: Position) -> Result<(), ServiceError> {
        let Write { table, index, change } = write;
        let mut book = self.book.write().unwrap_or_else(PoisonError::into_inner);
        let (seq, rows) = (book.entries.len() as u64 + 1, book.rows_at(book.entries.len() as u64, &self.data));
        let misfit = || ServiceError(format!("write {} does not fit the ledger, which is at {seq}", position.seq));
        let known = book.item(table, index, &self.data, &self.first);
        let item = match (change, known) {
            (Change::Insert, None) if index == self.data.seeded(table) + book.numbers[table].len() as u64 => {
                let item = self.data.rows() + book.inserted.len() as u64;
                book.inserted.push((table, index));
                book.numbers[table].push(item);
                item
            }
            (Change::Update | Change::Delete, Some(item)) if book.present(item) => item,
            _ => return Err(misfit()),
        };
        if position.seq != seq {
            return Err(misfit());
        }
        let seeded = if change == Change::Insert { vec![] } else { vec![Version { seq: 0, present: true }] };
        let present = change != Change::Delete;
        book.versions.entry(item).or_insert(seeded).push(Version { seq, present });
        let rows = match change {
            Change::Insert => rows + 1,
            Change::Update => rows,
            Change::Delete => rows - 1,
        };
        book.entries.push(Entry { committed_at: position.committed_at, rows });
        Ok(())
    }

    /// The write that was committed at that moment; no two were.
    pub(super) fn position_at(&self, committed_at: Timestamp) -> Option<Position> {
        if committed_at == self.started_at {
            return Some(Position { seq: 0, committed_at });
        }
        let book = self.book();
        let entry = book.entries.binary_search_by_key(&committed_at, |entry| entry.committed_at).ok()?;
        Some(Position { seq: entry as u64 + 1, committed_at })
    }

    fn book(&self) -> RwLockReadGuard<'_, Book> {
        self.book.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Table and index of an item.
    fn place(&self, item: u64) -> Option<(usize, u64)> {
        match item.checked_sub(self.data.rows()) {
            Some(inserted) => self.book().inserted.get(inserted as usize).copied(),
            None => {
                // A table without seeded rows shares its first number with the next one, so the last match is meant.
                let table = self.first.iter().rposition(|first| *first <= item)?;
                Some((table, item - self.first[table]))
            }
        }
    }

    /// The item that an id names in a table, if it was ever written there.
    fn find(&self, table: &str, id: &[u8]) -> Option<Place> {
        let (number, index) = self.data.locate(id)?;
        if TABLES[number].name != table {
            return None;
        }
        let book = self.book();
        let item = book.item(number, index, &self.data, &self.first)?;
        let versions = book.versions.get(&item).map_or(1, Vec::len);
        let deleted = !book.present(item);
        Some(Place { item, table: number, index, revisions: versions as u32 - u32::from(deleted) })
    }

    /// The newest revision that `same` says yes to, of those whose line may have that length. Revisions are numbered
    /// as versions are; a deletion comes last.
    fn revision(
        &self,
        place: &Place,
        length: Option<usize>,
        mut same: impl FnMut(&[u8]) -> bool,
    ) -> Option<Recognised> {
        let Place { item, table, index, revisions } = *place;
        let mut line = Vec::with_capacity(1024);
        let fits = |revision: &u32| length.is_none_or(|length| length == DataSet::length(table, index, *revision));
        let version = (0..revisions).rev().filter(fits).find(|revision| {
            line.clear();
            self.data.render(table, index, *revision, &mut line);
            same(line.trim_ascii_end())
        })?;
        Some(Recognised::Version { item, version: version as usize })
    }
}

/// An item, and how many revisions it had.
struct Place {
    item: u64,
    table: usize,
    index: u64,
    revisions: u32,
}

impl Book {
    fn item(&self, table: usize, index: u64, data: &DataSet, first: &[u64]) -> Option<u64> {
        match index.checked_sub(data.seeded(table)) {
            None => Some(first[table] + index),
            Some(inserted) => self.numbers[table].get(usize::try_from(inserted).ok()?).copied(),
        }
    }

    fn present(&self, item: u64) -> bool {
        self.versions.get(&item).and_then(|versions| versions.last()).is_none_or(|newest| newest.present)
    }

    fn rows_at(&self, seq: u64, data: &DataSet) -> u64 {
        let newest = (seq as usize).min(self.entries.len());
        newest.checked_sub(1).map_or(data.rows(), |entry| self.entries[entry].rows)
    }
}

impl Ledger for WriteLedger {
    fn last(&self) -> Position {
        let book = self.book();
        let committed_at = book.entries.last().map_or(self.started_at, |entry| entry.committed_at);
        Position { seq: book.entries.len() as u64, committed_at }
    }

    fn position(&self, seq: u64) -> Option<Position> {
        let committed_at = match seq.checked_sub(1) {
            None => self.started_at,
            Some(entry) => self.book().entries.get(usize::try_from(entry).ok()?)?.committed_at,
        };
        Some(Position { seq, committed_at })
    }

    fn items(&self) -> u64 {
        self.data.rows() + self.book().inserted.len() as u64
    }

    fn rows_at(&self, seq: u64) -> u64 {
        self.book().rows_at(seq, &self.data)
    }

    fn versions(&self, item: u64) -> Vec<Version> {
        let book = self.book();
        match book.versions.get(&item) {
            Some(versions) => versions.clone(),
            None if item < self.data.rows() => vec![Version { seq: 0, present: true }],
            None => vec![],
        }
    }

    fn tables(&self) -> Vec<Arc<str>> {
        TABLES.iter().map(|table| table.name.into()).collect()
    }

    fn recognise(&self, table: &str, row: &[u8]) -> Recognised {
        let row = row.trim_ascii_end();
        let led_by = DataSet::leading_id(row).and_then(|id| self.find(table, id));
        let length = Some(row.len() + 1); // with the end of the line
        if let Some(known) = led_by.as_ref().and_then(|place| self.revision(place, length, |line| line == row)) {
            return known;
        }
        let Some(value) = exact::read(row) else {
            return match led_by {
                Some(place) => Recognised::Altered { item: place.item },
                None => Recognised::Unknown(unknown(table, DataSet::leading_id(row))),
            };
        };
        let id = value.get("_id").and_then(|id| id.as_str()).map(str::as_bytes);
        match id.and_then(|id| self.find(table, id)) {
            Some(place) => self
                .revision(&place, None, |line| exact::spells(line, &value))
                .unwrap_or(Recognised::Altered { item: place.item }),
            None => Recognised::Unknown(unknown(table, id)),
        }
    }

    fn name(&self, item: u64) -> String {
        let id = self.place(item).map(|(table, index)| (TABLES[table].name, self.data.id(table, index)));
        match id {
            Some((table, id)) => format!("{table}/{}", String::from_utf8_lossy(&id)),
            None => format!("item {item}"),
        }
    }
}

fn unknown(table: &str, id: Option<&[u8]>) -> String {
    let id = id.map_or("?".into(), String::from_utf8_lossy);
    format!("{table}/{}", id.chars().take(NAME_LEN).collect::<String>())
}
