//! Target quota: the plan of the platform, such as that of a new free deployment, allows less than what is restored.

use super::struck::{Conditioned, of_newest, part, trial};
use crate::fault::{Fault, Ground, Injection, Mode, Onset, Parameter, Trial, no_regions, only_now, parameter};
use crate::{
    emulator::{World, convex::condition::Quota},
    model::{event::Proof, plan::ServiceKind, scenario::FaultSpec, units::Percent},
};

/// Entry in the catalogue.
pub(super) struct TargetQuota;

const NAME: &str = "target-quota";

impl Fault for TargetQuota {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "the platform's plan allows the target less than what is restored"
    }

    fn modes(&self) -> &'static [Mode] {
        &[
            Mode { name: "rows", summary: "it allows fewer documents" },
            Mode { name: "bytes", summary: "it allows fewer bytes" },
        ]
    }

    fn is_for(&self, kind: ServiceKind) -> bool {
        kind == ServiceKind::Database
    }

    fn strikes_points(&self) -> bool {
        false
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[Parameter { name: "allows", summary: "share of the newest backup that is allowed; 50%" }]
    }

    fn meets_commands(&self, _mode: &str, on_deployments: bool) -> bool {
        on_deployments
    }

    fn example(&self) -> &'static str {
        "- fault: target-quota\n  mode: rows\n  when: at-disaster\n  with: { allows: 90% }\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        trial(ground, NAME, mode)
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        no_regions(spec)?;
        let allows = part(parameter(spec, "allows")?, "allows", NAME)?;
        Ok(Box::new(Limited { allows, by_rows: spec.mode == "rows", struck: Conditioned::of(spec) }))
    }
}

struct Limited {
    allows: Percent,
    by_rows: bool,
    struck: Conditioned,
}

impl Injection for Limited {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        let (allows, by_rows) = (self.allows, self.by_rows);
        self.struck.strike(world, |targets, condition| {
            condition.quota = Some(match by_rows {
                true => Quota::Rows(of_newest(allows, targets, |newest| newest.rows)?),
                false => Quota::Bytes(of_newest(allows, targets, |newest| newest.bytes)?),
            });
            Ok(())
        })?;
        let what = if by_rows { "documents" } else { "bytes" };
        Ok(format!("new deployments may hold {allows} of the newest backup's {what}"))
    }

    fn proof(&self, _: &World) -> Proof {
        self.struck.met(|struck| struck.quotas_hit, "import")
    }

    fn heal(&mut self, _: &World) -> bool {
        self.struck.heal(|now, before| now.quota = before.quota)
    }
}
