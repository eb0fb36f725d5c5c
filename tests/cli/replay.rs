//! A record can be played again: the same to the byte where time is simulated, and what differs is named.

use std::fs;

use serde_json::Value;

use crate::bench::Bench;

const RECORD: &str = "records/database/corrupt-truncated-latest.json";

/// A simulated drill, and its record after `edit`.
fn recorded(bench: &Bench, edit: impl FnOnce(&mut Value)) -> String {
    let run = ["run", "--simulate", "--out", "{out}", "--only", "corrupt-truncated-latest", "--seed", "7"];
    assert_eq!(bench.run(&run).code, Some(0));
    let mut record: Value = serde_json::from_slice(&fs::read(bench.path("out").join(RECORD)).unwrap()).unwrap();
    edit(&mut record);
    bench.file("record.json", serde_json::to_string_pretty(&record).unwrap())
}

#[test]
fn a_simulated_record_is_played_again_to_the_byte() {
    let bench = Bench::new();
    let ended = bench.run(&["replay", &recorded(&bench, |_| {})]);
    assert_eq!((ended.code, bench.left_behind().len()), (Some(0), 0));
    insta::assert_snapshot!(format!("{}---\n{}", ended.err, ended.out));
}

#[test]
fn a_record_that_was_edited_is_found_out() {
    let bench = Bench::new();
    let outcome = recorded(&bench, |record| record["result"]["outcome"] = "recovered".into());
    let said = bench.run(&["replay", "--quiet", &outcome]);
    assert_eq!((said.code, said.err.as_str()), (Some(1), ""));
    let detail = recorded(&bench, |record| record["scope"]["rows"] = 1.into());
    let finer = bench.run(&["replay", "--quiet", &detail]);
    assert_eq!((finer.code, finer.err.as_str()), (Some(1), ""));
    insta::assert_snapshot!(said.out + &finer.out);
}

#[test]
fn a_record_whose_plan_or_scenario_cannot_be_played_is_refused() {
    let bench = Bench::new();
    let scenario = recorded(&bench, |record| {
        record["scenario"]["history"]["days"] = 4_000_000_000_u64.into();
        record["scenario"]["service"] = "databse".into();
    });
    let mut said = bench.run(&["replay", &scenario]);
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""));
    let plan = recorded(&bench, |record| record["plan"]["regions"] = Value::Array(vec![]));
    let refused = bench.run(&["replay", &plan]);
    assert_eq!((refused.code, refused.out.as_str()), (Some(2), ""));
    said.err += &refused.err;
    insta::assert_snapshot!(said.err);
}
