//! The parts of a drill that are tables and facts: story, course, faults, alarms, provenance.

use super::table::{Cell, Table, shown};
use crate::{
    model::{
        event::{Alarm, Event, What},
        plan::ServiceKind,
        record::{AlarmRecord, FaultRecord, Record, Way},
        scenario::FaultSpec,
        words,
    },
    report::{Options, contract::moment, figures},
};

/// What was to be played, and what counts as success.
pub(super) fn story(record: &Record, options: &Options) -> Vec<(&'static str, String)> {
    let (scenario, plan) = (&record.scenario, &record.plan);
    let level = plan.levels.get(&scenario.level.to_string()).map_or(String::new(), |level| format!(", {}", level.name));
    let fault = |f: &FaultSpec| match &f.regions[..] {
        [] if plan.are_all(ServiceKind::WebApplication, scenario.service.names()) => f.name(),
        [] => format!("{} {}", f.name(), options.say("in every region")),
        regions => format!("{}: {}", f.name(), regions.join(", ")),
    };
    let faults: Vec<String> = scenario.faults.iter().map(fault).collect();
    let expect = &scenario.expect;
    let mut success = vec![expect.outcome.words().to_owned()];
    success.extend(expect.recovery_point.as_ref().map(|point| match &point.region {
        Some(region) => format!("from the backup of day {} in {region}", point.day),
        None => format!("from the backup of day {}", point.day),
    }));
    success.extend(expect.rto.map(|verdict| format!("RTO {}", verdict.words())));
    success.extend(expect.rpo.map(|verdict| format!("RPO {}", verdict.words())));
    success.extend(expect.alarms.iter().map(|alarm| format!("alarm “{}”", alarm.words())));
    let success: Vec<_> = success.iter().map(|one| options.say(one)).collect();
    let days = options.say(&words::count(scenario.history.days.into(), "day")).into_owned();
    let none = || options.say("none").into_owned();
    vec![
        ("Level", format!("{}{level}", scenario.level)),
        ("History", days),
        ("Faults", if faults.is_empty() { none() } else { faults.join("; ") }),
        ("Expected", success.join("; ")),
        ("Ended", options.say(super::drill::ended(record)).into_owned()),
        (
            "What shows it",
            if record.result.why.is_empty() { "-".into() } else { options.say(&record.result.why).into_owned() },
        ),
    ]
}

/// What went wrong or was cut off on the way, in order.
pub(super) fn course(record: &Record, options: &Options) -> Option<Table> {
    let row = |event: &Event| {
        let (said, why) = match &event.what {
            What::BackupFailed { day, why } => (format!("the backup of day {day} failed"), Some(why.as_str())),
            What::BackupSkipped { day, why } => (format!("the backup of day {day} did not start"), Some(why.as_str())),
            What::StreamBroken { why, .. } => ("the change stream is broken".to_owned(), Some(why.as_str())),
            What::RestoreKilled { why } => ("the restore was killed".to_owned(), Some(why.as_str())),
            What::TimeLimit { limit_ms } => {
                (format!("the time limit of {} ended the restore", words::duration(*limit_ms)), None)
            }
            What::Undrillable { why } => {
                ("the storage does not do what this drill needs".to_owned(), Some(why.as_str()))
            }
            What::Interrupted => ("somebody stopped the drill".to_owned(), None),
            What::Aborted { why } => ("the drill could not go on".to_owned(), Some(why.as_str())),
            _ => return None,
        };
        let service = event.service.as_ref().map_or_else(Cell::none, Cell::from);
        let when = when(event.at, event.since_t0, record, options);
        Some(vec![when.into(), service, Cell::said(Some(&said), options), Cell::quoted(why)])
    };
    let rows = record.events.iter().filter_map(row).collect();
    let heads = ["When", "Service", "What", "Why"];
    Table::new(options.say("What went wrong on the way").into_owned(), &heads, rows, options)
}

pub(super) fn when(
    at: Option<jiff::Timestamp>,
    since: Option<crate::model::time::Elapsed>,
    record: &Record,
    options: &Options,
) -> String {
    match (at, since) {
        (Some(at), _) => moment(at, &record.plan.time_zone),
        (None, Some(since)) => format!("t0 + {}", shown(Some(since), options)),
        (None, None) => "-".to_owned(),
    }
}

pub(super) fn faults(record: &Record, options: &Options) -> Option<Table> {
    let row = |fault: &FaultRecord| {
        let bit = fault.proof.as_ref().map(|proof| proof.bit);
        let proof = fault.proof.as_ref().map(|proof| proof.evidence.as_str());
        let seen = fault.seen.as_ref().map(figures::seen);
        vec![
            Cell::from(fault.name()),
            Cell::quoted(fault.impossible.as_deref().or(fault.detail.as_deref())),
            bit.map_or_else(|| Cell::bad(options.say("no proof")), |bit| Cell::yes(bit, options)),
            Cell::quoted(proof),
            Cell::said(seen.as_deref(), options),
            Cell::yes(fault.healed, options),
        ]
    };
    let heads = ["Fault", "What it changed", "Bit", "Proof", "Seen by monitoring", "Healed"];
    let rows = record.faults.iter().map(row).collect();
    Table::new(options.say("Faults").into_owned(), &heads, rows, options)
}

/// Alarms of one sort about one region are one row: a monitor repeats itself at each look.
pub(super) fn alarms(record: &Record, options: &Options) -> Option<Table> {
    let mut sorts: Vec<(&AlarmRecord, u64)> = Vec::new();
    for raised in &record.alarms {
        let key = |raised: &AlarmRecord| {
            let Alarm { kind, region, justified, heard, .. } = &raised.alarm;
            (*kind, region.clone(), *justified, *heard)
        };
        match sorts.iter_mut().find(|(first, _)| key(first) == key(raised)) {
            Some((_, times)) => *times += 1,
            None => sorts.push((raised, 1)),
        }
    }
    let row = |(first, times): (&AlarmRecord, u64)| {
        let alarm = &first.alarm;
        let reason = match (alarm.justified, alarm.heard) {
            (true, true) => Cell::said(Some("justified"), options),
            (true, false) => Cell::bad(options.say("justified, HEARD BY NOBODY")),
            (false, true) => Cell::bad(options.say("FALSE ALARM")),
            (false, false) => Cell::bad(options.say("FALSE ALARM, heard by nobody")),
        };
        vec![
            Cell::said(Some(alarm.kind.words()), options),
            alarm.region.as_ref().map_or_else(Cell::none, Cell::from),
            reason,
            Cell::said(Some(&words::count(times, "time")), options),
            when(first.at, first.since_t0, record, options).into(),
            Cell::from(&alarm.detail),
        ]
    };
    let heads = ["Alarm", "Region", "Reason", "Raised", "First", "Detail of the first"];
    let rows = sorts.into_iter().map(row).collect();
    Table::new(options.say("Alarms").into_owned(), &heads, rows, options)
}

/// Scope, clean-up, and by which bytes all of it can be made again.
pub(super) fn provenance(record: &Record, options: &Options) -> Vec<(&'static str, String)> {
    let (identity, cleanup, scope) = (&record.identity, &record.cleanup, &record.scope);
    let say = |text: &str| options.say(text).into_owned();
    let yes = |held: bool| say(if held { "yes" } else { "NO" });
    let run_at = match (identity.way, identity.run_at) {
        (_, Some(at)) => moment(at, &record.plan.time_zone),
        (Way::Simulated, None) => say("in virtual time"),
        (Way::Real, None) => "[measured]".into(),
    };
    let storage = identity.storage.as_ref().map_or(String::new(), |storage| format!("; {storage}"));
    let data = match (scope.rows, scope.bytes) {
        (Some(rows), Some(bytes)) => format!("{}, {}", say(&words::count(rows, "row")), words::bytes(bytes.0)),
        _ => "-".into(),
    };
    let removed = if cleanup.kept { say("all but what was to be kept") } else { yes(cleanup.removed) };
    vec![
        ("Services", scope.services.join(", ")),
        ("Data at the start", data),
        ("Left out of the plan", if scope.exclusions.is_empty() { "-".into() } else { scope.exclusions.join(", ") }),
        ("Faults healed", yes(cleanup.healed)),
        ("Steady state after", cleanup.steady_after.map_or_else(|| say("not checked"), yes)),
        ("Removed", format!("{removed}; {}", cleanup.detail)),
        ("Run", format!("{run_at}; {}{storage}", say(identity.way.words()))),
        ("Seed", identity.seed.to_string()),
        ("Version", format!("backdraft {}, {}", identity.tool_version, record.format)),
        ("Events", record.events.len().to_string()),
        ("SHA-256 of the plan", identity.plan_sha256.clone()),
        ("SHA-256 of the scenario", identity.scenario_sha256.clone()),
    ]
}
