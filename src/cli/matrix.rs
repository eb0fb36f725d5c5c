//! `backdraft matrix`: every fault against the pipeline, and where each was caught.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::json;

use super::{
    Common, Ended,
    console::{Console, Refused},
    output::{self, Output},
    progress::Progress,
    selection,
    session::{Cast, DEFAULT_SEED, Session, Troupe},
};
use crate::{
    error::{Error, Result},
    evidence::folder::digest,
    exit,
    explore::trials::{self, Tried},
    fault::Fault,
    input::load::Loaded,
    measure::{self, Inputs},
    model::{
        copies::Copies,
        event::{AlarmKind, Event},
        family::Family,
        matrix::{MATRIX_FORMAT, Matrix, Subject},
        outcome::Outcome,
        plan::{Plan, ServicePlan},
        record::{Identity, Record, Way},
        scenario::Scenario,
    },
    report,
};

/// Arguments of `matrix`.
#[derive(Debug, Clone, Args)]
pub(super) struct MatrixArgs {
    /// The pipeline under test; the plan's own commands where it names some.
    #[arg(long, value_name = "NAME", value_enum)]
    pipeline: Option<PipelineName>,
    /// Only faults whose name holds this text; may be given more than once.
    #[arg(long, value_name = "TEXT")]
    fault: Vec<String>,
    /// Only faults of this family.
    #[arg(long, value_name = "NAME", value_parser = family)]
    family: Option<Family>,
    /// Only this service of the plan.
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// Folder for the matrix and its trials; a new one below reports/runs where none is given.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Root of all randomness.
    #[arg(long, value_name = "N", default_value_t = DEFAULT_SEED)]
    seed: u64,
    /// Play over real HTTP and by the wall clock: one after another, and much longer.
    #[arg(long)]
    real: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PipelineName {
    /// What a careful team would build, for every service.
    Reference,
    /// The commands that the plan names (`pipeline`), for the services that have some. Always by the wall clock.
    Commands,
    /// What the plan says: copies of files by its own rules, with the plan's monitor looking at them; of faults those that
    /// can strike such copies.
    AsPlanned,
}

impl PipelineName {
    const fn name(self) -> &'static str {
        match self {
            PipelineName::Reference => "reference",
            PipelineName::Commands => "commands",
            PipelineName::AsPlanned => "as-planned",
        }
    }

    /// Whether a fault can strike what this pipeline makes of that service.
    fn meets(self, fault: &dyn Fault, service: &ServicePlan) -> bool {
        match self {
            PipelineName::Reference => true,
            PipelineName::Commands => service.pipeline.is_some(),
            PipelineName::AsPlanned => {
                !service.backup.sync.is_empty() && !fault.strikes_points() && !fault.needs_points()
            }
        }
    }

    /// The same story with this pipeline.
    fn plays(self, mut tried: Tried) -> Tried {
        tried.scenario.history.sync = match self {
            PipelineName::Reference | PipelineName::Commands => None,
            PipelineName::AsPlanned => Some(Copies::AsPlanned),
        };
        tried
    }
}

/// A family by its name in files.
fn family(text: &str) -> std::result::Result<Family, String> {
    let named = serde_json::from_value(text.into());
    named.map_err(|_| {
        let names = Family::ALL.map(|family| serde_json::to_value(family).unwrap_or_default());
        let names: Vec<&str> = names.iter().filter_map(|name| name.as_str()).collect();
        format!("the families are {}", names.join(", "))
    })
}

pub(super) fn matrix(args: &MatrixArgs, common: &Common, console: &Console) -> Ended {
    let (plan, pipeline) = under_test(args, selection::plan(&common.plan)?);
    let tried = chosen(args, pipeline, &plan)?;
    let session = Session::start(false)?;
    let output = match &args.out {
        Some(folder) => Output::beside_evidence(folder)?,
        None => Output::fresh()?,
    };
    let way = if args.real || pipeline == PipelineName::Commands { Way::Real } else { Way::Simulated };
    let troupe = Troupe::new(&plan, args.seed, way)?;
    let casts = casts(&troupe, &tried)?;
    // Of commands it is the end that counts, and not how long it took: they are played side by side.
    let together = way == Way::Simulated || !args.real;
    let records = play(&session, &tried, &casts, together, console);
    if session.is_stopped() {
        return Ok(exit::INTERRUPTED);
    }
    let matrix = judged((args.seed, pipeline), &plan, &tried, &records, way);
    remove_earlier(&output)?;
    write(&matrix, &output, console)?;
    write_trials(&matrix, &tried, records, &output)?;
    Ok(measure::matrix::exit_code(&matrix))
}

/// The pipeline, and the plan as it sees it: other pipelines know nothing of commands.
fn under_test(args: &MatrixArgs, mut plan: Loaded<Plan>) -> (Loaded<Plan>, PipelineName) {
    let has_commands = plan.value.services.values().any(|service| service.pipeline.is_some());
    let own = if has_commands { PipelineName::Commands } else { PipelineName::Reference };
    let pipeline = args.pipeline.unwrap_or(own);
    if pipeline != PipelineName::Commands {
        plan.value.services.values_mut().for_each(|service| service.pipeline = None);
    }
    (plan, pipeline)
}

/// The trials that are wanted.
fn chosen(args: &MatrixArgs, pipeline: PipelineName, plan: &Loaded<Plan>) -> std::result::Result<Vec<Tried>, Refused> {
    let names: Vec<&str> = plan.value.services.keys().map(String::as_str).collect();
    if let Some(service) = args.service.as_deref().filter(|service| !names.contains(service)) {
        let unknown = Error::new(format!("the plan has no service `{}`", service.escape_debug()));
        return Err(unknown.help(format!("its services are {}", names.join(", "))).into());
    }
    let services = &plan.value.services;
    let tried = trials::of_plan(&plan.value, |family, fault, service| {
        services.get(service).is_some_and(|service| pipeline.meets(fault, service))
            && args.family.is_none_or(|wanted| wanted == family)
            && args.service.as_ref().is_none_or(|wanted| wanted == service)
            && (args.fault.is_empty() || args.fault.iter().any(|text| fault.name().contains(text.as_str())))
    });
    if tried.is_empty() {
        let none =
            Error::new("no fault is left to try: --pipeline, --fault, --family and --service leave none of them");
        return Err(none.help("`backdraft list faults` shows their names, families and what they strike").into());
    }
    let tried = tried.into_iter().map(|one| pipeline.plays(one)).collect();
    Ok(tried)
}

/// What is to be played.
fn casts(troupe: &Troupe, tried: &[Tried]) -> Result<Vec<Cast>> {
    let cast = |one: &Tried| {
        let file = as_file(&one.scenario)?;
        troupe.cast_of(one.id.clone(), one.scenario.clone(), digest(file.as_bytes()))
    };
    tried.iter().map(cast).collect()
}

/// A trial as a scenario that passes as long as its cell stays what it is. What is silently wrong can be expected of
/// nothing.
fn expecting_what_came(one: &Tried, record: &Record) -> Scenario {
    let mut scenario = one.scenario.clone();
    let outcome = record.result.outcome.filter(|outcome| *outcome != Outcome::SilentlyWrong);
    scenario.expect.outcome = outcome.unwrap_or(Outcome::Recovered);
    let heard = record.alarms.iter().map(|raised| &raised.alarm).filter(|alarm| alarm.justified && alarm.heard);
    let kinds: BTreeSet<AlarmKind> = heard.map(|alarm| alarm.kind).collect();
    scenario.expect.alarms = kinds.into_iter().collect();
    scenario
}

fn play(session: &Session, tried: &[Tried], casts: &[Cast], together: bool, console: &Console) -> Vec<Record> {
    let mut progress = Progress::new(casts.len(), console);
    let mut ended = |number: usize, record: &Record| {
        let how = match tried.get(number).and_then(|one| one.fault) {
            Some(_) => record.result.outcome.map_or("no outcome", |outcome| outcome.words()),
            None if measure::matrix::control(record).green => "green",
            None => "NOT GREEN",
        };
        let id = &record.identity.scenario;
        progress.step("trial-ended", &format!("{id}: {how}"), json!({ "id": id, "ended": how }));
    };
    let records = match together {
        true => session.play_side_by_side(casts, ended),
        false => {
            let quietly = || Arc::new(|_: &Event| {});
            let played = casts.iter().enumerate().map(|(number, cast)| {
                let record = session.play(cast, quietly()).record;
                ended(number, &record);
                record
            });
            played.collect()
        }
    };
    progress.finish();
    records
}

fn as_file(scenario: &Scenario) -> Result<String> {
    serde_saphyr::to_string(scenario).map_err(|e| Error::new("a trial cannot be written as a scenario").because(e))
}

fn judged(
    (seed, pipeline): (u64, PipelineName),
    plan: &Loaded<Plan>,
    tried: &[Tried],
    records: &[Record],
    way: Way,
) -> Matrix {
    let of = Subject {
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        platform: plan.value.platform.clone(),
        plan_sha256: plan.sha256.clone(),
        pipeline: pipeline.name().to_owned(),
        seed,
        way,
    };
    measure::matrix::matrix(of, tried.iter().map(|one| one.fault).zip(records))
}

/// Writes the matrix in every form.
fn write(matrix: &Matrix, output: &Output, console: &Console) -> Result<()> {
    console.text(report::matrix::terminal(matrix, &output::terminal()));
    let files = [
        ("matrix.json", as_json(matrix)),
        ("matrix.md", report::matrix::markdown(matrix)),
        ("matrix.html", report::matrix::html(matrix)),
    ];
    for (name, content) in files {
        let path = output.write(name, &content)?;
        if !console.is_quiet() {
            console.line(format_args!("{}: {}", name, path.display()));
        }
    }
    Ok(())
}

/// Removes the trials and records of the matrix that was written here before: those that it names, and nothing else.
fn remove_earlier(output: &Output) -> Result<()> {
    let earlier = output.read("matrix.json").and_then(|text| serde_json::from_str::<Matrix>(&text).ok());
    let Some(Matrix { controls, cells, .. }) = earlier.filter(|matrix| matrix.format == MATRIX_FORMAT) else {
        return Ok(());
    };
    let controls = controls.iter().map(|control| format!("control/{}", control.service));
    let cells = cells.iter().map(|cell| format!("{}/{}/{}", cell.fault, cell.mode, cell.service));
    for id in controls.chain(cells) {
        output.remove(&format!("trials/{id}.yaml"))?;
        output.remove(&format!("records/{id}.json"))?;
    }
    Ok(())
}

/// Writes each trial, so that any cell can be played again alone, and the record of each drill that is against the pipeline
/// or shows nothing, as that file judges it.
fn write_trials(matrix: &Matrix, tried: &[Tried], records: Vec<Record>, output: &Output) -> Result<()> {
    let controls = matrix.controls.iter().map(|control| control.green);
    let is_well = controls.chain(matrix.cells.iter().map(|cell| cell.caught.counts()));
    for ((one, record), is_well) in tried.iter().zip(records).zip(is_well) {
        let scenario = expecting_what_came(one, &record);
        let file = as_file(&scenario)?;
        output.write(&format!("trials/{}.yaml", one.id), &file)?;
        if !is_well {
            let Record { identity, plan, events, .. } = record;
            let identity = Identity { scenario_sha256: digest(file.as_bytes()), ..identity };
            let record = measure::record(Inputs { identity, plan, scenario, events });
            output.write(&format!("records/{}.json", one.id), &as_json(&record))?;
        }
    }
    Ok(())
}

fn as_json(value: &impl Serialize) -> String {
    // Strings, numbers and lists alone: there is always a JSON form.
    serde_json::to_string_pretty(value).map(|json| json + "\n").unwrap_or_default()
}
