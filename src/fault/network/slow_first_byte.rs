//! Slow first byte: every answer comes, and none in time.

use super::condition::Condition;
use crate::{
    emulator::link::LinkState,
    fault::{Fault, Injection, Mode, Parameter, parameter},
    model::{scenario::FaultSpec, units::Span},
};

/// Entry in the catalogue.
pub(super) struct SlowFirstByte;

impl Fault for SlowFirstByte {
    fn name(&self) -> &'static str {
        "slow-first-byte"
    }

    fn summary(&self) -> &'static str {
        "a region that lets everybody wait for an answer"
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode { name: "latency", summary: "every answer starts after `latency`; then it comes as fast as ever" }]
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[Parameter { name: "latency", summary: "time until an answer starts; 3 s" }]
    }

    fn strikes_points(&self) -> bool {
        false
    }

    fn example(&self) -> &'static str {
        "- fault: slow-first-byte\n  regions: [us-east-1]\n  when: at-disaster\n  with: { latency: 5 s }\n"
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let latency = parameter::<Span>(spec, "latency")?.unwrap_or(Span(3_000));
        if latency == Span::ZERO {
            return Err("a `latency` of nothing is no fault".into());
        }
        let state = LinkState::Slow { bytes_per_second: u64::MAX, latency: latency.duration() };
        Ok(Box::new(Condition::of(spec, state, format!("answers after {latency}"), "requests")))
    }
}
