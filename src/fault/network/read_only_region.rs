//! Read-only region: everything can be read, nothing written.

use super::condition::Condition;
use crate::{
    emulator::link::{LinkState, StatusFault},
    fault::{Fault, Ground, Injection, Mode, Trial},
    model::scenario::FaultSpec,
};

/// Entry in the catalogue.
pub(super) struct ReadOnlyRegion;

impl Fault for ReadOnlyRegion {
    fn name(&self) -> &'static str {
        "read-only-region"
    }

    fn summary(&self) -> &'static str {
        "a region that can be read and takes nothing"
    }

    fn modes(&self) -> &'static [Mode] {
        &[
            Mode { name: "denied", summary: "writes are answered 403 AccessDenied" },
            Mode { name: "not-allowed", summary: "writes are answered 405 MethodNotAllowed" },
        ]
    }

    fn strikes_points(&self) -> bool {
        false
    }

    fn example(&self) -> &'static str {
        "- fault: read-only-region\n  mode: denied\n  regions: [us-east-1]\n  when: { before-backup-of-day: 3 }\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        Trial::of(ground.entry(self.name(), mode).at(ground.before_last_backup()))
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let (fault, words) = match spec.mode.as_str() {
            "denied" => (StatusFault::Denied403, "403 AccessDenied answers to writers"),
            _ => (StatusFault::NotAllowed405, "405 MethodNotAllowed answers to writers"),
        };
        Ok(Box::new(Condition::of(spec, LinkState::WritesRejected(fault), words, "writers")))
    }
}
