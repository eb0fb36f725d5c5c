//! Two ways to run, one engine: for every scenario the real drill and the simulated one agree on outcome, recovery
//! point, loss and order of phases; and a simulated drill can be repeated to the byte.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod kit;

use backdraft::{
    environment::without_secrets,
    measure::differences,
    model::record::{Record, Way},
};

fn play(id: &str, way: Way) -> Record {
    kit::play(id, &kit::plan(), &kit::scenario(id), 42, way, vec![])
}

#[test]
fn real_and_simulated_drills_agree_on_every_scenario() {
    let mut wrong = Vec::new();
    for id in kit::all_scenarios() {
        let (real, simulated) = (play(&id, Way::Real), play(&id, Way::Simulated));
        wrong.extend(differences(&simulated, &real).into_iter().map(|what| format!("{id} differs: {what}")));
        // Digests, identifiers and names of backups are no secrets.
        let loses = |record: &Record| without_secrets(record.clone()).unwrap().changed;
        wrong.extend(
            [&real, &simulated].into_iter().filter(|one| loses(one)).map(|_| format!("{id}: something is redacted")),
        );
        wrong.extend(real.result.reasons.into_iter().map(|why| format!("{id}: {why}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_simulated_drill_is_the_same_to_the_byte_and_another_seed_is_another_drill() {
    let text = |seed| {
        let id = "database/outage-during-fetch";
        let record = kit::play(id, &kit::plan(), &kit::scenario(id), seed, Way::Simulated, vec![]);
        serde_json::to_string(&record).unwrap()
    };
    assert_eq!(text(1), text(1));
    assert_ne!(text(1), text(2));
}

#[test]
fn two_real_drills_of_one_seed_differ_in_what_was_measured_alone() {
    let redacted = || {
        let mut record = play("database/stale-looks-fresh", Way::Real);
        record.redact_measured();
        serde_json::to_string_pretty(&record).unwrap()
    };
    assert_eq!(redacted(), redacted());
}
