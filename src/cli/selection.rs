//! Which scenarios a verb is about: files found below the paths given, read and checked all together before anything
//! is played.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;

use super::console::Refused;
use crate::{
    error::{Error, Result},
    fault,
    input::{
        load::{self, Loaded},
        validate::{self, FaultInfo},
    },
    model::{
        plan::{Plan, ServiceKind},
        scenario::Scenario,
    },
};

/// Where scenarios lie unless a path says otherwise.
pub(super) const DEFAULT_FOLDER: &str = "scenarios";

/// Arguments that choose scenarios.
#[derive(Debug, Clone, Args)]
pub(super) struct Selection {
    /// Scenario files, or folders with scenario files.
    #[arg(value_name = "PATH", default_value = DEFAULT_FOLDER)]
    paths: Vec<PathBuf>,
    /// Only scenarios whose name holds this text; may be given more than once.
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,
    /// Only scenarios of this service.
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// Only scenarios of this level, 1 to 3.
    #[arg(long, value_name = "N")]
    level: Option<u8>,
}

/// A scenario with its name.
pub(super) struct Chosen {
    /// Path below the scenarios folder, without its ending.
    pub(super) id: String,
    pub(super) scenario: Loaded<Scenario>,
}

/// Reads and checks the plan.
///
/// # Errors
/// Everything wrong with it.
pub(super) fn plan(path: &Path) -> std::result::Result<Loaded<Plan>, Refused> {
    let plan = load::load_plan(path)?;
    none_wrong(validate::plan(&plan))?;
    Ok(plan)
}

/// Reads and checks every scenario chosen.
///
/// # Errors
/// When a path has no scenario, a file cannot be played with this plan, or nothing is left after filtering: everything
/// wrong with every file, in their order.
pub(super) fn scenarios(selection: &Selection, plan: &Loaded<Plan>) -> std::result::Result<Vec<Chosen>, Refused> {
    let mut chosen = Vec::new();
    let mut wrong = Vec::new();
    for (id, path) in files(&selection.paths)? {
        match load::load_scenario(&path) {
            Err(e) => wrong.push(e),
            Ok(scenario) => {
                wrong.extend(check(&scenario, &plan.value));
                chosen.push(Chosen { id, scenario });
            }
        }
    }
    none_wrong(wrong)?;
    chosen.retain(|one| selection.wants(one));
    if chosen.is_empty() {
        return Err(Error::new("no scenario is left to play: --only, --service and --level leave none of them")
            .help("`backdraft list scenarios` shows their names, services and levels")
            .into());
    }
    Ok(chosen)
}

impl Selection {
    /// Scenarios of the default folder whose name holds one of these texts; all where there is none.
    pub(super) fn of_names(only: &[String]) -> Self {
        Selection { paths: vec![DEFAULT_FOLDER.into()], only: only.to_vec(), service: None, level: None }
    }

    /// All scenarios below a folder.
    pub(super) fn below(folder: &Path) -> Self {
        Selection { paths: vec![folder.to_owned()], only: Vec::new(), service: None, level: None }
    }

    /// These scenarios; where none was named also those of a folder, if it is there.
    pub(super) fn and(&self, folder: PathBuf) -> Self {
        let mut more = self.clone();
        if more.paths == [Path::new(DEFAULT_FOLDER)] && folder.is_dir() {
            more.paths.push(folder);
        }
        more
    }

    fn wants(&self, one: &Chosen) -> bool {
        let scenario = &one.scenario.value;
        (self.only.is_empty() || self.only.iter().any(|text| one.id.contains(text)))
            && self.service.as_ref().is_none_or(|service| scenario.service.has(service))
            && self.level.is_none_or(|level| level == scenario.level)
    }
}

/// Refuses to play commands in virtual time.
///
/// # Errors
/// Where a scenario drills a service that commands of its own back up.
pub(super) fn none_by_commands(chosen: &[Chosen], plan: &Plan) -> Result<()> {
    let by_commands = |name: &&String| plan.services.get(*name).is_some_and(|service| service.pipeline.is_some());
    let drilled = chosen.iter().flat_map(|one| one.scenario.value.service.names());
    match drilled.into_iter().find(by_commands) {
        Some(name) => {
            Err(Error::new(format!("service `{name}` is backed up by commands of its own, which take real time"))
                .help("run it without --simulate, or choose other services with --service"))
        }
        None => Ok(()),
    }
}

fn none_wrong(wrong: Vec<Error>) -> std::result::Result<(), Refused> {
    if wrong.is_empty() { Ok(()) } else { Err(Refused(wrong)) }
}

/// Everything wrong with a scenario: what the format and the plan forbid, then what a fault says of its entry.
pub(super) fn check(scenario: &Loaded<Scenario>, plan: &Plan) -> Vec<Error> {
    let mut wrong = validate::scenario(scenario, plan, &faults());
    if wrong.is_empty() {
        let entries = scenario.value.faults.iter().enumerate();
        let refused = entries.filter_map(|(n, spec)| Some((n, fault::prepare(spec).err()?)));
        let help = "`backdraft list faults` shows every fault with an example";
        wrong.extend(refused.map(|(n, why)| scenario.error(&format!("faults[{n}]"), why).help(help)));
    }
    wrong
}

/// The catalogue of faults as the validation wants it.
pub(super) fn faults() -> Vec<FaultInfo> {
    let info = |fault: &'static dyn fault::Fault| FaultInfo {
        name: fault.name(),
        modes: fault.modes().iter().map(|mode| mode.name).collect(),
        takes_generations: fault.strikes_points(),
        needs_points: fault.needs_points(),
        parameters: fault.parameters().iter().map(|parameter| parameter.name).collect(),
        kinds: ServiceKind::ALL.into_iter().filter(|kind| fault.is_for(*kind)).collect(),
        on_commands: modes_on_commands(fault, false),
        on_deployments: modes_on_commands(fault, true),
    };
    fault::all().map(info).collect()
}

fn modes_on_commands(fault: &dyn fault::Fault, on_deployments: bool) -> Vec<&'static str> {
    let names = fault.modes().iter().map(|mode| mode.name);
    names.filter(|mode| fault.meets_commands(mode, on_deployments)).collect()
}

/// Scenario files below the paths, with their names, in order of their names.
fn files(paths: &[PathBuf]) -> Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for path in paths {
        let meta = fs::metadata(path).map_err(|e| {
            Error::new("there is no such scenario file or folder")
                .at(path.display().to_string())
                .because(e)
                .help("give a YAML file, or a folder with YAML files; without one `scenarios` is taken")
        })?;
        let before = found.len();
        if meta.is_dir() {
            collect(path, &mut found)?;
        } else {
            found.push(path.clone());
        }
        if found.len() == before {
            let nothing = Error::new("there is no scenario file (.yaml) in this folder");
            return Err(nothing.at(path.display().to_string()));
        }
    }
    let mut named: Vec<_> = found.into_iter().map(|path| (id_of(&path, paths), path)).collect();
    named.sort();
    named.dedup();
    if let Some(pair) = named.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        let (name, other) = (&pair[0].0, pair[1].1.display());
        let twice = Error::new(format!("two scenarios are called `{name}`; the other is {other}"));
        let help = "records are kept by name: give a folder above both, or rename one";
        return Err(twice.at(pair[0].1.display().to_string()).help(help));
    }
    Ok(named)
}

fn collect(dir: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let unreadable = |e| Error::new("this folder cannot be read").at(dir.display().to_string()).because(e);
    for entry in fs::read_dir(dir).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let (path, kind) = (entry.path(), entry.file_type().map_err(unreadable)?);
        if kind.is_dir() {
            collect(&path, found)?;
        } else if path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml") {
            found.push(path);
        }
    }
    Ok(())
}

/// The path below the nearest folder called `scenarios`, or below the folder given, without its ending.
fn id_of(path: &Path, given: &[PathBuf]) -> String {
    let whole = path.with_extension("");
    let parts: Vec<_> = whole.iter().map(|part| part.to_string_lossy()).collect();
    if let Some(at) = parts.iter().rposition(|part| part == DEFAULT_FOLDER) {
        return parts[at + 1..].join("/");
    }
    let below = given.iter().filter_map(|root| whole.strip_prefix(root).ok()).find(|rest| rest.iter().count() > 0);
    match below {
        Some(rest) => rest.to_string_lossy().into_owned(),
        None => parts.last().map(|part| part.clone().into_owned()).unwrap_or_default(),
    }
}
