//! Target not empty: a deployment that is said to be new has rows in it, from an earlier test or from another project.

use super::struck::{Conditioned, trial};
use crate::fault::{Fault, Ground, Injection, Mode, Onset, Parameter, Trial, no_regions, only_now, parameter};
use crate::{
    emulator::{World, convex::condition::Leftovers},
    model::{event::Proof, plan::ServiceKind, scenario::FaultSpec, words},
};

/// Entry in the catalogue.
pub(super) struct TargetNotEmpty;

const NAME: &str = "target-not-empty";

impl Fault for TargetNotEmpty {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "a new target has rows in it already"
    }

    fn modes(&self) -> &'static [Mode] {
        &[
            Mode { name: "table-of-its-own", summary: "in a table that no backup has" },
            Mode { name: "table-of-the-application", summary: "in a table that each backup has" },
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
            Parameter { name: "deployments", summary: "how many new deployments are so, the first ones; 1" },
            Parameter { name: "every", summary: "`true`: each one is so" },
        ]
    }

    fn meets_commands(&self, _mode: &str, on_deployments: bool) -> bool {
        on_deployments
    }

    fn example(&self) -> &'static str {
        "- fault: target-not-empty\n  mode: table-of-its-own\n  when: at-disaster\n  with: { deployments: 2 }\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        trial(ground, NAME, mode)
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        no_regions(spec)?;
        let deployments = parameter::<u32>(spec, "deployments")?;
        let every = parameter::<bool>(spec, "every")?.unwrap_or(false);
        match deployments {
            Some(0) => return Err(format!("parameter `deployments` of fault `{NAME}`: write 1 or more")),
            Some(_) if every => {
                return Err(format!("fault `{NAME}` strikes `every` deployment or a number of them: remove one"));
            }
            _ => {}
        }
        let deployments = (!every).then_some(deployments.unwrap_or(1));
        let in_known_table = spec.mode == "table-of-the-application";
        Ok(Box::new(NotEmpty { leftovers: Leftovers { in_known_table, deployments }, struck: Conditioned::of(spec) }))
    }
}

struct NotEmpty {
    leftovers: Leftovers,
    struck: Conditioned,
}

impl Injection for NotEmpty {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        let leftovers = self.leftovers;
        self.struck.strike(world, |_, condition| {
            condition.leftovers = Some(leftovers);
            Ok(())
        })?;
        let which = match self.leftovers.deployments {
            None => "each new deployment".to_owned(),
            Some(n) => format!("the next {}", words::count(n.into(), "new deployment")),
        };
        let table =
            if self.leftovers.in_known_table { "one of the application's tables" } else { "a table of its own" };
        Ok(format!("{which} has a row that was left behind, in {table}"))
    }

    fn proof(&self, _: &World) -> Proof {
        let met = self.struck.met(|struck| struck.with_leftovers, "new deployment");
        Proof { evidence: met.evidence.replace(" met it", " had rows in them"), ..met }
    }

    fn heal(&mut self, _: &World) -> bool {
        self.struck.heal(|now, before| now.leftovers = before.leftovers)
    }
}
