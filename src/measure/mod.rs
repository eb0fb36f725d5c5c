//! From events to a record and its verdicts: pure functions, one file a concern. The same events give the same record.
//!
//! The rule behind all of it: nothing is green that was not shown. A time that was not measured is `None`, an objective
//! that was not judged is inconclusive, and a recovery that was not compared with the ledger is none.

pub mod compliance;
mod differences;
pub mod exit_code;
mod exposure;
mod faults;
mod findings;
mod limits;
pub mod matrix;
mod monitoring;
mod objectives;
mod outcome;
mod proof;
mod redact;
pub mod regression;
mod releases;
mod result;
mod rpo;
mod rto;
mod story;
#[cfg(test)]
pub(crate) mod testing;
mod timeline;
mod told;
pub mod trend;
mod unheard;

pub use differences::differences;
pub use exit_code::{exit_code, gravest, gravest_play};
pub use proof::{proofs, silent_losses};

use crate::model::{
    event::{Event, What},
    plan::Plan,
    record::{AlarmRecord, Identity, Judged, ListedRegion, RECORD_FORMAT, Record, RestoreBlock, Scope, ServiceRecord},
    scenario::Scenario,
    units::ByteSize,
};
use outcome::Ending;
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

/// One service in a drill.
#[derive(Debug)]
struct Part<'a> {
    /// What the events tell of it.
    story: Story<'a>,
    /// How it ended.
    ending: Ending,
    /// Its own objectives.
    objectives: Vec<Judged>,
    /// What the record holds of it.
    record: ServiceRecord,
}

/// Makes the record of a drill. Never fails: whatever the events do not show is `None`, and keeps the drill from
/// passing.
pub fn record(inputs: Inputs) -> Record {
    let Inputs { identity, plan, scenario, events } = inputs;
    let story = Story::of(&events, None);
    let order = plan.restore_order(scenario.service.names());
    let parts: Vec<Part<'_>> = order.iter().map(|name| part(&events, name, &plan, &scenario)).collect();
    let mut objectives: Vec<Judged> = parts.iter().flat_map(|part| part.objectives.clone()).collect();
    let of_level = objectives::of_level(&parts, &plan, scenario.level);
    let ending = outcome::together(&parts, &of_level);
    objectives.extend(of_level);
    let mut faults = faults::faults(&events, &scenario);
    monitoring::judge(&mut faults, &story, &plan, &scenario);
    let cleanup = faults::cleanup(&events, &faults);
    let result = result::result(&result::Case {
        story: &story,
        parts: &parts,
        ending: &ending,
        objectives: &objectives,
        faults: &faults,
        cleanup: &cleanup,
        plan: &plan,
        scenario: &scenario,
    });
    let clocks: Vec<_> = parts.iter().map(|part| &part.record.timeline).collect();
    let mut record = Record {
        format: RECORD_FORMAT.to_owned(),
        result,
        scope: scope(&events, &plan, &scenario, &order),
        objectives,
        timeline: timeline::together(&clocks),
        services: parts.iter().map(|part| part.record.clone()).collect(),
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
    record.findings = findings::findings(&record, &parts);
    record.limits = limits::limits(&record, &story);
    record.events = events;
    record
}

fn part<'a>(events: &'a [Event], name: &str, plan: &Plan, scenario: &Scenario) -> Part<'a> {
    let story = Story::of(events, Some(name));
    let timeline = timeline::timeline(&story);
    let exposure = exposure::exposure(&story, plan, scenario, name);
    let objectives = objectives::of_one(&story, &timeline, &exposure, plan, name);
    let ending = outcome::ending(&story, &objectives);
    let checks =
        story.events.iter().filter_map(|e| if let What::Checked(c) = &e.what { Some(c.clone()) } else { None });
    let record = ServiceRecord {
        service: name.to_owned(),
        outcome: ending.outcome,
        exposure,
        timeline,
        phases: timeline::phases(&story.events),
        backups: story.backups().map(|(_, made)| made.clone()).collect(),
        restore: restore(&story),
        comparison: story.comparison.cloned(),
        checks: checks.collect(),
    };
    Part { story, ending, objectives, record }
}

fn scope(events: &[Event], plan: &Plan, scenario: &Scenario, order: &[String]) -> Scope {
    let seeded = events.iter().filter_map(|e| match e.what {
        What::Seeded { rows, bytes, scale } => Some((rows, bytes, scale)),
        _ => None,
    });
    let seeded: Vec<_> = seeded.collect();
    let all = seeded.len() == order.len() && !seeded.is_empty();
    let others = plan.services.keys().filter(|name| !order.contains(name));
    let mut exclusions: Vec<String> = others.map(|name| format!("service {name}")).collect();
    let level = scenario.level.to_string();
    let homeless = plan.data_classes.iter().filter(|(_, class)| class.service.is_none());
    exclusions.extend(homeless.map(|(name, _)| format!("data class {name} (no service holds it)")));
    exclusions.extend(plan.levels.keys().filter(|key| **key != level).map(|key| format!("level {key}")));
    Scope {
        platform: plan.platform.clone(),
        services: order.to_vec(),
        level: scenario.level,
        rows: all.then(|| seeded.iter().map(|(rows, ..)| rows).sum()),
        bytes: all.then(|| ByteSize(seeded.iter().map(|(_, bytes, _)| bytes).sum())),
        scale: seeded.first().map_or(1, |(.., scale)| *scale),
        exclusions,
    }
}

fn restore(story: &Story<'_>) -> RestoreBlock {
    let mut block = RestoreBlock::default();
    for event in &story.events {
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
            block.streamed = story.streamed;
        }
        Some(End::Refused(why)) => block.refusal = Some(why.to_owned()),
        Some(End::TimeLimit(_)) => block.refusal = story.end.map(|end| end.words()),
        None => {}
    }
    block
}

fn alarm(event: &Event) -> Option<AlarmRecord> {
    let What::Alarm(alarm) = &event.what else { return None };
    Some(AlarmRecord { at: event.at, since_t0: event.since_t0, alarm: alarm.clone(), service: event.service.clone() })
}
