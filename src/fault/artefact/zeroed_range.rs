//! Zeroed range: a stretch of the dump reads as zeros, as after a lost block of a disk or an upload that left a hole.

use std::io::{self, Read};

use super::{
    forgery::{Forgery, RESEALED, is_resealed},
    rewrite::{body_of, copy, reader},
};
use crate::fault::{Fault, Ground, Injection, Mode, Parameter, Trial, parameter};
use crate::{
    emulator::s3::body::{Body, BodyWriter},
    model::{scenario::FaultSpec, units::ByteSize},
};

/// Entry in the catalogue.
pub(super) struct ZeroedRange;

const NAME: &str = "zeroed-range";

impl Fault for ZeroedRange {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "a stretch of the dump that reads as zeros"
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode { name: "zeroed", summary: "`length` bytes in the middle of the dump are zeros" }]
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[Parameter { name: "length", summary: "how much, as `4 KiB`; half the dump at the most; 4 KiB" }, RESEALED]
    }

    fn strikes_points(&self) -> bool {
        true
    }

    fn meets_commands(&self, _mode: &str, _on_deployments: bool) -> bool {
        true
    }

    fn example(&self) -> &'static str {
        "- fault: zeroed-range\n  regions: [us-east-1]\n  with: { length: 64 KiB }\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        Trial::of(ground.entry(NAME, mode).with(RESEALED.name, true))
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let length = parameter::<ByteSize>(spec, "length")?.unwrap_or(ByteSize(4 << 10));
        if length == ByteSize(0) {
            return Err("parameter `length`: to zero 0 B changes nothing".into());
        }
        let forge = Box::new(move |_: &_, dump: &_, into| Ok(zeroed(dump, length.0, into)?.into()));
        Ok(Forgery::new(NAME, spec, forge).resealed(is_resealed(spec)?).boxed())
    }
}

fn zeroed(dump: &Body, length: u64, into: BodyWriter) -> Result<Body, String> {
    let length = length.min(dump.len() / 2);
    let (mut from, before) = (reader(dump), (dump.len() - length) / 2);
    let made = body_of(into, |into| {
        copy(&mut (&mut from).take(before), into)?;
        io::copy(&mut (&mut from).take(length), &mut io::sink())?;
        copy(&mut io::repeat(0).take(length), into)?;
        copy(&mut from, into)
    });
    made.map_err(|e| format!("the dump cannot be zeroed: {e}"))
}
