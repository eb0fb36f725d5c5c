//! A small ledger and target for the tests of checks: histories of a few items, and rows to damage by hand.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Evidence;
use crate::{
    emulator::World,
    model::{
        event::{Claim, Position},
        record::Way,
    },
    service::contract::{Contents, Ledger, Recognised, RowChunk, ServiceError, Version, View},
    sim::{clock::Clock, lanes::Lanes},
};

/// A row as it stands in a target: table and line.
pub(super) type FakeRow = (&'static str, String);

/// Items are numbered; even ones are users, odd ones payments of the user before.
#[derive(Debug, Clone, Default)]
pub(super) struct FakeLedger {
    pub(super) items: Vec<Vec<Version>>,
    pub(super) writes: u64,
}

/// One write to a history. A number that no item has, or an item that is not so, makes it an insert.
#[derive(Debug, Clone, Copy)]
pub(super) enum Op {
    Insert,
    Update(usize),
    Delete(usize),
    /// A deleted row comes again, under the same id.
    Reinsert(usize),
}

impl FakeLedger {
    pub(super) fn new(seeded: usize, ops: &[Op]) -> Self {
        let seeding = vec![Version { seq: 0, present: true }];
        let mut ledger = FakeLedger { items: vec![seeding; seeded], writes: 0 };
        ops.iter().for_each(|op| ledger.write(*op));
        ledger
    }

    fn write(&mut self, op: Op) {
        self.writes += 1;
        let (item, there, present) = match op {
            Op::Insert => (None, false, true),
            Op::Update(item) => (Some(item), true, true),
            Op::Delete(item) => (Some(item), true, false),
            Op::Reinsert(item) => (Some(item), false, true),
        };
        let fits = |versions: &&mut Vec<Version>| versions.last().is_some_and(|newest| newest.present == there);
        let version = Version { seq: self.writes, present };
        match item.and_then(|item| self.items.get_mut(item)).filter(fits) {
            Some(versions) => versions.push(version),
            None => self.items.push(vec![Version { present: true, ..version }]),
        }
    }

    /// The version of an item that the prefix up to `seq` holds.
    pub(super) fn at(&self, item: usize, seq: u64) -> Option<usize> {
        self.items[item].iter().rposition(|version| version.seq <= seq)
    }

    pub(super) fn row(item: usize, version: usize) -> FakeRow {
        let user = format!("i{}", item & !1);
        let row = json!({"_id": format!("i{item}"), "version": version, "userId": user});
        (table(item), row.to_string())
    }

    /// The rows that the prefix up to `seq` holds.
    pub(super) fn rows(&self, seq: u64) -> Vec<FakeRow> {
        let there = |item: &usize| self.at(*item, seq).filter(|version| self.items[*item][*version].present);
        (0..self.items.len()).filter_map(|item| there(&item).map(|version| Self::row(item, version))).collect()
    }
}

fn table(item: usize) -> &'static str {
    if item.is_multiple_of(2) { "users" } else { "payments" }
}

impl Ledger for FakeLedger {
    fn last(&self) -> Position {
        position(self.writes)
    }

    fn position(&self, seq: u64) -> Option<Position> {
        (seq <= self.writes).then(|| position(seq))
    }

    fn items(&self) -> u64 {
        self.items.len() as u64
    }

    fn rows_at(&self, seq: u64) -> u64 {
        self.rows(seq).len() as u64
    }

    fn versions(&self, item: u64) -> Vec<Version> {
        self.items[item as usize].clone()
    }

    fn recognise(&self, table_name: &str, row: &[u8]) -> Recognised {
        let value: Value = serde_json::from_slice(row).unwrap_or_default();
        let id = value["_id"].as_str().unwrap_or("?");
        let item = id.strip_prefix('i').and_then(|number| number.parse::<usize>().ok());
        let Some(item) = item.filter(|item| *item < self.items.len() && table(*item) == table_name) else {
            return Recognised::Unknown(format!("{table_name}/{id}"));
        };
        let written = |version: &usize| {
            self.items[item][*version].present
                && serde_json::from_str(&Self::row(item, *version).1).ok() == Some(value.clone())
        };
        match (0..self.items[item].len()).find(written) {
            Some(version) => Recognised::Version { item: item as u64, version },
            None => Recognised::Altered { item: item as u64 },
        }
    }

    fn name(&self, item: u64) -> String {
        format!("{}/i{item}", table(item as usize))
    }
}

/// A target that holds what it was made with, in chunks of three rows.
pub(super) struct FakeTarget(pub(super) Result<Vec<FakeRow>, ServiceError>);

#[async_trait]
impl View for FakeTarget {
    async fn read_back(&self) -> Result<Contents, ServiceError> {
        let rows = self.0.clone()?;
        let mut chunks = Vec::new();
        for table in ["users", "payments"] {
            let lines: Vec<String> =
                rows.iter().filter(|row| row.0 == table).map(|row| format!("{}\n", row.1)).collect();
            chunks.extend(lines.chunks(3).map(|lines| {
                Ok(RowChunk { table: table.into(), rows: lines.len() as u64, lines: lines.concat().into() })
            }));
        }
        Ok(Contents { tables: vec!["users".into(), "payments".into()], rows: stream::iter(chunks).boxed() })
    }
}

/// The moment of a write.
pub(super) fn position(seq: u64) -> Position {
    Position { seq, committed_at: Timestamp::from_second(1_800_000_000 + 60 * seq as i64).unwrap() }
}

/// Evidence for a claim about restored rows.
pub(super) fn evidence(ledger: &FakeLedger, claimed: u64, rows: Result<Vec<FakeRow>, ServiceError>) -> Evidence {
    let claim = Claim { point: "dump".into(), region: "here".into(), position: position(claimed) };
    let lanes = Lanes::new(&Clock::new(Way::Simulated, Timestamp::UNIX_EPOCH));
    let clock = Clock::new(Way::Simulated, Timestamp::UNIX_EPOCH);
    let world = Arc::new(World { sites: Vec::new(), backups: Default::default(), hosting: Default::default(), clock });
    Evidence::new(Arc::new(FakeTarget(rows)), Arc::new(ledger.clone()), claim, &world, &lanes)
}

/// Runs a future to its end, in virtual time.
pub(super) fn block_on<F: Future>(future: F) -> F::Output {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_time().start_paused(true).build().unwrap().block_on(future)
}
