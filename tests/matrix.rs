//! The detection matrix at its command line: the reference pipeline catches every fault of the catalogue, a cell can be
//! played again alone, and a pipeline that loses data in silence is told so with exit code 1.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use backdraft::{
    fault,
    model::{
        matrix::{Caught, Cell, Matrix},
        record::Record,
    },
};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

mod kit;

fn backdraft(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_backdraft")).args(arguments).current_dir(kit::root()).output().unwrap()
}

fn matrix_in(folder: &Path) -> Matrix {
    serde_json::from_slice(&fs::read(folder.join("matrix.json")).unwrap()).unwrap()
}

#[test]
fn the_reference_pipeline_catches_every_fault_of_the_catalogue_and_the_page_says_where() {
    let out = tempfile::tempdir().unwrap();
    let ended = backdraft(&["matrix", "--quiet", "--out", out.path().to_str().unwrap()]);
    let matrix = matrix_in(out.path());
    let against: Vec<String> = matrix
        .cells
        .iter()
        .filter(|cell| matches!(cell.caught, Caught::SilentlyWrong | Caught::DidNotBite))
        .map(|cell| format!("{} on {}: {}: {}", cell.name(), cell.service, cell.caught.words(), cell.evidence))
        .collect();
    assert_eq!(against, Vec::<String>::new());
    assert!(matrix.controls.len() == 4 && matrix.controls.iter().all(|control| control.green), "{:?}", matrix.controls);
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stdout));

    let tried: BTreeSet<(&str, &str)> = matrix.cells.iter().map(|c| (c.fault.as_str(), c.mode.as_str())).collect();
    let catalogue: BTreeSet<(&str, &str)> =
        fault::all().flat_map(|fault| fault.modes().iter().map(|mode| (fault.name(), mode.name))).collect();
    assert_eq!(tried, catalogue, "every mode of every fault is tried on something");

    let page = fs::read_to_string(out.path().join("matrix.md")).unwrap();
    let committed = kit::root().join("docs/detection-matrix.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&committed, &page).unwrap();
    }
    let same = fs::read_to_string(&committed).unwrap_or_default() == page;
    assert!(same, "docs/detection-matrix.md has drifted; run UPDATE_GOLDEN=1 cargo test --test matrix");
}

#[test]
fn the_catalogue_has_the_faults_that_a_chaos_harness_for_backups_must_have() {
    let names: BTreeSet<&str> = fault::all().map(|fault| fault.name()).collect();
    assert_eq!(names.len(), fault::all().count(), "no name is taken twice");
    assert!(names.len() >= 48, "{} faults", names.len());
    for (family, faults) in fault::CATALOGUE {
        assert!(!faults.is_empty(), "{} has no fault", family.words());
    }
}

#[test]
fn a_cell_can_be_played_again_alone_and_the_matrix_is_the_same_twice() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for out in [&one, &two] {
        let only = ["matrix", "--quiet", "--fault", "corrupt-json", "--service", "database", "--out"];
        assert_eq!(backdraft(&[&only[..], &[out.path().to_str().unwrap()]].concat()).status.code(), Some(0));
    }
    for file in ["matrix.json", "matrix.md", "matrix.html"] {
        assert_eq!(fs::read(one.path().join(file)).unwrap(), fs::read(two.path().join(file)).unwrap(), "{file}");
    }
    let cell = one.path().join("trials/corrupt-json/bit-flip/database.yaml");
    let again = one.path().join("again");
    let ended = backdraft(&["run", "--simulate", "--quiet", "--out", again.to_str().unwrap(), cell.to_str().unwrap()]);
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stdout));
    let matrix = matrix_in(one.path());
    let refused = matrix.cells.iter().find(|cell| cell.mode == "bit-flip").unwrap().evidence.clone();
    let report = fs::read_to_string(again.join("report.json")).unwrap();
    let why = refused.split(['(', ')']).nth(1).unwrap();
    assert!(report.contains(why), "the same drill has the same evidence: {why}");
}

#[test]
fn a_folder_that_is_used_again_keeps_no_trial_of_the_matrix_before_and_all_that_is_somebody_elses() {
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().to_str().unwrap();
    let play = |fault: &str| {
        let only = ["matrix", "--quiet", "--fault", fault, "--service", "database", "--out", folder];
        assert_eq!(backdraft(&only).status.code(), Some(0), "{fault}");
    };
    play("duplicate-id");
    let (old, mine) = (out.path().join("trials/duplicate-id"), out.path().join("trials/duplicate-id/mine.yaml"));
    assert!(!walk(&old).is_empty());
    fs::write(&mine, "mine").unwrap();
    // A matrix that somebody altered leads nowhere else.
    let outside =
        out.path().parent().unwrap().join(format!("{}-outside.yaml", out.path().file_name().unwrap().display()));
    fs::write(&outside, "not ours").unwrap();
    let stem = outside.file_stem().unwrap().to_str().unwrap();
    let mut matrix = matrix_in(out.path());
    matrix.cells.push(Cell { fault: "..".into(), mode: "..".into(), service: stem.into(), ..matrix.cells[0].clone() });
    fs::write(out.path().join("matrix.json"), serde_json::to_string(&matrix).unwrap()).unwrap();
    play("table-dropped");
    let left: Vec<PathBuf> = walk(&out.path().join("trials/duplicate-id"));
    assert_eq!(left, [mine]);
    assert!(!walk(&out.path().join("trials/table-dropped")).is_empty());
    assert_eq!(fs::read_to_string(&outside).unwrap(), "not ours");
    fs::remove_file(outside).unwrap();
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[test]
fn what_cannot_be_tried_is_refused_before_anything_is_played() {
    let mut said = String::new();
    for wrong in [
        &["--service", "mail"][..],
        &["--fault", "earthquake"],
        &["--family", "weather"],
        &["--family", "age", "--service", "web"],
        &["--pipeline", "borrowed"],
    ] {
        let ended = backdraft(&[&["matrix"], wrong].concat());
        assert_eq!(ended.status.code(), Some(2), "{wrong:?}");
        assert!(ended.stdout.is_empty());
        said += &format!("{}\n{}\n", wrong.join(" "), String::from_utf8_lossy(&ended.stderr));
    }
    insta::assert_snapshot!(said);
}

/// The document's own copies lose files in silence; the matrix says so, and what it keeps is evidence: each record is of
/// the trial beside it, and is the same to the byte when it is played again.
#[test]
fn a_pipeline_that_is_silently_wrong_fails_and_its_records_are_of_the_trials_beside_them() {
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().to_str().unwrap();
    let ended = backdraft(&["matrix", "--pipeline", "as-planned", "--quiet", "--out", folder]);
    assert_eq!(ended.status.code(), Some(1), "{}", String::from_utf8_lossy(&ended.stdout));
    let matrix = matrix_in(out.path());
    let wrong = |cell: &&Cell| cell.caught == Caught::SilentlyWrong;
    let cell = matrix.cells.iter().find(wrong).expect("copies by rule lose something in silence");
    let id = format!("{}/{}/{}", cell.fault, cell.mode, cell.service);
    let trial = fs::read(out.path().join(format!("trials/{id}.yaml"))).unwrap();
    let kept = out.path().join(format!("records/{id}.json"));
    let record: Record = serde_json::from_slice(&fs::read(&kept).unwrap()).unwrap();
    assert_eq!(record.identity.scenario_sha256, HEXLOWER.encode(&Sha256::digest(&trial)));
    let again = backdraft(&["replay", kept.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&again.stdout).into_owned();
    assert!(said.contains("the record is the same to the byte (FAIL)"), "{said}");
}
