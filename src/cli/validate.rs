//! `backdraft validate`: are plan and scenarios well-formed and playable, and does the plan hold what it promises?

use clap::Args;

use super::{
    Common,
    selection::{self, Selection},
};
use crate::{
    error::Result,
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

pub(super) fn validate(args: &ValidateArgs, common: &Common) -> Result<u8> {
    let plan = selection::plan(&common.plan)?;
    let scenarios = selection::scenarios(&args.selection, &plan)?;
    let named: Vec<_> = scenarios.iter().map(|one| (one.id.as_str(), &one.scenario.value)).collect();
    let weaknesses = lint::lint(&plan, &named);
    if !common.quiet {
        println!("{}: the plan is well-formed", plan.path.display());
        println!("{} scenarios can be played with it", scenarios.len());
    }
    match weaknesses.len() {
        0 => println!("no weakness was found in the plan"),
        n => println!("{n} weaknesses of the plan, worst first:"),
    }
    for weakness in &weaknesses {
        show(weakness);
    }
    let failed = args.strict && !weaknesses.is_empty();
    Ok(if failed { exit::FAILED } else { exit::PASS })
}

fn show(weakness: &Weakness) {
    println!("\n{}  {}", weakness.severity.words(), weakness.what);
    println!("  where:  {} ({})", weakness.place, weakness.path);
    println!("  why:    {}", weakness.why);
    println!("  remedy: {}", weakness.remedy);
    if let Some(scenario) = &weakness.proven_by {
        println!("  shown by: backdraft run --only {scenario}");
    }
}
