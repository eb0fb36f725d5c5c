//! Retention that prunes everything: the job that removes old backups has the wrong limit, and removes the good ones with
//! them, everywhere it may.

use super::wiping::Wiping;
use crate::fault::{Fault, Ground, Injection, Mode, Onset, Parameter, Trial, only_now, parameter, points::Selection};
use crate::{
    emulator::World,
    model::{event::Proof, scenario::FaultSpec, units::Span},
};

/// Entry in the catalogue.
pub(super) struct RetentionPrunesAll;

const NAME: &str = "retention-prunes-all";

impl Fault for RetentionPrunesAll {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "a retention job whose limit is wrong, so that no backup is young enough"
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode {
            name: "wrong-limit",
            summary: "everything of the service that is older than `keeps` is deleted for good, with the backup job's key",
        }]
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[Parameter { name: "keeps", summary: "what the job takes for the limit, as `24 h`; 0 min: it keeps nothing" }]
    }

    fn strikes_points(&self) -> bool {
        false
    }

    fn needs_points(&self) -> bool {
        true
    }

    fn meets_commands(&self, _mode: &str, _on_deployments: bool) -> bool {
        true
    }

    fn example(&self) -> &'static str {
        "- fault: retention-prunes-all\n  with: { keeps: 0 min }\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        // Such a job has one limit for all regions.
        Trial::of(ground.entry(NAME, mode).everywhere())
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let keeps = parameter::<Span>(spec, "keeps")?.unwrap_or(Span::ZERO);
        Ok(Box::new(Pruning { selection: Selection::of(spec), keeps, wiping: Wiping::default() }))
    }
}

struct Pruning {
    selection: Selection,
    keeps: Span,
    wiping: Wiping,
}

impl Injection for Pruning {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        let (now, keeps) = (world.clock.now(), i128::from(self.keeps.millis()));
        for (site, layout) in self.selection.places(world) {
            let wiped =
                self.wiping.wipe(site, &layout.prefix, |entry| now.duration_since(entry.modified).as_millis() >= keeps);
            if let Err(why) = wiped {
                self.wiping.heal(); // half a fault would be a fault that nobody declared
                return Err(why);
            }
        }
        if self.wiping.found_nothing() {
            return Err(format!("no backup is older than {} at that moment in the regions meant", self.keeps));
        }
        Ok(format!("a retention of {}: {}", self.keeps, self.wiping.words()))
    }

    fn proof(&self, _: &World) -> Proof {
        self.wiping.proof()
    }

    fn heal(&mut self, _: &World) -> bool {
        self.wiping.heal()
    }
}
