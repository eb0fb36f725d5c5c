//! Faults together: whatever up to four of them do at once, the reference pipeline never ends silently wrong.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::{cell::RefCell, collections::BTreeSet};

use backdraft::{
    explore::trials::{self, Tried},
    model::{
        event::AlarmKind,
        outcome::{DrillResult, Outcome},
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

/// Plays so many drills, each of one of these trials and up to three others of the same service, and hands each record on
/// once it is known not to be silently wrong.
fn combine(all: &[Tried], is_first: impl Fn(&Tried) -> bool, cases: u32, mut seen: impl FnMut(&Record)) {
    let alone = |one: &&Tried| one.fault.is_some() && one.scenario.service.names().len() == 1;
    let all: Vec<&Tried> = all.iter().filter(alone).collect();
    let firsts: Vec<&Tried> = all.iter().copied().filter(|one| is_first(one)).collect();
    let cases = std::env::var("COMBINATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(cases);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let drawn = (any::<Index>(), vec(any::<Index>(), 1..=3));
    let records = RefCell::new(Vec::new());
    let ended = TestRunner::new_with_rng(config, rng).run(&drawn, |(first, others)| {
        let first = firsts[first.index(firsts.len())];
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
        records.borrow_mut().push(record);
        Ok(())
    });
    ended.unwrap();
    records.into_inner().iter().for_each(&mut seen);
}

#[test]
fn whatever_up_to_four_faults_do_together_nothing_is_silently_wrong() {
    let all = trials::of_plan(&kit::plan(), |_, _, _| true);
    combine(&all, |_| true, 128, |_| {});
}

#[test]
fn a_secret_that_leaks_amid_other_faults_is_told_of_wherever_it_stays_and_such_a_drill_never_passes() {
    let all = trials::of_plan(&kit::plan(), |_, _, service| service == "config");
    let (mut stayed, mut alarms) = (0, BTreeSet::new());
    combine(
        &all,
        |one| one.fault.is_some_and(|fault| fault.name == "secret-leaked"),
        64,
        |record| {
            let one = &record.services[0];
            if one.checks.iter().any(|check| check.check == "secrets" && check.passed == Some(false)) {
                stayed += 1;
                assert_eq!(record.result.result, DrillResult::Fail, "{}", record.result.why);
                let heard = record.alarms.iter().map(|told| &told.alarm).filter(|alarm| alarm.heard);
                alarms.extend(heard.map(|alarm| alarm.kind));
            }
        },
    );
    assert!(stayed > 0, "no drill in which the secret stays where it leaked to");
    assert!(alarms.contains(&AlarmKind::NotLookedThrough), "{alarms:?}");
}
