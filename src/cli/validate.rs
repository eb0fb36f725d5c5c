//! `backdraft validate`: are plan and scenarios well-formed and playable, and does the plan hold what it promises?

use clap::Args;

use super::{
    Common, Ended,
    console::Console,
    selection::{self, Selection},
};
use crate::{
    exit,
    input::lint::{self, Weakness},
};

/// Arguments of `validate`.
#[derive(Debug, Clone, Args)]
pub(super) struct ValidateArgs {
    #[command(flatten)]
    selection: Selection,
    /// A weakness of the plan fails the command.
    #[arg(long)]
    strict: bool,
}

pub(super) fn validate(args: &ValidateArgs, common: &Common, console: &Console) -> Ended {
    let plan = selection::plan(&common.plan)?;
    let scenarios = selection::scenarios(&args.selection, &plan)?;
    let named: Vec<_> = scenarios.iter().map(|one| (one.id.as_str(), &one.scenario.value)).collect();
    let weaknesses = lint::lint(&plan, &named);
    if !console.is_quiet() {
        console.line(format_args!("{}: the plan is well-formed", plan.path.display()));
        console.line(format_args!("{} scenarios can be played with it", scenarios.len()));
    }
    match weaknesses.len() {
        0 => console.line(format_args!("no weakness was found in the plan")),
        n => console.line(format_args!("{n} weaknesses of the plan, worst first:")),
    }
    for weakness in &weaknesses {
        show(weakness, console);
    }
    let failed = args.strict && !weaknesses.is_empty();
    Ok(if failed { exit::FAILED } else { exit::PASS })
}

fn show(weakness: &Weakness, console: &Console) {
    console.line(format_args!("\n{}  {}", weakness.severity.words(), weakness.what));
    console.line(format_args!("  where:  {} ({})", weakness.place, weakness.path));
    console.line(format_args!("  why:    {}", weakness.why));
    console.line(format_args!("  remedy: {}", weakness.remedy));
    if !weakness.proven_by.is_empty() {
        console.line(format_args!("  shown by: backdraft run --only {}", weakness.proven_by.join(" --only ")));
    }
}
