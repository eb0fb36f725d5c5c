//! The compliance report at the command line: from records to five files of evidence; what cannot be read is refused.

use std::fs;

use serde_json::Value;

use crate::bench::Bench;

const PERIOD: [&str; 6] = ["report", "compliance", "--from", "2026-01-01", "--to", "2027-01-01"];

const DRILL: [&str; 6] = ["run", "--quiet", "--out", "{out}", "--only", "database/corrupt-truncated-latest"];
const RECORD: &str = "out/records/database/corrupt-truncated-latest.json";

/// The record of a real drill, as if it had been run on each of these days; the folder. When it was run is all that a
/// record's events do not tell.
fn recorded(bench: &Bench, days: &[&str]) -> String {
    assert_eq!(bench.run(&DRILL).code, Some(0));
    let mut record: Value = serde_json::from_slice(&fs::read(bench.path(RECORD)).unwrap()).unwrap();
    for day in days {
        record["identity"]["run_at"] = format!("{day}T03:00:00Z").into();
        bench.file(&format!("records/{day}.json"), serde_json::to_string_pretty(&record).unwrap());
    }
    bench.path("records").display().to_string()
}

fn actions(bench: &Bench, text: &str) -> String {
    bench.file("actions.yaml", format!("format: backdraft.actions/1\nactions:\n{text}"))
}

#[test]
fn a_period_is_reported_from_its_records_in_every_format_with_signed_evidence() {
    let bench = Bench::new();
    let records = recorded(&bench, &["2026-02-03", "2026-03-03"]);
    let key = bench.path("key.pem").display().to_string();
    bench.run(&["keygen", "--out", &key]);
    let report = bench.path("report").display().to_string();
    // In two halves, so that nobody who scans this file takes it for a leak.
    let secret = &["sk_live_4eC39H", "qLyjWDarjtT1zdp7dc"].concat();
    let note =
        format!("  - {{ finding: Data was lost, owner: '=cmd()', due: 2026-02-01, note: 'STRIPE_KEY={secret}' }}\n");
    let more = ["--records", &records, "--out", &report, "--sign-key", &key, "--actions", &actions(&bench, &note)];
    let ended = bench.run(&[&PERIOD[..], &more].concat());
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
    assert!(ended.out.ends_with("the whole is red\n"), "{}", ended.out);
    let json: Value = serde_json::from_slice(&fs::read(bench.path("report/compliance.json")).unwrap()).unwrap();
    assert_eq!((&json["completeness"]["drills"], &json["completeness"]["passed"]), (&2.into(), &2.into()));
    for name in ["compliance.html", "compliance.md", "compliance.json", "compliance.csv"] {
        let text = fs::read_to_string(bench.path("report").join(name)).unwrap();
        assert!(!text.contains(secret), "{name}");
    }
    let public = bench.path("key.pub.pem").display().to_string();
    let verified = bench.run(&["verify-evidence", &report, "--key", &public]);
    assert_eq!(verified.code, Some(0));
    assert!(verified.out.starts_with("SIGNED, intact\n4 of 4 files are as stated\n"), "{}", verified.out);
    let page = fs::read_to_string(bench.path("report/compliance.md")).unwrap();
    assert!(page.contains("Signed with the key sha256:") && !page.contains("UNSIGNED"));
    let strict = bench.run(&[&PERIOD[..], &more, &["--strict"]].concat());
    assert_eq!(strict.code, Some(1));
}

#[test]
fn the_same_record_twice_is_one_drill_and_a_simulated_one_is_none() {
    let bench = Bench::new();
    let records = recorded(&bench, &["2026-02-03"]);
    assert_eq!(bench.run(&[&DRILL[..], &["--simulate"]].concat()).code, Some(0));
    let out = bench.path("out").display().to_string();
    let report = bench.path("report").display().to_string();
    let more = ["--records", &records, "--records", &records, "--records", &out, "--out", &report, "--quiet"];
    assert_eq!(bench.run(&[&PERIOD[..], &more].concat()).code, Some(0));
    let json: Value = serde_json::from_slice(&fs::read(bench.path("report/compliance.json")).unwrap()).unwrap();
    // The run's own record is simulated, and has no date.
    assert_eq!((&json["completeness"]["drills"], &json["completeness"]["undated"]), (&1.into(), &1.into()));
}

#[test]
fn a_report_of_a_history_names_its_head_and_one_that_was_edited_is_refused() {
    let bench = Bench::new();
    let [history, report] = ["history", "report"].map(|name| bench.path(name).display().to_string());
    for seed in ["1", "2"] {
        assert_eq!(bench.run(&[&DRILL[..], &["--history", &history, "--seed", seed]].concat()).code, Some(0));
    }
    let simulated = bench.run(&[&DRILL[..], &["--history", &history, "--simulate"]].concat());
    assert_eq!(simulated.code, Some(0));
    // Whatever year it is.
    let ever = ["report", "compliance", "--from", "2024-01-01", "--to", "2034-01-01", "--history", &history];
    let made = || bench.run(&[&ever[..], &["--out", &report, "--quiet"]].concat());
    assert_eq!(made().code, Some(0));
    let json: Value = serde_json::from_slice(&fs::read(bench.path("report/compliance.json")).unwrap()).unwrap();
    assert_eq!((&json["completeness"]["drills"], &json["completeness"]["simulated"]), (&3.into(), &1.into()));
    let sequences: Vec<_> = json["drills"].as_array().unwrap().iter().map(|drill| drill["sequence"].as_u64()).collect();
    assert_eq!(sequences, [Some(1), Some(2), Some(3)]);
    let head = format!("{}:{}", json["head"]["sequence"], json["head"]["sha256"].as_str().unwrap());
    let verified = bench.run(&["verify-evidence", &report, "--head", &head]);
    assert_eq!(verified.code, Some(0), "{}", verified.out);
    let chain = bench.path("history/chain.jsonl");
    let edited = fs::read_to_string(&chain).unwrap().replacen("recovered-behind", "recovered", 1);
    fs::write(chain, edited).unwrap();
    fs::remove_dir_all(&report).unwrap();
    let refused = made();
    assert_eq!((refused.code, refused.out.as_str()), (Some(2), ""));
    assert!(refused.err.contains("the history is not what was written: entry 1: "), "{}", refused.err);
    assert!(!bench.path("report").exists());
}

#[test]
fn what_is_no_period_no_record_and_no_action_is_refused_and_nothing_is_written() {
    let bench = Bench::new();
    let records = recorded(&bench, &["2026-02-03"]);
    let report = bench.path("report").display().to_string();
    let base = ["report", "compliance", "--out", &report, "--records", &records];
    let year = ["--from", "2026-01-01", "--to", "2027-01-01"];
    let good = "  - { finding: Data was lost, owner: A, due: 2026-02-01 }\n";
    let mut said = String::new();
    let mut refuse = |more: &[&str]| {
        let ended = bench.run(&[&base[..], more].concat());
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{more:?}");
        assert!(!bench.path("report").exists(), "{more:?}");
        said += &ended.err;
    };
    refuse(&["--from", "2026-02-01", "--to", "2026-02-01"]);
    refuse(&["--from", "0001-01-01", "--to", "2026-02-01"]);
    refuse(&["--from", "2026-13-01", "--to", "2026-02-01"]);
    refuse(&[&year[..], &["--records", "fixtures/plans"]].concat());
    refuse(&[&year[..], &["--records", "no/such/folder"]].concat());
    for wrong in [
        &good.replace("due: 2026-02-01", "due: soon"),
        &good.replace("owner: A", "owner: ' '"),
        &good.replace("owner: A", "owner: A, service: databse"),
        &good.replace("owner: A", "owner: A, status: accepted"),
        &good.replace("owner: A", "ownr: A"),
        "  - 1\n",
    ] {
        refuse(&[&year[..], &["--actions", &actions(&bench, wrong)]].concat());
    }
    let path = bench.path("records/2026-02-03.json");
    let edited = fs::read_to_string(&path).unwrap().replacen("\"recovered-behind\"", "\"recovered\"", 1);
    fs::write(path, edited).unwrap();
    refuse(&year);
    insta::assert_snapshot!(said);
}

#[test]
fn records_are_held_against_the_evidence_beside_them_and_its_key() {
    let bench = Bench::new();
    let [key, public, report, out] =
        ["key.pem", "key.pub.pem", "report", "out"].map(|name| bench.path(name).display().to_string());
    bench.run(&["keygen", "--out", &key]);
    assert_eq!(bench.run(&[&DRILL[..], &["--sign-key", &key]].concat()).code, Some(0));
    let ever = ["report", "compliance", "--from", "2024-01-01", "--to", "2034-01-01", "--quiet", "--out", &report];
    let of = |records: &str, more: &[&str]| bench.run(&[&ever[..], &["--records", records], more].concat());
    let beside = |records: &str, more: &[&str]| {
        let ended = of(records, more);
        assert_eq!(ended.code, Some(0), "{records} {more:?}: {}", ended.err);
        let json: Value = serde_json::from_slice(&fs::read(bench.path("report/compliance.json")).unwrap()).unwrap();
        ["signed", "unchecked", "unsigned", "none"].map(|how| json["beside"][how].as_u64().unwrap())
    };
    let with_key = ["--key", &public];
    // Also where a folder below the run's is given; and a report that was written again says nothing of the records.
    fs::write(bench.path("out/report.md"), "other").unwrap();
    for records in ["out", "out/records", "out/records/database"].map(|name| bench.path(name).display().to_string()) {
        assert_eq!(beside(&records, &with_key), [1, 0, 0, 0], "{records}");
        assert_eq!(beside(&records, &[]), [0, 1, 0, 0], "{records}");
    }
    let page = fs::read_to_string(bench.path("report/compliance.md")).unwrap();
    assert!(page.contains("0 signed, 1 with a signature that was not checked, 0 unsigned, 0 without any"), "{page}");
    // When it was run is all that its own events do not tell.
    let record = fs::read_to_string(bench.path(RECORD)).unwrap();
    let mut moved: Value = serde_json::from_str(&record).unwrap();
    moved["identity"]["run_at"] = "2025-02-03T03:00:00Z".into();
    let moved = serde_json::to_string_pretty(&moved).unwrap();
    let alone = bench.file("alone/record.json", &moved).replace("/record.json", "");
    assert_eq!(beside(&alone, &[]), [0, 0, 0, 1], "nothing lies beside it that could tell");
    fs::remove_dir_all(&report).unwrap();
    let mut said = String::new();
    let mut refused = |what: &str, records: &str, more: &[&str]| {
        let ended = of(records, more);
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{what}");
        assert!(!bench.path("report").exists(), "{what}");
        said += &format!("{what}\n{}", ended.err);
    };
    refused("no evidence, and a key", &alone, &with_key);
    let digests = |text: &str| fs::write(bench.path(RECORD), text).unwrap();
    digests(&moved);
    assert!(of(&out, &[]).err.contains("not as its evidence states it: changed: records/database/corrupt-truncated"));
    digests(&record);
    bench.file("out/records/database/another.json", &record);
    refused("one more", &out, &[]);
    fs::rename(bench.path("out/records/database/another.json"), bench.path("another.json")).unwrap();
    fs::rename(bench.path(RECORD), bench.path("record.json")).unwrap();
    bench.file("out/records/other.json", &record);
    refused("one less", &out, &[]);
    fs::remove_file(bench.path("out/records/other.json")).unwrap();
    digests(&record);
    let statement = fs::read_to_string(bench.path("out/evidence.json")).unwrap();
    fs::write(bench.path("out/evidence.json"), statement.replacen("WARNED", "PASSED", 1)).unwrap();
    refused("a statement that is not what was signed", &out, &with_key);
    fs::remove_file(bench.path("out/evidence.dsse.json")).unwrap();
    refused("a signature that is gone", &out, &with_key);
    fs::write(bench.path("out/evidence.json"), statement).unwrap();
    assert_eq!(beside(&out, &[]), [0, 0, 1, 0]);
    insta::assert_snapshot!(said);
}
