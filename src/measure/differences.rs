//! What differs between two records of one drill. What was measured by a wall clock always does, and does not count.

use serde_json::Value;

use crate::model::{
    event::What,
    outcome::Outcome,
    record::{Record, ServiceRecord, Way},
};

/// Every respect in which the drill went another way, in words. Two records of a simulated drill must be the same to
/// the byte.
pub fn differences(before: &Record, now: &Record) -> Vec<String> {
    let mut found = Vec::new();
    let mut compare = |what: &str, before: String, now: String| {
        if before != now {
            found.push(format!("{what}: was {before}, is {now}"));
        }
    };
    compare("result", before.result.result.words().into(), now.result.result.words().into());
    compare("outcome", outcome(before), outcome(now));
    let none = ServiceRecord::none();
    for number in 0..before.services.len().max(now.services.len()) {
        let (was, is) = (before.services.get(number).unwrap_or(&none), now.services.get(number).unwrap_or(&none));
        let of = if before.services.len() > 1 { format!("{}: ", was.service) } else { String::new() };
        compare(&format!("{of}recovery point"), words(&was.restore.chosen), words(&is.restore.chosen));
        compare(&format!("{of}points refused"), refused(was), refused(is));
        compare(&format!("{of}loss"), loss(was), loss(is));
        compare(&format!("{of}order of phases"), phases(was), phases(is));
    }
    compare("alarms", alarms(before), alarms(now));
    compare("faults that bit", bites(before), bites(now));
    let (before, now) = (&but_for_keeping(before), &but_for_keeping(now));
    if found.is_empty() && now.identity.way == Way::Simulated && before != now {
        let at = detail(before, now).unwrap_or_default();
        found.push(format!("the records differ in detail, and simulated ones must not{at}"));
    }
    found
}

/// Whether the scratch folder was kept is no part of how a drill went.
fn but_for_keeping(record: &Record) -> Record {
    let mut record = record.clone();
    let cleanup = &mut record.cleanup;
    if cleanup.removed {
        (cleanup.kept, cleanup.detail) = (false, String::new());
    }
    for event in &mut record.events {
        if let What::CleanedUp { complete: true, kept, detail } = &mut event.what {
            (*kept, *detail) = (false, String::new());
        }
    }
    record
}

fn words(value: &impl std::fmt::Debug) -> String {
    format!("{value:?}")
}

/// The first value that differs, as ` (limits[0]: was …, is …)`.
fn detail(before: &Record, now: &Record) -> Option<String> {
    let (before, now) = (serde_json::to_value(before).ok()?, serde_json::to_value(now).ok()?);
    let (path, was, is) = first(String::new(), Some(&before), Some(&now))?;
    let shown = |value: Option<&Value>| value.map_or("missing".into(), Value::to_string);
    Some(format!(" ({}: was {}, is {})", path.trim_start_matches('.'), shown(was), shown(is)))
}

type Pair<'v> = (String, Option<&'v Value>, Option<&'v Value>);

fn first<'v>(path: String, was: Option<&'v Value>, is: Option<&'v Value>) -> Option<Pair<'v>> {
    match (was, is) {
        _ if was == is => None,
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let added = b.keys().filter(|key| !a.contains_key(*key));
            a.keys().chain(added).find_map(|key| first(format!("{path}.{key}"), a.get(key), b.get(key)))
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            (0..a.len().max(b.len())).find_map(|n| first(format!("{path}[{n}]"), a.get(n), b.get(n)))
        }
        _ => Some((path, was, is)),
    }
}

fn outcome(record: &Record) -> String {
    record.result.outcome.map_or("none", Outcome::words).into()
}

/// Writes, not rows: a simulated drill models a large data set with few rows.
fn loss(record: &ServiceRecord) -> String {
    let Some(c) = &record.comparison else { return "not compared".into() };
    let (claimed, prefix, last) = (if c.as_claimed { "as claimed" } else { "NOT as claimed" }, c.prefix, c.last);
    let counts = (c.writes_lost, c.holes, c.writes_ahead, c.altered, c.extra, c.resurrected);
    format!("{claimed}, {prefix:?} of {last:?}, lost/holes/ahead/altered/extra/resurrected {counts:?}")
}

fn refused(record: &ServiceRecord) -> String {
    let points = record.restore.refused.iter().map(|t| format!("{} in {} at {}", t.point, t.region, t.phase.words()));
    points.collect::<Vec<_>>().join(", ")
}

fn phases(record: &ServiceRecord) -> String {
    let phases = record.phases.iter().map(|p| format!("{}{}", p.phase.words(), if p.ok { "" } else { " failed" }));
    phases.collect::<Vec<_>>().join(", ")
}

fn alarms(record: &Record) -> String {
    let alarms = record.alarms.iter().map(|a| {
        let region = a.alarm.region.as_deref().unwrap_or("all");
        format!("{} in {region}{}", a.alarm.kind.words(), if a.alarm.justified { "" } else { " (false)" })
    });
    alarms.collect::<Vec<_>>().join(", ")
}

fn bites(record: &Record) -> String {
    record.faults.iter().map(|f| words(&f.proof.as_ref().map(|proof| proof.bit))).collect::<Vec<_>>().join(", ")
}
