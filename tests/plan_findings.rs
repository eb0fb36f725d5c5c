//! docs/plan-findings.md is what `backdraft validate --explain` prints today.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::{fs, process::Command};

#[test]
fn the_page_of_the_plans_weaknesses_is_that_of_today_and_each_is_proven_by_a_drill() {
    let root = env!("CARGO_MANIFEST_DIR");
    let mut command = Command::new(env!("CARGO_BIN_EXE_backdraft"));
    let ended = command.current_dir(root).args(["validate", "--quiet", "--explain"]).output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let page = String::from_utf8(ended.stdout).unwrap();
    let path = format!("{root}/docs/plan-findings.md");
    if std::env::var_os("UPDATE_PLAN_FINDINGS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == page, "{path} has drifted; run UPDATE_PLAN_FINDINGS=1 cargo test --test plan_findings");
    let unproven: Vec<&str> = page.split("\n## ").filter(|part| part.contains("no drill at hand")).collect();
    assert!(unproven.is_empty(), "no drill proves {unproven:#?}");
}
