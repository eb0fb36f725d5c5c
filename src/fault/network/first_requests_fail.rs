//! First requests fail: who asks once gives up, who asks again is served.

use std::num::NonZeroU64;

use super::condition::Condition;
use crate::{
    emulator::link::{LinkState, StatusFault},
    fault::{Fault, Ground, Injection, Mode, Parameter, Trial, parameter},
    model::{
        scenario::{FaultSpec, Moment},
        words,
    },
};

/// Entry in the catalogue.
pub(super) struct FirstRequestsFail;

impl Fault for FirstRequestsFail {
    fn name(&self) -> &'static str {
        "first-requests-fail"
    }

    fn summary(&self) -> &'static str {
        "a region that needs more than one try"
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode {
            name: "internal-error",
            summary: "the first `requests` are answered 500 InternalError, the others served",
        }]
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[Parameter { name: "requests", summary: "how many; 2" }]
    }

    fn strikes_points(&self) -> bool {
        false
    }

    fn example(&self) -> &'static str {
        "- fault: first-requests-fail\n  regions: [us-east-1]\n  when: at-disaster\n  with: { requests: 2 }\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        // Earlier the monitor could be the first to ask.
        Trial::of(ground.entry(self.name(), mode).at(Moment::AtDisaster))
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let requests = parameter::<NonZeroU64>(spec, "requests")?.map_or(2, NonZeroU64::get);
        let state = LinkState::FirstRejected { requests, fault: StatusFault::Internal500 };
        let words = format!("500 InternalError answers to the first {}", words::count(requests, "request"));
        Ok(Box::new(Condition::of(spec, state, words, "requests")))
    }
}
