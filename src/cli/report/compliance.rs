//! `backdraft report compliance`: what the drills of a period show of the plan, in every format, with its evidence.

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::{ToSpan, civil::Date};

use super::{Form, Press, known};
use crate::{
    cli::{
        Common, Ended,
        console::{Console, Refused},
        evidence::{self, SignArgs},
        keeper::PlaceArgs,
        output::Output,
        selection::{self, DEFAULT_FOLDER, Selection},
    },
    environment,
    error::{Error, Result},
    evidence::{
        PublicKey, Statement,
        statement::{Grade, Resource},
    },
    exit,
    input::{
        load::{self, Loaded},
        validate,
    },
    measure::compliance::{Inputs, compliance as judge},
    model::{
        compliance::{Actions, Compliance, Playable},
        plan::Plan,
        status::Colour,
    },
    report::compliance::Page,
    sim::clock,
};

/// Where actions lie unless a path says otherwise: beside the history.
const ACTIONS: &str = "reports/actions.yaml";
/// A file that every folder of a compliance report holds, and no other folder.
const PAGE: &str = "compliance.json";
/// The longest period, in years: more is a slip of the pen.
const LONGEST: i64 = 10;

/// Arguments of `report compliance`.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct ComplianceArgs {
    /// The first day of the period, in the plan's time zone.
    #[arg(long, value_name = "DATE")]
    from: Date,
    /// The first day that is no part of it: --from 2026-01-01 --to 2026-04-01 is a quarter.
    #[arg(long, value_name = "DATE")]
    to: Date,
    #[command(flatten)]
    place: PlaceArgs,
    /// Folder with records, or a run's output folder, instead of the history; may be given more than once.
    #[arg(long, value_name = "DIR", conflicts_with = "history")]
    records: Vec<PathBuf>,
    /// The public key that must have signed the evidence beside those records; without one, no signature is checked.
    #[arg(long, value_name = "PUB.pem", requires = "records")]
    key: Option<PathBuf>,
    /// Corrective actions with owner and due date; reports/actions.yaml where it is there and none is given.
    #[arg(long, value_name = "FILE")]
    actions: Option<PathBuf>,
    /// Folder of the scenarios that there are: those never played count as untested.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_FOLDER)]
    scenarios: PathBuf,
    #[command(flatten)]
    form: Form,
    /// Folder for the report; below reports/compliance, named by the period, where none is given.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Exit 1 where the whole is red, 3 where it is grey.
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    sign: SignArgs,
}

pub(in crate::cli) fn compliance(args: &ComplianceArgs, common: &Common, console: &Console) -> Ended {
    period(args)?;
    let press = Press::new(&args.form)?;
    let signer = args.sign.signer()?;
    let plan = selection::plan(&common.plan)?;
    let actions = actions(args.actions.as_deref(), &plan.value)?;
    let playable = playable(&args.scenarios, &plan)?;
    let drills = match args.records.is_empty() {
        true => known::of_history(&args.place, &plan.value)?,
        false => {
            let key = args.key.as_deref().map(PublicKey::read).transpose()?;
            known::of_records(&args.records, key.as_ref())?
        }
    };
    let report = judge(&Inputs {
        plan: &plan.value,
        plan_sha256: &plan.sha256,
        tool_version: env!("CARGO_PKG_VERSION"),
        from: args.from,
        to: args.to,
        made_at: clock::wall_now(),
        known: &drills.known,
        unchecked: drills.unchecked,
        playable: &playable,
        actions: actions.as_ref().map_or(&[], |file| &file.value.actions),
        head: drills.head.as_ref(),
        source: drills.source,
    });
    // Notes and names are written by people.
    let unlooked = |e| Error::new("the report cannot be told without a secret in it").because(e);
    let report = environment::without_secrets(report).map_err(unlooked)?.value;
    let folder = args.out.clone().unwrap_or_else(|| format!("reports/compliance/{}_{}", args.from, args.to).into());
    let output = match folder.join(PAGE).is_file() {
        // The same period again takes the place of what was said of it before.
        true => Output::open(&folder)?,
        false => Output::beside_evidence(&folder)?,
    };
    evidence::clear(&output)?;
    let page = Page { of: &report, key: signer.as_ref().map(|signer| signer.name.as_str()) };
    press.write_compliance(&page, &output, console)?;
    let statement = statement(&report, actions.as_ref(), &output);
    evidence::write(&statement, signer.as_ref(), &output, console)?;
    console.line(press.options.say(&format!("the whole is {}", report.standing.name())));
    Ok(match report.standing {
        Colour::Red if args.strict => exit::FAILED,
        Colour::Grey if args.strict => exit::INCONCLUSIVE,
        _ => exit::PASS,
    })
}

fn period(args: &ComplianceArgs) -> Result<()> {
    let longest = args.from.checked_add(LONGEST.years()).unwrap_or(Date::MAX);
    let what = match () {
        () if args.from >= args.to => {
            format!("the period is empty: it begins on {} and ends before {}", args.from, args.to)
        }
        () if args.to > longest => format!("the period is longer than {LONGEST} years"),
        () => return Ok(()),
    };
    Err(Error::new(what).at("--to").help("give the first day that is no part of it: --from 2026-01-01 --to 2026-04-01"))
}

fn actions(path: Option<&Path>, plan: &Plan) -> std::result::Result<Option<Loaded<Actions>>, Refused> {
    let path = match path {
        Some(path) => path,
        None if Path::new(ACTIONS).is_file() => Path::new(ACTIONS),
        None => return Ok(None),
    };
    let file = load::load_actions(path)?;
    let wrong = validate::actions(&file, plan);
    if wrong.is_empty() { Ok(Some(file)) } else { Err(Refused(wrong)) }
}

fn playable(folder: &Path, plan: &Loaded<Plan>) -> std::result::Result<Vec<Playable>, Refused> {
    let scenarios = selection::scenarios(&Selection::below(folder), plan)?;
    Ok(scenarios.into_iter().map(|one| Playable { id: one.id, sha256: one.scenario.sha256 }).collect())
}

/// What a report is the statement of: each objective, each service's restore tests; made from these drills.
fn statement(report: &Compliance, actions: Option<&Loaded<Actions>>, output: &Output) -> Statement {
    let plan = Resource::new("plan", &report.plan_sha256);
    let plan = plan.with("platform", &report.platform).with("tool_version", &report.tool_version);
    let drills = report.drills.iter().map(|drill| {
        Resource::new(&drill.scenario, &drill.record_sha256).with("at", drill.at).with("way", drill.way.words())
    });
    let actions = actions.map(|file| Resource::new("actions", &file.sha256));
    let objectives =
        report.objectives.iter().map(|one| (format!("{} {}", one.whose, one.objective.words()), grade(one.standing)));
    let tests = report.cadence.iter().map(|one| (format!("restore tests of {}", one.service), grade(one.standing)));
    let configuration = [plan].into_iter().chain(actions).chain(drills).collect();
    Statement::new(&output.written(), configuration, report.head.as_ref(), objectives.chain(tests))
}

/// What was not shown did not pass.
fn grade(standing: Colour) -> Grade {
    match standing {
        Colour::Green => Grade::Passed,
        Colour::Amber => Grade::Warned,
        Colour::Grey | Colour::Red => Grade::Failed,
    }
}
