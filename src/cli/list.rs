//! `backdraft list`: what there is to play with.

use clap::{Args, ValueEnum};

use super::{
    Common, Ended,
    console::{Console, Refused},
    selection::{self, Selection},
};
use crate::{
    exit,
    fault::{self, Fault},
    model::plan::{Cadence, ServiceKind},
    report,
};

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

pub(super) fn list(args: &ListArgs, common: &Common, console: &Console) -> Ended {
    match args.what {
        Listed::Scenarios => scenarios(args, common, console)?,
        Listed::Faults => faults(console),
        Listed::Services => services(common, console)?,
        Listed::Reports => reports(console),
    }
    Ok(exit::PASS)
}

fn scenarios(args: &ListArgs, common: &Common, console: &Console) -> Result<(), Refused> {
    let plan = selection::plan(&common.plan)?;
    let chosen = selection::scenarios(&args.selection, &plan)?;
    let width = chosen.iter().map(|one| one.id.len()).max().unwrap_or(0);
    for one in chosen {
        let scenario = &one.scenario.value;
        console.line(format_args!(
            "{:width$}  {}  level {}  {}",
            one.id, scenario.service, scenario.level, scenario.title
        ));
    }
    Ok(())
}

fn faults(console: &Console) {
    for (n, (family, faults)) in fault::CATALOGUE.iter().enumerate() {
        let gap = if n > 0 { "\n" } else { "" };
        console.line(format_args!("{gap}{}:", family.words().to_uppercase()));
        faults.iter().for_each(|fault| one_fault(*fault, console));
    }
}

fn one_fault(fault: &dyn Fault, console: &Console) {
    console.line(format_args!("\n{}: {}", fault.name(), fault.summary()));
    let kinds: Vec<&str> = ServiceKind::ALL.iter().filter(|kind| fault.is_for(**kind)).map(|k| k.words()).collect();
    console.line(format_args!("  strikes: {}", kinds.join(", ")));
    for mode in fault.modes() {
        console.line(format_args!("  {:18} {}", mode.name, mode.summary));
    }
    for parameter in fault.parameters() {
        console.line(format_args!("  with {:13} {}", parameter.name, parameter.summary));
    }
    console.line(format_args!("  example:"));
    for line in fault.example().lines() {
        console.line(format_args!("    {line}"));
    }
}

fn services(common: &Common, console: &Console) -> Result<(), Refused> {
    let plan = selection::plan(&common.plan)?.value;
    let width = plan.services.keys().map(String::len).max().unwrap_or(0);
    for (name, service) in &plan.services {
        let backup = match service.backup.every {
            Cadence::Realtime => "backup in real time".to_owned(),
            every => format!("backup every {}", every.interval()),
        };
        console.line(format_args!("{name:width$}  RTO {}  RPO {}  {backup}", service.rto, service.rpo));
    }
    Ok(())
}

fn reports(console: &Console) {
    for report in report::CATALOGUE {
        console.line(format_args!("{:12} {}", report.name(), report.summary()));
    }
}
