//! What is said when all goes well: the same bytes for the same seed, quiet where asked, JSON where asked, and no
//! crash when nobody reads it to the end.

use std::{fs, process::Stdio};

use serde_json::Value;

use crate::bench::Bench;

const CONTROL: [&str; 6] = ["run", "--simulate", "--out", "{out}", "--only", "database/control"];
const CORRUPT: [&str; 6] = ["run", "--simulate", "--out", "{out}", "--only", "corrupt-truncated-latest"];

#[test]
fn help_and_lists_say_what_there_is() {
    let bench = Bench::new();
    let lines: [&[&str]; 5] =
        [&["--help"], &["run", "--help"], &["list", "faults"], &["list", "services"], &["list", "reports"]];
    let said = lines.map(|line| {
        let ended = bench.run(line);
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
        format!("$ backdraft {}\n{}", line.join(" "), ended.out)
    });
    insta::assert_snapshot!(said.join("\n"));
    let scenarios = bench.run(&["list", "scenarios"]).out;
    assert!(scenarios.lines().any(|line| {
        line.starts_with("database/control ") && line.ends_with("  database  level 2  Nothing is broken")
    }));
    let files = fs::read_dir("scenarios/database").unwrap().count();
    assert_eq!(scenarios.lines().filter(|line| line.starts_with("database/")).count(), files);
}

#[test]
fn one_seed_gives_the_same_files_and_another_seed_does_not() {
    let written = |seed| {
        let bench = Bench::new();
        assert_eq!(bench.run(&[&CORRUPT[..], &["--seed", seed]].concat()).code, Some(0));
        assert!(bench.left_behind().is_empty());
        bench.written()
    };
    let first = written("1");
    let names: Vec<_> = first.iter().map(|(name, _)| name.as_str()).collect();
    let record = "records/database/corrupt-truncated-latest.json";
    let reports = [
        "evidence.json",
        "github-summary.md",
        "junit-gate.xml",
        "junit.xml",
        "metrics.txt",
        record,
        "report.html",
        "report.json",
        "report.md",
    ];
    assert_eq!(names, reports);
    assert_eq!(first, written("1"));
    for ((name, one), (_, other)) in first.iter().zip(&written("2")) {
        assert_ne!(one, other, "{name}");
    }
}

#[test]
fn strict_fails_a_missed_objective_that_the_scenario_expects() {
    let bench = Bench::new();
    assert_eq!(bench.run(&CORRUPT).code, Some(0));
    assert_eq!(bench.run(&[&CORRUPT[..], &["--strict"]].concat()).code, Some(1));
}

#[test]
fn progress_is_a_line_a_drill_on_standard_error_and_results_are_on_standard_output() {
    let ended = Bench::new().run(&CONTROL);
    assert_eq!(ended.code, Some(0));
    insta::assert_snapshot!(ended.err);
    assert!(ended.out.contains("  SCENARIO  "), "{}", ended.out);
    assert!(ended.out.contains("\nmarkdown: [dir]/out/report.md\njson: [dir]/out/report.json\n"), "{}", ended.out);
}

#[test]
fn quiet_leaves_the_table_alone() {
    let loud = Bench::new().run(&CONTROL);
    let quiet = Bench::new().run(&[&CONTROL[..], &["--quiet"]].concat());
    assert_eq!((quiet.code, quiet.err.as_str()), (Some(0), ""));
    assert!(quiet.out.contains("  SCENARIO  ") && !quiet.out.contains("[dir]"), "{}", quiet.out);
    assert!(loud.out.starts_with(&quiet.out));
}

#[test]
fn the_log_as_json_is_one_object_a_line_and_nothing_else() {
    let objects = |text: &str| -> Vec<Value> { text.lines().map(|line| serde_json::from_str(line).unwrap()).collect() };
    let bench = Bench::new();
    let ended = bench.run(&[&CONTROL[..], &["--keep", "--log-format", "json"]].concat());
    let said = objects(&ended.err);
    let of = |event: &str| said.iter().filter(|object| object["event"] == event).collect::<Vec<_>>();
    assert_eq!(of("scratch-kept").len(), 4);
    insta::assert_snapshot!(of("drill-ended").iter().map(|o| format!("{o}\n")).collect::<String>());

    let bad = ["validate", "fixtures/inputs/many-errors.yaml", "--log-format", "json"];
    let refused = bench.run(&bad);
    assert_eq!((refused.code, objects(&refused.err).len()), (Some(2), 3));
    insta::assert_snapshot!("log_json_errors", refused.err);
}

#[test]
fn a_reader_that_goes_early_ends_nothing() {
    let bench = Bench::new();
    let mut run = bench.command(&CONTROL).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Both ends are gone before the first word.
    drop((run.stdout.take(), run.stderr.take()));
    assert_eq!(run.wait().unwrap().code(), Some(0));
    assert_eq!(bench.written().len(), 12, "records and reports are written all the same");
    for what in ["scenarios", "faults", "--help"] {
        let verb = if what == "--help" { "run" } else { "list" };
        let mut list = bench.command(&[verb, what]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(list.stdout.take());
        let ended = bench.ended(&list.wait_with_output().unwrap());
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{what}");
    }
}

#[test]
fn results_that_cannot_be_written_are_an_error() {
    if !fs::exists("/dev/full").unwrap() {
        return;
    }
    let ended = Bench::new().shell("$BACKDRAFT list faults > /dev/full");
    assert_eq!(ended.code, Some(2));
    assert!(ended.err.starts_with("error: the results cannot be written to standard output"), "{}", ended.err);
}

#[test]
fn a_kept_scratch_folder_is_named_and_no_later_start_removes_it() {
    let bench = Bench::new();
    let one = ["run", "--simulate", "--out", "{out}", "--only", "database/control.yaml", "--only", "corrupt-truncated"];
    let ended = bench.run(&[&one[..], &["--keep", "--quiet"]].concat());
    assert_eq!(ended.code, Some(0));
    let kept = bench.left_behind();
    let [dir] = &kept[..] else { panic!("one folder is kept: {kept:?}") };
    assert!(dir.join("database").is_dir());
    let name = dir.file_name().unwrap().to_str().unwrap();
    assert!(ended.err.contains("kept the scratch folder [dir]/tmp/backdraft-"), "{}", ended.err);
    assert!(ended.err.trim_end().ends_with(&format!("{name}; README.txt there says what is what")), "{}", ended.err);
    assert_eq!(bench.run(&one).code, Some(0));
    assert_eq!(bench.left_behind(), kept);
}

#[test]
fn what_is_kept_can_be_looked_at_with_the_damage_still_in_it() {
    let bench = Bench::new();
    let damaged = "files/object-damaged-in-primary";
    let run = ["run", "--simulate", "--out", "{out}", "--only", damaged];
    assert_eq!(bench.run(&[&run[..], &["--keep"]].concat()).code, Some(0));
    let [dir] = &bench.left_behind()[..] else { panic!("one folder is kept") };
    let readme = fs::read_to_string(dir.join("README.txt")).unwrap();
    assert!(readme.contains("regions/us-east-1/backup-us-east-1: ") && readme.contains("live/files: "), "{readme}");
    assert!(readme.contains("fault damaged-file: ") && !readme.contains("NOT KEPT"), "{readme}");
    let contents = |region: &str| {
        let objects = dir.join(format!("regions/{region}/backup-{region}/files/objects"));
        let folders = fs::read_dir(objects).unwrap().flat_map(|entry| fs::read_dir(entry.unwrap().path()).unwrap());
        let files = folders.map(|file| file.unwrap().path());
        files.map(|path| (path.file_name().unwrap().to_owned(), fs::read(&path).unwrap())).collect()
    };
    let [struck, sound]: [std::collections::BTreeMap<_, _>; 2] = ["us-east-1", "eu-west-1"].map(contents);
    let differ = sound.iter().filter(|(name, bytes)| struck.get(*name) != Some(bytes)).count();
    assert!(!sound.is_empty() && differ > 0, "{differ} of {} differ", sound.len());
    assert!(fs::read_dir(dir.join("live/files")).unwrap().count() > 0);
    // The report says what became of it, and whether a folder was kept is no part of how a drill went.
    let written = bench.written();
    let report = &written.iter().find(|(name, _)| name == "report.md").unwrap().1;
    assert!(report.contains("removed: all but what was to be kept"), "{report}");
    let record = bench.path(&format!("out/records/{damaged}.json")).display().to_string();
    let replayed = bench.run(&["replay", &record]);
    assert_eq!(replayed.code, Some(0), "{}", replayed.out);
}
