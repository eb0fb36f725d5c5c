//! Connection reset: bodies break off in mid-transfer, each try again.

use super::bodies::{PARAMETERS, bodies};
use crate::{
    emulator::link::{Ending, Intent},
    fault::{Fault, Ground, Injection, Mode, Parameter, Trial},
    model::scenario::FaultSpec,
};

/// Entry in the catalogue.
pub(super) struct ConnectionReset;

impl Fault for ConnectionReset {
    fn name(&self) -> &'static str {
        "connection-reset"
    }

    fn summary(&self) -> &'static str {
        "a region whose connections are reset in the middle of a body"
    }

    fn modes(&self) -> &'static [Mode] {
        &[
            Mode { name: "reading", summary: "bodies that are read from it break off" },
            Mode { name: "writing", summary: "bodies that are written to it break off" },
        ]
    }

    fn parameters(&self) -> &'static [Parameter] {
        PARAMETERS
    }

    fn strikes_points(&self) -> bool {
        false
    }

    fn example(&self) -> &'static str {
        "- fault: connection-reset\n  mode: reading\n  regions: [us-east-1]\n  when: at-disaster\n  with: { after: 80% }\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        let entry = ground.entry(self.name(), mode);
        // Only a backup writes.
        Trial::of(if mode == "writing" { entry.at(ground.before_last_backup()) } else { entry })
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let of = if spec.mode == "reading" { Intent::Read } else { Intent::Write };
        bodies(spec, of, Ending::Reset, "connection resets in the middle of")
    }
}
