//! `--storage`: what is refused before anything is played. Drills on a foreign storage are in `tests/storage.rs`.

use std::fs;

use crate::bench::Bench;

fn refused(arguments: &[&str]) -> String {
    let bench = Bench::new();
    let ended = bench.run(&[&["run", "scenarios/database/control.yaml", "--out", "{out}"], arguments].concat());
    assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{arguments:?}: {}", ended.err);
    assert_eq!(bench.left_behind(), Vec::<std::path::PathBuf>::new(), "{arguments:?}");
    assert!(!bench.path("out").exists(), "{arguments:?} made an output folder");
    ended.err
}

#[test]
fn a_storage_that_cannot_be_used_is_refused_before_anything_is_played() {
    let said = [
        &["--storage", "floppy"][..],
        &["--storage", "endpoint:http://127.0.0.1:9000", "--simulate"],
        &["--storage", "endpoint:ftp://127.0.0.1"],
        &["--storage", "endpoint:http://user:word@127.0.0.1:9000"],
        &["--storage", "endpoint:https://s3.example.com"],
        &["--storage", "endpoint:https://s3.example.com", "--allow-endpoint", "example.org"],
        &["--storage", "endpoint:http://127.0.0.1:1"],
    ];
    insta::assert_snapshot!(said.map(refused).join("\n"));
}

#[cfg(not(feature = "containers"))]
#[test]
fn a_build_without_containers_says_how_to_get_them() {
    insta::assert_snapshot!(refused(&["--storage", "minio"]));
}

#[test]
fn a_drill_on_a_foreign_storage_is_not_replayed_on_emulated_regions() {
    let bench = Bench::new();
    let played = bench.run(&["run", "--simulate", "scenarios/database/control.yaml", "--out", "{out}"]);
    assert_eq!(played.code, Some(0), "{}", played.err);
    let path = bench.path("out").join("records/database/control.json");
    let record = fs::read_to_string(&path).unwrap();
    let elsewhere =
        record.replacen("\"way\": \"simulated\",", "\"way\": \"simulated\", \"storage\": \"localstack\",", 1);
    assert_ne!(elsewhere, record);
    let path = bench.file("elsewhere.json", elsewhere);
    let ended = bench.run(&["replay", &path]);
    assert_eq!(ended.code, Some(2), "{}", ended.out);
    assert!(ended.err.contains("lay in a storage that is not backdraft's own: localstack"), "{}", ended.err);
}
