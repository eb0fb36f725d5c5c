//! Target disk full: what is restored does not fit where it is restored to.

use super::struck::{Conditioned, of_newest, part, trial};
use crate::fault::{Fault, Ground, Injection, Mode, Onset, Parameter, Trial, no_regions, only_now, parameter};
use crate::{
    emulator::World,
    model::{event::Proof, plan::ServiceKind, scenario::FaultSpec, units::Percent},
};

/// Entry in the catalogue.
pub(super) struct TargetDiskFull;

const NAME: &str = "target-disk-full";

impl Fault for TargetDiskFull {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "the target's disk is full before all rows are there"
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode { name: "half-way", summary: "every new deployment has room for a part of the newest backup" }]
    }

    fn is_for(&self, kind: ServiceKind) -> bool {
        kind == ServiceKind::Database
    }

    fn strikes_points(&self) -> bool {
        false
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[Parameter { name: "room", summary: "share of the newest backup's bytes for which there is room; 50%" }]
    }

    fn meets_commands(&self, _mode: &str, on_deployments: bool) -> bool {
        on_deployments
    }

    fn example(&self) -> &'static str {
        "- fault: target-disk-full\n  when: at-disaster\n  with: { room: 80% }\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        trial(ground, NAME, mode)
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        no_regions(spec)?;
        let room = part(parameter(spec, "room")?, "room", NAME)?;
        Ok(Box::new(Full { room, struck: Conditioned::of(spec) }))
    }
}

struct Full {
    room: Percent,
    struck: Conditioned,
}

impl Injection for Full {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        let room = self.room;
        self.struck.strike(world, |targets, condition| {
            condition.disk = Some(of_newest(room, targets, |newest| newest.bytes)?);
            Ok(())
        })?;
        Ok(format!("new deployments have room for {room} of the newest backup"))
    }

    fn proof(&self, _: &World) -> Proof {
        self.struck.met(|struck| struck.disks_full, "import")
    }

    fn heal(&mut self, _: &World) -> bool {
        self.struck.heal(|now, before| now.disk = before.disk)
    }
}
