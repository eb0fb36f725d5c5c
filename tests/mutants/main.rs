//! Who watches the harness: pipelines that are broken on purpose, each of which a scenario must catch, and correct ones
//! with odd habits, which no scenario may blame. docs/mutants.md lists them, and says who catches whom.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

#[path = "../kit/mod.rs"]
mod kit;

mod careless;
mod catalogue;
mod dumps;
mod habits;
mod lens;
mod media;
mod rig;
mod site;
mod tables;

use std::collections::BTreeSet;

use backdraft::model::{
    outcome::DrillResult,
    record::{Record, Way},
};
use catalogue::MUTANTS;
use habits::HABITS;
use rig::Rig;

fn play(scenario: &str, rig: &Rig) -> Record {
    kit::play_rigged(scenario, &kit::plan(), &kit::scenario(scenario), 42, Way::Simulated, vec![], rig)
}

#[test]
fn every_mutant_is_caught_by_its_scenario_and_the_reference_pipeline_passes_it() {
    let mut wrong = Vec::new();
    let mut table = String::new();
    for mutant in MUTANTS {
        let record = play(mutant.scenario, &(mutant.rig)());
        let (result, outcome) = (record.result.result, record.result.outcome);
        let first = record.result.reasons.first().map_or("", String::as_str);
        if (result, outcome) != (DrillResult::Fail, Some(mutant.ends)) {
            wrong.push(format!("{} in {}: {result:?}, {outcome:?}: {first}", mutant.name, mutant.scenario));
        }
        let ended = outcome.map_or("-", |outcome| outcome.words());
        table.push_str(&format!("{} → {} → {}, {ended}\n    {first}\n", mutant.name, mutant.scenario, result.words()));
    }
    for scenario in MUTANTS.iter().map(|mutant| mutant.scenario).collect::<BTreeSet<_>>() {
        let record = play(scenario, &Rig::default());
        if record.result.result != DrillResult::Pass {
            wrong.push(format!("the reference pipeline in {scenario}: {:?}", record.result.reasons));
        }
    }
    assert!(wrong.is_empty(), "{} of {} mutants:\n{}", wrong.len(), MUTANTS.len(), wrong.join("\n"));
    insta::assert_snapshot!(table);
}

#[test]
fn no_scenario_blames_a_correct_pipeline_for_its_habits() {
    let mut blamed = Vec::new();
    for habit in HABITS {
        for scenario in habit.scenarios {
            let record = play(scenario, &(habit.rig)());
            if record.result.result != DrillResult::Pass {
                blamed.push(format!("{} in {scenario}: {:?}", habit.name, record.result.reasons));
            }
        }
    }
    assert!(blamed.is_empty(), "\n{}", blamed.join("\n"));
}
