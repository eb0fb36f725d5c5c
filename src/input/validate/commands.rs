//! What a pipeline of a team's own commands must be, and what a scenario may ask of a service that has one.

use std::path::Path;

use super::Findings;
use crate::model::{
    plan::{Command, CommandPlan, Plan, Probe, Run, ServiceKind, ServicePlan},
    scenario::Scenario,
    units::Span,
};

/// Variables that a drill sets, and nobody else: what leads commands into the emulated world and nowhere else.
const OURS: &[&str] = &["HOME", "TMPDIR", "LD_PRELOAD", "FAKETIME", "PATH"];
const OUR_PREFIXES: &[&str] = &["AWS_ENDPOINT", "AWS_ACCESS_KEY", "AWS_SECRET", "AWS_SESSION", "BACKDRAFT_"];

pub(super) fn plan(found: &mut Findings<'_, Plan>, path: &str, service: &ServicePlan) {
    let Some(pipeline) = &service.pipeline else { return };
    let path = format!("{path}.pipeline");
    kind(found, &path, service.kind, &pipeline.probe);
    folder(found, &path, pipeline);
    for (name, command) in commands(pipeline) {
        self::command(found, &format!("{path}.{name}"), command, name == "verify");
    }
    let limit = format!("{path}.time_limit");
    found.unless(pipeline.time_limit > Span::ZERO, &limit, "no command ends in no time", "write a time: 10 min");
    found.span(&limit, pipeline.time_limit);
    for (i, code) in pipeline.refuses_with.iter().enumerate().filter(|(_, code)| **code == 0) {
        let what = format!("exit code {code} says that the service is back");
        found.add(
            &format!("{path}.refuses_with[{i}]"),
            what,
            "write the code by which `restore` says that nothing can be restored",
        );
    }
    for name in pipeline.env.keys() {
        variable(found, &format!("{path}.env.{name}"), name);
    }
}

fn commands(pipeline: &CommandPlan) -> Vec<(&'static str, &Command)> {
    let optional = [
        ("verify", &pipeline.verify),
        ("list", &pipeline.list),
        ("provision", &pipeline.provision),
        ("query", &pipeline.query),
    ];
    let named = optional.into_iter().filter_map(|(name, command)| Some((name, command.as_ref()?)));
    let mut all = vec![("backup", &pipeline.backup), ("restore", &pipeline.restore)];
    all.extend(named);
    if let Probe::Command(probe) = &pipeline.probe {
        let of_probe = [
            ("probe.command.write", &probe.write),
            ("probe.command.read", &probe.read),
            ("probe.command.lose", &probe.lose),
        ];
        all.extend(of_probe);
    }
    all
}

fn kind(found: &mut Findings<'_, Plan>, path: &str, kind: ServiceKind, probe: &Probe) {
    let wanted = match probe {
        Probe::Bucket | Probe::Folder => ServiceKind::Files,
        Probe::Convex | Probe::Postgresql | Probe::Sqlite | Probe::Command(_) => ServiceKind::Database,
    };
    if kind != wanted {
        let what = format!(
            "the probe `{}` writes to a {}, and this service is a {}",
            probe.name(),
            wanted.words(),
            kind.words()
        );
        let help = match wanted {
            ServiceKind::Files => "make the service's kind `files`, or name another probe",
            _ => "make the service's kind `database`, or name another probe",
        };
        found.add(&format!("{path}.probe"), what, help);
    }
}

fn folder(found: &mut Findings<'_, Plan>, path: &str, pipeline: &CommandPlan) {
    let Some(folder) = &pipeline.folder else { return };
    let place = found.file.path.parent().unwrap_or(Path::new("")).join(folder);
    let what = format!("there is no folder `{folder}` beside the plan");
    found.unless(
        place.is_dir(),
        &format!("{path}.folder"),
        what,
        "name the folder that holds the scripts, relative to this file",
    );
}

fn command(found: &mut Findings<'_, Plan>, path: &str, command: &Command, may_repeat: bool) {
    let is_empty = match &command.run {
        Run::Shell(line) => line.trim().is_empty(),
        Run::Argv(argv) => argv.first().is_none_or(|program| program.trim().is_empty()),
    };
    found.unless(!is_empty, path, "the command is empty", "write what is run: `./backup.sh`");
    if let Some(limit) = command.time_limit {
        let path = format!("{path}.time_limit");
        found.unless(limit > Span::ZERO, &path, "no command ends in no time", "write a time: 10 min");
        found.span(&path, limit);
    }
    if let Some(every) = command.every {
        let path = format!("{path}.every");
        found.unless(may_repeat, &path, "this command has its own moment", "remove `every`; it is for `verify`");
        found.span(&path, every);
    }
}

fn variable(found: &mut Findings<'_, Plan>, path: &str, name: &str) {
    let is_name = !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    found.unless(
        is_name,
        path,
        format!("`{name}` is no name of an environment variable"),
        "write a name such as `BACKUP_DIR`",
    );
    let is_ours = OURS.contains(&name) || OUR_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    let what = format!("`{name}` is set by the drill, so that commands reach the emulated world and nothing else");
    found.unless(!is_ours, path, what, "remove it");
}

/// What the reference pipeline alone can do cannot be asked of commands.
pub(super) fn scenario(found: &mut Findings<'_, Scenario>, scenario: &Scenario, plan: &Plan) {
    let of_commands = |name: &&String| plan.services.get(*name).is_some_and(|service| service.pipeline.is_some());
    let Some(name) = scenario.service.names().iter().find(of_commands) else { return };
    let history = &scenario.history;
    let asked = [
        ("history.stream", history.stream.is_some()),
        ("history.format", history.format.is_some()),
        ("history.sync", history.sync.is_some()),
        ("disaster.target_time", scenario.disaster.target_time.is_some()),
    ];
    for (path, _) in asked.into_iter().filter(|(_, asked)| *asked) {
        let what = format!("`{name}` is backed up by commands of its own, to which this means nothing");
        found.add(path, what, "remove the line");
    }
}
