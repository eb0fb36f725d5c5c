//! The HookLabs data set: every row is a pure function of seed, table, index and revision, so that gigabytes of it can
//! be streamed, and any row of it checked, without ever being held.

use jiff::Timestamp;

use super::{
    ids::{ID_LEN, Ids},
    line::{Draw, Line},
    tables::{Row, TABLES},
};
use crate::{model::units::ByteSize, service::contract::ServiceError, sim::seed::Seed};

/// Sizes that can be made, beside an empty data set. The lower end leaves each table a few rows.
const SIZES: std::ops::RangeInclusive<u64> = 64 << 10..=10 << 30;

/// What every row begins with, before the id.
const OPENING: &str = r#"{"_id":""#;

/// Over which time before the start the seeded rows were created, in milliseconds: 400 days.
const PAST_MS: u64 = 400 * 86_400_000;

/// Time between rows created after the start, in milliseconds.
const STEP_MS: i64 = 90_000;

/// Lines of a table take one of so many lengths, `LENGTH_STEP` bytes apart, in turn.
const LENGTHS: u64 = 64;
const LENGTH_STEP: u64 = 5;

/// One data set. Small, and cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct DataSet {
    seeds: [Seed; TABLES.len()],
    counts: [u64; TABLES.len()],
    ids: Ids,
    started_ms: i64,
}

impl DataSet {
    /// A data set of `size` bytes of JSON lines, within 2 %; one of 0 bytes has no row.
    pub(super) fn new(size: ByteSize, seed: Seed, started_at: Timestamp) -> Result<Self, ServiceError> {
        if size.0 > 0 && !SIZES.contains(&size.0) {
            let (low, high) = (ByteSize(*SIZES.start()), ByteSize(*SIZES.end()));
            return Err(ServiceError(format!("a data set of {size} cannot be made: choose from {low} to {high}")));
        }
        let seed = seed.child("data-set");
        Ok(DataSet {
            seeds: std::array::from_fn(|table| seed.child(TABLES[table].name)),
            counts: counts(size.0),
            ids: Ids::new(seed),
            started_ms: started_at.as_millisecond(),
        })
    }

    /// Seeded rows of a table.
    pub(super) fn seeded(&self, table: usize) -> u64 {
        self.counts[table]
    }

    /// Seeded rows of all tables.
    pub(super) fn rows(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Bytes of all seeded rows as JSON lines, exactly.
    pub(super) fn bytes(&self) -> u64 {
        (0..TABLES.len()).map(|table| table_bytes(table, self.counts[table])).sum()
    }

    /// The id of a row.
    pub(super) fn id(&self, table: usize, index: u64) -> [u8; ID_LEN] {
        self.ids.encode(table, index)
    }

    /// The row that an id names: table and index. Says nothing of whether it was ever written.
    pub(super) fn locate(&self, id: &[u8]) -> Option<(usize, u64)> {
        self.ids.decode(id).filter(|(table, _)| *table < TABLES.len())
    }

    /// The id that a row in our own spelling begins with.
    pub(super) fn leading_id(row: &[u8]) -> Option<&[u8]> {
        row.strip_prefix(OPENING.as_bytes())?.get(..ID_LEN)
    }

    /// Bytes of a row as one JSON line, without making it.
    pub(super) fn length(table: usize, index: u64, revision: u32) -> usize {
        line_length(table, index + 11 * u64::from(revision)) as usize
    }

    /// Appends a row as one JSON line.
    pub(super) fn render(&self, table: usize, index: u64, revision: u32, out: &mut Vec<u8>) {
        let seed = self.seeds[table].nth(index);
        let mut row = Row {
            index,
            revision,
            created_ms: self.created_ms(table, index),
            fixed: Draw::new(seed),
            current: Draw::new(seed.nth(u64::from(revision) + 1)),
            counts: &self.counts,
        };
        let mut line = Line::new(out, &self.ids);
        line.raw(r#"{"_id":"#).id(table, index).raw(r#","_creationTime":"#);
        line.float(row.created_ms * 1000 + row.fixed.below(1000) as i64);
        // Counting the changes makes every revision's content differ from all others'.
        line.raw(r#","revision":"#).int(revision.into());
        (TABLES[table].fields)(&mut line, &mut row);
        line.finish(Self::length(table, index, revision), &mut row.current);
    }

    fn created_ms(&self, table: usize, index: u64) -> i64 {
        let seeded = self.counts[table];
        match seeded.checked_sub(index + 1) {
            Some(from_newest) => self.started_ms - 1 - (from_newest * (PAST_MS / seeded.max(1))) as i64,
            None => self.started_ms + (index - seeded + 1) as i64 * STEP_MS,
        }
    }
}

/// Bytes of the longest line of any table.
pub(super) fn longest_line() -> u64 {
    let shortest = TABLES.iter().map(|table| table.shortest).max().unwrap_or(0);
    shortest + (LENGTHS - 1) * LENGTH_STEP
}

/// Bytes of a line. Prescribed, so that the size of a table is arithmetic and needs no rendering.
fn line_length(table: usize, place: u64) -> u64 {
    TABLES[table].shortest + place % LENGTHS * 37 % LENGTHS * LENGTH_STEP
}

/// Bytes of a table's first `rows` rows.
fn table_bytes(table: usize, rows: u64) -> u64 {
    let turn: u64 = (0..LENGTHS).map(|place| line_length(table, place)).sum();
    let rest: u64 = (0..rows % LENGTHS).map(|place| line_length(table, place)).sum();
    rows / LENGTHS * turn + rest
}

/// Rows of each table in a data set of `size` bytes.
fn counts(size: u64) -> [u64; TABLES.len()] {
    let mut missed = 0;
    std::array::from_fn(|table| {
        if TABLES[table].share == 0 {
            return 0;
        }
        // What a table falls short of its share goes to the next one.
        let wanted = size * TABLES[table].share / 100 + missed;
        let rows = rows_within(table, wanted);
        missed = wanted - table_bytes(table, rows);
        rows
    })
}

/// The most rows of a table that take no more than `bytes`.
fn rows_within(table: usize, bytes: u64) -> u64 {
    let (mut low, mut high) = (0, bytes / TABLES[table].shortest + 1);
    while low + 1 < high {
        let middle = low + (high - low) / 2;
        match table_bytes(table, middle) <= bytes {
            true => low = middle,
            false => high = middle,
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn data_set(size: u64, seed: u64) -> DataSet {
        DataSet::new(ByteSize(size), Seed(seed), "2026-11-01T00:00:00Z".parse().unwrap()).unwrap()
    }

    fn row(data: &DataSet, table: usize, index: u64, revision: u32) -> String {
        let mut out = Vec::new();
        data.render(table, index, revision, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn rows_look_like_this() {
        let data = data_set(1 << 20, 7);
        let shown: Vec<String> = (0..TABLES.len() - 1)
            .flat_map(|table| [(0, 0), (0, 1), (data.seeded(table), 0)].map(|(i, r)| row(&data, table, i, r)))
            .collect();
        insta::assert_snapshot!(shown.concat());
    }

    #[test]
    fn the_size_is_hit_within_two_percent_and_known_without_rendering() {
        for size in [64 << 10, 1 << 20, 3_333_333] {
            let data = data_set(size, 7);
            let mut bytes = 0;
            let mut out = Vec::new();
            for table in 0..TABLES.len() {
                for index in 0..data.seeded(table) {
                    out.clear();
                    data.render(table, index, 0, &mut out);
                    bytes += out.len() as u64;
                }
            }
            assert_eq!(bytes, data.bytes());
            assert!(bytes.abs_diff(size) * 50 <= size, "{bytes} for {size}");
        }
        let largest = data_set(10 << 30, 7);
        assert!(largest.bytes().abs_diff(10 << 30) < 2000);
        assert_eq!(largest.seeded(TABLES.len() - 1), 0);
    }

    #[test]
    fn a_size_out_of_range_is_refused() {
        let refused = [1, (10 << 30) + 1]
            .map(|size| DataSet::new(ByteSize(size), Seed(7), Timestamp::UNIX_EPOCH).unwrap_err().to_string());
        insta::assert_snapshot!(refused.join("\n"));
    }

    proptest! {
        #[test]
        fn a_row_is_one_canonical_json_line_with_its_own_id_and_length(
            seed: u64, table in 0..TABLES.len() - 1, index in 0u64..30_000_000, revision in 0u32..40,
        ) {
            let data = data_set(10 << 30, seed);
            let line = row(&data, table, index, revision);
            prop_assert_eq!(&line, &row(&data.clone(), table, index, revision));
            prop_assert_eq!(line.len(), DataSet::length(table, index, revision));
            prop_assert!(line.len() as u64 <= longest_line());

            // Were an escape, a float or a large integer spelled otherwise, this would not come back as it was.
            let value: Value = serde_json::from_str(&line).unwrap();
            prop_assert_eq!(format!("{value}\n"), line.as_str());
            prop_assert_eq!(value.as_object().unwrap().keys().take(2).collect::<Vec<_>>(), ["_id", "_creationTime"]);
            prop_assert!(value["_creationTime"].is_f64());
            let id = DataSet::leading_id(line.as_bytes()).unwrap();
            prop_assert_eq!(value["_id"].as_str().unwrap().as_bytes(), id);
            prop_assert_eq!(data.locate(id), Some((table, index)));
            prop_assert_ne!(line, row(&data, table, index, revision + 1));
        }

        #[test]
        fn references_point_at_seeded_rows(table in 1..TABLES.len() - 1, index in 0u64..100_000) {
            let data = data_set(1 << 20, 7);
            let value: Value = serde_json::from_str(&row(&data, table, index, 0)).unwrap();
            let user = value["userId"].as_str().unwrap();
            prop_assert!(matches!(data.locate(user.as_bytes()), Some((0, row)) if row < data.seeded(0)));
        }
    }
}
