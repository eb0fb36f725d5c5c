//! Restore killed: the process that restores dies in the middle of an import, and a person starts it again.

use crate::fault::{Fault, Ground, Injection, Mode, Onset, Trial, in_import, no_regions, only_now};
use crate::{
    emulator::{World, restorer::Fate},
    model::{event::Proof, scenario::FaultSpec, words},
};

/// Entry in the catalogue.
pub(super) struct RestoreKilled;

const NAME: &str = "restore-killed";

impl Fault for RestoreKilled {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "the process that restores dies half-way, and a person starts it again"
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode { name: "half-way", summary: "what it had staged is left as it was" }]
    }

    fn strikes_points(&self) -> bool {
        false
    }

    fn meets_commands(&self, _mode: &str, _on_deployments: bool) -> bool {
        false
    }

    fn example(&self) -> &'static str {
        "- fault: restore-killed\n  when: { during-import: 50% }\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        Trial::of(ground.half_way(NAME, mode))
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        no_regions(spec)?;
        in_import(spec)?;
        if spec.lasts.is_some() {
            return Err(format!("fault `{NAME}` is a moment: remove `lasts`"));
        }
        Ok(Box::new(Killed { before: 0 }))
    }
}

struct Killed {
    before: u32,
}

impl Injection for Killed {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        self.before = world.restorer.killed();
        world.restorer.set(Fate::Killed);
        Ok("the process that restores is killed".into())
    }

    fn proof(&self, world: &World) -> Proof {
        let killed = world.restorer.killed() - self.before;
        Proof {
            bit: killed > 0,
            evidence: format!("{} died in the middle of an import", words::count(killed.into(), "restore")),
        }
    }

    fn heal(&mut self, world: &World) -> bool {
        if world.restorer.fate() == Fate::Killed {
            world.restorer.set(Fate::Runs);
        }
        true
    }
}
