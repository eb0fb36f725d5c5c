//! What only services with files have: copies made by rule, a recovery target time, faults that strike nothing else.

use super::{FaultInfo, Findings, faults::meant, scenario::Story};
use crate::model::{
    copies::Copies,
    plan::{Plan, ServiceKind, ServicePlan},
    scenario::{FaultSpec, History, Scenario},
};

/// What the history says of services of one kind makes sense where one is drilled.
pub(super) fn history(found: &mut Findings<'_, Scenario>, history: &History, drilled: &[&ServicePlan]) {
    let has_files = drilled.iter().any(|service| service.kind == ServiceKind::Files) || drilled.is_empty();
    match &history.sync {
        None => {}
        Some(_) if !has_files => found.add("history.sync", "no service with files is drilled", "remove `sync`"),
        Some(Copies::Listed(rules)) => {
            let help = "list at least one rule, write `as-planned`, or remove `sync` for the reference pipeline";
            found.unless(!rules.is_empty(), "history.sync", "without a rule nothing is copied", help);
            found.sync("history.sync", rules);
        }
        Some(Copies::AsPlanned) => {
            let planned = drilled.iter().any(|service| !service.backup.sync.is_empty()) || drilled.is_empty();
            let help = "add rules to the service's `backup.sync`, list them here, or remove the line";
            found.unless(planned, "history.sync", "the plan copies no files by rule", help);
        }
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
    let meant: Vec<_> = meant(fault, scenario, plan).collect();
    if meant.is_empty() {
        return;
    }
    let are_copied = |service: &ServicePlan| !scenario.copies(service).is_empty();
    let by_rule = meant.iter().all(|service| service.kind == ServiceKind::Files && are_copied(service));
    if info.takes_generations && by_rule {
        let what = format!("`{}` strikes recovery points, and copies made by rule have none", info.name);
        found.add(&format!("{path}.fault"), what, "remove `sync`, or choose a fault on regions or on the source");
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        input::{
            load::{load_plan, load_scenario},
            validate::FaultInfo,
        },
        model::plan::ServiceKind,
    };

    const STORY: &str = "\
title: t
proves: p
service: files
level: 3
history: { days: 3, writes_per_day: 5 }
disaster: { at: day 3 15:00, cause: c }
expect: { outcome: recovered }
";

    fn told(changes: &[(&str, &str)]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("story.yaml");
        let story = changes.iter().fold(STORY.to_owned(), |story, (old, new)| story.replace(old, new));
        std::fs::write(&path, story).unwrap();
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let plan = load_plan(root.join("fixtures/hooklabs/plan.yaml")).unwrap().value;
        let fault = |name, takes_generations, kinds: &[ServiceKind]| FaultInfo {
            name,
            modes: vec!["m"],
            takes_generations,
            needs_points: takes_generations,
            on_commands: vec![],
            on_deployments: vec![],
            kinds: kinds.to_vec(),
            parameters: vec![],
        };
        let faults = [fault("files-only", false, &[ServiceKind::Files]), fault("points", true, &ServiceKind::ALL)];
        let errors = super::super::scenario(&load_scenario(&path).unwrap(), &plan, &faults);
        errors.iter().map(|error| error.what.clone()).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn what_only_files_have_is_refused_where_it_makes_no_sense() {
        let database = ("service: files", "service: database");
        let sync = |rules: &'static str| ("writes_per_day: 5", rules);
        let faults = |faults: &'static str| ("expect:", faults);
        let table: &[(&[(&str, &str)], &str)] = &[
            (&[], ""),
            (&[("cause: c", "cause: c, target_time: day 4 10:00")], "comes after the disaster"),
            (&[("cause: c", "cause: c, target_time: day 1 01:00")], "no backup was made before"),
            (&[database, ("cause: c", "cause: c, target_time: day 3 10:00")], "only files are restored to"),
            (&[("days: 3", "days: 3, format: json-gz")], "only a database is dumped in a form"),
            (&[database, sync("writes_per_day: 5, sync: [{into: a/}]")], "no service with files is drilled"),
            (&[sync("writes_per_day: 5, sync: as-planned")], ""),
            (&[database, sync("writes_per_day: 5, sync: as-planned")], "no service with files is drilled"),
            (&[sync("writes_per_day: 5, sync: []")], "without a rule nothing is copied"),
            (&[sync("writes_per_day: 5, sync: [{into: a}]")], "is no folder of a bucket"),
            (&[sync("writes_per_day: 5, sync: [{into: a/}, {into: a/b/}]")], "are one folder in another"),
            (&[sync("writes_per_day: 5, sync: [{into: a/, include: ['*.jpg']}]")], "is no ending of a name"),
            (
                &[sync("writes_per_day: 5, sync: [{into: a/, class: DEEP_ARCHIVE, retrieval: expedited}]")],
                "offers no expedited retrieval",
            ),
            (&[database, faults("faults: [{fault: files-only, mode: m}]\nexpect:")], "changes nothing of a database"),
            (
                &[sync("writes_per_day: 5, sync: [{into: a/}]"), faults("faults: [{fault: points, mode: m}]\nexpect:")],
                "copies made by rule have none",
            ),
            (
                &[sync("writes_per_day: 5, sync: as-planned"), faults("faults: [{fault: points, mode: m}]\nexpect:")],
                "copies made by rule have none",
            ),
        ];
        for (changes, expected) in table {
            let told = told(changes);
            let as_expected = if expected.is_empty() { told.is_empty() } else { told.contains(expected) };
            assert!(as_expected && !told.contains("; "), "{changes:?} gives `{told}`, not `{expected}`");
        }
    }
}
