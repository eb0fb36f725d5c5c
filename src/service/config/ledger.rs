//! The truth about the configuration: every acknowledged change of a variable. Secrets are in it as digests; which of
//! them is accepted now is for their issuers to say, so any that the platform ever had is recognised here. Addresses are
//! in it by name alone, for the right one is where the service is now.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{PoisonError, RwLock, RwLockReadGuard},
};

use jiff::Timestamp;

use super::{
    files::Row,
    variables::{Change, is_address},
};
use crate::{
    environment::{Variable, is_secret},
    model::event::Position,
    service::contract::{Ledger, Recognised, ServiceError, Version},
};

/// Characters of an unknown row's name that are kept.
const NAME_LEN: usize = 60;

/// The ledger.
#[derive(Debug)]
pub(super) struct ChangeLedger {
    started_at: Timestamp,
    book: RwLock<Book>,
}

#[derive(Debug, Default)]
struct Book {
    /// When each change was committed, and how many variables there are after it.
    entries: Vec<(Timestamp, u64)>,
    seeded: u64,
    items: Vec<Item>,
    numbers: BTreeMap<(String, String), usize>,
}

#[derive(Debug)]
struct Item {
    table: String,
    name: String,
    sort: Sort,
    versions: Vec<Version>,
}

#[derive(Debug)]
enum Sort {
    /// Its values, version by version; none where it is removed.
    Plain(Vec<Option<String>>),
    /// Digests that it ever had.
    Secret(BTreeSet<String>),
    /// Where a service is.
    Address,
}

impl ChangeLedger {
    /// A ledger that knows of nothing.
    pub(super) fn new(started_at: Timestamp) -> Self {
        ChangeLedger { started_at, book: RwLock::default() }
    }

    /// Enters a variable of the start, with the digest of its value where that is secret.
    pub(super) fn seed(&self, table: &str, variable: &Variable, digest: Option<String>) {
        let mut book = self.book.write().unwrap_or_else(PoisonError::into_inner);
        book.seeded += 1;
        book.add(table, variable, digest, 0);
    }

    /// Enters a secret that was rotated.
    pub(super) fn rotated(&self, table: &str, name: &str, digest: String) {
        let mut book = self.book.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(Sort::Secret(digests)) = book.find(table, name).map(|item| &mut item.sort) {
            digests.insert(digest);
        }
    }

    /// Enters a change. Refuses one that does not fit what was entered before.
    pub(super) fn acknowledge(&self, table: &str, change: &Change, at: Timestamp) -> Result<(), ServiceError> {
        let mut book = self.book.write().unwrap_or_else(PoisonError::into_inner);
        let seq = book.entries.len() as u64 + 1;
        let before = book.rows_at(seq - 1);
        let misfit = || ServiceError(format!("change {seq} does not fit the ledger"));
        let rows = match change {
            Change::Set(variable) => match book.find(table, &variable.name) {
                Some(item) => {
                    let Sort::Plain(values) = &mut item.sort else { return Err(misfit()) };
                    values.push(Some(variable.value.clone()));
                    item.versions.push(Version { seq, present: true });
                    before
                }
                None => {
                    book.add(table, variable, None, seq);
                    before + 1
                }
            },
            Change::Remove(name) => {
                let item = book.find(table, name).ok_or_else(misfit)?;
                let Sort::Plain(values) = &mut item.sort else { return Err(misfit()) };
                values.push(None);
                item.versions.push(Version { seq, present: false });
                before - 1
            }
            Change::Rotate(_) => return Err(misfit()),
        };
        book.entries.push((at, rows));
        Ok(())
    }

    fn book(&self) -> RwLockReadGuard<'_, Book> {
        self.book.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    fn find(&mut self, table: &str, name: &str) -> Option<&mut Item> {
        let number = *self.numbers.get(&(table.to_owned(), name.to_owned()))?;
        self.items.get_mut(number)
    }

    fn add(&mut self, table: &str, variable: &Variable, digest: Option<String>, seq: u64) {
        let (table, name) = (table.to_owned(), variable.name.clone());
        let sort = match digest {
            Some(digest) => Sort::Secret([digest].into()),
            None if is_address(&table, &name) => Sort::Address,
            None => Sort::Plain(vec![Some(variable.value.clone())]),
        };
        debug_assert_eq!(matches!(sort, Sort::Secret(_)), is_secret(&name, &variable.value));
        self.numbers.insert((table.clone(), name.clone()), self.items.len());
        self.items.push(Item { table, name, sort, versions: vec![Version { seq, present: true }] });
    }

    fn rows_at(&self, seq: u64) -> u64 {
        let entry = (seq as usize).min(self.entries.len()).checked_sub(1);
        entry.map_or(self.seeded, |entry| self.entries[entry].1)
    }
}

impl Item {
    /// Which version a row is.
    fn version(&self, row: &Row) -> Option<usize> {
        let newest = || self.versions.iter().rposition(|version| version.present);
        match &self.sort {
            Sort::Plain(values) => {
                row.value.as_ref().and_then(|value| values.iter().position(|known| known.as_ref() == Some(value)))
            }
            Sort::Secret(digests) => row.secret.as_ref().filter(|digest| digests.contains(*digest)).and(newest()),
            Sort::Address => row.value.as_ref().filter(|value| !value.is_empty()).and(newest()),
        }
    }
}

impl Ledger for ChangeLedger {
    fn last(&self) -> Position {
        let book = self.book();
        let committed_at = book.entries.last().map_or(self.started_at, |(at, _)| *at);
        Position { seq: book.entries.len() as u64, committed_at }
    }

    fn position(&self, seq: u64) -> Option<Position> {
        let book = self.book();
        let committed_at = match seq.checked_sub(1) {
            None => self.started_at,
            Some(entry) => book.entries.get(entry as usize)?.0,
        };
        Some(Position { seq, committed_at })
    }

    fn items(&self) -> u64 {
        self.book().items.len() as u64
    }

    fn rows_at(&self, seq: u64) -> u64 {
        self.book().rows_at(seq)
    }

    fn versions(&self, item: u64) -> Vec<Version> {
        self.book().items.get(item as usize).map_or_else(Vec::new, |item| item.versions.clone())
    }

    fn recognise(&self, table: &str, row: &[u8]) -> Recognised {
        let Ok(row) = serde_json::from_slice::<Row>(row) else {
            return Recognised::Unknown(format!("{table}: a row that cannot be read"));
        };
        let book = self.book();
        let Some(number) = book.numbers.get(&(table.to_owned(), row.name.clone())) else {
            return Recognised::Unknown(format!("{table}/{}", row.name).chars().take(NAME_LEN).collect());
        };
        match book.items[*number].version(&row) {
            Some(version) => Recognised::Version { item: *number as u64, version },
            None => Recognised::Altered { item: *number as u64 },
        }
    }

    fn name(&self, item: u64) -> String {
        let book = self.book();
        book.items.get(item as usize).map_or_else(String::new, |item| format!("{}/{}", item.table, item.name))
    }
}
