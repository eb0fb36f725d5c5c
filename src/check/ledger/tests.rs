//! The comparison against a naive one over small ledgers, and the check shown failing for each of its reasons.

use std::collections::BTreeSet;

use proptest::{prelude::*, sample::Index};

use super::*;
use crate::check::fake::{FakeLedger, FakeRow, Op, block_on, evidence, position};
use crate::service::contract::Recognised;

/// Something done to restored rows.
#[derive(Debug, Clone)]
enum Damage {
    Drop(Index),
    Repeat(Index),
    Alter(Index),
    Garble(Index),
    Invent,
    /// Puts any version of any item where its row is, or would be.
    Put(Index, Index),
    Swap(Index, Index),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = (0..8, 0usize..12).prop_map(|(kind, item)| match kind {
        0..=2 => Op::Insert,
        3 | 4 => Op::Update(item),
        5 | 6 => Op::Delete(item),
        _ => Op::Reinsert(item),
    });
    prop::collection::vec(op, 0..24)
}

fn damage() -> impl Strategy<Value = Damage> {
    let index = any::<Index>;
    prop_oneof![
        index().prop_map(Damage::Drop),
        index().prop_map(Damage::Repeat),
        index().prop_map(Damage::Alter),
        index().prop_map(Damage::Garble),
        Just(Damage::Invent),
        (index(), index()).prop_map(|(item, version)| Damage::Put(item, version)),
        (index(), index()).prop_map(|(a, b)| Damage::Swap(a, b)),
    ]
}

fn apply(ledger: &FakeLedger, rows: &mut Vec<FakeRow>, damage: &Damage) {
    let count = rows.len();
    match damage {
        Damage::Invent => rows.push(("users", r#"{"_id":"i99"}"#.into())),
        Damage::Put(item, version) if !ledger.items.is_empty() => {
            let item = item.index(ledger.items.len());
            let version = version.index(ledger.items[item].len());
            if ledger.items[item][version].present {
                let id = format!("\"_id\":\"i{item}\"");
                rows.retain(|(_, row)| !row.contains(&id));
                rows.push(FakeLedger::row(item, version));
            }
        }
        _ if rows.is_empty() => {}
        Damage::Drop(at) => _ = rows.remove(at.index(count)),
        Damage::Repeat(at) => rows.push(rows[at.index(count)].clone()),
        Damage::Alter(at) => {
            let row = &mut rows[at.index(count)].1;
            *row = row.replace("\"version\":", "\"version\":1");
        }
        Damage::Garble(at) => rows[at.index(count)].1.truncate(9),
        Damage::Swap(a, b) => rows.swap(a.index(count), b.index(count)),
        Damage::Put(..) => {}
    }
}

/// The comparison as its definition reads, write by write, with everything in memory.
fn naive(ledger: &FakeLedger, claimed: u64, rows: &[FakeRow]) -> Comparison {
    let last = ledger.writes;
    let seen: Vec<Recognised> = ["users", "payments"]
        .iter()
        .flat_map(|table| rows.iter().filter(move |row| row.0 == *table))
        .map(|(table, row)| ledger.recognise(table, row.as_bytes()))
        .collect();
    let of = |item: usize| {
        seen.iter().find(|row| match row {
            Recognised::Version { item: i, .. } | Recognised::Altered { item: i } => *i == item as u64,
            Recognised::Unknown(_) => false,
        })
    };
    let absent_at = |item: usize, seq: u64| ledger.at(item, seq).is_none_or(|v| !ledger.items[item][v].present);
    let readings = |item: usize| -> BTreeSet<Option<usize>> {
        (0..=last).filter(|seq| absent_at(item, *seq)).map(|seq| ledger.at(item, seq)).collect()
    };

    let mut broken: Vec<u64> = Vec::new();
    let mut reached: Vec<Option<Option<usize>>> = Vec::new(); // outer None: no write of it is judged, or not yet
    for item in 0..ledger.items.len() {
        let promised = ledger.at(item, claimed).unwrap_or(0);
        reached.push(match of(item) {
            Some(Recognised::Version { version, .. }) => Some(Some(*version)),
            Some(_) => {
                broken.push(ledger.items[item][promised].seq);
                None
            }
            None if readings(item).len() <= 1 => Some(readings(item).into_iter().next().flatten()),
            None => None,
        });
    }
    let lost = |item: usize, reached: Option<usize>| -> Vec<u64> {
        let beyond = |(number, _): &(usize, &_)| reached.is_none_or(|r| *number > r);
        ledger.items[item].iter().enumerate().filter(beyond).map(|(_, version)| version.seq).collect()
    };
    let all_lost = |reached: &[Option<Option<usize>>]| -> Vec<u64> {
        reached.iter().enumerate().filter_map(|(item, r)| r.map(|r| lost(item, r))).flatten().collect()
    };
    let prefix_of =
        |lost: &[u64], broken: &[u64]| lost.iter().chain(broken).min().map_or(last, |first| first.saturating_sub(1));
    // The rule: as claimed unless the prefix disproves it, then as the prefix has it, then not inserted yet.
    let ambiguous: Vec<usize> = (0..reached.len()).filter(|i| reached[*i].is_none() && of(*i).is_none()).collect();
    let mut prefix = prefix_of(&all_lost(&reached), &broken);
    loop {
        for item in &ambiguous {
            let wanted = if prefix < claimed { vec![prefix] } else { vec![claimed, prefix] };
            let seq = wanted.into_iter().find(|seq| absent_at(*item, *seq));
            let seq = seq.or_else(|| (0..=last).find(|seq| absent_at(*item, *seq)));
            reached[*item] = seq.map(|seq| ledger.at(*item, seq));
        }
        let settled = prefix_of(&all_lost(&reached), &broken);
        if settled >= prefix {
            break;
        }
        prefix = settled;
    }

    let lost = all_lost(&reached);
    let there = |item: &usize| of(*item).is_some();
    let deleted = |item: &usize| ledger.at(*item, claimed).is_some_and(|v| !ledger.items[*item][v].present);
    let items = 0..ledger.items.len();
    let reflected = items.clone().filter_map(|item| reached[item].flatten().map(|r| &ledger.items[item][..=r]));
    let (holes, altered) = (lost.iter().filter(|seq| **seq <= claimed).count() as u64, broken.len() as u64);
    let writes_ahead = reflected.flatten().filter(|version| version.seq > claimed).count() as u64;
    let extra = (rows.len() - items.clone().filter(there).count()) as u64;
    let resurrected = items.filter(there).filter(deleted).count() as u64;
    let (rows_found, rows_expected) = (rows.len() as u64, ledger.rows(claimed).len() as u64);
    Comparison {
        as_claimed: claimed <= last
            && [holes, writes_ahead, altered, extra, resurrected] == [0; 5]
            && rows_found == rows_expected,
        prefix: position(prefix_of(&lost, &broken)),
        last: position(last),
        rows_expected,
        rows_found,
        writes_lost: lost.iter().filter(|seq| **seq > 0).count() as u64,
        holes,
        writes_ahead,
        altered,
        extra,
        resurrected,
        examples: vec![],
    }
}

fn compared(ledger: &FakeLedger, claimed: u64, rows: &[FakeRow]) -> Comparison {
    block_on(evidence(ledger, claimed, Ok(rows.to_vec())).comparison()).unwrap()
}

fn sorted(mut rows: Vec<FakeRow>) -> Vec<FakeRow> {
    rows.sort();
    rows
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn the_comparison_is_the_naive_one_for_any_history_and_any_damage(
        seeded in 0usize..6,
        ops in ops(),
        restored in any::<Index>(),
        claimed in prop::option::of(any::<Index>()),
        damages in prop::collection::vec(damage(), 0..5),
    ) {
        let ledger = FakeLedger::new(seeded, &ops);
        let positions = ledger.writes as usize + 1;
        let restored = restored.index(positions) as u64;
        // One position more than there are: a pipeline may claim anything.
        let claimed = claimed.map_or(restored, |claimed| claimed.index(positions + 1) as u64);
        let mut rows = ledger.rows(restored);
        damages.iter().for_each(|damage| apply(&ledger, &mut rows, damage));

        let found = compared(&ledger, claimed, &rows);
        prop_assert_eq!(&Comparison { examples: vec![], ..found.clone() }, &naive(&ledger, claimed, &rows));
        let same_rows = sorted(rows) == sorted(ledger.rows(claimed));
        prop_assert_eq!(found.as_claimed, same_rows && claimed <= ledger.writes);
        prop_assert_eq!(found.as_claimed, found.examples.is_empty());
        prop_assert!(found.examples.len() <= EXAMPLES);
    }

    #[test]
    fn an_undamaged_prefix_is_as_claimed_and_loses_what_came_after(
        seeded in 0usize..6, ops in ops(), restored in any::<Index>(),
    ) {
        let ledger = FakeLedger::new(seeded, &ops);
        let restored = restored.index(ledger.writes as usize + 1) as u64;
        let found = compared(&ledger, restored, &ledger.rows(restored));
        prop_assert!(found.as_claimed);
        prop_assert_eq!(found.holes, 0);
        prop_assert_eq!(found.prefix, position(restored));
        prop_assert_eq!(found.writes_lost, ledger.writes - restored);
    }
}

/// Two users and two payments seeded; 1 updates the second user, 2 inserts a user, 3 deletes a payment, 4 inserts a
/// payment, 5 deletes it.
fn history() -> FakeLedger {
    FakeLedger::new(4, &[Op::Update(2), Op::Insert, Op::Delete(3), Op::Insert, Op::Delete(5)])
}

#[test]
fn the_check_fails_for_the_right_reason() {
    let ledger = history();
    let run = |claimed, rows: Vec<FakeRow>| block_on(LedgerCheck.run(&evidence(&ledger, claimed, Ok(rows))));
    let with = |claimed, change: &dyn Fn(&mut Vec<FakeRow>)| {
        let mut rows = ledger.rows(claimed);
        change(&mut rows);
        run(claimed, rows)
    };
    let wrong = [
        ("empty", run(3, vec![])),
        ("older", run(3, ledger.rows(1))),
        ("newer", run(1, ledger.rows(3))),
        ("seeded row dropped", with(3, &|rows| _ = rows.remove(0))),
        ("altered", with(3, &|rows| rows[0].1 = rows[0].1.replace(":0", ":0.0"))),
        ("twice", with(3, &|rows| rows.push(rows[0].clone()))),
        ("invented", with(3, &|rows| rows.push(("users", r#"{"_id":"i98"}"#.into())))),
        ("resurrected", with(3, &|rows| rows.push(FakeLedger::row(3, 0)))),
        ("deleted before its time", with(4, &|rows| rows.retain(|row| !row.1.contains("\"_id\":\"i5\"")))),
        ("claimed beyond the last write", run(6, ledger.rows(5))),
    ];
    assert!(wrong.iter().all(|(_, result)| result.passed == Some(false)), "{wrong:#?}");
    insta::assert_snapshot!(wrong.map(|(what, result)| format!("{what}: {}", result.detail)).join("\n"));
}

#[test]
fn an_unreadable_target_is_no_failure_of_the_data() {
    let gone = Err(ServiceError("the disk is gone".into()));
    let result = block_on(LedgerCheck.run(&evidence(&history(), 0, gone)));
    assert_eq!((result.passed, result.detail.contains("the disk is gone")), (None, true));
}

#[test]
fn the_prefix_ends_before_the_first_write_that_is_missing_or_altered() {
    let ledger = history();
    let prefix = |claimed, change: &dyn Fn(&mut Vec<FakeRow>)| {
        let mut rows = ledger.rows(claimed);
        change(&mut rows);
        compared(&ledger, claimed, &rows).prefix.seq
    };
    assert_eq!(prefix(5, &|_| {}), 5);
    assert_eq!(prefix(3, &|_| {}), 3, "4 and 5 leave no trace: they are there only if they were promised");
    assert_eq!(prefix(2, &|_| {}), 2);
    assert_eq!(prefix(5, &|rows| rows[2] = FakeLedger::row(2, 0)), 0, "the update 1 is gone");
    assert_eq!(prefix(5, &|rows| rows[2].1 = rows[2].1.replace(":1", ":7")), 0, "its row is altered");
    assert_eq!(prefix(5, &|rows| rows.retain(|row| !row.1.contains("\"_id\":\"i4\""))), 1, "the insertion 2 is gone");
    assert_eq!(prefix(5, &|rows| _ = rows.remove(0)), 0, "a seeded row is gone");
}

#[test]
fn a_false_claim_does_not_make_rows_that_came_and_went_after_the_dump_look_done() {
    // 2 inserts a user, 3 updates another, 4 deletes the first again; the dump is of 1 and claims 4.
    let ledger = FakeLedger::new(4, &[Op::Update(2), Op::Insert, Op::Update(0), Op::Delete(4)]);
    let found = compared(&ledger, 4, &ledger.rows(1));
    assert_eq!((found.prefix.seq, found.writes_lost, found.holes), (1, 3, 3));
    // The same with a second row that is there when the first one came: each ends the prefix before the other.
    let came_and_went = [Op::Insert, Op::Insert, Op::Delete(2), Op::Update(0), Op::Delete(3)];
    let ledger = FakeLedger::new(2, &came_and_went);
    assert_eq!(compared(&ledger, 5, &ledger.rows(0)).prefix.seq, 0);
}
