//! Moments that lie in the middle of a restore, faults that last for a while, and what the reference pipeline makes of
//! faults on its targets and on the process that restores.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod kit;

use backdraft::{
    fault::{self, Fault, Ground, Trial},
    measure::differences,
    model::{
        event::{AlarmKind, Phase, What},
        family::Family,
        outcome::{DrillResult, Outcome},
        plan::ServiceKind,
        record::{Record, Way},
        scenario::{FaultSpec, Moment, Scenario},
        units::{Percent, Span},
    },
};

const KINDS: [(ServiceKind, &str); 3] = [
    (ServiceKind::Database, "database/control"),
    (ServiceKind::Files, "files/control"),
    (ServiceKind::Config, "config/control"),
];

/// Four days, the disaster on the last one, and these faults.
fn scenario(home: &str, trial: Trial) -> Scenario {
    let mut scenario = kit::scenario(home);
    scenario.history.days = 4;
    scenario.history.writes_per_day = 30;
    scenario.history.size = "1 MiB".parse().unwrap();
    scenario.history.stream = trial.stream;
    scenario.disaster.at = "day 4 15:00".parse().unwrap();
    scenario.faults = trial.faults;
    scenario.expect.recovery_point = None;
    scenario.expect.rto = None;
    scenario.expect.rpo = None;
    scenario
}

fn play(scenario: &Scenario, way: Way) -> Record {
    kit::play("tried", &kit::plan(), scenario, 42, way, vec![])
}

fn tried(faults: Vec<FaultSpec>) -> Record {
    let trial = Trial { faults, ..Trial::default() };
    play(&scenario("database/control", trial), Way::Simulated)
}

fn entry(yaml: &str) -> FaultSpec {
    serde_saphyr::from_str(yaml).unwrap()
}

/// Where a trial is played here: configuration is backed up on the first day alone.
fn ground(kind: ServiceKind, replicas: &[String]) -> Ground<'_> {
    let last_backup_day = if kind == ServiceKind::Config { 1 } else { 4 };
    Ground { primary: "us-east-1", replicas, kind, last_backup_day, points: 4 }
}

/// What should come of a trial.
fn expected(fault: &str, mode: &str) -> Outcome {
    match (fault, mode) {
        ("target-down" | "restore-killed" | "target-not-empty" | "alert-lost", _) | ("import-fails", "once") => {
            Outcome::Recovered
        }
        ("restore-hangs", _) => Outcome::Hung,
        // The day's backup is not made; the one before it is there.
        ("export-fails" | "export-cut-short", _) => Outcome::RecoveredBehind,
        _ => Outcome::RefusedLoudly,
    }
}

#[test]
fn every_trial_of_a_target_or_process_fault_bites_and_ends_as_it_should() {
    let mut wrong = Vec::new();
    let replicas = ["eu-west-1".to_owned(), "ap-northeast-1".to_owned()];
    let ours =
        |fault: &&dyn Fault| [Some(Family::Target), Some(Family::Process)].contains(&fault::family_of(fault.name()));
    for fault in fault::all().filter(ours) {
        for (kind, home) in KINDS.into_iter().filter(|(kind, _)| fault.is_for(*kind)) {
            for mode in fault.modes() {
                let trial = fault.trial(mode.name, &ground(kind, &replicas));
                let record = play(&scenario(home, trial), Way::Simulated);
                let what = format!("{} ({}) of {home}", fault.name(), mode.name);
                for tried in &record.faults {
                    if !tried.proof.as_ref().is_some_and(|proof| proof.bit) || !tried.healed {
                        wrong.push(format!("{what}: {} did not bite or heal: {tried:?}", tried.fault));
                    }
                }
                let outcome = record.services[0].outcome;
                // Weekly backups leave configuration behind its objective, whatever else happens.
                let behind = kind == ServiceKind::Config && outcome == Some(Outcome::RecoveredBehind);
                if outcome != Some(expected(fault.name(), mode.name)) && !behind {
                    wrong.push(format!("{what}: ended {outcome:?}: {:?}", record.result.reasons));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_fault_for_a_while_is_over_before_the_next_backup() {
    let outage = "{ fault: region-outage, mode: refused, regions: [us-east-1], when: { at: day 2 02:00 }, lasts: 2 h }";
    let record = tried(vec![entry(outage)]);
    let backups: Vec<usize> = record.services[0].backups.iter().map(|made| made.regions.len()).collect();
    assert_eq!(backups, [3, 2, 3, 3]);
    let at = |wanted: fn(&What) -> bool| record.events.iter().position(|event| wanted(&event.what)).unwrap();
    let healed = at(|what| matches!(what, What::FaultHealed { .. }));
    assert!(healed < at(|what| matches!(what, What::Disaster { .. })), "it was healed at its time");
    let healed = record.events[healed].at.unwrap().to_string();
    assert_eq!(healed, "2026-11-02T04:00:00Z");
    assert!(record.faults[0].proof.as_ref().unwrap().bit && record.faults[0].healed);
}

#[test]
fn a_fault_that_is_over_before_anybody_meets_it_did_not_bite() {
    // People need 6 min to begin.
    let down = "{ fault: target-down, mode: refused, when: at-disaster, lasts: 5 min }";
    let record = tried(vec![entry(down)]);
    assert!(!record.faults[0].proof.as_ref().unwrap().bit);
    assert_eq!(record.result.result, DrillResult::Inconclusive);
    // One that began in the history goes on over the disaster.
    let down = "{ fault: target-down, mode: refused, when: { at: day 4 14:00 }, lasts: 67 min }";
    let record = tried(vec![entry(down)]);
    assert!(record.faults[0].proof.as_ref().unwrap().bit, "{:?}", record.faults);
    assert_eq!(record.services[0].outcome, Some(Outcome::Recovered));
}

#[test]
fn a_restore_that_was_killed_is_started_again_and_takes_nothing_over_from_before() {
    let killed = entry("{ fault: restore-killed, when: { during-import: 50% } }");
    let scenario = scenario("database/control", Trial::of(killed));
    let record = play(&scenario, Way::Simulated);
    let killed = record.events.iter().filter(|event| matches!(event.what, What::RestoreKilled { .. })).count();
    assert_eq!(killed, 1);
    let service = &record.services[0];
    let imports: Vec<bool> =
        service.phases.iter().filter(|phase| phase.phase == Phase::Import).map(|phase| phase.ok).collect();
    assert_eq!(imports, [false, true]);
    assert!(service.phases.iter().all(|phase| phase.took.is_some()), "what was begun has ended");
    assert!(service.comparison.as_ref().unwrap().as_claimed);
    // Detected, decided, and decided again.
    let plan = kit::plan();
    let assumed = plan.response.detect.millis() + 2 * plan.response.initial.millis();
    assert_eq!(record.timeline.t5.unwrap().assumed_ms, assumed);
    assert_eq!(differences(&play(&scenario, Way::Simulated), &record), Vec::<String>::new());
    assert_eq!(differences(&record, &play(&scenario, Way::Real)), Vec::<String>::new());
}

#[test]
fn a_restore_that_hangs_is_ended_by_the_time_limit_and_nobody_waits_for_it() {
    let hangs = entry("{ fault: restore-hangs, when: { during-import: 1% } }");
    let scenario = scenario("database/control", Trial::of(hangs));
    let record = play(&scenario, Way::Real);
    assert_eq!(record.services[0].outcome, Some(Outcome::Hung));
    let limit = record.events.iter().find(|event| matches!(event.what, What::TimeLimit { .. })).unwrap();
    let people = kit::plan().response.detect.millis() + kit::plan().response.initial.millis();
    let waited_for_nothing = limit.since_t0.unwrap().assumed_ms - people;
    assert!(waited_for_nothing > 60_000, "what is left of the limit is assumed, {waited_for_nothing} ms");
    assert_eq!(differences(&play(&scenario, Way::Simulated), &record), Vec::<String>::new());
}

#[test]
fn a_refusal_whose_alarm_nobody_heard_is_silent_and_one_that_is_told_again_is_loud() {
    let refusal = |lasts: Option<Span>| {
        let mut lost = entry("{ fault: alert-lost, when: at-disaster }");
        lost.lasts = lasts;
        tried(vec![entry("{ fault: region-outage, mode: refused, when: at-disaster }"), lost])
    };
    let silent = refusal(None);
    assert_eq!(silent.services[0].outcome, Some(Outcome::SilentlyWrong));
    assert!(silent.result.reasons[0].contains("its alarm reached nobody"), "{:?}", silent.result.reasons);
    assert!(silent.findings.iter().any(|finding| finding.title == "Alarms reached nobody"));
    let told = refusal(Some(Span::minutes(12)));
    assert_eq!(told.services[0].outcome, Some(Outcome::RefusedLoudly));
    let heard: Vec<bool> = told
        .alarms
        .iter()
        .filter(|told| told.alarm.kind == AlarmKind::NothingRestorable)
        .map(|told| told.alarm.heard)
        .collect();
    assert_eq!(heard, [false, false, true]);
}

#[test]
fn a_fault_in_the_middle_of_an_import_that_never_comes_was_never_injected() {
    let record = tried(vec![
        entry("{ fault: region-outage, mode: refused, when: at-disaster }"),
        entry("{ fault: restore-killed, when: { during-import: 50% } }"),
    ]);
    assert!(
        record.result.reasons.iter().any(|why| why.contains("restore-killed (half-way) was never injected")
            || why.contains("restore-killed was never injected")),
        "{:?}",
        record.result.reasons
    );
}

#[test]
fn a_target_fault_is_refused_where_it_says_what_makes_no_sense() {
    let wrong = [
        "{ fault: target-down, mode: refused, regions: [us-east-1] }",
        "{ fault: restore-killed, when: at-disaster }",
        "{ fault: restore-killed, when: { during-import: 50% }, lasts: 2 min }",
        "{ fault: restore-hangs, when: at-disaster }",
        "{ fault: import-fails, mode: once, with: { after: 100% } }",
        "{ fault: import-fails, mode: once, with: { after: 50%, rows: 3 } }",
        "{ fault: target-not-empty, mode: table-of-its-own, with: { deployments: 0 } }",
        "{ fault: target-not-empty, mode: table-of-its-own, with: { deployments: 2, every: true } }",
        "{ fault: target-quota, mode: rows, with: { allows: 0% } }",
        "{ fault: alert-lost, service: database }",
        "{ fault: operator-credentials-lost, with: { at: [] } }",
        "{ fault: operator-credentials-lost, with: { at: [safe] } }",
    ];
    for yaml in wrong {
        assert!(fault::prepare(&entry(yaml)).is_err(), "{yaml}");
    }
    let right = FaultSpec { when: Moment::DuringImport(Percent(50)), ..entry("{ fault: restore-hangs }") };
    assert!(fault::prepare(&right).is_ok());
}
