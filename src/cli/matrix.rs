//! `backdraft matrix`: every fault against the pipeline, and where each was caught.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

use clap::{Args, ValueEnum};
use data_encoding::HEXLOWER;
use serde_json::json;
use sha2::{Digest, Sha256};

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
    exit,
    explore::trials::{self, Tried},
    fault::Fault,
    input::load::Loaded,
    measure,
    model::{
        copies::Copies,
        event::{AlarmKind, Event},
        family::Family,
        matrix::Matrix,
        outcome::Outcome,
        plan::{Plan, ServicePlan},
        record::{Record, Way},
        scenario::Scenario,
    },
    report,
};

/// Arguments of `matrix`.
#[derive(Debug, Clone, Args)]
pub(super) struct MatrixArgs {
    /// The pipeline under test.
    #[arg(long, value_name = "NAME", value_enum, default_value_t = PipelineName::Reference)]
    pipeline: PipelineName,
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
    /// What the plan says: copies of files by its own rules; of faults those that can strike such copies.
    AsPlanned,
}

impl PipelineName {
    const fn name(self) -> &'static str {
        match self {
            PipelineName::Reference => "reference",
            PipelineName::AsPlanned => "as-planned",
        }
    }

    /// Whether a fault can strike what this pipeline makes of that service.
    fn meets(self, fault: &dyn Fault, service: &ServicePlan) -> bool {
        match self {
            PipelineName::Reference => true,
            PipelineName::AsPlanned => {
                !service.backup.sync.is_empty() && !fault.strikes_points() && !fault.needs_points()
            }
        }
    }

    /// The same story with this pipeline.
    fn plays(self, mut tried: Tried) -> Tried {
        tried.scenario.history.sync = match self {
            PipelineName::Reference => None,
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
    let plan = selection::plan(&common.plan)?;
    let tried = chosen(args, &plan)?;
    let session = Session::start(false)?;
    let output = match &args.out {
        Some(folder) => Output::open(folder)?,
        None => Output::fresh()?,
    };
    let way = if args.real { Way::Real } else { Way::Simulated };
    let troupe = Troupe::new(&plan, args.seed, way);
    let casts = casts(&troupe, &tried, &output)?;
    let records = play(&session, &tried, &casts, way, console);
    if session.is_stopped() {
        return Ok(exit::INTERRUPTED);
    }
    expect_what_came(&tried, &records, &output)?;
    let matrix = judged(args, &plan, &tried, &records, way);
    write(&matrix, &records, &output, console)?;
    Ok(measure::matrix::exit_code(&matrix))
}

/// The trials that are wanted.
fn chosen(args: &MatrixArgs, plan: &Loaded<Plan>) -> std::result::Result<Vec<Tried>, Refused> {
    let names: Vec<&str> = plan.value.services.keys().map(String::as_str).collect();
    if let Some(service) = args.service.as_deref().filter(|service| !names.contains(service)) {
        let unknown = Error::new(format!("the plan has no service `{}`", service.escape_debug()));
        return Err(unknown.help(format!("its services are {}", names.join(", "))).into());
    }
    let services = &plan.value.services;
    let tried = trials::of_plan(&plan.value, |family, fault, service| {
        services.get(service).is_some_and(|service| args.pipeline.meets(fault, service))
            && args.family.is_none_or(|wanted| wanted == family)
            && args.service.as_ref().is_none_or(|wanted| wanted == service)
            && (args.fault.is_empty() || args.fault.iter().any(|text| fault.name().contains(text.as_str())))
    });
    if tried.is_empty() {
        let none =
            Error::new("no fault is left to try: --pipeline, --fault, --family and --service leave none of them");
        return Err(none.help("`backdraft list faults` shows their names, families and what they strike").into());
    }
    let tried = tried.into_iter().map(|one| args.pipeline.plays(one)).collect();
    Ok(tried)
}

/// What is to be played. Each trial is written as a scenario first, so that any cell can be played again alone.
fn casts(troupe: &Troupe, tried: &[Tried], output: &Output) -> Result<Vec<Cast>> {
    let cast = |one: &Tried| {
        let yaml = as_file(&one.scenario)?;
        output.write(&format!("trials/{}.yaml", one.id), &yaml)?;
        let sha256 = HEXLOWER.encode(&Sha256::digest(yaml.as_bytes()));
        Ok(troupe.cast_of(one.id.clone(), one.scenario.clone(), sha256))
    };
    tried.iter().map(cast).collect()
}

/// Writes each trial again, so that it passes as long as its cell stays what it is. What is silently wrong can be expected
/// of nothing.
fn expect_what_came(tried: &[Tried], records: &[Record], output: &Output) -> Result<()> {
    for (one, record) in tried.iter().zip(records) {
        let mut scenario = one.scenario.clone();
        let outcome = record.result.outcome.filter(|outcome| *outcome != Outcome::SilentlyWrong);
        scenario.expect.outcome = outcome.unwrap_or(Outcome::Recovered);
        let heard = record.alarms.iter().map(|raised| &raised.alarm).filter(|alarm| alarm.justified && alarm.heard);
        let kinds: BTreeSet<AlarmKind> = heard.map(|alarm| alarm.kind).collect();
        scenario.expect.alarms = kinds.into_iter().collect();
        output.write(&format!("trials/{}.yaml", one.id), &as_file(&scenario)?)?;
    }
    Ok(())
}

fn play(session: &Session, tried: &[Tried], casts: &[Cast], way: Way, console: &Console) -> Vec<Record> {
    let mut progress = Progress::new(casts.len(), console);
    let mut ended = |number: usize, record: &Record| {
        let how = match tried.get(number).and_then(|one| one.fault) {
            Some(_) => record.result.outcome.map_or("no outcome", |outcome| outcome.words()),
            None if measure::matrix::control(record, "").green => "green",
            None => "NOT GREEN",
        };
        let id = &record.identity.scenario;
        progress.step("trial-ended", &format!("{id}: {how}"), json!({ "id": id, "ended": how }));
    };
    let records = match way {
        Way::Simulated => session.play_side_by_side(casts, ended),
        Way::Real => {
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

fn judged(args: &MatrixArgs, plan: &Loaded<Plan>, tried: &[Tried], records: &[Record], way: Way) -> Matrix {
    let parts = tried.iter().zip(records).map(|(one, record)| {
        let fault = one.fault.as_ref().map(|fault| (fault.family, fault.name, fault.mode, fault.number));
        (one.service.as_str(), fault, record)
    });
    let mut matrix = measure::matrix::matrix(parts);
    matrix.platform.clone_from(&plan.value.platform);
    matrix.plan_sha256.clone_from(&plan.sha256);
    matrix.pipeline = args.pipeline.name().to_owned();
    (matrix.seed, matrix.way) = (args.seed, way);
    env!("CARGO_PKG_VERSION").clone_into(&mut matrix.tool_version);
    matrix
}

/// Writes the matrix in every form, and the record of each drill that is against the pipeline or shows nothing.
fn write(matrix: &Matrix, records: &[Record], output: &Output, console: &Console) -> Result<()> {
    console.text(report::matrix::terminal(matrix, &output::terminal()));
    let json = serde_json::to_string_pretty(matrix).unwrap_or_default() + "\n";
    let files = [
        ("matrix.json", json),
        ("matrix.md", report::matrix::markdown(matrix)),
        ("matrix.html", report::matrix::html(matrix)),
    ];
    for (name, content) in files {
        let path = output.write(name, &content)?;
        if !console.is_quiet() {
            console.line(format_args!("{}: {}", name, path.display()));
        }
    }
    for (cell, record) in matrix.cells.iter().zip(&records[matrix.controls.len()..]) {
        if !cell.caught.counts() {
            let json = serde_json::to_string_pretty(record).unwrap_or_default() + "\n";
            output.write(&format!("records/{}.json", record.identity.scenario), &json)?;
        }
    }
    Ok(())
}
