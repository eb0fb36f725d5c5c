//! `backdraft validate`: are plan and scenarios well-formed and playable, and does the plan hold what it promises?

use std::{collections::BTreeMap, path::PathBuf};

use clap::Args;

use super::{
    Common, Ended,
    console::Console,
    selection::{self, Chosen, Selection},
    session::{DEFAULT_SEED, Session, Troupe},
};
use crate::{
    exit,
    input::{lint, load::Loaded},
    measure,
    model::{plan::Plan, record::Way, weakness::Weakness, words},
    report::weaknesses,
};

/// Folder beside a plan with drills of its rules as they are written; what they lose in silence fails them.
const AS_WRITTEN: &str = "as-written";

/// Arguments of `validate`.
#[derive(Debug, Clone, Args)]
pub(super) struct ValidateArgs {
    #[command(flatten)]
    selection: Selection,
    /// A weakness of the plan fails the command.
    #[arg(long)]
    strict: bool,
    /// Print a page in Markdown instead: every weakness with its reason, its remedy and the drill that proves it. Where no
    /// PATH is given, the drills in the folder as-written beside the plan are played, too: they fail by design.
    #[arg(long)]
    explain: bool,
}

pub(super) fn validate(args: &ValidateArgs, common: &Common, console: &Console) -> Ended {
    let plan = selection::plan(&common.plan)?;
    let selection = match args.explain {
        true => args.selection.and(common.plan.with_file_name(AS_WRITTEN)),
        false => args.selection.clone(),
    };
    let scenarios = selection::scenarios(&selection, &plan)?;
    let found = lint::lint(&plan);
    let failed = args.strict && !found.is_empty();
    let ended = if failed { exit::FAILED } else { exit::PASS };
    if args.explain {
        return explain(&plan, scenarios, found, ended, console);
    }
    if !console.is_quiet() {
        console.line(format_args!("{}: the plan is well-formed", plan.path.display()));
        let scenarios = words::count(scenarios.len() as u64, "scenario");
        console.line(format_args!("{scenarios} can be played with it"));
    }
    match found.len() {
        0 => console.line(format_args!("no weakness was found in the plan")),
        1 => console.line(format_args!("1 weakness of the plan; --explain plays the drills that prove it:")),
        n => console
            .line(format_args!("{n} weaknesses of the plan, worst first; --explain plays the drills that prove them:")),
    }
    for weakness in &found {
        show(weakness, console);
    }
    Ok(ended)
}

fn show(weakness: &Weakness, console: &Console) {
    console.line(format_args!("\n{}  {}", weakness.severity.words(), weakness.what));
    console.line(format_args!("  where:  {} ({})", weakness.place, weakness.path));
    console.line(format_args!("  why:    {}", weakness.why));
    console.line(format_args!("  remedy: {}", weakness.remedy));
}

/// Plays every scenario in simulated time, and prints what the drills show of each weakness.
fn explain(plan: &Loaded<Plan>, scenarios: Vec<Chosen>, found: Vec<Weakness>, ended: u8, console: &Console) -> Ended {
    let session = Session::start(false)?;
    let paths: BTreeMap<String, PathBuf> =
        scenarios.iter().map(|one| (one.id.clone(), one.scenario.path.clone())).collect();
    let troupe = Troupe::new(plan, DEFAULT_SEED, Way::Simulated)?;
    let records = session.play_all(&troupe, scenarios, None, console)?;
    if session.is_stopped() {
        return Ok(exit::INTERRUPTED);
    }
    console.text(weaknesses::page(
        &plan.path.display().to_string(),
        &measure::proofs(found, &records),
        &measure::silent_losses(&records),
        &|id| match paths.get(id).filter(|path| !path.starts_with(selection::DEFAULT_FOLDER)) {
            Some(path) => path.display().to_string(),
            None => format!("--only {id}"),
        },
    ));
    Ok(ended)
}
