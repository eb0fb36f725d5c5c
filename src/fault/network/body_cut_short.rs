//! Body cut short: what arrives is not all there is, and need not look so.

use super::bodies::{PARAMETERS, bodies};
use crate::{
    emulator::link::{Ending, Intent},
    fault::{Fault, Injection, Mode, Parameter},
    model::scenario::FaultSpec,
};

/// Entry in the catalogue.
pub(super) struct BodyCutShort;

impl Fault for BodyCutShort {
    fn name(&self) -> &'static str {
        "body-cut-short"
    }

    fn summary(&self) -> &'static str {
        "a region whose answers end before the object does"
    }

    fn modes(&self) -> &'static [Mode] {
        &[
            Mode { name: "with-length", summary: "the connection closes before the length that was told" },
            Mode { name: "without-length", summary: "no length is told, and a body ends as if it were whole" },
        ]
    }

    fn parameters(&self) -> &'static [Parameter] {
        PARAMETERS
    }

    fn strikes_points(&self) -> bool {
        false
    }

    fn example(&self) -> &'static str {
        "- fault: body-cut-short\n  mode: without-length\n  regions: [us-east-1]\n  when: at-disaster\n  with: { after: 99% }\n"
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let (ending, words) = match spec.mode.as_str() {
            "with-length" => (Ending::Short, "early ends of"),
            _ => (Ending::ShortUntold, "early ends, as if they were whole, of"),
        };
        bodies(spec, Intent::Read, ending, words)
    }
}
