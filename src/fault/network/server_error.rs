//! Server error: the region answers, and only that it cannot.

use super::condition::Condition;
use crate::{
    emulator::link::{LinkState, StatusFault},
    fault::{Fault, Injection, Mode},
    model::scenario::FaultSpec,
};

/// Entry in the catalogue.
pub(super) struct ServerError;

impl Fault for ServerError {
    fn name(&self) -> &'static str {
        "server-error"
    }

    fn summary(&self) -> &'static str {
        "a region that answers every request with an error of its own"
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode { name: "internal-error", summary: "every request is answered 500 InternalError, bodies break off" }]
    }

    fn strikes_points(&self) -> bool {
        false
    }

    fn begins_in_fetch(&self) -> bool {
        true
    }

    fn example(&self) -> &'static str {
        "- fault: server-error\n  regions: [us-east-1]\n  when: at-disaster\n"
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let state = LinkState::Status(StatusFault::Internal500);
        Ok(Box::new(Condition::of(spec, state, "500 InternalError answers", "requests")))
    }
}
