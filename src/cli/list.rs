//! `backdraft list`: what there is to play with.

use clap::{Args, ValueEnum};

use super::{
    Common,
    selection::{self, Selection},
};
use crate::{error::Result, exit, fault, report};

/// Arguments of `list`.
#[derive(Debug, Clone, Args)]
pub(super) struct ListArgs {
    /// What to list.
    what: Listed,
    #[command(flatten)]
    selection: Selection,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Listed {
    /// Scenarios, with service, level and title.
    Scenarios,
    /// Faults, with their modes and parameters.
    Faults,
    /// The plan's services, with their objectives.
    Services,
    /// Report formats.
    Reports,
}

pub(super) fn list(args: &ListArgs, common: &Common) -> Result<u8> {
    match args.what {
        Listed::Scenarios => scenarios(args, common)?,
        Listed::Faults => faults(),
        Listed::Services => services(common)?,
        Listed::Reports => reports(),
    }
    Ok(exit::PASS)
}

fn scenarios(args: &ListArgs, common: &Common) -> Result<()> {
    let plan = selection::plan(&common.plan)?;
    let chosen = selection::scenarios(&args.selection, &plan)?;
    let width = chosen.iter().map(|one| one.id.len()).max().unwrap_or(0);
    for one in chosen {
        let scenario = &one.scenario.value;
        println!("{:width$}  {}  level {}  {}", one.id, scenario.service, scenario.level, scenario.title);
    }
    Ok(())
}

fn faults() {
    for fault in fault::CATALOGUE {
        println!("{}: {}", fault.name(), fault.summary());
        for mode in fault.modes() {
            println!("  {:16} {}", mode.name, mode.summary);
        }
        for parameter in fault.parameters() {
            println!("  with {:11} {}", parameter.name, parameter.summary);
        }
        println!("  example:");
        for line in fault.example().lines() {
            println!("    {line}");
        }
        println!();
    }
}

fn services(common: &Common) -> Result<()> {
    let plan = selection::plan(&common.plan)?.value;
    let width = plan.services.keys().map(String::len).max().unwrap_or(0);
    for (name, service) in &plan.services {
        let every = service.backup.every.interval();
        println!("{name:width$}  RTO {}  RPO {}  backup every {every}", service.rto, service.rpo);
    }
    Ok(())
}

fn reports() {
    for report in report::CATALOGUE {
        println!("{:10} {}", report.name(), report.summary());
    }
}
