//! The truth about the files: every upload and deletion that the bucket acknowledged, each with the digest of its bytes.
//! What happens to the bucket behind the application's back is in no ledger.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};

use jiff::Timestamp;

use super::view::{FileRow, TABLE};
use crate::{
    model::event::Position,
    service::contract::{Ledger, Recognised, ServiceError, Version},
};

/// Characters of an unknown file's name that are kept.
const NAME_LEN: usize = 120;

/// What a file is, in one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Facts {
    /// Size in bytes.
    pub(super) size: u64,
    /// SHA-256 of its bytes, in hexadecimal.
    pub(super) sha256: String,
    /// Its content type.
    pub(super) content_type: String,
}

/// The ledger.
#[derive(Debug)]
pub(super) struct FileLedger {
    started_at: Timestamp,
    seeded: u64,
    book: RwLock<Book>,
}

#[derive(Debug, Default)]
struct Book {
    /// Commit time of each write, and the files there are after it.
    writes: Vec<(Timestamp, u64)>,
    items: Vec<Item>,
    by_key: HashMap<Arc<str>, u64>,
}

/// One file through all its versions; `None` is its deletion.
#[derive(Debug)]
struct Item {
    key: Arc<str>,
    versions: Vec<(u64, Option<Facts>)>,
}

impl FileLedger {
    /// A ledger that knows of the seeding alone.
    pub(super) fn new(started_at: Timestamp, files: impl Iterator<Item = (String, Facts)>) -> Self {
        let mut book = Book::default();
        for (key, facts) in files {
            book.item(&key).versions.push((0, Some(facts)));
        }
        FileLedger { started_at, seeded: book.items.len() as u64, book: RwLock::new(book) }
    }

    /// Enters a write: the file's new state, or `None` for its deletion. Refuses one that is out of sequence, or deletes
    /// what is not there.
    pub(super) fn acknowledge(&self, key: &str, facts: Option<Facts>, position: Position) -> Result<(), ServiceError> {
        let mut book = self.book.write().unwrap_or_else(PoisonError::into_inner);
        let (seq, rows) = (book.writes.len() as u64 + 1, book.writes.last().map_or(self.seeded, |(_, rows)| *rows));
        let item = book.item(key);
        let was = item.versions.last().is_some_and(|(_, facts)| facts.is_some());
        if position.seq != seq || (facts.is_none() && !was) {
            return Err(ServiceError(format!("write {} does not fit the ledger, which is at {seq}", position.seq)));
        }
        let rows = rows + u64::from(facts.is_some()) - u64::from(was);
        item.versions.push((seq, facts));
        book.writes.push((position.committed_at, rows));
        Ok(())
    }

    fn book(&self) -> RwLockReadGuard<'_, Book> {
        self.book.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    /// The item of that key; a new one where there is none.
    fn item(&mut self, key: &str) -> &mut Item {
        let number = match self.by_key.get(key) {
            Some(number) => *number,
            None => {
                let (key, number) = (Arc::<str>::from(key), self.items.len() as u64);
                self.by_key.insert(Arc::clone(&key), number);
                self.items.push(Item { key, versions: Vec::new() });
                number
            }
        };
        &mut self.items[number as usize]
    }
}

impl Ledger for FileLedger {
    fn last(&self) -> Position {
        let book = self.book();
        let committed_at = book.writes.last().map_or(self.started_at, |(at, _)| *at);
        Position { seq: book.writes.len() as u64, committed_at }
    }

    fn position(&self, seq: u64) -> Option<Position> {
        let committed_at = match seq.checked_sub(1) {
            None => self.started_at,
            Some(write) => self.book().writes.get(usize::try_from(write).ok()?)?.0,
        };
        Some(Position { seq, committed_at })
    }

    fn items(&self) -> u64 {
        self.book().items.len() as u64
    }

    fn rows_at(&self, seq: u64) -> u64 {
        let book = self.book();
        let newest = (seq as usize).min(book.writes.len());
        newest.checked_sub(1).map_or(self.seeded, |write| book.writes[write].1)
    }

    fn versions(&self, item: u64) -> Vec<Version> {
        let book = self.book();
        let versions = book.items.get(item as usize).map_or(&[][..], |item| &item.versions);
        versions.iter().map(|(seq, facts)| Version { seq: *seq, present: facts.is_some() }).collect()
    }

    fn recognise(&self, table: &str, row: &[u8]) -> Recognised {
        let named = |name: &str| format!("{table}/{}", name.chars().take(NAME_LEN).collect::<String>());
        let Ok(row) = serde_json::from_slice::<FileRow>(row) else { return Recognised::Unknown(named("?")) };
        let book = self.book();
        let Some(item) = book.by_key.get(&*row.key).copied().filter(|_| table == TABLE) else {
            return Recognised::Unknown(named(&row.key));
        };
        let FileRow { size, sha256, content_type, .. } = row;
        let found = Some(Facts { size, sha256, content_type });
        match book.items[item as usize].versions.iter().rposition(|(_, facts)| *facts == found) {
            Some(version) => Recognised::Version { item, version },
            None => Recognised::Altered { item },
        }
    }

    fn name(&self, item: u64) -> String {
        let book = self.book();
        book.items.get(item as usize).map_or_else(|| format!("item {item}"), |item| format!("{TABLE}/{}", item.key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(of: &str) -> Facts {
        Facts { size: 9, sha256: of.into(), content_type: "image/png".into() }
    }

    #[test]
    fn a_file_is_known_by_all_that_it_is_and_an_edit_that_keeps_the_size_is_another_version() {
        let start: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
        let ledger = FileLedger::new(start, [("사진 1+2.png".to_owned(), facts("a"))].into_iter());
        let at = |seq| Position { seq, committed_at: start };
        ledger.acknowledge("사진 1+2.png", Some(facts("b")), at(1)).unwrap();
        ledger.acknowledge("사진 1+2.png", None, at(2)).unwrap();
        assert!(ledger.acknowledge("사진 1+2.png", None, at(3)).is_err(), "it is deleted already");
        assert!(ledger.acknowledge("new.png", Some(facts("c")), at(4)).is_err(), "out of sequence");
        assert_eq!((ledger.rows_at(0), ledger.rows_at(1), ledger.rows_at(2)), (1, 1, 0));
        let row = |key: &str, facts: Facts| {
            let Facts { size, sha256, content_type } = facts;
            serde_json::to_vec(&FileRow { key: key.into(), size, sha256, content_type }).unwrap()
        };
        let seen = |key: &str, facts: Facts| ledger.recognise(TABLE, &row(key, facts));
        assert_eq!(seen("사진 1+2.png", facts("a")), Recognised::Version { item: 0, version: 0 });
        assert_eq!(seen("사진 1+2.png", facts("b")), Recognised::Version { item: 0, version: 1 });
        assert_eq!(seen("사진 1+2.png", facts("x")), Recognised::Altered { item: 0 });
        let retyped = Facts { content_type: "text/plain".into(), ..facts("a") };
        assert_eq!(seen("사진 1+2.png", retyped), Recognised::Altered { item: 0 });
        assert_eq!(seen("other.png", facts("a")), Recognised::Unknown("files/other.png".into()));
        assert_eq!(ledger.recognise(TABLE, b"{}"), Recognised::Unknown("files/?".into()));
    }
}
