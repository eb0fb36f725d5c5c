//! Every fault on what is backed up, on what is there and on how old it is, tried on the reference pipeline in simulated
//! time: it bites, and the pipeline comes out of it well. Some of these faults can only bite in a whole drill.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::collections::BTreeMap;

use backdraft::{
    fault::{self, Fault, Ground, Trial},
    model::{
        family::Family,
        outcome::Outcome,
        plan::{Plan, ServiceKind},
        record::{Record, Way},
        scenario::Scenario,
        units::ByteSize,
    },
};

mod kit;

/// The drill that every trial changes, by kind of service.
const HOMES: [(ServiceKind, &str); 3] = [
    (ServiceKind::Database, "database/control"),
    (ServiceKind::Files, "files/control"),
    (ServiceKind::Config, "config/control"),
];

fn scenario_of(home: &str, trial: Trial) -> Scenario {
    let mut scenario = kit::scenario(home);
    let Trial { faults, stream, target_time, format } = trial;
    scenario.faults = faults;
    scenario.history.days = 4;
    scenario.history.size = ByteSize(1 << 20);
    scenario.history.stream = stream;
    scenario.history.format = format;
    scenario.disaster.at = "day 4 15:00".parse().unwrap();
    scenario.disaster.target_time = target_time;
    scenario
}

fn play(plan: &Plan, kind: ServiceKind, home: &str, fault: &dyn Fault, mode: &'static str, way: Way) -> Record {
    let replicas: Vec<String> = plan.regions.iter().skip(1).map(|region| region.name.clone()).collect();
    let ground = Ground { primary: &plan.regions[0].name, replicas: &replicas, kind };
    let scenario = scenario_of(home, fault.trial(mode, &ground));
    kit::play(&format!("{home}/{}/{mode}", fault.name()), plan, &scenario, 7, way, Vec::new())
}

/// Faults of the families that this test is for, with the kinds of services that they are for.
fn ours() -> impl Iterator<Item = (&'static dyn Fault, &'static str, ServiceKind, &'static str)> {
    let families = [Family::Artefact, Family::Presence, Family::Age];
    let faults = fault::all().filter(move |fault| families.contains(&fault::family_of(fault.name()).unwrap()));
    let modes = faults.flat_map(|fault| fault.modes().iter().map(move |mode| (fault, mode.name)));
    modes.flat_map(|(fault, mode)| {
        let homes = HOMES.iter().filter(move |(kind, _)| fault.is_for(*kind));
        homes.map(move |(kind, home)| (fault, mode, *kind, *home))
    })
}

/// What became of a trial, in one line.
fn told(record: &Record) -> String {
    let alarms: BTreeMap<&str, usize> = record.alarms.iter().fold(BTreeMap::new(), |mut all, alarm| {
        *all.entry(alarm.alarm.kind.words()).or_default() += 1;
        all
    });
    let alarms: Vec<String> = alarms.into_iter().map(|(kind, count)| format!("{kind} ×{count}")).collect();
    let restore = &record.services[0].restore;
    let from = restore.chosen.as_ref().map_or_else(String::new, |claim| format!(" {} from {}", claim.point, claim.region));
    let bits: Vec<String> = record.faults.iter().map(|one| one.proof.as_ref().map_or_else(|| format!("IMPOSSIBLE: {:?}", one.impossible), |proof| if proof.bit { "bit".into() } else { format!("NOT: {}", proof.evidence) })).collect();
    format!("{}{from} · {} · {}", record.result.outcome.map_or("none", Outcome::words), bits.join(", "), alarms.join(", "))
}

#[test]
#[ignore = "prints every trial; TRIAL=name plays one fault, WAY=real plays it for real"]
fn all_trials_are_shown() {
    let plan = kit::plan();
    let (only, real) = (std::env::var("TRIAL").ok(), std::env::var("WAY").is_ok_and(|way| way == "real"));
    let way = if real { Way::Real } else { Way::Simulated };
    for (fault, mode, kind, home) in ours().filter(|(fault, ..)| only.as_deref().is_none_or(|name| name == fault.name())) {
        let began = std::time::Instant::now();
        let record = play(&plan, kind, home, fault, mode, way);
        println!("{home} {} / {mode}: {} [{} ms]", fault.name(), told(&record), began.elapsed().as_millis());
        if only.is_some() {
            for tried in &record.services[0].restore.refused {
                println!("    {} {} {:?}: {}", tried.point, tried.region, tried.phase, tried.why);
            }
            for alarm in &record.alarms {
                println!("    alarm {}: {}", alarm.alarm.kind.words(), alarm.alarm.detail);
            }
            for reason in &record.result.reasons {
                println!("    {reason}");
            }
        }
    }
}
