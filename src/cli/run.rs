//! `backdraft run`: plays scenarios against the plan, prints a table, writes reports.

use std::path::PathBuf;

use clap::Args;

use super::{
    Common, Ended,
    console::Console,
    incident,
    keeper::{KeepArgs, Keeper},
    output::{self, Output},
    progress::Progress,
    selection::{self, Chosen, Selection},
    session::{DEFAULT_SEED, Played, Session, Troupe},
    status_page::StatusPage,
};
use crate::{
    error::Result,
    exit,
    input::load::Loaded,
    measure,
    model::{
        plan::Plan,
        record::{Record, Way},
    },
    report::{self, Options},
};

/// Arguments of `run`.
#[derive(Debug, Clone, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    selection: Selection,
    /// Folder for records and reports; a new one below reports/runs where none is given.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Root of all randomness.
    #[arg(long, value_name = "N", default_value_t = DEFAULT_SEED)]
    seed: u64,
    /// Play in virtual time, in process, without sockets.
    #[arg(long)]
    simulate: bool,
    /// A missed objective fails the run, also where the scenario expects it.
    #[arg(long)]
    strict: bool,
    /// Keep each drill's scratch folder: the regions' objects as plain files, and what was live at the end.
    #[arg(long)]
    keep: bool,
    /// Write the papers of each drill's incident below incidents/ in the output folder.
    #[arg(long)]
    incident: bool,
    /// Serve the status page of the drill that is being played on loopback.
    #[arg(long)]
    status_page: bool,
    #[command(flatten)]
    keep_in: KeepArgs,
}

pub(super) fn run(args: &RunArgs, common: &Common, console: &Console) -> Ended {
    let plan = selection::plan(&common.plan)?;
    let chosen = selection::scenarios(&args.selection, &plan)?;
    let session = Session::start(args.keep)?;
    let keeper = Keeper::open(&args.keep_in, console)?;
    let output = match &args.out {
        Some(folder) => Output::open(folder)?,
        None => Output::fresh()?,
    };
    let status_page = if args.status_page { Some(StatusPage::start(&session, console)?) } else { None };
    let kept = plan.value.clone();
    let beside = Beside { output: &output, status_page: status_page.as_ref(), keeper: keeper.as_ref() };
    let records = play_all(args, console, &session, plan, chosen, &beside)?;
    if let Some(page) = status_page {
        page.stop(&session);
    }
    let past = keeper.as_ref().map(|keeper| keeper.past(&kept)).transpose()?;
    let (trend, head) = (past.as_ref().map(|past| &past.trend), past.as_ref().and_then(|past| past.head.as_ref()));
    let past = past.as_ref().map_or(&[][..], |past| &past.drills);
    let ended = report::Run { past, trend, head, ..report::Run::of(&records) };
    for format in report::CATALOGUE {
        if format.name() == "terminal" {
            console.text(format.render(&ended, &output::terminal()));
            continue;
        }
        let path = output.write(format.file(), &format.render(&ended, &Options::default()))?;
        if !console.is_quiet() {
            console.line(format_args!("{}: {}", format.name(), path.display()));
        }
    }
    if let (Some(keeper), false) = (&keeper, console.is_quiet()) {
        console.line(keeper.words());
    }
    let code = measure::exit_code(&records, args.strict);
    if args.strict && code == exit::FAILED && measure::exit_code(&records, false) == exit::PASS {
        console.line("failed: an objective is missed, and --strict allows none, expected or not");
    }
    Ok(code)
}

fn record_json(record: &Record) -> String {
    // A record is made of strings, numbers and lists: it always has a JSON form.
    serde_json::to_string_pretty(record).map(|json| json + "\n").unwrap_or_default()
}

/// Where drills leave what they give.
struct Beside<'b> {
    output: &'b Output,
    status_page: Option<&'b StatusPage>,
    keeper: Option<&'b Keeper>,
}

/// Plays every drill. Each record is on disk before the next drill begins; those that a signal kept from beginning
/// have theirs, too.
fn play_all(
    args: &RunArgs,
    console: &Console,
    session: &Session,
    plan: Loaded<Plan>,
    chosen: Vec<Chosen>,
    beside: &Beside<'_>,
) -> Result<Vec<Record>> {
    let Beside { output, status_page, keeper } = beside;
    let mut progress = Progress::new(chosen.len(), console);
    let troupe = Troupe::new(&plan, args.seed, if args.simulate { Way::Simulated } else { Way::Real });
    let mut records = Vec::new();
    for one in chosen {
        let cast = troupe.cast(one);
        let mark = keeper.map(|keeper| keeper.begin(&cast)).transpose()?;
        let listener = progress.begin(&cast.id);
        let listener = match status_page {
            Some(page) => page.follow(&cast.plan, &cast.scenario, listener),
            None => listener,
        };
        let Played { record, kept } = session.play(&cast, listener);
        output.write(&format!("records/{}.json", cast.id), &record_json(&record))?;
        if let (Some(keeper), Some(mark)) = (keeper, mark) {
            keeper.append(&record, mark)?;
        }
        if args.incident {
            incident::write(&record, output, &format!("incidents/{}/", cast.id))?;
        }
        progress.end(&record, kept.as_deref());
        records.push(record);
    }
    progress.finish();
    Ok(records)
}
