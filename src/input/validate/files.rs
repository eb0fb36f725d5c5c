//! What only services with files have: copies made by rule, a recovery target time, faults that strike nothing else.

use super::{FaultInfo, Findings, scenario::Story};
use crate::model::{
    plan::{Plan, ServiceKind, ServicePlan},
    scenario::{FaultSpec, History, Scenario},
};

/// What the history says of services of one kind makes sense where one is drilled.
pub(super) fn history(found: &mut Findings<'_, Scenario>, history: &History, drilled: &[&ServicePlan]) {
    let has_files = drilled.iter().any(|service| service.kind == ServiceKind::Files) || drilled.is_empty();
    if let Some(rules) = &history.sync {
        found.sync("history.sync", rules);
        found.unless(has_files, "history.sync", "no service with files is drilled", "remove `sync`");
    }
    let has_database = drilled.iter().any(|service| service.kind == ServiceKind::Database) || drilled.is_empty();
    let what = "only a database is dumped in a form, and no database is drilled";
    found.unless(history.format.is_none() || has_database, "history.format", what, "remove `format`");
}

/// A target time is a moment of the history, after the first backup: before it there is no point to go back to.
pub(super) fn target_time(found: &mut Findings<'_, Scenario>, story: &Story<'_>, drilled: &[&ServicePlan]) {
    let Some(target) = story.scenario.disaster.target_time else { return };
    let (at, first, path) = (story.scenario.disaster.at, story.backup(1), "disaster.target_time");
    if target.millis() > at.millis() {
        let what = format!("the recovery target time {target} comes after the disaster at {at}");
        found.add(path, what, "write the moment from which on the data was damaged");
    } else if target.millis() <= first.millis() {
        let what = format!("no backup was made before the recovery target time {target}");
        found.add(path, what, format!("the first backup is made at {first}; write a later moment"));
    }
    let files = drilled.iter().all(|service| service.kind == ServiceKind::Files);
    found.unless(files, path, "only files are restored to a target time", "remove it, or drill files alone");
}

/// What a fault cannot strike: points where copies are made by rule.
pub(super) fn struck(
    found: &mut Findings<'_, Scenario>,
    path: &str,
    fault: &FaultSpec,
    info: &FaultInfo,
    scenario: &Scenario,
    plan: &Plan,
) {
    let meant = scenario.service.names().iter().filter(|name| fault.service.as_ref().is_none_or(|one| one == *name));
    let meant: Vec<_> = meant.filter_map(|name| plan.services.get(name)).collect();
    if meant.is_empty() {
        return;
    }
    let rules = |service: &ServicePlan| scenario.history.sync.as_ref().unwrap_or(&service.backup.sync).is_empty();
    let by_rule = meant.iter().all(|service| service.kind == ServiceKind::Files && !rules(service));
    if info.takes_generations && by_rule {
        let what = format!("`{}` strikes recovery points, and copies made by rule have none", info.name);
        found.add(&format!("{path}.fault"), what, "remove `sync`, or choose a fault on regions or on the source");
    }
}
