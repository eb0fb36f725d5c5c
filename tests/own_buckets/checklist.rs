//! `backdraft checklist`: what a machine can do is done for real, what it did not do is not ticked, and a sheet is left.

use std::fs;

use backdraft::model::plan::DumpFormat;
use serde_json::Value;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::method};

use crate::{
    bench::{Bench, Ended},
    rig::{PLAN, Rig},
};

/// The sheet that a checklist left: as Markdown, and the states of its items.
fn sheet(bench: &Bench, said: &Ended) -> (String, Vec<(String, String)>) {
    let of = |ending: &str| {
        let files = fs::read_dir(bench.path("out")).unwrap().map(|entry| entry.unwrap().path());
        let is_sheet = |path: &std::path::PathBuf| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            name.ends_with(ending) && !name.contains("drills")
        };
        fs::read_to_string(files.into_iter().find(is_sheet).unwrap_or_else(|| panic!("{}", said.err))).unwrap()
    };
    let json: Value = serde_json::from_str(&of(".json")).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let items = json["items"].as_array().unwrap().iter();
    (of(".md"), items.map(|item| (text(&item["title"]), text(&item["state"]))).collect())
}

fn states(items: &[(String, String)]) -> Vec<&str> {
    items.iter().map(|(_, state)| state.as_str()).collect()
}

#[test]
fn a_day_on_which_all_is_well_is_ticked_and_one_on_which_it_is_not_is_not() {
    let rig = Rig::new(2, DumpFormat::JsonlGz);
    let server = rig.runtime.block_on(async {
        let server = MockServer::start().await;
        let answer = ResponseTemplate::new(200);
        Mock::given(method("GET")).respond_with(answer).up_to_n_times(1).mount(&server).await;
        Mock::given(method("GET")).respond_with(ResponseTemplate::new(503)).mount(&server).await;
        server
    });
    let health = server.uri() + "/api/health";
    let state = rig.bench.file("state.json", "{}");
    let verb = ["checklist", "daily", "--out", "{out}", "--health", &health, "--monitor-state", &state];
    let said = rig.run(&verb, PLAN);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{}", said.out);
    let (page, items) = sheet(&rig.bench, &said);
    assert_eq!(states(&items), ["done", "done", "for-people", "done"]);
    for line in ["- [x] **Backups were made.** 3 places looked at", "- [ ] **Error logs reviewed.**"] {
        assert!(page.contains(line), "{line} is not in\n{page}");
    }
    assert!(page.contains("| Carried out by |      |      |           |"), "{page}");

    for region in 0..3 {
        rig.remove(region, &rig.newest_dump(region));
    }
    fs::File::options().write(true).open(&state).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    let said = rig.run(&verb, PLAN);
    assert_eq!(said.code, Some(1));
    let (page, items) = sheet(&rig.bench, &said);
    assert_eq!(states(&items), ["failed", "failed", "for-people", "failed"], "{page}");
    assert!(!page.contains("[x]") && page.contains("NOT WELL: answered 503"), "{page}");
}

#[test]
fn what_nobody_named_is_not_checked_and_never_ticked() {
    let bench = Bench::new();
    for (period, expected) in [
        ("daily", ["not-checked", "not-checked", "for-people", "not-checked"]),
        ("weekly", ["not-checked", "for-people", "for-people", "for-people"]),
    ] {
        let said = bench.run(&["checklist", period, "--out", "{out}"]);
        assert_eq!((said.code, said.err.as_str()), (Some(3), ""), "{}", said.out);
        let (page, items) = sheet(&bench, &said);
        assert_eq!(states(&items), expected, "{page}");
        assert!(!page.contains("[x]") && page.contains("**not checked:** no bucket was named"), "{page}");
        fs::remove_dir_all(bench.path("out")).unwrap();
    }
    assert!(bench.left_behind().is_empty());
}

#[test]
fn a_week_reads_and_restores_the_newest_backup_of_each_region() {
    let rig = Rig::new(1, DumpFormat::JsonlGz);
    let plan = fs::read_to_string("fixtures/hooklabs/plan.yaml").unwrap();
    let verb = ["checklist", "weekly", "--out", "{out}"];
    let said = rig.run(&verb, &plan);
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    let (page, items) = sheet(&rig.bench, &said);
    assert_eq!(states(&items), ["done", "for-people", "for-people", "for-people"], "{page}");
    assert!(page.contains("3 backups read, restored into a scratch target and asked; 0 failed"), "{page}");
    assert!(page.contains("devops@company.com"), "{page}");
    let key = rig.newest_dump(2);
    let bytes = rig.bytes(2, &key);
    rig.replace(2, &key, bytes[..bytes.len() - 30].to_vec());
    let said = rig.run(&verb, &plan);
    assert_eq!(said.code, Some(1));
    let (page, items) = sheet(&rig.bench, &said);
    assert_eq!(states(&items)[0], "failed", "{page}");
    assert!(page.contains("database in ap-northeast-1: FAILED: backup-") && page.contains("; 1 failed"), "{page}");
}

#[test]
fn a_month_plays_the_drills_and_counts_what_is_kept() {
    let rig = Rig::new(8, DumpFormat::JsonlGz);
    let plan = fs::read_to_string("fixtures/hooklabs/plan.yaml").unwrap();
    let month = |only: &str, more: &[&str]| {
        let verb = ["checklist", "monthly", "--out", "{out}", "--only", only];
        let said = rig.run(&[&verb[..], more].concat(), &plan);
        let (page, items) = sheet(&rig.bench, &said);
        (said.code, states(&items).join(" "), page)
    };
    let (code, found, page) = month("database/control-seed-json", &[]);
    assert_eq!((code, found.as_str()), (Some(0), "done done done for-people"), "{page}");
    assert!(page.contains("1 of 1 drill ended as expected, simulated"), "{page}");
    // A miss that the scenario expects is for people to judge, unless nothing may be missed.
    let (code, found, page) = month("corrupt-truncated-latest", &[]);
    assert_eq!((code, found.as_str()), (Some(0), "done done for-people for-people"), "{page}");
    let (code, found, _) = month("corrupt-truncated-latest", &["--strict"]);
    assert_eq!((code, found.as_str()), (Some(1), "done done failed for-people"));
    // One generation is gone in a replica.
    let kept = rig.keys(1);
    rig.remove(1, &kept[4]);
    rig.remove(1, &kept[2]);
    let (code, found, page) = month("database/control-seed-json", &[]);
    assert_eq!((code, found.as_str()), (Some(1), "done failed done for-people"), "{page}");
    assert!(page.contains("database in eu-west-1: FAILED: 6 are there, 7 should be"), "{page}");
}
