//! What a drill does not show, derived from what it did.

use super::story::Story;
use crate::model::{
    event::{Phase, What},
    plan::ServiceKind,
    record::{Record, Way},
    time::Elapsed,
    units::{ByteSize, Span},
    words,
};

/// The limits of one drill; `record` is complete but for limits and events.
pub(super) fn limits(record: &Record, story: &Story<'_>) -> Vec<String> {
    let mut limits = vec![world(record)];
    limits.extend(people(record));
    limits.extend(waits(record));
    limits.extend(commands(story));
    limits.push(size(record));
    limits.extend(copies(record));
    limits.push(checks(record, story));
    if record.scenario.faults.is_empty() {
        limits.push("No fault was injected: it shows an undisturbed restore only.".into());
    }
    let are_releases = record.plan.are_all(ServiceKind::WebApplication, &record.scope.services);
    if !are_releases && !story.events.iter().any(|e| matches!(e.what, What::Pruned { .. })) {
        limits.push(format!(
            "Retention was not seen at work: nothing was pruned in {} of history.",
            words::count(record.scenario.history.days.into(), "day")
        ));
    }
    if !record.scope.exclusions.is_empty() {
        limits.push(format!("Not drilled here: {}.", words::list(&record.scope.exclusions)));
    }
    limits.push("One run with one seed: it says nothing of how times vary.".into());
    limits.push("Business acceptance (t6) and normal operation (t7) are not part of it, so neither is WRT.".into());
    limits
}

fn world(record: &Record) -> String {
    match record.identity.way {
        Way::Real if record.identity.storage.is_some() => {
            let storage = record.identity.storage.as_deref().unwrap_or_default();
            format!(
                "The regions' objects lay in a storage that is not backdraft's own ({storage}), behind links that are \
                 emulated; objects are dated by the scenario. Source and target are emulated on the loopback of one \
                 machine: the distance, bandwidth and load of real sites are not in the times."
            )
        }
        Way::Real => {
            "Regions, source and target are emulated on the loopback of one machine: the distance, bandwidth and \
                      load of real sites are not in the times."
                .into()
        }
        Way::Simulated => format!(
            "Time is simulated and regions are modelled in process, one byte standing for {}: no time of it was measured.",
            record.scope.scale
        ),
    }
}

/// Which clock the commands of a team's own pipeline read, and what was not looked at for them.
fn commands(story: &Story<'_>) -> Vec<String> {
    let ran = || story.events.iter().filter_map(|e| if let What::Ran(ran) = &e.what { Some(ran) } else { None });
    if ran().next().is_none() {
        return Vec::new();
    }
    let clock = match ran().all(|ran| ran.scenario_time) {
        true => {
            "Commands read the story's clock where they ask the C library for the time; programs that ask the kernel \
                 (those written in Go, such as restic and rclone) read the clock of the day on which the drill was run."
        }
        false => {
            "Commands read the clock of the day on which the drill was run: names by date, retention by age and \
                  `find -mtime` were not drilled. Install libfaketime (Debian: faketime) to drill them."
        }
    };
    let kept = "What the commands store was judged by what was restored from it: how long they keep it, and whether \
                anything watches it, was not looked at.";
    vec![clock.into(), kept.into()]
}

fn people(record: &Record) -> Option<String> {
    let time = &record.timeline;
    let assumed = |elapsed: Option<Elapsed>| elapsed.map_or(0, |e| e.assumed_ms);
    let (detect, both) = (assumed(time.t1), assumed(time.t2.or(time.t1)));
    let phases = [(Phase::Detect, detect), (Phase::Declare, both.saturating_sub(detect))];
    let said: Vec<String> = phases
        .iter()
        .filter(|(_, ms)| *ms > 0)
        .map(|(phase, ms)| format!("{} to {}", Span(*ms), phase.words()))
        .collect();
    (!said.is_empty()).then(|| format!("Nobody was called; assumed: {}.", words::list(&said)))
}

/// What is assumed after people have decided: builds, records that resolvers hold, archives.
fn waits(record: &Record) -> Option<String> {
    let (decided, back) = (record.timeline.t2?, record.timeline.t5?);
    let waited = back.since(decided).assumed_ms;
    (waited > 0).then(|| {
        format!(
            "Of the recovery {} are waits that were assumed and not waited for: builds, DNS records that resolvers hold, \
             archives.",
            Span(waited)
        )
    })
}

fn size(record: &Record) -> String {
    let Some(drilled) = record.scope.bytes else {
        return "The source was never filled: nothing is shown of any data.".into();
    };
    let said = match record.plan.are_all(ServiceKind::WebApplication, &record.scope.services) {
        true => format!("A generated site of {}", words::bytes(drilled.0)),
        false => format!("Generated data, {} as JSON", words::bytes(drilled.0)),
    };
    let services = || record.scope.services.iter().filter_map(|name| record.plan.services.get(name));
    let sizes: Option<Vec<u64>> = services().map(|s| Some(s.backup.production_size?.0)).collect();
    let production = sizes.filter(|sizes| !sizes.is_empty()).map(|sizes| ByteSize(sizes.iter().sum()));
    match production {
        None => format!("{said}; the plan states no production size, so nothing is said of the time that would take."),
        Some(size) if size > drilled => {
            let times = size.0 / drilled.0.max(1);
            format!(
                "{said}; production has {} ({times} times as much), and times are not projected to it.",
                words::bytes(size.0)
            )
        }
        Some(size) => {
            format!("{said}, not less than production's {}; real data may be shaped otherwise.", words::bytes(size.0))
        }
    }
}

/// Whether files were backed up as the plan says.
fn copies(record: &Record) -> Vec<String> {
    let services = record.scope.services.iter().filter_map(|name| Some((name, record.plan.services.get(name)?)));
    let differs = services.filter_map(|(name, service)| {
        let (played, planned) = (record.scenario.copies(service), &service.backup.sync);
        match (played.is_empty(), planned.is_empty()) {
            (true, false) => Some(format!(
                "The files of service {name} were backed up by the reference pipeline, not by the plan's copies: of those it shows \
                 nothing."
            )),
            (false, _) if played != planned => {
                Some(format!("The files of service {name} were copied by the scenario's rules, which are not those of the plan."))
            }
            _ => None,
        }
    });
    differs.collect()
}

fn checks(record: &Record, story: &Story<'_>) -> String {
    let names: Vec<&str> = story.checks.iter().map(|c| c.check.as_str()).collect();
    let compared = record.services.iter().any(|one| one.comparison.is_some());
    match (compared, names.is_empty()) {
        (false, _) => "Nothing restored was compared: it shows nothing of what the backups hold.".into(),
        (true, true) => "No function of the restored service was checked, its data alone.".into(),
        (true, false) => format!("Of the service's functions nothing was checked but: {}.", words::list(&names)),
    }
}
