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
mod page;
mod rig;
mod site;
mod tables;

use std::{
    collections::BTreeSet,
    env, fs,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

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

#[test]
fn the_page_says_what_the_catalogues_and_the_exploration_say() {
    let (explored, path) = (page::explored(), page::path());
    let wanted: BTreeSet<&str> = MUTANTS.iter().map(|mutant| mutant.name).collect();
    assert_eq!(wanted.len(), MUTANTS.len(), "every mutant has a name of its own");
    let looked: BTreeSet<&str> = explored.played.keys().map(String::as_str).collect();
    assert_eq!(looked, wanted, "the exploration is older than the catalogue: run the ignored test of this file");
    for mutant in MUTANTS {
        assert!(
            explored.catching(mutant.name).contains(&mutant.scenario),
            "{} fails in {}",
            mutant.name,
            mutant.scenario
        );
    }
    let text = page::text(&explored);
    if env::var_os("UPDATE_MUTANTS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == text, "docs/mutants.md has drifted; run UPDATE_MUTANTS=1 cargo test --test mutants page");
}

/// Plays every mutant in every scenario and writes down which fail. Takes minutes.
#[test]
#[ignore = "plays thousands of drills; run it when scenarios, checks or mutants were added"]
fn explore_which_scenarios_catch_which_mutants() {
    let scenarios = kit::all_scenarios();
    let drills: Vec<_> = MUTANTS
        .iter()
        .flat_map(|mutant| page::reachable(mutant, &scenarios).into_iter().map(move |id| (mutant, id)))
        .collect();
    let (next, explored) = (AtomicUsize::new(0), Mutex::new(page::Explored::default()));
    let work = || {
        while let Some((mutant, id)) = drills.get(next.fetch_add(1, Ordering::SeqCst)) {
            let failed = play(id, &(mutant.rig)()).result.result == DrillResult::Fail;
            let mut explored = explored.lock().unwrap();
            explored.played.entry(mutant.name.to_owned()).or_default().insert(id.clone(), failed);
        }
    };
    thread::scope(|scope| (0..2).for_each(|_| drop(scope.spawn(work))));
    let explored = explored.into_inner().unwrap();
    fs::write(page::found(), serde_json::to_string_pretty(&explored).unwrap() + "\n").unwrap();
}
