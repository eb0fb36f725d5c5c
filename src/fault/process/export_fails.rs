//! Export fails: the platform takes the order, and the export comes to nothing.

use super::exporting::{Exporting, accept, is_for, trial};
use crate::fault::{Fault, Ground, Injection, Mode, Onset, Trial, only_now};
use crate::{
    emulator::World,
    model::{event::Proof, plan::ServiceKind, scenario::FaultSpec},
};

/// Entry in the catalogue.
pub(super) struct ExportFails;

const NAME: &str = "export-fails";

impl Fault for ExportFails {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "exports of the database come to nothing"
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode { name: "failed", summary: "an export is begun, and ends as failed; pages are answered 500" }]
    }

    fn is_for(&self, kind: ServiceKind) -> bool {
        is_for(kind)
    }

    fn strikes_points(&self) -> bool {
        false
    }

    fn meets_commands(&self, _mode: &str, on_deployments: bool) -> bool {
        on_deployments
    }

    fn example(&self) -> &'static str {
        "- fault: export-fails\n  when: { before-backup-of-day: 4 }\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        trial(ground, NAME, mode)
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        accept(spec)?;
        Ok(Box::new(Fails(Exporting::of(spec))))
    }
}

struct Fails(Exporting);

impl Injection for Fails {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        self.0.strike(world, |condition| condition.export_fails = true)?;
        Ok("exports of the source fail".into())
    }

    fn proof(&self, _: &World) -> Proof {
        self.0.met(|struck| struck.exports_failed, "failed")
    }

    fn heal(&mut self, _: &World) -> bool {
        self.0.heal(|now, before| now.export_fails = before.export_fails)
    }
}
