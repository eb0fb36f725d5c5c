//! Restore hangs: the process that restores stands still in the middle of an import, for ever.

use crate::fault::{Fault, Ground, Injection, Mode, Onset, Trial, in_import, no_regions, only_now};
use crate::{
    emulator::{World, restorer::Fate},
    model::{event::Proof, scenario::FaultSpec, words},
};

/// Entry in the catalogue.
pub(super) struct RestoreHangs;

const NAME: &str = "restore-hangs";

impl Fault for RestoreHangs {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "the process that restores stands still half-way, and the time limit ends it"
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode { name: "for-ever", summary: "it neither goes on nor fails" }]
    }

    fn strikes_points(&self) -> bool {
        false
    }

    fn meets_commands(&self, _mode: &str, _on_deployments: bool) -> bool {
        false
    }

    fn example(&self) -> &'static str {
        "- fault: restore-hangs\n  when: { during-import: 50% }\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        Trial::of(ground.half_way(NAME, mode))
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        no_regions(spec)?;
        in_import(spec)?;
        if spec.lasts.is_some() {
            return Err(format!("fault `{NAME}` does not end: remove `lasts`"));
        }
        Ok(Box::new(Hangs { before: 0 }))
    }
}

struct Hangs {
    before: u32,
}

impl Injection for Hangs {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        self.before = world.restorer.stopped();
        world.restorer.set(Fate::Stopped);
        Ok("the process that restores stands still".into())
    }

    fn proof(&self, world: &World) -> Proof {
        let stopped = world.restorer.stopped() - self.before;
        Proof {
            bit: stopped > 0,
            evidence: format!("{} stood still in the middle of an import", words::count(stopped.into(), "restore")),
        }
    }

    fn heal(&mut self, world: &World) -> bool {
        world.restorer.set(Fate::Runs);
        world.targets.values().for_each(|targets| targets.gate().open());
        true
    }
}
