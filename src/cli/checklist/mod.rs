//! `backdraft checklist`: does what a machine can of a day's, a week's or a month's checklist, lists what people must,
//! and writes the sheet to be signed. What could not be checked is never ticked.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{
    Common, Ended, buckets::BucketArgs, console::Console, keeper::KeepArgs, output::Output, selection, session::Session,
};
use crate::{
    exit,
    input::load::Loaded,
    model::{plan::Plan, record::Way},
    sim::{clock, clock::Clock},
};

mod backups;
mod drills;
mod items;
mod sheet;

use items::{Item, State};
use sheet::Sheet;

/// Arguments of `checklist`.
#[derive(Debug, Clone, Args)]
pub(super) struct ChecklistArgs {
    /// Which checklist.
    #[arg(value_name = "PERIOD", value_enum)]
    period: Period,
    /// Folder for the sheet.
    #[arg(long, value_name = "DIR", default_value = "reports/checklists")]
    out: PathBuf,
    #[command(flatten)]
    buckets: BucketArgs,
    /// Address at which a service says that it is well; may be given more than once (daily).
    #[arg(long, value_name = "URL")]
    health: Vec<String>,
    /// State file of the running monitor, which shows when it last looked (daily).
    #[arg(long, value_name = "FILE")]
    monitor_state: Option<PathBuf>,
    /// Play the drills in real time, over real HTTP (monthly).
    #[arg(long)]
    real: bool,
    /// A missed objective fails the checklist, also where the scenario expects it (monthly).
    #[arg(long)]
    strict: bool,
    /// Only scenarios whose name holds this text; may be given more than once (monthly).
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,
    #[command(flatten)]
    keep: KeepArgs,
}

/// How often a checklist is gone through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Period {
    Daily,
    Weekly,
    Monthly,
}

impl Period {
    fn name(self) -> &'static str {
        match self {
            Period::Daily => "daily",
            Period::Weekly => "weekly",
            Period::Monthly => "monthly",
        }
    }
}

/// What every item may use.
struct Desk<'d> {
    args: &'d ChecklistArgs,
    plan: &'d Loaded<Plan>,
    session: &'d Session,
    console: &'d Console,
    output: &'d Output,
    /// What the sheet's files are called.
    stem: String,
    clock: Clock,
}

pub(super) fn checklist(args: &ChecklistArgs, common: &Common, console: &Console) -> Ended {
    let plan = selection::plan(&common.plan)?;
    // Mistakes in the addresses are said before anything is done.
    if args.buckets.are_given(&plan.value) {
        args.buckets.check(&plan.value)?;
    }
    let session = Session::start(false)?;
    let output = Output::beside_evidence(&args.out)?;
    let now = clock::wall_now();
    let zone = jiff::tz::TimeZone::get(&plan.value.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let local = now.to_zoned(zone);
    let stem = format!("{}-{}", args.period.name(), local.strftime("%Y-%m-%d"));
    let Some(clock) = session.carry_out(async |_| Clock::new(Way::Real, now))? else { return Ok(exit::INTERRUPTED) };
    let desk = Desk { args, plan: &plan, session: &session, console, output: &output, stem, clock };
    let items = match args.period {
        Period::Daily => desk.daily()?,
        Period::Weekly => desk.weekly()?,
        Period::Monthly => desk.monthly()?,
    };
    if session.is_stopped() {
        return Ok(exit::INTERRUPTED);
    }
    // Errors of providers and addresses are quoted in them.
    let items: Vec<Item> = items.into_iter().map(Item::told).collect();
    let failed = items.iter().any(|item| item.state == State::Failed);
    let sheet = Sheet { period: args.period, plan: &plan, at: &local, items: &items };
    for item in &items {
        console.line(format_args!("{:11}  {}: {}", item.state.words(), item.title, item.detail));
        if !console.is_quiet() {
            item.lines.iter().for_each(|line| console.line(format_args!("             {line}")));
        }
    }
    for (ending, text) in [("json", sheet.json()), ("md", sheet.markdown())] {
        let path = output.write(&format!("{}.{ending}", desk.stem), &text)?;
        if !console.is_quiet() {
            console.line(format_args!("{ending}: {}", path.display()));
        }
    }
    // What nobody could look at is no green light.
    let unknown = items.iter().any(|item| item.state == State::NotChecked);
    Ok(match (failed, unknown) {
        (true, _) => exit::FAILED,
        (false, true) => exit::INCONCLUSIVE,
        (false, false) => exit::PASS,
    })
}
