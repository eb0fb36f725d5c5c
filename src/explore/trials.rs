//! The trials of a plan: for each fault, each of its modes and each service that it can strike, the smallest scenario in
//! which it bites; and for each service one without a fault.

use crate::{
    fault::{self, Fault, Ground, Trial},
    model::{
        family::Family,
        matrix::TriedFault,
        outcome::Outcome,
        plan::{CommandPlan, Plan, Probe, ServiceKind, ServicePlan},
        scenario::{Disaster, Expectation, History, People, Scenario, Services},
        units::{ByteSize, DayTime, Span, TimeOfDay},
        words,
    },
};

const DAY: u64 = 86_400_000;

/// Data of a trial: enough for the newest dump to pass the size limits that plans have.
const SIZE: ByteSize = ByteSize(6 << 20);

/// Data of a trial of commands, whose backups have no size limit to pass.
const SMALL: ByteSize = ByteSize(512 << 10);

/// From the last backup to the disaster: long enough for the monitor to look, and for an RPO of a day to be kept.
const GAP: Span = Span::hours(12);

/// A drill to be played, and what it tries.
#[derive(Debug, Clone)]
pub struct Tried {
    /// `corrupt-json/truncated/database`; of a control `control/database`.
    pub id: String,
    /// The service.
    pub service: String,
    /// The fault; `None` for a control.
    pub fault: Option<TriedFault>,
    /// The story.
    pub scenario: Scenario,
}

/// Every control and trial of a plan, controls first; `wanted` says which faults and services.
pub fn of_plan(plan: &Plan, wanted: impl Fn(Family, &dyn Fault, &str) -> bool) -> Vec<Tried> {
    let modes = fault::CATALOGUE.iter().flat_map(|(family, faults)| {
        faults.iter().flat_map(move |fault| fault.modes().iter().map(move |mode| (*family, *fault, mode.name)))
    });
    let mut trials: Vec<Tried> = modes
        .flat_map(|(family, fault, mode)| {
            let struck = plan.services.iter().filter(move |(_, one)| strikes(fault, mode, one));
            let wanted = struck.filter(|(name, _)| wanted(family, fault, name));
            wanted.filter_map(|(name, service)| trial(family, fault, mode, (name, service), plan)).collect::<Vec<_>>()
        })
        .collect();
    let drilled = |name: &String| trials.iter().any(|one| one.service == *name);
    let controls = plan.services.iter().filter(|(name, _)| drilled(name));
    let mut all: Vec<Tried> = controls.map(|(name, service)| control(name, service, plan)).collect();
    all.append(&mut trials);
    all
}

/// Whether a mode can strike a service: of what a team's own commands back up, that little is known.
fn strikes(fault: &dyn Fault, mode: &str, service: &ServicePlan) -> bool {
    let on_deployments = |pipeline: &CommandPlan| pipeline.probe == Probe::Convex;
    let met = service.pipeline.as_ref().is_none_or(|pipeline| fault.meets_commands(mode, on_deployments(pipeline)));
    met && fault.mode_is_for(mode, service.kind)
}

/// When the last backup before the disaster is made, in milliseconds since the start of day 1: the fourth where there
/// are several in a week, else the second.
fn last_backup(service: &ServicePlan) -> u64 {
    let first = service.backup.at.map_or(0, |at| u64::from(at.minutes) * 60_000);
    first + interval(service) * intervals(service)
}

fn interval(service: &ServicePlan) -> u64 {
    service.backup.every.interval().millis().max(DAY)
}

/// Intervals between the first backup and the last.
fn intervals(service: &ServicePlan) -> u64 {
    // Commands take their real time.
    if interval(service) < 4 * DAY && service.pipeline.is_none() { 3 } else { 1 }
}

/// The level of that number, or else the gravest that the plan has.
fn level(plan: &Plan, wanted: u8) -> u8 {
    let levels = || plan.levels.keys().filter_map(|level| level.parse().ok());
    if levels().any(|level: u8| level == wanted) { wanted } else { levels().max().unwrap_or(wanted) }
}

fn day_of(millis: u64) -> u32 {
    u32::try_from(millis / DAY + 1).unwrap_or(u32::MAX)
}

fn disaster(service: &ServicePlan) -> DayTime {
    let at = last_backup(service) + GAP.millis();
    DayTime { day: day_of(at), time: TimeOfDay { minutes: (at % DAY / 60_000) as u16 } }
}

/// What happens a day: enough that each backup differs from the one before it.
fn history(kind: ServiceKind) -> History {
    let writes_per_day = match kind {
        ServiceKind::Database => 300,
        ServiceKind::Files => 24,
        ServiceKind::Config | ServiceKind::WebApplication => 0,
    };
    History { writes_per_day, changes_per_day: 4, ..History::of_days(0) }
}

fn control(name: &str, service: &ServicePlan, plan: &Plan) -> Tried {
    let scenario = scenario(plan, (name, service), None, "Nothing is broken".into(), Trial::default());
    Tried { id: format!("control/{name}"), service: name.to_owned(), fault: None, scenario }
}

/// A trial; none where the plan has no service of the kind that must stand beside.
fn trial(
    family: Family,
    fault: &'static dyn Fault,
    mode: &'static str,
    (name, service): (&str, &ServicePlan),
    plan: &Plan,
) -> Option<Tried> {
    let regions: Vec<String> = plan.regions.iter().map(|region| region.name.clone()).collect();
    let (primary, replicas) = regions.split_first()?;
    let ground = Ground {
        primary,
        replicas,
        kind: service.kind,
        last_backup_day: day_of(last_backup(service)),
        points: intervals(service) + 1,
    };
    let trial = fault.trial(mode, &ground);
    let trial = if service.pipeline.is_some() { on_commands(trial)? } else { trial };
    let beside = match trial.beside {
        Some(kind) => Some(plan.services.iter().find(|(_, one)| one.kind == kind)?.0.as_str()),
        None => None,
    };
    let number = trial.faults.iter().rposition(|spec| spec.fault == fault.name())?;
    let title = format!("Trial of {}", words::fault(fault.name(), mode));
    let scenario = scenario(plan, (name, service), beside, title, trial);
    let tried = TriedFault { family, name: fault.name(), mode, number };
    let id = format!("{}/{mode}/{name}", fault.name());
    Some(Tried { id, service: name.to_owned(), fault: Some(tried), scenario })
}

/// The same trial on what commands write: no manifest of theirs can be rewritten, and no other form asked for. `None` where
/// it needs what they do not have.
fn on_commands(mut trial: Trial) -> Option<Trial> {
    if trial.stream.is_some() || trial.target_time.is_some() || trial.beside.is_some() {
        return None;
    }
    for entry in &mut trial.faults {
        entry.with.remove("resealed");
    }
    Some(Trial { format: None, ..trial })
}

fn scenario(
    plan: &Plan,
    (name, service): (&str, &ServicePlan),
    beside: Option<&str>,
    title: String,
    trial: Trial,
) -> Scenario {
    let at = disaster(service);
    let (wanted, cause) = match service.kind {
        ServiceKind::WebApplication => (1, "A deployment breaks production"),
        ServiceKind::Database => (2, "The deployment is lost"),
        ServiceKind::Files | ServiceKind::Config => (3, "The account is closed, with all that it held"),
    };
    let mut history =
        History { days: at.day, size: SIZE, stream: trial.stream, format: trial.format, ..history(service.kind) };
    if service.pipeline.is_some() {
        (history.size, history.writes_per_day) = (SMALL, history.writes_per_day / 4);
    }
    if beside.is_some() {
        history.writes_per_day = history.writes_per_day.max(100);
    }
    let services = [Some(name), beside].into_iter().flatten().map(str::to_owned).collect();
    Scenario {
        title,
        proves: "Where the fault is caught, if it is.".into(),
        service: Services(services),
        level: level(plan, wanted),
        history,
        faults: trial.faults,
        disaster: Disaster { at, cause: cause.into(), target_time: trial.target_time },
        people: People::default(),
        expect: Expectation::that(Outcome::Recovered),
    }
}
