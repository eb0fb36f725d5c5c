//! Every fault of the network in its trial on a database: the reference pipeline comes out of it well, and over real HTTP
//! as in simulated time.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod kit;

use backdraft::{
    explore::trials,
    measure::differences,
    model::{
        family::Family,
        outcome::Outcome,
        record::{Record, Way},
    },
};

/// What is wrong with how the reference pipeline came out of a trial.
fn wrong_with(record: &Record) -> Vec<String> {
    let mut wrong = Vec::new();
    if record.result.outcome != Some(Outcome::Recovered) {
        wrong.push(format!("it came to {:?}: {}", record.result.outcome, record.result.reasons.join("; ")));
    }
    for fault in &record.faults {
        match &fault.proof {
            Some(proof) if proof.bit => {}
            proof => wrong.push(format!("it did not bite: {proof:?}")),
        }
    }
    wrong
}

#[test]
fn real_and_simulated_drills_agree_on_every_fault_of_the_network_and_the_pipeline_recovers() {
    let plan = kit::plan();
    let mut wrong = Vec::new();
    for mut tried in trials::of_plan(&plan, |family, _, name| family == Family::Network && name == "database") {
        tried.scenario.history.size = "1 MiB".parse().unwrap();
        let play = |way| kit::play(&tried.id, &plan, &tried.scenario, 42, way, vec![]);
        let (real, simulated) = (play(Way::Real), play(Way::Simulated));
        let differ = differences(&simulated, &real).into_iter().map(|what| format!("{} differs: {what}", tried.id));
        wrong.extend(differ);
        for (way, record) in [("real", &real), ("simulated", &simulated)] {
            wrong.extend(wrong_with(record).into_iter().map(|what| format!("{}, {way}: {what}", tried.id)));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
