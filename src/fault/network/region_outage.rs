//! Region outage: one region, or several, cannot be used. How it shows differs: refused, silent, throttled, denied, slow.

use std::time::Duration;

use super::condition::Condition;
use crate::{
    emulator::link::{LinkState, StatusFault},
    fault::{Fault, Injection, Mode, Parameter, parameter},
    model::{
        scenario::FaultSpec,
        units::{Rate, Span},
    },
};

/// Entry in the catalogue.
pub(super) struct RegionOutage;

const NAME: &str = "region-outage";

impl Fault for RegionOutage {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "a region that cannot be used, or hardly"
    }

    fn modes(&self) -> &'static [Mode] {
        &[
            Mode { name: "refused", summary: "nobody listens: connections are refused" },
            Mode { name: "black-hole", summary: "connections are taken and never answered" },
            Mode { name: "slow-down", summary: "every request is answered 503 SlowDown" },
            Mode { name: "denied", summary: "every request is answered 403 AccessDenied" },
            Mode { name: "slow-link", summary: "bodies pass at `rate`, answers start after `latency`" },
        ]
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[
            Parameter { name: "rate", summary: "bytes per second of a slow link; 512 KiB/s" },
            Parameter { name: "latency", summary: "time until a slow link's answer starts; 50 ms" },
        ]
    }

    fn strikes_points(&self) -> bool {
        false
    }

    fn begins_in_fetch(&self) -> bool {
        true
    }

    fn example(&self) -> &'static str {
        "- fault: region-outage\n  mode: refused\n  regions: [us-east-1]\n  when: at-disaster\n"
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let rate = parameter::<Rate>(spec, "rate")?.unwrap_or(Rate(512 * 1024));
        let latency = parameter::<Span>(spec, "latency")?.unwrap_or(Span(50)).duration();
        let state = match spec.mode.as_str() {
            "refused" => LinkState::Refused,
            "black-hole" => LinkState::BlackHole,
            "slow-down" => LinkState::Status(StatusFault::SlowDown503),
            "denied" => LinkState::Status(StatusFault::Denied403),
            _ => LinkState::Slow { bytes_per_second: rate.0, latency },
        };
        Ok(Box::new(Condition::of(spec, state, describe(&state), "requests")))
    }
}

fn describe(state: &LinkState) -> String {
    match state {
        LinkState::Refused => "refused connections".into(),
        LinkState::BlackHole => "a black hole instead".into(),
        LinkState::Status(StatusFault::SlowDown503) => "503 SlowDown answers".into(),
        LinkState::Slow { bytes_per_second, latency } => {
            let latency = Span(Duration::as_millis(latency) as u64);
            format!("a slow link ({}, {latency} latency)", Rate(*bytes_per_second))
        }
        _ => "403 AccessDenied answers".into(),
    }
}
