//! What monitoring saw before the disaster, and what it slept through.

use jiff::Timestamp;

use super::story::Story;
use crate::model::{
    event::{Alarm, AlarmKind, What},
    plan::{Plan, ServiceKind},
    record::{FaultRecord, Seen},
    scenario::{FaultSpec, Moment, Scenario},
    time::Elapsed,
    units::Span,
};

/// Alarms with reason that a monitor raised, and somebody heard, before the disaster, at or after the event with that
/// index, which speak of one of these regions or of none.
pub(super) fn saw<'a>(story: &Story<'a>, from: usize, regions: &[&str]) -> Vec<&'a Alarm> {
    spoken(story, from, regions).map(|(_, alarm)| alarm).collect()
}

fn spoken<'s, 'a>(
    story: &'s Story<'a>,
    from: usize,
    regions: &'s [&str],
) -> impl Iterator<Item = (usize, &'a Alarm)> + use<'s, 'a> {
    let until = story.disaster.unwrap_or(story.events.len());
    story.alarms().filter(move |(index, alarm)| {
        // That a replica differs from the primary speaks of both.
        let here = alarm.kind == AlarmKind::ReplicaBehind
            || alarm.region.as_deref().is_none_or(|region| regions.contains(&region));
        // What the restore says when it gives up is no monitoring.
        (from..until).contains(index)
            && alarm.justified
            && alarm.heard
            && here
            && alarm.kind != AlarmKind::NothingRestorable
    })
}

/// The plan's monitor watches backups: of what they are to be restored to, of the restore, and of its own alarms going
/// astray it can know nothing.
fn is_watched(fault: &str) -> bool {
    const OTHERS: [&str; 5] =
        ["import-fails", "restore-killed", "restore-hangs", "alert-lost", "operator-credentials-lost"];
    !fault.starts_with("target-") && !OTHERS.contains(&fault)
}

/// What monitoring knew of each fault before the disaster.
pub(super) fn judge(faults: &mut [FaultRecord], story: &Story<'_>, plan: &Plan, scenario: &Scenario) {
    for (number, (fault, spec)) in faults.iter_mut().zip(&scenario.faults).enumerate() {
        // The plan's monitor watches backups, and releases are none.
        let services = spec.service.as_ref().map_or(scenario.service.names(), std::slice::from_ref);
        if plan.are_all(ServiceKind::WebApplication, services) {
            continue;
        }
        // What comes with the disaster itself leaves nobody time to look.
        if is_watched(&spec.fault)
            && spec.when != Moment::AtDisaster
            && fault.proof.as_ref().is_some_and(|proof| proof.bit)
        {
            fault.seen = seen(story, number, spec, plan, scenario);
        }
    }
}

/// Alarms before the disaster that may speak of a fault, with their places among the story's events and the fault's.
pub(super) fn about<'a>(story: &Story<'a>, number: usize, spec: &FaultSpec, plan: &Plan) -> Vec<(usize, &'a Alarm)> {
    let Some(injected) = injected_before_disaster(story, number) else { return Vec::new() };
    let regions = struck(spec, plan);
    let is_of_it = |index: usize| {
        let told_of = story.events[index].service.as_deref();
        spec.service.as_deref().is_none_or(|struck| told_of.is_none_or(|service| service == struck))
    };
    spoken(story, injected, &regions).filter(|(index, _)| is_of_it(*index)).collect()
}

fn seen(story: &Story<'_>, number: usize, spec: &FaultSpec, plan: &Plan, scenario: &Scenario) -> Option<Seen> {
    let at = story.events[injected_before_disaster(story, number)?].at?;
    Some(match about(story, number, spec, plan).first().copied() {
        Some((index, alarm)) => {
            let after = story.events[index].at?.duration_since(at).as_millis();
            let after = Elapsed::scenario(u64::try_from(after).unwrap_or(0));
            Seen::ByAlarm { kind: alarm.kind, region: alarm.region.clone(), after }
        }
        None => match looks(at, story.t0?, scenario.monitor(plan).check_every) {
            0 => Seen::DidNotLook,
            looks => Seen::SleptThrough { looks },
        },
    })
}

/// The regions that a fault strikes.
pub(super) fn struck<'s>(spec: &'s FaultSpec, plan: &'s Plan) -> Vec<&'s str> {
    match spec.regions.is_empty() {
        true => plan.region_names(),
        false => spec.regions.iter().map(String::as_str).collect(),
    }
}

/// Where in the events a fault was injected, if that was before the disaster, so that monitoring could have seen it.
fn injected_before_disaster(story: &Story<'_>, fault: usize) -> Option<usize> {
    let injected = |what: &What| matches!(what, What::FaultInjected { fault: f, .. } if *f == fault);
    let index = story.events.iter().position(|e| injected(&e.what))?;
    (index < story.disaster?).then_some(index)
}

/// How often a monitor looked from one moment to another; looks are counted from midnight UTC.
fn looks(from: Timestamp, until: Timestamp, every: Span) -> u64 {
    let Ok(every) = i64::try_from(every.millis()) else { return 0 };
    if every == 0 {
        return 0;
    }
    let (first, last) = (from.as_millisecond().div_euclid(every), until.as_millisecond().div_euclid(every));
    u64::try_from(last - first).unwrap_or(0)
}
