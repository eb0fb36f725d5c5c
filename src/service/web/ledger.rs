//! The truth about a web application: every release that went live healthy, and what each path held in it. Written when
//! the release is acknowledged, from what was committed; it knows nothing of what the provider serves.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock, RwLockReadGuard},
};

use jiff::Timestamp;

use super::{row::Row, site::table};
use crate::{
    model::event::Position,
    service::contract::{Ledger, Recognised, Version},
};

/// Characters of an unknown path that are kept.
const NAME_LEN: usize = 60;

/// The ledger. A write is a release; an item is a path.
#[derive(Debug)]
pub(super) struct ReleaseLedger {
    started_at: Timestamp,
    book: RwLock<Book>,
}

#[derive(Debug, Default)]
struct Book {
    items: Vec<Item>,
    numbers: HashMap<String, usize>,
    /// Commit time of each release, and the paths that there are after it.
    releases: Vec<(Timestamp, u64)>,
    paths: u64,
}

#[derive(Debug)]
struct Item {
    path: String,
    /// Sequence number and digest; no digest where the path was removed.
    versions: Vec<(u64, Option<String>)>,
}

impl ReleaseLedger {
    /// A ledger of the site as it starts: paths and digests.
    pub(super) fn new(first: impl Iterator<Item = (String, String)>, started_at: Timestamp) -> Self {
        let mut book = Book::default();
        for (path, digest) in first {
            book.enter(path, 0, Some(digest));
        }
        ReleaseLedger { started_at, book: RwLock::new(book) }
    }

    /// Enters a release that changed one path: what it holds now, or that it is gone.
    pub(super) fn acknowledge(&self, path: String, digest: Option<String>, at: Timestamp) -> Position {
        let mut book = self.book.write().unwrap_or_else(PoisonError::into_inner);
        let seq = book.releases.len() as u64 + 1;
        book.enter(path, seq, digest);
        let last = book.releases.last().map_or(self.started_at, |(at, _)| *at);
        let (committed_at, paths) = (at.max(last), book.paths);
        book.releases.push((committed_at, paths));
        Position { seq, committed_at }
    }

    /// Every path that there ever was.
    pub(super) fn paths(&self) -> Vec<String> {
        self.book().items.iter().map(|item| item.path.clone()).collect()
    }

    fn book(&self) -> RwLockReadGuard<'_, Book> {
        self.book.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    fn enter(&mut self, path: String, seq: u64, digest: Option<String>) {
        let number = *self.numbers.entry(path.clone()).or_insert(self.items.len());
        if number == self.items.len() {
            self.items.push(Item { path, versions: Vec::new() });
        }
        let versions = &mut self.items[number].versions;
        let was = versions.last().is_some_and(|(_, digest)| digest.is_some());
        self.paths = self.paths + u64::from(digest.is_some()) - u64::from(was);
        versions.push((seq, digest));
    }
}

impl Ledger for ReleaseLedger {
    fn last(&self) -> Position {
        let book = self.book();
        let committed_at = book.releases.last().map_or(self.started_at, |(at, _)| *at);
        Position { seq: book.releases.len() as u64, committed_at }
    }

    fn position(&self, seq: u64) -> Option<Position> {
        let committed_at = match seq.checked_sub(1) {
            None => self.started_at,
            Some(before) => self.book().releases.get(usize::try_from(before).ok()?)?.0,
        };
        Some(Position { seq, committed_at })
    }

    fn items(&self) -> u64 {
        self.book().items.len() as u64
    }

    fn rows_at(&self, seq: u64) -> u64 {
        let there = |item: &&Item| {
            let newest = item.versions.iter().rfind(|(at, _)| *at <= seq);
            newest.is_some_and(|(_, digest)| digest.is_some())
        };
        self.book().items.iter().filter(there).count() as u64
    }

    fn versions(&self, item: u64) -> Vec<Version> {
        let book = self.book();
        let versions = usize::try_from(item).ok().and_then(|item| book.items.get(item)).map(|item| &item.versions);
        let version = |(seq, digest): &(u64, Option<String>)| Version { seq: *seq, present: digest.is_some() };
        versions.map_or_else(Vec::new, |versions| versions.iter().map(version).collect())
    }

    fn recognise(&self, name: &str, row: &[u8]) -> Recognised {
        let unknown = |path: &str| {
            let path: String = path.chars().take(NAME_LEN).collect();
            Recognised::Unknown(format!("{name}{path}"))
        };
        let Ok(row) = serde_json::from_slice::<Row>(row) else { return unknown("/?") };
        let book = self.book();
        let number = book.numbers.get(&row.path).filter(|_| table(&row.path) == name);
        let Some(number) = number else { return unknown(&row.path) };
        let held = |(_, digest): &(u64, Option<String>)| row.status == 200 && digest.as_ref() == Some(&row.sha256);
        let item = *number as u64;
        match book.items[*number].versions.iter().rposition(held) {
            Some(version) => Recognised::Version { item, version },
            None => Recognised::Altered { item },
        }
    }

    fn name(&self, item: u64) -> String {
        let book = self.book();
        let path = usize::try_from(item).ok().and_then(|item| book.items.get(item)).map(|item| item.path.clone());
        path.map_or_else(|| format!("item {item}"), |path| format!("{}{path}", table(&path)))
    }
}
