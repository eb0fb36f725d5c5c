//! `backdraft run`: plays scenarios against the plan, prints a table, writes reports.

use std::path::PathBuf;

use clap::Args;

use super::{
    Common, Ended,
    console::Console,
    evidence::{self, SignArgs},
    gate::{self, GateArgs, Gatekeeper},
    github, incident,
    keeper::{KeepArgs, Keeper},
    output::Output,
    progress::Progress,
    report::{Form, Press},
    selection::{self, Selection},
    session::{Cast, DEFAULT_SEED, Played, Session, Troupe},
    status_page::StatusPage,
    storage::StorageArgs,
};
use crate::{
    error::Result,
    evidence::Statement,
    exit, measure,
    model::record::{Record, Way},
    report,
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
    /// Print annotations for GitHub Actions, and add to the step's summary; always so where GITHUB_ACTIONS is true.
    #[arg(long)]
    github: bool,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    sign: SignArgs,
    #[command(flatten)]
    gate: GateArgs,
    #[command(flatten)]
    keep_in: KeepArgs,
    #[command(flatten)]
    storage: StorageArgs,
}

pub(super) fn run(args: &RunArgs, common: &Common, console: &Console) -> Ended {
    let plan = selection::plan(&common.plan)?;
    let chosen = selection::scenarios(&args.selection, &plan)?;
    if args.simulate {
        selection::none_by_commands(&chosen, &plan.value)?;
    }
    let press = Press::new(&args.form)?;
    let gatekeeper = Gatekeeper::open(&args.gate)?;
    let signer = args.sign.signer()?;
    let way = if args.simulate { Way::Simulated } else { Way::Real };
    let session = Session::start(args.keep)?.on(&args.storage, way)?;
    let keeper = Keeper::open(&args.keep_in, console)?;
    let output = match &args.out {
        Some(folder) => Output::open(folder)?,
        None => Output::fresh()?,
    };
    evidence::clear(&output)?;
    let origins = github::origins(&chosen);
    let troupe = Troupe::new(&plan, args.seed, way)?.on(session.storage());
    let casts: Vec<Cast> = chosen.into_iter().map(|one| troupe.cast(one)).collect::<Result<_>>()?;
    let status_page = if args.status_page { Some(StatusPage::start(&session, console)?) } else { None };
    let stage = Stage {
        args,
        console,
        session: &session,
        output: &output,
        status_page: status_page.as_ref(),
        keeper: keeper.as_ref(),
    };
    let plays = stage.play_all(&casts, gatekeeper.repeats())?;
    if let Some(page) = status_page {
        page.stop(&session);
    }
    let (records, gate) = (gate::gravest_of_each(&plays, casts.len()), gatekeeper.judge(&plays));
    let past = keeper.as_ref().map(|keeper| keeper.past(&plan.value)).transpose()?;
    let ended = report::Run {
        past: past.as_ref().map_or(&[][..], |past| &past.drills),
        trend: past.as_ref().map(|past| &past.trend),
        head: past.as_ref().and_then(|past| past.head.as_ref()),
        gate: gate.as_ref(),
        key: signer.as_ref().map(|signer| signer.name.as_str()),
        origins: Some(&origins),
        ..report::Run::of(&records)
    };
    press.write(&ended, report::CATALOGUE, &output, console)?;
    let statement = Statement::of_drills(&records, &output.written(), ended.head);
    evidence::write(&statement, signer.as_ref(), &output, console)?;
    gatekeeper.write(&plays, console)?;
    if args.github || console.is_on_github() {
        github::tell(&ended, console)?;
    }
    if let (Some(keeper), false) = (&keeper, console.is_quiet()) {
        console.line(keeper.words());
    }
    let code = measure::exit_code(&plays, args.strict);
    if args.strict && code == exit::FAILED && measure::exit_code(&plays, false) == exit::PASS {
        console.line("failed: an objective is missed, and --strict allows none, expected or not");
    }
    Ok(measure::gravest([code].into_iter().chain(gate.as_ref().map(gate::exit_code))).unwrap_or(code))
}

fn record_json(record: &Record) -> String {
    // A record is made of strings, numbers and lists: it always has a JSON form.
    serde_json::to_string_pretty(record).map(|json| json + "\n").unwrap_or_default()
}

/// What drills are played with.
struct Stage<'a> {
    args: &'a RunArgs,
    console: &'a Console,
    session: &'a Session,
    output: &'a Output,
    status_page: Option<&'a StatusPage>,
    keeper: Option<&'a Keeper>,
}

impl Stage<'_> {
    /// Plays every drill, round after round, so that what disturbs this machine for a while does not meet one drill
    /// alone. Each record is on disk before the next drill begins; those that a signal kept from beginning have theirs,
    /// too. Records of the second round and later lie below repeats/, so that no name can be taken twice.
    fn play_all(&self, casts: &[Cast], rounds: usize) -> Result<Vec<Record>> {
        let mut progress = Progress::new(casts.len() * rounds, self.console);
        let mut records = Vec::new();
        self.keeper.map(|keeper| keeper.announce(casts, rounds)).transpose()?;
        for round in 1..=rounds {
            for cast in casts {
                let mark = self.keeper.map(|keeper| keeper.begin(cast)).transpose()?;
                let listener = progress.begin(&cast.id);
                let listener = match self.status_page {
                    Some(page) => page.follow(&cast.plan, &cast.scenario, listener),
                    None => listener,
                };
                let Played { record, kept } = self.session.play(cast, listener);
                let folder = if round == 1 { "records".to_owned() } else { format!("repeats/{round}") };
                self.output.write(&format!("{folder}/{}.json", cast.id), &record_json(&record))?;
                if let (Some(keeper), Some(mark)) = (self.keeper, mark) {
                    keeper.append(&record, mark)?;
                }
                if self.args.incident && round == 1 {
                    incident::write(&record, self.output, &format!("incidents/{}/", cast.id))?;
                }
                progress.end(&record, kept.as_deref());
                records.push(record);
            }
        }
        progress.finish();
        self.keeper.map(Keeper::all_played).transpose()?;
        Ok(records)
    }
}
