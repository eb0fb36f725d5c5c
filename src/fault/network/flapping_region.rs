//! Flapping region: down, up, down again.

use serde::de::DeserializeOwned;

use super::condition::Condition;
use crate::{
    emulator::link::{LinkState, Rhythm, StatusFault},
    fault::{Fault, Ground, Injection, Mode, Parameter, Trial, parameter},
    model::{
        scenario::{FaultSpec, Moment},
        units::Span,
    },
};

/// Entry in the catalogue.
pub(super) struct FlappingRegion;

impl Fault for FlappingRegion {
    fn name(&self) -> &'static str {
        "flapping-region"
    }

    fn summary(&self) -> &'static str {
        "a region that is down and up in turn, down first"
    }

    fn modes(&self) -> &'static [Mode] {
        &[
            Mode { name: "by-requests", summary: "`down` requests are answered 500, then `up` are served, and so on" },
            Mode {
                name: "by-time",
                summary: "for the time `down` everything is answered 500 and bodies break off, then for `up` all is well, and so on",
            },
        ]
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[
            Parameter { name: "down", summary: "requests, or time; 3, or 30 s" },
            Parameter { name: "up", summary: "requests, or time; 4, or 30 s" },
        ]
    }

    fn strikes_points(&self) -> bool {
        false
    }

    fn example(&self) -> &'static str {
        "- fault: flapping-region\n  mode: by-requests\n  regions: [us-east-1]\n  when: at-disaster\n  with: { down: 2, up: 5 }\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        // Earlier the monitor could take the turns that are meant for the restore.
        Trial::of(ground.entry(self.name(), mode).at(Moment::AtDisaster))
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let (rhythm, words) = match spec.mode.as_str() {
            "by-requests" => {
                let (down, up) = turns(spec, 3, 4)?;
                (
                    Rhythm::Requests { down, up },
                    format!("{down} requests with 500 InternalError and {up} without, in turn,"),
                )
            }
            _ => {
                let (down, up) = turns(spec, Span(30_000), Span(30_000))?;
                let rhythm = Rhythm::Time { down: down.duration(), up: up.duration() };
                (rhythm, format!("{down} with 500 InternalError and {up} without, in turn,"))
            }
        };
        let state = LinkState::Flapping { rhythm, fault: StatusFault::Internal500 };
        Ok(Box::new(Condition::of(spec, state, words, "requests")))
    }
}

/// How long it is down and up; neither is nothing.
fn turns<T: DeserializeOwned + PartialEq + Default>(spec: &FaultSpec, down: T, up: T) -> Result<(T, T), String> {
    let down = parameter::<T>(spec, "down")?.unwrap_or(down);
    let up = parameter::<T>(spec, "up")?.unwrap_or(up);
    if down == T::default() || up == T::default() {
        return Err("fault `flapping-region` needs more than nothing for `down` and for `up`".into());
    }
    Ok((down, up))
}
