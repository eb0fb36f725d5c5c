//! Import fails: the target takes all rows, and fails half-way through writing them.

use super::struck::{Conditioned, of_newest, part, trial};
use crate::fault::{Fault, Ground, Injection, Mode, Onset, Parameter, Trial, no_regions, only_now, parameter};
use crate::{
    emulator::{World, targets::Targets},
    model::{event::Proof, plan::ServiceKind, scenario::FaultSpec, units::Percent},
};

/// Entry in the catalogue.
pub(super) struct ImportFails;

const NAME: &str = "import-fails";

impl Fault for ImportFails {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "the import into the target fails half-way"
    }

    fn modes(&self) -> &'static [Mode] {
        &[
            Mode { name: "once", summary: "one import fails, the next ones work" },
            Mode { name: "always", summary: "every import fails" },
        ]
    }

    fn is_for(&self, kind: ServiceKind) -> bool {
        kind == ServiceKind::Database
    }

    fn strikes_points(&self) -> bool {
        false
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[
            Parameter { name: "after", summary: "share of the newest backup's rows; 50%" },
            Parameter { name: "rows", summary: "rows instead of a share" },
        ]
    }

    fn meets_commands(&self, _mode: &str, on_deployments: bool) -> bool {
        on_deployments
    }

    fn example(&self) -> &'static str {
        "- fault: import-fails\n  mode: once\n  when: at-disaster\n  with: { after: 60% }\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        trial(ground, NAME, mode)
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        no_regions(spec)?;
        let (share, rows) = (parameter::<Percent>(spec, "after")?, parameter::<u64>(spec, "rows")?);
        if share.is_some() && rows.is_some() {
            return Err(format!("fault `{NAME}` fails after a share or after `rows`: remove one of them"));
        }
        let after = part(share, "after", NAME)?;
        let times = (spec.mode == "once").then_some(1);
        Ok(Box::new(Fails { after, rows, times, struck: Conditioned::of(spec) }))
    }
}

struct Fails {
    after: Percent,
    rows: Option<u64>,
    times: Option<u32>,
    struck: Conditioned,
}

impl Injection for Fails {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        let (after, rows, times) = (self.after, self.rows, self.times);
        self.struck.strike(world, |targets: &Targets, condition| {
            let after = rows.map_or_else(|| of_newest(after, targets, |newest| newest.rows), Ok)?;
            condition.import_fails_after = Some(after);
            condition.import_failures = times;
            Ok(())
        })?;
        let after = rows.map_or_else(|| format!("{after} of the newest backup's rows"), |rows| format!("{rows} rows"));
        Ok(format!(
            "{} into a deployment fails after {after}",
            if times.is_some() { "one import" } else { "every import" }
        ))
    }

    fn proof(&self, _: &World) -> Proof {
        self.struck.met(|struck| struck.imports_failed, "import")
    }

    fn heal(&mut self, _: &World) -> bool {
        self.struck.heal(|now, before| {
            now.import_fails_after = before.import_fails_after;
            now.import_failures = before.import_failures;
        })
    }
}
