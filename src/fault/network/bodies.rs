//! Faults of bodies: which of them are struck, and how much of each passes before.

use std::num::NonZeroU64;

use super::condition::Condition;
use crate::{
    emulator::link::{BodyFault, Ending, Intent, LinkState},
    fault::{Injection, Parameter, parameter},
    model::{scenario::FaultSpec, units::Percent, words},
};

/// The parameters that these faults have.
pub(super) static PARAMETERS: &[Parameter] = &[
    Parameter { name: "after", summary: "share of a body that passes before; 50%" },
    Parameter { name: "bodies", summary: "only so many, the first ones; all of them" },
];

/// Such a fault. `words` say how the bodies end.
pub(super) fn bodies(spec: &FaultSpec, of: Intent, ending: Ending, words: &str) -> Result<Box<dyn Injection>, String> {
    let at = parameter::<Percent>(spec, "after")?.unwrap_or(Percent(50));
    if at == Percent(100) {
        return Err(format!("a body of which `after` 100% has passed is whole; fault `{}` needs less", spec.fault));
    }
    let first = parameter::<NonZeroU64>(spec, "bodies")?.map(NonZeroU64::get);
    let which = first.map_or("every body".into(), |first| format!("the first {}", words::count(first, "body")));
    let (way, met) = match of {
        Intent::Read => ("read from it", "bodies read from it"),
        Intent::Write => ("written to it", "bodies written to it"),
    };
    let state = LinkState::Bodies(BodyFault { of, ending, at, first });
    let words = format!("{words} {which} {way}, after {at} of it, at the link");
    Ok(Box::new(Condition::of(spec, state, words, met)))
}
