//! Bad input: exit code 2, words that help with file and line, nothing played and nothing left behind.

use std::fs;

use crate::bench::{Bench, Ended};

/// Runs what must be refused, and returns what was said.
fn refused(bench: &Bench, arguments: &[&str]) -> String {
    let Ended { code, out, err } = bench.run(arguments);
    assert_eq!((code, out.as_str()), (Some(2), ""), "{arguments:?}: {err}");
    assert_eq!(bench.left_behind(), Vec::<std::path::PathBuf>::new(), "{arguments:?}");
    assert!(!bench.path("out").exists(), "{arguments:?} made an output folder");
    err
}

/// Plays one scenario file, which must be refused.
fn scenario(path: &str) -> String {
    refused(&Bench::new(), &["run", "--simulate", path, "--out", "{out}"])
}

#[test]
fn every_bad_scenario_is_refused_with_file_and_line_and_nothing_is_played() {
    let said = [
        "there-is-no-such-file",
        "not-yaml",
        "unknown-field",
        "wrong-unit",
        "negative-time",
        "region-not-in-plan",
        "disaster-before-first-backup",
        "yaml-bomb",
        "many-errors",
    ];
    let said = said.map(|name| scenario(&format!("fixtures/inputs/{name}.yaml")));
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn a_scenario_of_100_mb_is_refused() {
    let bench = Bench::new();
    let path = bench.file("huge.yaml", "");
    // Sparse: it takes no room.
    fs::File::options().write(true).open(&path).unwrap().set_len(100_000_000).unwrap();
    insta::assert_snapshot!(refused(&bench, &["run", "--simulate", &path, "--out", "{out}"]));
}

#[test]
fn one_bad_scenario_among_good_ones_keeps_all_from_being_played() {
    let bench = Bench::new();
    let good = fs::read("scenarios/database/control.yaml").unwrap();
    bench.file("stories/a-bad.yaml", "title: [");
    bench.file("stories/b-good.yaml", good);
    bench.file("stories/c-bad.yaml", "title: 1\nsevrice: database\n");
    let folder = bench.path("stories").display().to_string();
    insta::assert_snapshot!(refused(&bench, &["run", "--simulate", &folder, "--out", "{out}"]));
}

#[test]
fn a_selection_that_leaves_nothing_is_refused() {
    let bench = Bench::new();
    fs::create_dir(bench.path("empty")).unwrap();
    let empty = bench.path("empty").display().to_string();
    let said = [
        refused(&bench, &["run", "--simulate", &empty, "--out", "{out}"]),
        refused(&bench, &["run", "--simulate", "--only", "no-such-story", "--out", "{out}"]),
        refused(&bench, &["list", "scenarios", "--level", "9"]),
    ];
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn a_bad_plan_is_refused() {
    let bench = Bench::new();
    let plan = fs::read_to_string("fixtures/hooklabs/plan.yaml").unwrap();
    let bad = bench.file("plan.yaml", format!("{plan}colour: red\n"));
    let missing = bench.path("no-plan.yaml").display().to_string();
    let said = [&missing, &bad].map(|plan| refused(&bench, &["run", "--simulate", "--plan", plan, "--out", "{out}"]));
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn an_output_folder_that_cannot_be_written_is_found_before_anything_is_played() {
    let bench = Bench::new();
    let below_a_file = bench.file("file", "") + "/out";
    let only = ["run", "--simulate", "--only", "database/control", "--out"];
    let said = [&below_a_file, "/proc/backdraft"].map(|out| refused(&bench, &[&only[..], &[out]].concat()));
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn a_temporary_folder_that_is_not_there_is_refused_in_words() {
    let bench = Bench::new();
    let said = bench.shell("TMPDIR=/no-such-folder $BACKDRAFT run --simulate --only database/control --out $OUT");
    assert_eq!(said.code, Some(2));
    assert!(!bench.path("out").exists());
    insta::assert_snapshot!(said.err);
}

#[test]
fn what_is_no_record_is_not_replayed() {
    let bench = Bench::new();
    let huge = bench.file("huge.json", "");
    fs::File::options().write(true).open(&huge).unwrap().set_len(100_000_000).unwrap();
    let files = [
        bench.path("missing.json").display().to_string(),
        "/dev/zero".into(),
        huge,
        bench.file("no-json.json", "{\n  \"format\": nothing"),
        bench.file("other.json", r#"{"name": "backdraft"}"#),
        bench.file("future.json", r#"{"format": "backdraft.record/9"}"#),
        bench.file("part.json", r#"{"format": "backdraft.record/2"}"#),
    ];
    let said = files.map(|file| refused(&bench, &["replay", &file]));
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn a_command_line_that_means_nothing_is_refused() {
    let bench = Bench::new();
    let lines: [&[&str]; 5] =
        [&["rnu"], &[], &["run", "--sed", "1"], &["run", "--seed", "many"], &["--log-format=json", "rnu"]];
    let said = lines.map(|line| refused(&bench, line));
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn too_few_open_files_end_in_words_and_exit_code_2() {
    let bench = Bench::new();
    for limit in [6, 8, 12, 24, 64] {
        let run = format!(
            "ulimit -n {limit}; $BACKDRAFT run --only database/control.yaml --only database/corrupt-truncated --out $OUT"
        );
        let said = bench.shell(&run);
        assert_eq!(said.code, Some(2), "{}", said.err);
        assert!(said.err.contains("ulimit -n 1024") && !said.err.contains("panicked"), "{}", said.err);
    }
    assert!(bench.left_behind().is_empty());
    assert!(!bench.path("out").exists());
}

#[test]
fn two_scenarios_of_one_name_are_refused_since_records_are_kept_by_name() {
    let bench = Bench::new();
    let folder = tempfile::tempdir().unwrap();
    let scenario = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/database/control.yaml");
    let paths = ["x/c.yaml", "y/c.yaml"].map(|name| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::copy(&scenario, &path).unwrap();
        path.to_string_lossy().into_owned()
    });
    let said = bench.run(&["run", "--simulate", &paths[0], &paths[1]]);
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("two scenarios are called `c`"), "{}", said.err);
}

#[test]
fn what_is_no_bucket_no_webhook_and_no_backup_is_refused_before_anything_is_asked() {
    let bench = Bench::new();
    let secret = "https://hooks.example.com/services/s3cr3t";
    let plan = fs::read_to_string("fixtures/hooklabs/plan.yaml").unwrap();
    let alerting = bench.file("alerting.yaml", format!("{plan}alerts: [{{ url_env: NO_SUCH_WEBHOOK }}]\n"));
    let unnamed = bench.file("unnamed.yaml", format!("{plan}alerts: [{{ url_env: {secret} }}]\n"));
    let far = bench.file("far.yaml", plan.replace("bucket: backup-eu", "endpoint: ftp://far\n    bucket: backup-eu"));
    let blind = bench.file("blind.yaml", plan.replace("min_size: 1 MiB", "min_size: 1 MiB\n  watches: []"));
    let state = bench.file("state.json", "{\"format\": 1}");
    let here = "us-east-1=http://127.0.0.1:1";
    let lines: [&[&str]; 19] = [
        &["monitor"],
        &["monitor", "--endpoint", "mars=http://127.0.0.1:1"],
        &["monitor", "--endpoint", "us-east-1=127.0.0.1"],
        &["monitor", "--endpoint", "us-east-1=https://s3.example.com"],
        &["monitor", "--endpoint", here, "--allow-endpoint", "amazonaws.com"],
        &["monitor", "--webhook", "s3cr3t"],
        &["monitor", "--slack-webhook", "ftp://hooks.example.com/s3cr3t"],
        &["monitor", "--plan", &alerting],
        &["monitor", "--plan", &unnamed],
        &["monitor", "--plan", &far],
        &["monitor", "--plan", &blind],
        &["monitor", "--watch", "0 s"],
        &["monitor", "--state", &state],
        &["verify", "backup.tar"],
        &["verify", "backup.json", "--sha256", "abc"],
        &["verify", "s3://bucket.json"],
        &["verify", "s3://nobody-knows/backup.json"],
        &["verify", "s3://backup-us-east-1/backup.json", "--endpoint", "https://s3.example.com"],
        &["checklist", "yearly"],
    ];
    let said = lines.map(|line| {
        let mut command = bench.command(&[line, &["--quiet"]].concat());
        for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_REGION"] {
            command.env_remove(name);
        }
        command.env("AWS_SHARED_CREDENTIALS_FILE", bench.path("no-keys"));
        let ended = bench.ended(&command.output().unwrap());
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{line:?}: {}", ended.err);
        assert_eq!(bench.left_behind(), Vec::<std::path::PathBuf>::new(), "{line:?}");
        ended.err
    });
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn one_scenario_is_said_to_be_one() {
    let ended = Bench::new().run(&["validate", "scenarios/database/control.yaml"]);
    assert!(ended.code == Some(0) && ended.out.contains("\n1 scenario can be played with it\n"), "{}", ended.out);
}
