//! What a scenario's faults must be: known, able to strike what is drilled, and at a moment that comes.

use super::{
    FaultInfo, Findings, files,
    regions::regions,
    scenario::{Story, listed},
};
use crate::{
    error::Error,
    input::{load::Loaded, nearest},
    model::{
        plan::{CommandPlan, Plan, Probe, ServiceKind, ServicePlan},
        scenario::{FaultSpec, Generations, Moment, Scenario},
        units::Percent,
    },
};

/// A fault begins this long after the last backup, where its scenario does not say when. Milliseconds.
const AFTER_BACKUP_MS: u64 = 3_600_000;

/// Everything that is wrong with entries that strike the services of a scenario, whatever their moments; empty where
/// nothing is.
pub fn entries(loaded: &Loaded<Scenario>, plan: &Plan, faults: &[FaultInfo]) -> Vec<Error> {
    let mut found = Findings::of(loaded);
    for (i, fault) in loaded.value.faults.iter().enumerate() {
        let path = format!("faults[{i}]");
        catalogued(&mut found, &path, fault, &loaded.value, plan, faults);
        lasts(&mut found, &path, fault, &loaded.value, plan);
    }
    found.done()
}

pub(super) fn catalogued<'i>(
    found: &mut Findings<'_, Scenario>,
    path: &str,
    fault: &FaultSpec,
    scenario: &Scenario,
    plan: &Plan,
    faults: &'i [FaultInfo],
) -> Option<&'i FaultInfo> {
    regions(found, path, fault, plan);
    if let Some(service) = fault.service.as_deref().filter(|service| !scenario.service.has(service)) {
        let known: Vec<&str> = scenario.service.names().iter().map(String::as_str).collect();
        let what = format!("this scenario does not drill `{service}`");
        found.add(&format!("{path}.service"), what, nearest::suggest(service, &known));
    }
    let Some(info) = faults.iter().find(|info| info.name == fault.fault) else {
        let known: Vec<&str> = faults.iter().map(|info| info.name).collect();
        let what = format!("there is no fault `{}`", fault.fault);
        found.add(&format!("{path}.fault"), what, nearest::suggest(&fault.fault, &known));
        return None;
    };
    fits(found, path, fault, info, scenario, plan);
    if fault.mode.is_empty() && info.modes.len() > 1 {
        let help = format!("add `mode:` and one of {}", listed(info.modes.iter().copied()));
        found.add(&format!("{path}.fault"), format!("`{}` can show in several ways", info.name), help);
    } else if !fault.mode.is_empty() && !info.modes.contains(&fault.mode.as_str()) {
        let what = format!("`{}` has no mode `{}`", info.name, fault.mode);
        found.add(&format!("{path}.mode"), what, nearest::suggest(&fault.mode, &info.modes));
    }
    let given = fault.generations != Generations::default() || found.says(&format!("{path}.generations"));
    if !info.takes_generations && given {
        let what = format!("`{}` strikes no recovery points", info.name);
        found.add(&format!("{path}.generations"), what, "remove `generations`");
    }
    if fault.generations == Generations::Newest(0) {
        found.add(&format!("{path}.generations"), "a fault on no recovery point changes nothing", "write 1 or more");
    }
    files::struck(found, path, fault, info, scenario, plan);
    for parameter in fault.with.keys().filter(|name| !info.parameters.contains(&name.as_str())) {
        let what = format!("`{}` has no parameter `{parameter}`", info.name);
        found.add(&format!("{path}.with.{parameter}"), what, nearest::suggest(parameter, &info.parameters));
    }
    Some(info)
}

/// The services of the plan that a fault is meant for.
pub(super) fn meant<'p>(
    fault: &FaultSpec,
    scenario: &Scenario,
    plan: &'p Plan,
) -> impl Iterator<Item = &'p ServicePlan> {
    let meant = scenario.service.names().iter().filter(|name| fault.service.as_ref().is_none_or(|one| one == *name));
    meant.filter_map(|name| plan.services.get(name))
}

/// A fault must be able to strike one of the services that it is meant for.
fn fits(
    found: &mut Findings<'_, Scenario>,
    path: &str,
    fault: &FaultSpec,
    info: &FaultInfo,
    scenario: &Scenario,
    plan: &Plan,
) {
    let kinds: Vec<ServiceKind> = meant(fault, scenario, plan).map(|service| service.kind).collect();
    if !kinds.is_empty() && !kinds.iter().any(|kind| info.kinds.contains(kind)) {
        let services = kinds.iter().map(|kind| kind.words()).collect::<Vec<_>>().join(", ");
        let fitting = info.kinds.iter().map(|kind| kind.words()).collect::<Vec<_>>().join(", ");
        let help = format!("it strikes services of these kinds: {fitting}");
        found.add(&format!("{path}.fault"), format!("`{}` changes nothing of a {services}", info.name), help);
    }
    let commands: Vec<_> = meant(fault, scenario, plan).map(|service| service.pipeline.as_ref()).collect();
    let meets = |pipeline: &CommandPlan| {
        let modes = if pipeline.probe == Probe::Convex { &info.on_deployments } else { &info.on_commands };
        if fault.mode.is_empty() { !modes.is_empty() } else { modes.contains(&fault.mode.as_str()) }
    };
    if !commands.is_empty() && commands.iter().all(|pipeline| pipeline.is_some_and(|pipeline| !meets(pipeline))) {
        let mode = if fault.mode.is_empty() { String::new() } else { format!(" ({})", fault.mode) };
        let what = format!("`{}`{mode} cannot strike what a team's own commands back up", info.name);
        found.add(&format!("{path}.fault"), what, "`backdraft list faults` says of each fault whether it can");
    }
    if info.kinds == [ServiceKind::WebApplication] && !fault.regions.is_empty() {
        found.add(&format!("{path}.regions"), format!("`{}` strikes no backup region", info.name), "remove `regions`");
    }
}

pub(super) fn moment(
    found: &mut Findings<'_, Scenario>,
    path: &str,
    fault: &FaultSpec,
    info: Option<&FaultInfo>,
    story: &Story<'_>,
) {
    let t0 = story.scenario.disaster.at;
    let first = story.backup(1);
    let needs_points = info.is_some_and(|info| info.needs_points);
    match fault.when {
        Moment::At(at) if at.millis() >= t0.millis() => {
            let help = "write an earlier moment, or `at-disaster`, or `during-fetch:` and a share";
            found.add(path, format!("the fault begins at {at}; the disaster is at {t0}"), help);
        }
        Moment::At(at) if needs_points && at.millis() <= first.millis() => {
            let what = format!("the fault begins at {at}, when there is no recovery point to strike");
            found.add(path, what, format!("the first backup is made at {first}; write a later moment"));
        }
        Moment::BeforeBackupOfDay(day) if !story.backups.contains(&day) => {
            found.add(path, format!("no backup is made on day {day}"), story.days());
        }
        Moment::BeforeBackupOfDay(1) if needs_points => {
            let what = "before the backup of day 1 there is no recovery point to strike";
            found.add(path, what, "write a later day");
        }
        Moment::AfterLastBackup => {
            let last = story.backups.last().map(|day| story.backup(*day));
            if let Some(last) = last.filter(|last| last.millis() + AFTER_BACKUP_MS >= t0.millis()) {
                let what = format!("the fault begins one hour after the backup of {last}; the disaster is at {t0}");
                found.add(path, what, "move the disaster, or write `when: at-disaster` or another moment");
            }
        }
        Moment::DuringFetch(Percent(100)) => {
            found.add(path, "when all of a dump has been sent, the fetch is over", "write a share below 100%");
        }
        _ => {}
    }
}

/// How long a fault lasts, and whether its service is imported at all where it begins in an import.
pub(super) fn lasts(
    found: &mut Findings<'_, Scenario>,
    path: &str,
    fault: &FaultSpec,
    scenario: &Scenario,
    plan: &Plan,
) {
    let at = format!("{path}.lasts");
    if let Some(span) = fault.lasts {
        found.span(&at, span);
        found.unless(!span.is_zero(), &at, "a fault that lasts no time is none", "write a time: 8 min");
        if matches!(fault.when, Moment::DuringFetch(_)) {
            let what = "a fault that begins in the middle of a fetch has no moment to count from";
            found.add(&at, what, "remove `lasts`, or write `when: { during-import: 50% }`");
        }
    }
    if let Moment::DuringImport(share) = fault.when {
        let services = fault.service.as_ref().map_or(scenario.service.names(), std::slice::from_ref);
        let at = format!("{path}.when");
        let what = "nothing of a web application is imported";
        found.unless(
            !plan.are_all(ServiceKind::WebApplication, services),
            &at,
            what,
            "write `at-disaster`, or another moment",
        );
        let what = "when all rows have been staged, the import is over";
        found.unless(share != Percent(100), &at, what, "write a share below 100%");
    }
}
