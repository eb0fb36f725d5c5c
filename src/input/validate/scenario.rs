//! What a scenario must be to be played against its plan with the faults at hand.

use jiff::civil;

use super::{
    FaultInfo, Findings, commands,
    faults::{catalogued, lasts, moment},
    files,
};
use crate::{
    error::Error,
    input::{load::Loaded, nearest},
    model::{
        event::AlarmKind,
        outcome::{Outcome, Verdict},
        plan::{Cadence, Plan, ServiceKind, ServicePlan},
        scenario::{Expectation, ExpectedPoint, Scenario},
        units::{ByteSize, DayTime, Span, TimeOfDay},
    },
};

/// The last day on which a disaster may strike, and the longest history.
const MAX_DAYS: u32 = 60;
/// Smallest data set that the generator makes.
const MIN_SIZE: ByteSize = ByteSize(64 << 10);
/// Largest data set that the generator makes.
const MAX_SIZE: ByteSize = ByteSize(10 << 30);
/// Most writes in a whole history; the ledger holds every one in memory.
const MAX_WRITES: u64 = 10_000_000;

/// Everything that is wrong with a scenario; empty where nothing is.
pub fn scenario(loaded: &Loaded<Scenario>, plan: &Plan, faults: &[FaultInfo]) -> Vec<Error> {
    let mut found = Findings::of(loaded);
    let scenario = &loaded.value;
    found.text("title", &scenario.title);
    found.text("proves", &scenario.proves);
    found.text("disaster.cause", &scenario.disaster.cause);
    level(&mut found, scenario, plan);
    for (path, span) in [("people.detect", scenario.people.detect), ("people.declare", scenario.people.declare)] {
        found.span(path, span.unwrap_or_default());
    }
    let drilled = services(&mut found, scenario, plan);
    history(&mut found, scenario, &drilled);
    if let Some(monitor) = &scenario.history.monitor {
        found.monitor("history.monitor", monitor);
    }
    // Of several services the one with the most backups fixes the days.
    let stories = drilled.iter().map(|service| Story::new(scenario, service));
    let story = stories.max_by_key(|story| story.backups.len());
    if let Some(story) = &story {
        disaster(&mut found, story);
        files::target_time(&mut found, story, &drilled);
    }
    commands::scenario(&mut found, scenario, plan);
    for (i, fault) in scenario.faults.iter().enumerate() {
        let known = catalogued(&mut found, &format!("faults[{i}]"), fault, scenario, plan, faults);
        if let Some(story) = &story {
            moment(&mut found, &format!("faults[{i}].when"), fault, known, story);
        }
        lasts(&mut found, &format!("faults[{i}]"), fault, scenario, plan);
    }
    expectation(&mut found, scenario, story.as_ref(), plan);
    found.done()
}

/// The moments of a scenario, as far as its plan fixes them.
pub(super) struct Story<'s> {
    pub(super) scenario: &'s Scenario,
    backup_at: TimeOfDay,
    /// Days on which a backup is made before the disaster.
    pub(super) backups: Vec<u32>,
    /// Whether backups are made by the day at all.
    scheduled: bool,
}

impl<'s> Story<'s> {
    fn new(scenario: &'s Scenario, service: &ServicePlan) -> Self {
        let backup_at = service.backup.at.unwrap_or(TimeOfDay { minutes: 0 });
        let step = (service.backup.every.interval().millis() / 86_400_000).max(1) as usize;
        let days = (1..=scenario.history.days.min(MAX_DAYS)).step_by(step);
        let scheduled = service.backup.every != Cadence::Realtime && service.kind != ServiceKind::WebApplication;
        let in_time = |day: &u32| DayTime { day: *day, time: backup_at }.millis() < scenario.disaster.at.millis();
        Story { scenario, backup_at, backups: days.filter(|day| scheduled && in_time(day)).collect(), scheduled }
    }

    pub(super) fn backup(&self, day: u32) -> DayTime {
        DayTime { day, time: self.backup_at }
    }

    pub(super) fn days(&self) -> String {
        match self.backups.as_slice() {
            [] if !self.scheduled => "nothing of this service is backed up by the day".to_owned(),
            [] => "no backup is made before the disaster".to_owned(),
            [only] => format!("the only backup is that of day {only}"),
            [first, .., last] if last - first + 1 == self.backups.len() as u32 => {
                format!("backups are made on days {first} to {last}")
            }
            days => {
                let days: Vec<String> = days.iter().map(u32::to_string).collect();
                format!("backups are made on days {}", days.join(", "))
            }
        }
    }
}

/// The plan's entries of the services drilled; those that cannot be are reported.
fn services<'p>(found: &mut Findings<'_, Scenario>, scenario: &Scenario, plan: &'p Plan) -> Vec<&'p ServicePlan> {
    let names = scenario.service.names();
    let what = "a scenario without a service drills nothing";
    found.unless(!names.is_empty(), "service", what, "name a service of the plan, or a list of several");
    let mut drilled = Vec::new();
    for (i, name) in names.iter().enumerate() {
        let path = if scenario.service.is_single() { "service".to_owned() } else { format!("service[{i}]") };
        match plan.services.get(name) {
            _ if names[..i].contains(name) => {
                found.add(&path, format!("service `{name}` is named twice"), "name it once")
            }
            Some(service) => drilled.push(service),
            None => {
                let known: Vec<&str> = plan.services.keys().map(String::as_str).collect();
                found.add(&path, format!("the plan has no service `{name}`"), nearest::suggest(name, &known));
            }
        }
    }
    drilled
}

fn level(found: &mut Findings<'_, Scenario>, scenario: &Scenario, plan: &Plan) {
    let known = listed(plan.levels.keys().map(String::as_str));
    let holds = plan.levels.contains_key(&scenario.level.to_string());
    found.unless(
        holds,
        "level",
        format!("the plan has no level {}", scenario.level),
        format!("its levels are {known}"),
    );
}

fn history(found: &mut Findings<'_, Scenario>, scenario: &Scenario, drilled: &[&ServicePlan]) {
    let history = &scenario.history;
    let what = format!("a history of {} days cannot be played", history.days);
    let help = format!("write a number of days from 1 to {MAX_DAYS}");
    found.unless((1..=MAX_DAYS).contains(&history.days), "history.days", what, help);
    let writes = u64::from(history.writes_per_day) * u64::from(history.days);
    let what = "without writes nothing can be lost, and nothing is shown";
    let by_people = |service: &&&ServicePlan| matches!(service.kind, ServiceKind::Config | ServiceKind::WebApplication);
    let applications = drilled.iter().any(|service| !by_people(&service)) || drilled.is_empty();
    // Nothing in it, and nothing written: whether an empty database comes back as one is worth a drill.
    let is_empty = history.size.0 == 0 && drilled.iter().all(|service| service.kind == ServiceKind::Database);
    let holds = history.writes_per_day > 0 || !applications || is_empty;
    found.unless(holds, "history.writes_per_day", what, "write 1 or more: 200");
    let holds = history.changes_per_day > 0 || !drilled.iter().any(|service| by_people(&service));
    found.unless(
        holds,
        "history.changes_per_day",
        "without changes nothing can be lost, and nothing is shown",
        "write 1 or more: 2",
    );
    found.lock("history.lock", history.lock);
    files::history(found, history, drilled);
    let streams = history.stream.is_none_or(|every| (Span::minutes(1)..=Span::hours(24)).contains(&every));
    let help = "write a time from 1 min to 24 h: 5 min";
    found.unless(
        streams,
        "history.stream",
        "a change stream is copied every minute at the most, every day at the least",
        help,
    );
    let has_database = drilled.iter().any(|service| service.kind == ServiceKind::Database) || drilled.is_empty();
    let what = "only a database has a change stream, and none is drilled here";
    found.unless(history.stream.is_none() || has_database, "history.stream", what, "remove the line");
    let what = format!("the history has {writes} writes; the ledger holds {MAX_WRITES}");
    let days = history.days.clamp(1, MAX_DAYS);
    let help = format!("write at most {} a day for {days} days, or fewer days", MAX_WRITES / u64::from(days));
    found.unless(writes <= MAX_WRITES, "history.writes_per_day", what, help);
    let what = format!("a data set of {} cannot be made", history.size);
    let help = format!("write a size from {MIN_SIZE} to {MAX_SIZE}");
    found.unless((MIN_SIZE..=MAX_SIZE).contains(&history.size) || is_empty, "history.size", what, help);
    let what = "rows refer to rows that an empty database does not have";
    let holds = !is_empty || history.writes_per_day == 0;
    found.unless(holds, "history.writes_per_day", what, "write 0, or give `history.size` at least 64 KiB");
    let years = civil::date(1980, 1, 1)..civil::date(2100, 1, 1);
    let what = format!("no history begins on {}", history.from);
    found.unless(years.contains(&history.from), "history.from", what, "write a date from 1980 to 2099: 2026-11-01");
}

fn disaster(found: &mut Findings<'_, Scenario>, story: &Story<'_>) {
    let (at, days) = (story.scenario.disaster.at, story.scenario.history.days);
    let first = story.backup(1);
    if story.scheduled && at.millis() <= first.millis() {
        let help = format!("the first backup is made at {first}; let the disaster strike after it");
        found.add("disaster.at", format!("the disaster at {at} comes before the first backup"), help);
    } else if at.day < days {
        let help = format!("write a moment on day {days} or later, or shorten `history.days` to {}", at.day);
        found.add(
            "disaster.at",
            format!("the disaster at {at} ends a history of {days} days before its last day"),
            help,
        );
    } else if at.day > MAX_DAYS {
        let what = format!("the disaster at {at} lies too far in the future");
        found.add("disaster.at", what, format!("write a moment up to day {MAX_DAYS}"));
    }
}

fn expectation(found: &mut Findings<'_, Scenario>, scenario: &Scenario, story: Option<&Story<'_>>, plan: &Plan) {
    let (expect, single) = (&scenario.expect, scenario.service.is_single());
    if let Some(point) = &expect.recovery_point {
        let help = "say it of each service under `expect.services`";
        found.unless(single, "expect.recovery_point", "several services have no recovery point in common", help);
        recovery_point(found, "expect.recovery_point", point, story.filter(|_| single), plan);
    }
    contradictions(found, expect);
    if single && !expect.services.is_empty() {
        let what = "one service is drilled, and what comes of it is said twice";
        found.add("expect.services", what, "say it under `expect` itself");
    }
    for (name, of) in &expect.services {
        let path = format!("expect.services.{name}");
        if !scenario.service.has(name) {
            let known: Vec<&str> = scenario.service.names().iter().map(String::as_str).collect();
            found.add(&path, format!("this scenario does not drill `{name}`"), nearest::suggest(name, &known));
        }
        if let Some(point) = &of.recovery_point {
            let story = plan.services.get(name).map(|service| Story::new(scenario, service));
            recovery_point(found, &format!("{path}.recovery_point"), point, story.as_ref(), plan);
        }
        if of.outcome == Some(Outcome::SilentlyWrong) {
            let help = "expect what a sound pipeline should do";
            found.add(&format!("{path}.outcome"), "`silently-wrong` always fails", help);
        }
    }
}

fn recovery_point(
    found: &mut Findings<'_, Scenario>,
    path: &str,
    point: &ExpectedPoint,
    story: Option<&Story<'_>>,
    plan: &Plan,
) {
    if let Some(story) = story.filter(|story| !story.backups.contains(&point.day)) {
        found.add(&format!("{path}.day"), format!("no recovery point is made on day {}", point.day), story.days());
    }
    let known = plan.region_names();
    if let Some(region) = point.region.as_deref().filter(|region| !known.contains(region)) {
        let what = format!("the plan has no region `{region}`");
        found.add(&format!("{path}.region"), what, nearest::suggest(region, &known));
    }
}

fn contradictions(found: &mut Findings<'_, Scenario>, expect: &Expectation) {
    let outcome = expect.outcome.words();
    let mut verdict = |path: &str, given: Option<Verdict>, impossible: Verdict| {
        if given == Some(impossible) {
            let name = if path == "expect.rto" { "RTO" } else { "RPO" };
            let what = format!("a drill that ends `{outcome}` cannot have its {name} {}", impossible.words());
            found.add(path, what, "change `expect.outcome`, or this verdict");
        }
    };
    match expect.outcome {
        Outcome::Recovered => {
            verdict("expect.rto", expect.rto, Verdict::Missed);
            verdict("expect.rpo", expect.rpo, Verdict::Missed);
        }
        Outcome::RecoveredLate => {
            verdict("expect.rto", expect.rto, Verdict::Met);
            verdict("expect.rpo", expect.rpo, Verdict::Missed);
        }
        Outcome::RecoveredBehind => verdict("expect.rpo", expect.rpo, Verdict::Met),
        Outcome::RefusedLoudly | Outcome::Hung => {
            verdict("expect.rto", expect.rto, Verdict::Met);
            verdict("expect.rpo", expect.rpo, Verdict::Met);
        }
        Outcome::SilentlyWrong => {
            found.add("expect.outcome", "`silently-wrong` always fails", "expect what a sound pipeline should do");
        }
    }
    let restores = matches!(expect.outcome, Outcome::Recovered | Outcome::RecoveredLate | Outcome::RecoveredBehind);
    if !restores && expect.recovery_point.is_some() {
        let what = format!("a drill that ends `{outcome}` restores no recovery point");
        found.add("expect.recovery_point", what, "remove `recovery_point`, or change `expect.outcome`");
    }
    if !restores && expect.loses_at_most.is_some() {
        let what = format!("a drill that ends `{outcome}` loses everything");
        found.add("expect.loses_at_most", what, "remove `loses_at_most`, or change `expect.outcome`");
    }
    if let Some(i) = expect.alarms.iter().position(|alarm| restores && *alarm == AlarmKind::NothingRestorable) {
        let what = format!("a drill that ends `{outcome}` has found something to restore");
        found.add(&format!("expect.alarms[{i}]"), what, "remove this alarm, or change `expect.outcome`");
    }
}

pub(super) fn listed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
