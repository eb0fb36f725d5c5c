//! Versions wiped: somebody with the backup job's own key deletes recovery points version by version, so that no older
//! version is left to go back to. What an object lock holds stays.

use super::wiping::Wiping;
use crate::fault::{
    Fault, Ground, Injection, Mode, Onset, Trial, joined, only_now,
    points::{Selection, Struck},
};
use crate::{
    emulator::World,
    model::{
        event::Proof,
        scenario::{FaultSpec, Generations},
    },
};

/// Entry in the catalogue.
pub(super) struct VersionsWiped;

const NAME: &str = "versions-wiped";

impl Fault for VersionsWiped {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "recovery points of which every version is deleted with the backup job's own key"
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode { name: "writer", summary: "every version of dump and manifest that no lock holds is deleted for good" }]
    }

    fn strikes_points(&self) -> bool {
        true
    }

    fn meets_commands(&self, _mode: &str, _on_deployments: bool) -> bool {
        true
    }

    fn example(&self) -> &'static str {
        "- fault: versions-wiped\n  regions: [us-east-1]\n  generations: all\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        Trial::of(FaultSpec { generations: Generations::All, ..ground.entry(NAME, mode) })
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        Ok(Box::new(Wiped { selection: Selection::of(spec), wiping: Wiping::default() }))
    }
}

struct Wiped {
    selection: Selection,
    wiping: Wiping,
}

impl Injection for Wiped {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        let points = self.selection.some_points(world)?;
        for point in &points {
            for key in point.keys() {
                if let Err(why) = self.wiping.wipe(&point.site, &key, |entry| entry.key == key) {
                    self.wiping.heal(); // half a fault would be a fault that nobody declared
                    return Err(why);
                }
            }
        }
        let names: Vec<_> = points.iter().map(Struck::words).collect();
        Ok(format!("{}: {}", joined(&names), self.wiping.words()))
    }

    fn proof(&self, _: &World) -> Proof {
        self.wiping.proof()
    }

    fn heal(&mut self, _: &World) -> bool {
        self.wiping.heal()
    }
}
