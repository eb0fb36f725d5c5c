//! `backdraft history`: what `run` keeps, what each question answers, and with which exit code.

use std::{fs, path::PathBuf, process::Command};

use backdraft::model::{outcome::DrillResult, record::Record};
use serde_json::Value;

use crate::bench::{Bench, Ended};

/// One real drill of each service that is green: within its own objectives.
const GREEN: [&str; 4] = ["database/control", "files/control", "config/control", "level-1/bad-deploy-rollback"];

/// A command that keeps its history in the test's folder.
fn command(bench: &Bench, arguments: &[&str]) -> Command {
    let mut command = bench.command(arguments);
    command.env("BACKDRAFT_HISTORY", bench.path("history")).env("COLUMNS", "160");
    command
}

fn ask(bench: &Bench, arguments: &[&str]) -> Ended {
    bench.ended(&command(bench, arguments).output().unwrap())
}

fn run(bench: &Bench, arguments: &[&str]) -> Ended {
    let ended = ask(bench, &[&["run", "--out", "{out}"], arguments].concat());
    assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
    ended
}

/// Moments, digests and ages are different each time.
fn settled(text: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let (bare, end) = word.split_at(word.find('\n').unwrap_or(word.len()));
        let hex = bare.rsplit(':').next().unwrap_or_default();
        let shown = match () {
            () if hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit()) => bare.replace(hex, "[sha256]"),
            () if bare.len() == 10 && bare.matches('-').count() == 2 => "[date]".into(),
            () if bare.len() == 8 && bare.matches(':').count() == 2 => "[time]".into(),
            () => bare.to_owned(),
        };
        words.push(shown + end);
    }
    words.join(" ")
}

fn chain(bench: &Bench) -> PathBuf {
    bench.path("history/chain.jsonl")
}

fn lines(bench: &Bench) -> Vec<String> {
    fs::read_to_string(chain(bench)).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn run_keeps_its_drills_and_history_lists_shows_and_verifies_them() {
    let bench = Bench::new();
    let ran = run(&bench, &["--simulate", "--only", "database/control.yaml", "--only", "database/control", "--quiet"]);
    assert!(!ran.out.contains("history:"), "{}", ran.out);
    let ran = run(&bench, &["--simulate", "--only", "files/control"]);
    let told = ran.out.lines().last().unwrap().to_owned();
    let listed = ask(&bench, &["history", "list"]);
    assert_eq!(listed.code, Some(0), "{}", listed.err);
    insta::assert_snapshot!(settled(&format!("{told}\n\n{}", listed.out)));
    let total = lines(&bench).len();
    let head = told.split("head ").nth(1).unwrap();
    let verified = ask(&bench, &["history", "verify", "--head", head]);
    assert_eq!(verified.code, Some(0), "{}{}", verified.out, verified.err);
    assert!(
        verified.out.starts_with(&format!("intact: [dir]/history: {total} entries and their records\nhead {head}"))
    );

    let shown = ask(&bench, &["history", "show", "latest"]);
    assert!(shown.out.starts_with(&format!("entry {total} of {total}, ")), "{}", shown.out);
    assert!(shown.out.contains("files/control"), "{}", shown.out);
    let json = ask(&bench, &["history", "show", "1", "--json"]);
    let record: Record = serde_json::from_str(&json.out).unwrap();
    assert_eq!(record, bench.record("database/control"), "the record that the run wrote beside its reports");
    let only = ask(&bench, &["history", "list", "--service", "files", "--since", "1d", "--limit", "1", "--json"]);
    let entry: Value = serde_json::from_str(&only.out).unwrap();
    assert_eq!(
        (entry["sequence"].as_u64(), &entry["summary"]["scenario"]),
        (Some(total as u64), &"files/control".into())
    );
}

#[test]
fn no_history_keeps_none() {
    let bench = Bench::new();
    run(&bench, &["--simulate", "--only", "database/control.yaml", "--only", "files/control", "--no-history"]);
    assert!(!bench.path("history").exists());
}

#[test]
fn the_full_drill_of_a_checklist_is_kept_as_those_of_run_are() {
    let bench = Bench::new();
    let gone_through = ask(&bench, &["checklist", "monthly", "--out", "{out}", "--only", "files/control"]);
    assert_eq!(gone_through.code.map(|code| code < 4), Some(true), "{}", gone_through.err);
    let entry: Value = serde_json::from_str(&lines(&bench)[0]).unwrap();
    assert_eq!((lines(&bench).len(), &entry["summary"]["scenario"]), (1, &"files/control".into()));
    let without = ask(&bench, &["checklist", "monthly", "--out", "{out}", "--only", "files/control", "--no-history"]);
    assert_eq!((without.code, lines(&bench).len()), (gone_through.code, 1));
}

#[test]
fn what_was_changed_fails_verify_and_check_and_is_said_first() {
    let bench = Bench::new();
    run(&bench, &["--simulate", "--only", "files/control"]);
    run(&bench, &["--simulate", "--only", "files/control"]);
    let head = lines(&bench).len();
    let cut = ask(&bench, &["history", "verify", "--head", &format!("{}:{}", head + 1, "ab".repeat(32))]);
    assert_eq!(cut.code, Some(1));
    let text = fs::read_to_string(chain(&bench)).unwrap();
    fs::write(chain(&bench), text.replacen("\"pass\"", "\"fail\"", 1)).unwrap();
    let verified = ask(&bench, &["history", "verify"]);
    let checked = ask(&bench, &["history", "check", "--simulated-counts"]);
    assert_eq!((verified.code, checked.code), (Some(1), Some(1)));
    insta::assert_snapshot!(format!("{}\n{}\n{}", cut.out, verified.out, checked.out));
    fs::write(chain(&bench), text).unwrap();
    // A run on a history whose end was changed plays nothing.
    let last = lines(&bench).pop().unwrap();
    fs::write(chain(&bench), lines(&bench).join("\n").replace(&last, &last.replacen("files", "filed", 1)) + "\n")
        .unwrap();
    let refused = ask(&bench, &["run", "--simulate", "--out", "{out}", "--only", "files/control"]);
    assert_eq!(refused.code, Some(2));
    insta::assert_snapshot!("run_on_a_changed_history", refused.err);
}

#[test]
fn check_is_green_for_real_drills_alone_and_only_while_they_are_young() {
    let bench = Bench::new();
    let none = ask(&bench, &["history", "check"]);
    assert_eq!(none.code, Some(1), "{}", none.err);
    let json: Value = serde_json::from_str(&ask(&bench, &["history", "check", "--json"]).out).unwrap();
    assert_eq!((&json["intact"], &json["fresh"]), (&Value::Null, &false.into()), "nothing is there that could be");
    let only: Vec<&str> = GREEN.iter().flat_map(|id| ["--only", *id]).collect();
    run(&bench, &[&["--simulate", "--quiet"], &only[..]].concat());
    let simulated = ask(&bench, &["history", "check"]);
    let counted = ask(&bench, &["history", "check", "--simulated-counts"]);
    assert_eq!((simulated.code, counted.code), (Some(1), Some(0)), "{}", counted.out);
    // Another plan's drills are no evidence for this one.
    let plan = fs::read_to_string("fixtures/hooklabs/plan.yaml").unwrap().replace("HookLabs Elite", "Another");
    let other = bench.file("plan.yaml", plan);
    let others = ask(&bench, &["history", "check", "--simulated-counts", "--plan", &other]);
    assert_eq!(others.code, Some(1), "{}", others.out);
    let aged = ask(&bench, &["history", "check", "--simulated-counts", "--max-age", "1ms"]);
    assert_eq!(aged.code, Some(1));
    insta::assert_snapshot!(format!("{}\n{}", none.out, simulated.out));
    run(&bench, &[&["--quiet"], &only[..]].concat());
    let real = ask(&bench, &["history", "check", "--json"]);
    let found: Value = serde_json::from_str(&real.out).unwrap();
    assert_eq!((real.code, found["fresh"].as_bool()), (Some(0), Some(true)), "{}", real.out);
}

#[test]
fn trend_shows_every_month_of_every_service() {
    let bench = Bench::new();
    run(&bench, &["--simulate", "--quiet", "--only", "files/control"]);
    let trend = ask(&bench, &["history", "trend", "--simulated-counts", "--json"]);
    let trend: Value = serde_json::from_str(&trend.out).unwrap();
    let services = trend["services"].as_array().unwrap();
    assert_eq!((services.len(), trend["months"].as_array().unwrap().len()), (4, 12));
    let files = services.iter().find(|one| one["service"] == "files").unwrap();
    let last = &files["months"][11];
    assert_eq!((last["drills"].as_u64() > Some(0), last["rto"]["standing"].as_str()), (true, Some("met")));
    assert!(last["rto"]["worst"].is_object() && files["months"][10]["rto"]["worst"].is_null());
    let text = ask(&bench, &["history", "trend", "--service", "files", "--simulated-counts"]);
    let months: Vec<&str> = text.out.lines().filter(|line| line.starts_with("  20")).collect();
    assert_eq!(months.len(), 12);
    assert!(months[0].contains("untested") && months[11].contains("met 4 h"), "{}", text.out);
    let without = ask(&bench, &["history", "trend", "--service", "files"]);
    assert!(without.out.contains("left out; --simulated-counts counts them."), "{}", without.out);
}

#[test]
fn a_killed_drill_is_a_record_of_the_next_run() {
    let bench = Bench::new();
    let only = ["--only", "database/outage-two-regions-black-hole", "--only", "files/control"];
    let mut killed = command(&bench, &[&["run", "--out", "{out}"], &only[..]].concat());
    let mut killed = killed.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
    // Its mark is there as soon as the drill begins.
    let marks = bench.path("history/marks");
    let is_marked = || {
        fs::read_dir(&marks)
            .is_ok_and(|dir| dir.flatten().any(|entry| entry.path().extension().is_some_and(|ending| ending == "mark")))
    };
    while !is_marked() {
        assert!(killed.try_wait().unwrap().is_none(), "it ended before its drill began");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    // There is nothing in the chain yet, and something beside it.
    let (verified, checked) = (ask(&bench, &["history", "verify"]), ask(&bench, &["history", "check"]));
    assert_eq!((verified.code, checked.code), (Some(3), Some(1)), "{}{}", verified.err, checked.err);
    let left = fs::read_dir(&marks).unwrap().count();
    insta::assert_snapshot!("a_killed_run_in_a_fresh_folder", format!("{}\n{}", verified.out, checked.out));
    assert_eq!(left, 2, "a mark, and what the run was going to play");
    let next = run(&bench, &["--simulate", "--only", "files/control"]);
    assert!(next.err.contains("database/outage-two-regions-black-hole was killed before it ended; entry 1 says so"));
    let record: Record = serde_json::from_str(&ask(&bench, &["history", "show", "1", "--json"]).out).unwrap();
    assert_eq!(
        (record.identity.scenario.as_str(), record.result.result),
        ("database/outage-two-regions-black-hole", DrillResult::NotExecuted)
    );
    let why = &record.result.reasons[0];
    assert!(why.contains("the process ended before the drill did") && why.contains(" KST"), "{why}");
    // What it never came to is there, too, and once.
    let mut unbegun: Vec<Record> = Vec::new();
    for number in 2..lines(&bench).len() {
        let json = ask(&bench, &["history", "show", &number.to_string(), "--json"]).out;
        unbegun.extend(serde_json::from_str::<Record>(&json).ok().filter(|one| one.identity.run_at.is_some()));
    }
    assert!(next.err.contains(" had not begun when their run was killed; entries up to "), "{}", next.err);
    let names: Vec<&str> = unbegun.iter().map(|one| one.identity.scenario.as_str()).collect();
    assert!(names.contains(&"files/control"), "{names:?}");
    for one in &unbegun {
        assert_eq!(one.result.result, DrillResult::NotExecuted);
        assert!(
            one.result.reasons[0].contains("the process ended before this drill began"),
            "{:?}",
            one.result.reasons
        );
    }
    assert_eq!(ask(&bench, &["history", "verify"]).code, Some(0));
    assert_eq!(fs::read_dir(&marks).unwrap().count(), 0);
}

#[test]
fn mistakes_are_told_with_what_to_do() {
    let bench = Bench::new();
    run(&bench, &["--simulate", "--quiet", "--only", "files/control"]);
    let empty = bench.path("empty").display().to_string();
    let cases: [&[&str]; 13] = [
        &["history", "verify", "--history", &empty],
        &["history", "verify", "--head", "5:abc"],
        &["history", "show", "99"],
        &["history", "show", "last"],
        &["history", "list", "--since", "lately"],
        &["history", "trend", "--service", "mail"],
        &["history", "list", "--service", "nosuch"],
        &["history", "check", "--max-age", "35"],
        &["history", "check", "--max-age", "-3d"],
        &["history", "check", "--max-age", "0d"],
        &["history", "list", "--history", "s3://"],
        &["history", "list", "--history", "s3://evidence/drills", "--history-region", "us-east-1"],
        &["run", "--simulate", "--history", "folder", "--history-lock-days", "30", "--out", "{out}"],
    ];
    let mut said = String::new();
    for arguments in cases {
        let ended = ask(&bench, arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.out);
        said += &format!("{}\n{}\n", arguments.join(" ").replace(&empty, "[dir]/empty"), ended.err);
    }
    insta::assert_snapshot!(said);
}
