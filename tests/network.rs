//! Every fault of the network in the drill in which it is tried: the reference pipeline comes out of it well, for real
//! and in simulated time alike.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod kit;

use backdraft::{
    fault::{self, Fault, Ground, Trial},
    measure::differences,
    model::{
        event::AlarmKind,
        family::Family,
        outcome::Outcome,
        plan::ServiceKind,
        record::{Record, Way},
        scenario::{ExpectedPoint, Scenario},
    },
};

fn network() -> impl Iterator<Item = (&'static dyn Fault, &'static str)> {
    let (_, faults) = fault::CATALOGUE.iter().find(|(family, _)| *family == Family::Network).unwrap();
    faults.iter().flat_map(|fault| fault.modes().iter().map(|mode| (*fault, mode.name)))
}

/// The control drill of that kind of service with that trial in it.
fn drill(home: &str, trial: Trial) -> Scenario {
    let mut scenario = kit::scenario(home);
    scenario.history.days = 4;
    scenario.history.size = "1 MiB".parse().unwrap();
    scenario.disaster.at = "day 4 15:00".parse().unwrap();
    scenario.disaster.target_time = trial.target_time;
    scenario.faults = trial.faults;
    scenario
}

fn play(id: &str, scenario: &Scenario, way: Way) -> Record {
    kit::play(id, &kit::plan(), scenario, 42, way, vec![])
}

/// What is wrong with how the reference pipeline came out of it.
fn wrong_with(record: &Record) -> Vec<String> {
    let mut wrong = Vec::new();
    if record.result.outcome != Some(Outcome::Recovered) {
        wrong.push(format!("it came to {:?}: {:?}", record.result.outcome, record.result.reasons));
    }
    for fault in &record.faults {
        match &fault.proof {
            Some(proof) if proof.bit => {}
            proof => wrong.push(format!("it did not bite: {proof:?}")),
        }
    }
    wrong
}
