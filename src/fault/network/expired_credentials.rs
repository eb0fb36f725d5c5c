//! Expired credentials: the key was good until today.

use super::condition::Condition;
use crate::{
    emulator::link::{LinkState, StatusFault},
    fault::{Fault, Ground, Injection, Mode, Trial},
    model::scenario::FaultSpec,
};

/// Entry in the catalogue.
pub(super) struct ExpiredCredentials;

impl Fault for ExpiredCredentials {
    fn name(&self) -> &'static str {
        "expired-credentials"
    }

    fn summary(&self) -> &'static str {
        "a region that no longer takes the key, because it has expired"
    }

    fn modes(&self) -> &'static [Mode] {
        &[
            Mode { name: "all", summary: "every request is answered 400 ExpiredToken" },
            Mode {
                name: "writing",
                summary: "whoever writes is answered 400 ExpiredToken; reading goes on with another key",
            },
        ]
    }

    fn strikes_points(&self) -> bool {
        false
    }

    fn example(&self) -> &'static str {
        "- fault: expired-credentials\n  mode: writing\n  regions: [us-east-1]\n  when: { before-backup-of-day: 3 }\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        // Only a backup writes, and a key that expires overnight is first missed there.
        Trial::of(ground.entry(self.name(), mode).at(ground.before_last_backup()))
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let fault = StatusFault::Expired400;
        let (state, words, met) = match spec.mode.as_str() {
            "writing" => (LinkState::WritesRejected(fault), "400 ExpiredToken answers to writers", "writers"),
            _ => (LinkState::Status(fault), "400 ExpiredToken answers", "requests"),
        };
        Ok(Box::new(Condition::of(spec, state, words, met)))
    }
}
