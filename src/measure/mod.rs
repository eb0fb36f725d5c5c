//! From events to a record and its verdicts: pure functions, one file a concern. The same events give the same record.
//!
//! The rule behind all of it: nothing is green that was not shown. A time that was not measured is `None`, an objective
//! that was not judged is inconclusive, and a recovery that was not compared with the ledger is none.

mod differences;
pub mod exit_code;
mod exposure;
mod faults;
mod findings;
mod limits;
mod monitoring;
mod objectives;
mod outcome;
mod redact;
mod result;
mod rpo;
mod rto;
mod story;
#[cfg(test)]
mod testing;
mod timeline;

pub use differences::differences;
pub use exit_code::exit_code;

use crate::model::{
    event::{Event, What},
    plan::Plan,
    record::{AlarmRecord, Identity, ListedRegion, RECORD_FORMAT, Record, RestoreBlock, Scope},
    scenario::Scenario,
    units::ByteSize,
};
use story::{End, Story};

/// All that a record is made from.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// Which drill it was.
    pub identity: Identity,
    /// The plan as read.
    pub plan: Plan,
    /// The scenario as read.
    pub scenario: Scenario,
    /// Every event, in order.
    pub events: Vec<Event>,
}

/// Makes the record of a drill. Never fails: whatever the events do not show is `None`, and keeps the drill from
/// passing.
pub fn record(inputs: Inputs) -> Record {
    let Inputs { identity, plan, scenario, events } = inputs;
    let story = Story::of(&events);
    let timeline = timeline::timeline(&story);
    let exposure = exposure::exposure(&story, &plan, &scenario);
    let objectives = objectives::judge(&story, &timeline, &exposure, &plan, &scenario);
    let ending = outcome::ending(&story, &objectives);
    let faults = faults::faults(&events, &scenario);
    let cleanup = faults::cleanup(&events, &faults);
    let restore = restore(&story);
    let result = result::result(&result::Case {
        story: &story,
        ending: &ending,
        objectives: &objectives,
        faults: &faults,
        cleanup: &cleanup,
        restore: &restore,
        plan: &plan,
        scenario: &scenario,
    });
    let mut record = Record {
        format: RECORD_FORMAT.to_owned(),
        result,
        scope: scope(&events, &plan, &scenario),
        objectives,
        exposure,
        timeline,
        phases: timeline::phases(&events),
        backups: story.backups().map(|(_, made)| made.clone()).collect(),
        restore,
        comparison: story.comparison.cloned(),
        checks: events
            .iter()
            .filter_map(|e| if let What::Checked(c) = &e.what { Some(c.clone()) } else { None })
            .collect(),
        faults,
        alarms: events.iter().filter_map(alarm).collect(),
        findings: Vec::new(),
        limits: Vec::new(),
        cleanup,
        identity,
        plan,
        scenario,
        events: Vec::new(),
    };
    record.findings = findings::findings(&record, &story);
    record.limits = limits::limits(&record, &story);
    record.events = events;
    record
}

fn scope(events: &[Event], plan: &Plan, scenario: &Scenario) -> Scope {
    let seeded = events.iter().find_map(|e| match e.what {
        What::Seeded { rows, bytes, scale } => Some((rows, ByteSize(bytes), scale)),
        _ => None,
    });
    let others = plan.services.keys().filter(|name| **name != scenario.service);
    let mut exclusions: Vec<String> = others.map(|name| format!("service {name}")).collect();
    let level = scenario.level.to_string();
    exclusions.extend(plan.levels.keys().filter(|key| **key != level).map(|key| format!("level {key}")));
    Scope {
        platform: plan.platform.clone(),
        service: scenario.service.clone(),
        level: scenario.level,
        rows: seeded.map(|(rows, ..)| rows),
        bytes: seeded.map(|(_, bytes, _)| bytes),
        scale: seeded.map_or(1, |(.., scale)| scale),
        exclusions,
    }
}

fn restore(story: &Story<'_>) -> RestoreBlock {
    let mut block =
        RestoreBlock { listed: Vec::new(), refused: Vec::new(), chosen: None, chosen_day: None, refusal: None };
    for event in story.events {
        match &event.what {
            What::Listed { region, points, why } => {
                block.listed.push(ListedRegion { region: region.clone(), points: *points, why: why.clone() });
            }
            What::PointRefused(tried) => block.refused.push(tried.clone()),
            _ => {}
        }
    }
    match story.end {
        Some(End::Restored(claim)) => {
            block.chosen = Some(claim.clone());
            block.chosen_day = story.day_of(claim);
        }
        Some(End::Refused(why)) => block.refusal = Some(why.to_owned()),
        Some(End::TimeLimit(_)) => block.refusal = story.end.map(|end| end.words()),
        None => {}
    }
    block
}

fn alarm(event: &Event) -> Option<AlarmRecord> {
    let What::Alarm(alarm) = &event.what else { return None };
    Some(AlarmRecord { at: event.at, since_t0: event.since_t0, alarm: alarm.clone() })
}
