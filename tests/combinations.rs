//! Faults together: whatever up to four of them do at once, the reference pipeline never ends silently wrong. One fault is
//! left out: a secret that leaked into a region which is out as well can be neither seen nor removed there, and is still
//! called silently wrong, though the data is right.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::collections::BTreeSet;

use backdraft::{
    explore::trials::{self, Tried},
    model::{
        outcome::Outcome,
        record::{Record, Way},
        scenario::Scenario,
    },
};
use proptest::{
    collection::vec,
    prelude::any,
    sample::Index,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

mod kit;

/// One story in which all of these trials' faults strike, each at its own moment. What a trial needs beside its faults
/// (a change stream, a form of dump, a target time, another service) is that of the first that needs it.
fn together(chosen: &[&Tried]) -> Scenario {
    let mut scenario = chosen[0].scenario.clone();
    for other in &chosen[1..] {
        let theirs = &other.scenario;
        scenario
            .faults
            .extend(theirs.faults.iter().filter(|fault| !chosen[0].scenario.faults.contains(fault)).cloned());
        scenario.history.stream = scenario.history.stream.or(theirs.history.stream);
        scenario.history.format = scenario.history.format.or(theirs.history.format);
        scenario.disaster.target_time = scenario.disaster.target_time.or(theirs.disaster.target_time);
    }
    scenario
}

fn play(chosen: &[&Tried]) -> Record {
    kit::play("combination", &kit::plan(), &together(chosen), 42, Way::Simulated, Vec::new())
}

#[test]
fn whatever_up_to_four_faults_do_together_nothing_is_silently_wrong() {
    let all: Vec<Tried> = trials::of_plan(&kit::plan(), |_, _, _| true);
    let alone = |one: &&Tried| {
        one.fault.is_some_and(|fault| fault.name != "secret-leaked") && one.scenario.service.names().len() == 1
    };
    let all: Vec<&Tried> = all.iter().filter(alone).collect();
    let cases = std::env::var("COMBINATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(128);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let drawn = (any::<Index>(), vec(any::<Index>(), 1..=3));
    let ended = TestRunner::new_with_rng(config, rng).run(&drawn, |(first, others)| {
        let first = all[first.index(all.len())];
        let same: Vec<&Tried> = all.iter().copied().filter(|one| one.service == first.service).collect();
        let chosen: BTreeSet<usize> = others.iter().map(|other| other.index(same.len())).collect();
        let chosen: Vec<&Tried> = std::iter::once(first).chain(chosen.into_iter().map(|at| same[at])).collect();
        let record = play(&chosen);
        let names: Vec<&str> = chosen.iter().map(|one| one.id.as_str()).collect();
        proptest::prop_assert!(
            record.result.outcome != Some(Outcome::SilentlyWrong),
            "{}: {}",
            names.join(" + "),
            record.result.why
        );
        Ok(())
    });
    ended.unwrap();
}
