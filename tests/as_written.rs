//! What the rules of the strategy document lose, drilled: each of these drills fails, silently wrong, and for the reason
//! that its file names. A drill here that passed would be a drill that shows nothing.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod kit;

use backdraft::{
    input::{
        lint::lint,
        load::{Loaded, load_plan, load_scenario},
    },
    measure,
    model::{
        event::Comparison,
        outcome::{DrillResult, Outcome},
        plan::Plan,
        record::{Record, Way},
        scenario::Scenario,
    },
};

fn scenario(name: &str) -> Scenario {
    load_scenario(kit::root().join(format!("fixtures/hooklabs/as-written/{name}.yaml"))).unwrap().value
}

fn play(name: &str, way: Way) -> Record {
    kit::play(name, &kit::plan(), &scenario(name), 42, way, vec![])
}

/// Plays a drill both ways; it must fail in both, silently wrong.
fn failing(name: &str) -> (Record, Comparison) {
    let (real, simulated) = (play(name, Way::Real), play(name, Way::Simulated));
    assert_eq!(backdraft::measure::differences(&simulated, &real), Vec::<String>::new(), "{name}");
    assert_eq!(real.result.outcome, Some(Outcome::SilentlyWrong), "{name}: {:?}", real.result.reasons);
    assert_eq!(real.result.result, DrillResult::Fail, "{name}");
    let comparison = real.services[0].comparison.clone().unwrap();
    (real, comparison)
}

#[test]
fn an_edit_that_keeps_its_size_is_lost_and_nothing_else_is() {
    let (record, found) = failing("files-edit-keeps-size");
    assert_eq!(found.rows_found, found.rows_expected, "every file is there");
    assert!(found.holes > 0 && found.altered == 0 && found.extra == 0 && found.resurrected == 0, "{found:?}");
    let rto = record.timeline.t4.unwrap();
    assert!(rto.assumed_ms >= 5 * 3_600_000, "the archive's five hours count: {rto}");
}

#[test]
fn the_types_that_nobody_named_are_lost() {
    let (_, found) = failing("files-webp-left-out");
    assert!(found.rows_found < found.rows_expected && found.holes > 0, "{found:?}");
    let named = |example: &String| [".jpg:", ".png:", ".pdf:"].iter().any(|end| example.contains(end));
    assert!(!found.examples.is_empty() && !found.examples.iter().any(named), "{:?}", found.examples);
}

#[test]
fn a_deletion_that_was_synced_before_it_was_noticed_is_lost() {
    let (record, found) = failing("files-deletion-synced");
    assert!(record.faults[0].proof.as_ref().unwrap().bit);
    let missing = found.rows_expected - found.rows_found;
    // 30 % were deleted; some of them the application has uploaded again since.
    assert!(missing * 6 > found.rows_expected, "{missing} of {} files are missing", found.rows_expected);
    assert_eq!((found.altered, found.extra, found.resurrected), (0, 0, 0));
}

#[test]
fn every_drill_of_the_folder_is_asserted_here() {
    let folder = kit::root().join("fixtures/hooklabs/as-written");
    let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    let files: Vec<_> = names.iter().filter(|name| name.to_string_lossy().starts_with("files-")).collect();
    assert_eq!(files, ["files-deletion-synced.yaml", "files-edit-keeps-size.yaml", "files-webp-left-out.yaml"]);
}

/// Which of the plan's weaknesses that are about copies a drill proves, by rule and number.
fn proven(record: &Record, edit: impl FnOnce(&mut Loaded<Plan>)) -> Vec<String> {
    let mut plan = load_plan(kit::root().join("fixtures/hooklabs/plan.yaml")).unwrap();
    edit(&mut plan);
    let mut record = record.clone();
    record.plan = plan.value.clone();
    let shown = measure::proofs(lint(&plan), &[record]).into_iter().filter(|one| one.proof.is_some());
    let of = |path: &str| path.split(['[', ']']).nth(1).unwrap_or("-").to_owned();
    shown.map(|one| format!("{} {}", one.weakness.id, of(&one.weakness.path))).collect()
}

#[test]
fn a_drill_that_ended_silently_wrong_proves_what_its_rule_loses_and_nothing_else() {
    let [edit, types, deletion] = ["files-edit-keeps-size", "files-webp-left-out", "files-deletion-synced"]
        .map(|name| play(name, Way::Simulated));
    assert_eq!(proven(&edit, |_| {}), ["copies-by-size 1"]);
    assert_eq!(proven(&types, |_| {}), ["copies-leave-types-out 1", "copies-dated-in-full 1"]);
    assert_eq!(proven(&deletion, |_| {}), ["copies-follow-deletions 0"]);
    // Of other types this drill shows nothing.
    let others = |plan: &mut Loaded<Plan>| {
        plan.value.services.get_mut("files").unwrap().backup.sync[1].include = vec![".webp".into()];
    };
    assert_eq!(proven(&types, others), [""; 0]);
    // Where the ledger found everything, nothing is proven.
    let mut whole = edit.clone();
    whole.services[0].comparison.as_mut().unwrap().holes = 0;
    assert_eq!(proven(&whole, |_| {}), [""; 0]);
    let mut inconclusive = types.clone();
    inconclusive.result.outcome = None;
    assert_eq!(proven(&inconclusive, |_| {}), [""; 0]);
}
