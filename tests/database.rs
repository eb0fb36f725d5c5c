//! The database service through its contract: what is exported is what the ledger knows, what is staged is what is
//! read back, and a drill without damage compares as claimed.
#![allow(clippy::unwrap_used, missing_docs, reason = "a failing test may panic")]

use std::{path::Path, sync::Arc};

use backdraft::{
    check::{CATALOGUE, Check, Evidence},
    emulator::World,
    model::{
        event::{CheckResult, Claim, Comparison, Position},
        plan::ServiceKind,
        record::Way,
        units::ByteSize,
    },
    service::{
        contract::{Contents, Platform, Recognised, RowChunk, Service, Target},
        database::Database,
    },
    sim::{clock::Clock, lanes::Lanes, seed::Seed},
};
use futures_util::TryStreamExt;
use jiff::{Timestamp, ToSpan};
use proptest::prelude::*;

const SMALL: u64 = 100 << 10;

fn start() -> Timestamp {
    "2026-11-01T00:00:00Z".parse().unwrap()
}

fn lanes(way: Way) -> Lanes {
    Lanes::new(&Clock::new(way, start()))
}

fn database(size: u64, scratch: &Path) -> Database {
    Database::seed(ByteSize(size), Seed(7), start(), scratch, &lanes(Way::Simulated)).unwrap()
}

/// A day's writes on each of `days` days.
async fn live(database: &Database, days: i64, writes: u32) {
    for day in 0..days {
        database.write(start() + (24 * day + 12).hours(), writes).await.unwrap();
    }
}

async fn chunks(contents: Contents) -> Vec<RowChunk> {
    contents.rows.try_collect().await.unwrap()
}

/// All rows, table by table.
async fn rows(contents: Contents) -> Vec<(Arc<str>, String)> {
    let chunks = chunks(contents).await;
    let lines = |chunk: &RowChunk| {
        let (table, text) = (Arc::clone(&chunk.table), String::from_utf8(chunk.lines.to_vec()).unwrap());
        text.split_inclusive('\n').map(|line| (Arc::clone(&table), line.to_owned())).collect::<Vec<_>>()
    };
    chunks.iter().flat_map(lines).collect()
}

async fn restore(target: &dyn Target, tables: &[Arc<str>], rows: Vec<(Arc<str>, String)>) {
    target.begin(tables).await.unwrap();
    for (table, line) in rows {
        target.stage(RowChunk { table, rows: 1, lines: line.into() }).await.unwrap();
    }
    target.commit().await.unwrap();
}

/// Exports, changes the rows, restores them, and asks all checks.
async fn drill(
    database: &Database,
    damage: impl FnOnce(&mut Vec<(Arc<str>, String)>),
) -> (Comparison, Vec<CheckResult>) {
    let export = database.source().export().await.unwrap();
    let (tables, position) = (export.contents.tables.clone(), export.position);
    let mut dump = rows(export.contents).await;
    damage(&mut dump);
    let target = database.provision().await.unwrap();
    restore(&*target, &tables, dump).await;
    ask(database, target, position).await
}

async fn ask(database: &Database, target: Arc<dyn Target>, position: Position) -> (Comparison, Vec<CheckResult>) {
    let claim = Claim { point: "dump".into(), region: "here".into(), position };
    let clock = Clock::new(Way::Simulated, start());
    let world = Arc::new(World::empty(&clock));
    let evidence = Evidence::new(target, database.ledger(), claim, &world, &lanes(Way::Simulated));
    let mut results = Vec::new();
    let is_asked = |check: &&&dyn Check| check.is_for(ServiceKind::Database) && check.is_asked(&evidence);
    for check in CATALOGUE.iter().filter(is_asked).filter(|check| check.name() != "retention") {
        results.push(check.run(&evidence).await);
    }
    (evidence.comparison().await.unwrap(), results)
}

#[tokio::test(start_paused = true)]
async fn an_export_is_whole_ordered_and_what_the_ledger_knows() {
    let scratch = tempfile::tempdir().unwrap();
    let database = database(1 << 20, scratch.path());
    live(&database, 3, 400).await;
    let ledger = database.ledger();
    let export = database.source().export().await.unwrap();
    assert_eq!(export.position, ledger.last());
    let tables = export.contents.tables.clone();
    assert_eq!(tables.last().map(|name| &**name), Some("auditLogs"), "the empty table is declared");

    let chunks = chunks(export.contents).await;
    assert!(chunks.iter().all(|chunk| chunk.lines.len() <= 1 << 20 && chunk.lines.ends_with(b"\n")));
    assert_eq!(chunks.iter().map(|chunk| chunk.rows).sum::<u64>(), database.rows());
    assert_eq!(database.rows(), ledger.rows_at(ledger.last().seq));
    let order: Vec<_> = chunks.iter().map(|chunk| tables.iter().position(|table| *table == chunk.table)).collect();
    assert!(order.is_sorted());
    let mut changed = 0;
    for chunk in &chunks {
        for row in chunk.lines.split_inclusive(|byte| *byte == b'\n') {
            let Recognised::Version { item, version } = ledger.recognise(&chunk.table, row) else {
                panic!("{} is not known", String::from_utf8_lossy(row));
            };
            assert_eq!(version + 1, ledger.versions(item).len(), "the newest version");
            changed += usize::from(version > 0);
        }
    }
    assert!(changed > 100);
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_history_on_any_number_of_lanes() {
    let scratch = tempfile::tempdir().unwrap();
    let mut exports = Vec::new();
    for way in [Way::Simulated, Way::Real] {
        let lanes = lanes(way);
        let database = Database::seed(ByteSize(3 << 20), Seed(7), start(), scratch.path(), &lanes).unwrap();
        live(&database, 2, 500).await;
        exports.push(chunks(database.source().export().await.unwrap().contents).await);
    }
    assert_eq!(exports[0], exports[1]);
}

#[tokio::test(start_paused = true)]
async fn an_export_keeps_its_position_while_writes_go_on_and_ends_with_the_source() {
    let scratch = tempfile::tempdir().unwrap();
    let database = database(SMALL, scratch.path());
    live(&database, 1, 50).await;
    let (before, running) = (database.source().export().await.unwrap(), database.source().export().await.unwrap());
    let expected = rows(before.contents).await;
    live(&database, 1, 200).await;
    assert_eq!(rows(running.contents).await, expected);
    assert_eq!((before.position.seq, database.ledger().last().seq), (50, 250));

    let running = database.source().export().await.unwrap();
    database.lose().await.unwrap();
    assert!(running.contents.rows.try_collect::<Vec<_>>().await.is_err(), "a running export breaks off");
    assert!(database.source().export().await.is_err());
    assert!(database.write(start(), 1).await.is_err());
    assert_eq!(database.ledger().last().seq, 250, "what was refused is not in the ledger");
}

#[tokio::test(start_paused = true)]
async fn the_ledger_keeps_place_and_time_of_every_write() {
    let scratch = tempfile::tempdir().unwrap();
    let database = database(SMALL, scratch.path());
    let ledger = database.ledger();
    assert_eq!(ledger.last(), Position { seq: 0, committed_at: start() });
    let seeded = database.rows();
    live(&database, 1, 300).await;
    database.write(start(), 1).await.unwrap(); // earlier than the last: time does not run backwards

    let times: Vec<Timestamp> = (0..=301).map(|seq| ledger.position(seq).unwrap().committed_at).collect();
    assert!(times.is_sorted());
    assert_eq!(times[300], start() + 12.hours() + 299.milliseconds());
    assert_eq!(ledger.position(302), None);

    let mut rows_at = vec![0i64; 302];
    let mut kinds = [0; 3];
    for item in 0..ledger.items() {
        let versions = ledger.versions(item);
        assert!(versions.iter().is_sorted_by_key(|version| version.seq));
        for (number, version) in versions.iter().enumerate() {
            let change = if version.present { i64::from(number == 0) } else { -1 };
            rows_at[version.seq as usize] += change;
            kinds[if number == 0 {
                0
            } else if version.present {
                1
            } else {
                2
            }] += u32::from(version.seq > 0);
        }
    }
    for seq in 1..rows_at.len() {
        rows_at[seq] += rows_at[seq - 1];
    }
    let told: Vec<i64> = (0..=301).map(|seq| ledger.rows_at(seq) as i64).collect();
    assert_eq!((told[0], &told), (seeded as i64, &rows_at));
    assert!(kinds[0] > kinds[1] && kinds[1] > kinds[2] && kinds[2] > 15, "a natural mix: {kinds:?}");
}

#[tokio::test(start_paused = true)]
async fn a_row_is_recognised_by_its_values_and_not_by_their_spelling() {
    let scratch = tempfile::tempdir().unwrap();
    let database = database(SMALL, scratch.path());
    let ledger = database.ledger();
    let dump = rows(database.source().export().await.unwrap().contents).await;
    let (table, row) = dump.iter().find(|(table, row)| &**table == "users" && row.contains("36.0")).unwrap();
    let known = ledger.recognise(table, row.as_bytes());
    let Recognised::Version { item, version: 0 } = known else { panic!("{known:?}") };

    let respelled = |change: &dyn Fn(&mut serde_json::Map<String, serde_json::Value>)| {
        let mut object = serde_json::from_str(row).unwrap();
        change(&mut object);
        ledger.recognise(table, serde_json::to_string(&object).unwrap().as_bytes())
    };
    assert_eq!(respelled(&|row| row.sort_keys()), known);
    assert_eq!(ledger.recognise(table, row.replace("\":", "\" : ").as_bytes()), known);
    let altered = Recognised::Altered { item };
    assert_eq!(respelled(&|row| row["monthlyQuota"] = 36.into()), altered, "an integer is no float");
    assert_eq!(respelled(&|row| row["accountNumber"] = row["accountNumber"].as_f64().into()), altered);
    assert_eq!(respelled(&|row| row["accountNumber"] = (row["accountNumber"].as_i64().unwrap() + 1).into()), altered);
    assert_eq!(respelled(&|row| _ = row.shift_remove("bio")), altered);
    assert_eq!(respelled(&|row| _ = row.insert("new".into(), serde_json::Value::Null)), altered);
    assert_eq!(ledger.recognise(table, &row.as_bytes()[..100]), altered);
    assert_eq!(
        ledger.recognise(table, row.replace("\"revision\":0", "\"revision\":0,\"revision\":1").as_bytes()),
        altered
    );

    let unknown = |table: &str, row: &str| matches!(ledger.recognise(table, row.as_bytes()), Recognised::Unknown(_));
    assert!(unknown("posts", row), "a row in another table is not that row");
    assert!(unknown(table, "{}") && unknown(table, "") && unknown(table, &row.replace("\"_id\":\"", "\"_id\":\"x")));
    assert_eq!(
        respelled(&|row| row["_id"] = "jx74grq4hzfhm6c2pemq8gfjk8377b1c".into()),
        Recognised::Unknown("users/jx74grq4hzfhm6c2pemq8gfjk8377b1c".into())
    );
}

#[tokio::test(start_paused = true)]
async fn a_target_shows_what_was_committed_and_nothing_else() {
    let scratch = tempfile::tempdir().unwrap();
    let database = database(3 << 20, scratch.path());
    let target = database.provision().await.unwrap();
    let export = database.source().export().await.unwrap();
    let tables = export.contents.tables.clone();
    let dump = chunks(export.contents).await;
    let stranger = RowChunk { table: "strangers".into(), rows: 0, lines: "".into() };

    assert!(target.stage(dump[0].clone()).await.is_err(), "nothing was begun");
    assert!(target.commit().await.is_err());
    target.begin(&tables).await.unwrap();
    assert!(target.begin(&tables).await.is_err(), "one staging at a time");
    assert!(target.stage(stranger).await.is_err(), "an undeclared table");
    for chunk in &dump {
        target.stage(chunk.clone()).await.unwrap();
    }
    let empty = target.read_back().await.unwrap();
    assert!(empty.tables.is_empty() && chunks(empty).await.is_empty(), "not committed, not visible");

    target.commit().await.unwrap();
    let restored = target.read_back().await.unwrap();
    assert_eq!(restored.tables, tables);
    let restored = chunks(restored).await;
    assert!(restored.iter().all(|chunk| chunk.lines.len() <= 1 << 20 && chunk.lines.ends_with(b"\n")));
    let lines = |chunks: &[RowChunk]| chunks.iter().flat_map(|chunk| chunk.lines.to_vec()).collect::<Vec<u8>>();
    assert_eq!(lines(&restored), lines(&dump));
    assert_eq!(restored.iter().map(|chunk| chunk.rows).sum::<u64>(), database.rows());

    target.begin(&tables).await.unwrap();
    target.discard().await.unwrap();
    assert!(target.read_back().await.unwrap().tables.is_empty(), "as empty as when it was provisioned");
    let left = std::fs::read_dir(scratch.path().join("target-1")).unwrap().count();
    assert_eq!(left, 0, "no file is left of what was discarded");
    assert!(target.begin(&["users".into(), "users".into()]).await.is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn lines_of_any_length_come_back_as_they_were_staged(lengths in prop::collection::vec(1usize..700_000, 0..12), ended: bool) {
        let scratch = tempfile::tempdir().unwrap();
        let database = database(SMALL, scratch.path());
        let mut staged = lengths.iter().map(|length| "x".repeat(*length)).collect::<Vec<_>>().join("\n");
        if ended && !staged.is_empty() {
            staged.push('\n');
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let read = runtime.block_on(async {
            let target = database.provision().await.unwrap();
            restore(&*target, &["t".into()], vec![("t".into(), staged.clone())]).await;
            chunks(target.read_back().await.unwrap()).await
        });
        prop_assert_eq!(read.iter().map(|chunk| chunk.rows).sum::<u64>(), lengths.len() as u64);
        prop_assert!(read.iter().all(|chunk| chunk.lines.len() <= (1 << 20) + 700_000));
        prop_assert_eq!(read.iter().flat_map(|chunk| chunk.lines.to_vec()).collect::<Vec<u8>>(), staged.into_bytes());
    }
}

#[tokio::test(start_paused = true)]
async fn a_drill_without_damage_is_as_claimed_and_each_damage_is_seen() {
    let scratch = tempfile::tempdir().unwrap();
    let database = database(SMALL, scratch.path());
    live(&database, 2, 100).await;
    let whole = drill(&database, |_| {}).await;
    let (control, checks) = (&whole.0, &whole.1);
    assert!(control.as_claimed && checks.iter().all(|check| check.passed == Some(true)), "{whole:#?}");
    assert_eq!((control.prefix, control.last, control.writes_lost), (database.ledger().last(), control.last, 0));

    let count = database.rows() as usize;
    let seen = [
        drill(&database, |rows| _ = rows.remove(5)).await.0,
        drill(&database, |rows| rows.push(rows[count - 1].clone())).await.0,
        drill(&database, |rows| rows[9].1 = rows[9].1.replace("36.0", "36").replace("\":null", "\":false")).await.0,
        drill(&database, |rows| rows.truncate(count / 2)).await.0,
        drill(&database, Vec::clear).await.0,
    ];
    assert!(seen.iter().all(|found| !found.as_claimed && !found.examples.is_empty()));
    let counts = seen.map(|c| (c.rows_found as i64 - count as i64, c.holes > 0, c.altered, c.extra, c.prefix.seq));
    assert_eq!(counts[0], (-1, true, 0, 0, 0));
    assert_eq!(counts[1], (1, false, 0, 1, 200));
    assert!(matches!(counts[2], (0, false, 1, 0, ..200)), "{counts:?}");
    assert_eq!((counts[3].1, counts[4]), (true, (-(count as i64), true, 0, 0, 0)));
}

#[tokio::test(start_paused = true)]
async fn an_older_dump_is_as_claimed_and_loses_the_writes_since() {
    let scratch = tempfile::tempdir().unwrap();
    let database = database(SMALL, scratch.path());
    live(&database, 1, 100).await;
    let export = database.source().export().await.unwrap();
    let (tables, old) = (export.contents.tables.clone(), export.position);
    let dump = rows(export.contents).await;
    database.write(start() + 36.hours(), 60).await.unwrap();
    let target = database.provision().await.unwrap();
    restore(&*target, &tables, dump).await;

    let (honest, checks) = ask(&database, Arc::clone(&target), old).await;
    assert!(honest.as_claimed && checks.iter().all(|check| check.passed == Some(true)), "{checks:#?}");
    assert_eq!((honest.prefix, honest.writes_lost, honest.holes), (old, 60, 0));
    let (stale, checks) = ask(&database, target, database.ledger().last()).await;
    assert!(!stale.as_claimed && checks.iter().all(|check| check.passed == Some(false)), "{checks:#?}");
    // A row that came and went since left no trace: promised to be gone again, its first write counts as done.
    assert!((100..110).contains(&stale.prefix.seq) && stale.holes > 0 && stale.writes_ahead == 0, "{stale:?}");
}
