//! The durations of a run that are held against a baseline, taken from its records.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    baseline::{BASELINE_FORMAT, Baseline, DrillTimes, Machine, ServiceTimes},
    event::Phase,
    outcome::DrillResult,
    record::{Record, ServiceRecord},
    time::Elapsed,
};

/// The durations of all plays that went as their scenarios expect; each scenario may have been played more often than
/// once. `None` where none did. A play that went otherwise says nothing about speed.
pub fn baseline(plays: &[Record], machine: Machine) -> Option<Baseline> {
    let passed = || plays.iter().filter(|record| record.result.result == DrillResult::Pass);
    let identity = &passed().next()?.identity;
    let mut drills: BTreeMap<String, DrillTimes> = BTreeMap::new();
    for record in passed() {
        let identity = &record.identity;
        let drill = drills.entry(identity.scenario.clone()).or_insert_with(|| DrillTimes {
            plan_sha256: identity.plan_sha256.clone(),
            scenario_sha256: identity.scenario_sha256.clone(),
            plays: 0,
            services: BTreeMap::new(),
        });
        drill.plays += 1;
        for one in &record.services {
            add(drill.services.entry(one.service.clone()).or_default(), one);
        }
    }
    Some(Baseline {
        format: BASELINE_FORMAT.into(),
        tool_version: identity.tool_version.clone(),
        machine,
        way: identity.way,
        seed: identity.seed,
        drills,
    })
}

fn add(times: &mut ServiceTimes, one: &ServiceRecord) {
    if !one.backups.is_empty() {
        times.backups.extend(sum(one.backups.iter().map(|made| Some(made.took))));
    }
    let phases: BTreeSet<Phase> = one.phases.iter().map(|timed| timed.phase).collect();
    for phase in phases {
        // A phase that did not end has no duration, however often it was tried.
        let attempts = one.phases.iter().filter(|timed| timed.phase == phase);
        if let Some(took) = sum(attempts.map(|timed| timed.took)) {
            times.phases.entry(phase).or_default().push(took);
        }
    }
    times.recovery.extend(one.timeline.t5.and_then(known));
}

/// Nothing where one is not known.
fn sum(mut all: impl Iterator<Item = Option<Elapsed>>) -> Option<Elapsed> {
    all.try_fold(Elapsed::default(), |sum, one| Some(sum.plus(known(one?)?)))
}

/// A duration whose measured part was not taken out.
fn known(elapsed: Elapsed) -> Option<Elapsed> {
    (!elapsed.is_redacted()).then_some(elapsed)
}
