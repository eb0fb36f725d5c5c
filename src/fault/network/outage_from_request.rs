//! Outage from a request on: a region that goes down in the middle of the work.

use super::condition::Condition;
use crate::{
    emulator::link::{Begins, LinkState},
    fault::{Fault, Ground, Injection, Mode, Parameter, Trial, parameter},
    model::{
        scenario::{FaultSpec, Moment},
        words,
    },
};

/// Entry in the catalogue.
pub(super) struct OutageFromRequest;

impl Fault for OutageFromRequest {
    fn name(&self) -> &'static str {
        "outage-from-request"
    }

    fn summary(&self) -> &'static str {
        "a region that goes down once it has answered some requests"
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode { name: "refused", summary: "the first `requests` are served, then connections are refused" }]
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[Parameter { name: "requests", summary: "how many are served before; 3" }]
    }

    fn strikes_points(&self) -> bool {
        false
    }

    fn example(&self) -> &'static str {
        "- fault: outage-from-request\n  regions: [us-east-1]\n  when: at-disaster\n  with: { requests: 5 }\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        // Earlier the monitor could use them up.
        Trial::of(ground.entry(self.name(), mode).at(Moment::AtDisaster))
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let requests = parameter::<u64>(spec, "requests")?.unwrap_or(3);
        let words = format!("refused connections after {}", words::count(requests, "request"));
        let outage = Condition::of(spec, LinkState::Refused, words, "requests");
        Ok(Box::new(outage.beginning(Begins::AfterRequests(requests))))
    }
}
