//! Name lookup fails: the region is well, and nobody finds it.

use super::condition::Condition;
use crate::{
    emulator::link::LinkState,
    fault::{Fault, Injection, Mode},
    model::scenario::FaultSpec,
};

/// Entry in the catalogue.
pub(super) struct NameLookupFails;

impl Fault for NameLookupFails {
    fn name(&self) -> &'static str {
        "name-lookup-fails"
    }

    fn summary(&self) -> &'static str {
        "a region whose name does not resolve"
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode {
            name: "no-such-host",
            summary: "the name is unknown: no connection can be opened, bodies on their way arrive",
        }]
    }

    fn strikes_points(&self) -> bool {
        false
    }

    fn example(&self) -> &'static str {
        "- fault: name-lookup-fails\n  regions: [us-east-1]\n  when: at-disaster\n"
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        Ok(Box::new(Condition::of(spec, LinkState::Nameless, "an unknown name", "requests")))
    }
}
