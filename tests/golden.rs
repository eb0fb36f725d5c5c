//! The samples under reports/golden/ are what these drills give today. A set is played for real, with what was measured
//! taken out and nothing else, and once more in virtual time, with nothing taken out.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;

use backdraft::{
    input::load::{load_plan, load_scenario},
    model::record::{Record, Way},
    report::{CATALOGUE, Options, Run},
};

mod kit;

/// One of each kind of story: all is well, an older backup helps, nothing helps, another region helps, a name lies; then
/// one of each other service, and everything at once.
const SET: [&str; 10] = [
    "database/control",
    "database/corrupt-truncated-latest",
    "database/corrupt-everywhere",
    "database/outage-during-fetch",
    "database/stale-looks-fresh",
    "database/stream-critical-class",
    "files/object-damaged-everywhere",
    "config/secret-leaked-in-backup",
    "level-1/bad-deploy-rollback",
    "level-3/everything-lost",
];

fn play(id: &str, way: Way) -> Record {
    let plan = load_plan(kit::root().join("fixtures/hooklabs/plan.yaml")).unwrap();
    let scenario = load_scenario(kit::root().join(format!("scenarios/{id}.yaml"))).unwrap();
    let mut record = kit::play(id, &plan.value, &scenario.value, 42, way, Vec::new());
    record.identity.plan_sha256 = plan.sha256;
    record.identity.scenario_sha256 = scenario.sha256;
    record.redact_measured();
    record
}

fn check(way: Way, folder: &str) {
    let records = SET.map(|id| play(id, way));
    let folder = format!("reports/golden/{folder}");
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut drifted = Vec::new();
    for format in CATALOGUE {
        let path = format!("{folder}/{}", format.file());
        let text = format.render(&Run::of(&records), &Options::default());
        if update {
            fs::create_dir_all(kit::root().join(&folder)).unwrap();
            fs::write(kit::root().join(&path), &text).unwrap();
        }
        let committed = fs::read_to_string(kit::root().join(&path)).unwrap_or_default();
        let lines = committed.lines().map(Some).chain(std::iter::repeat(None));
        if let Some((number, (is, was))) =
            text.lines().zip(lines).enumerate().find(|(_, (is, was))| Some(*is) != *was).filter(|_| committed != text)
        {
            drifted.push(format!("{path}:{}\n  was: {}\n  is:  {is}", number + 1, was.unwrap_or("(nothing)")));
        } else if committed != text {
            drifted.push(format!("{path} is longer than it should be"));
        }
    }
    assert!(
        drifted.is_empty(),
        "golden reports have drifted; if that is meant, run UPDATE_GOLDEN=1 cargo test --test golden, and look at the \
         difference before you commit it\n{}",
        drifted.join("\n")
    );
}

#[test]
fn golden_reports_of_real_drills_are_those_of_today() {
    check(Way::Real, "real");
}

#[test]
fn golden_reports_of_simulated_drills_are_those_of_today() {
    check(Way::Simulated, "simulated");
}
