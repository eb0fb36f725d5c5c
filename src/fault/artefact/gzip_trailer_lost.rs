//! Gzip trailer lost: all rows are there, and the last eight bytes, checksum and length, are not. Many tools inflate such a
//! file with a warning that nobody reads.

use super::{
    forgery::{Forgery, RESEALED, is_gzip, is_resealed},
    rewrite::{Damage, damaged},
};
use crate::fault::{Fault, Ground, Injection, Mode, Parameter, Trial, points::Struck};
use crate::{emulator::s3::body::Body, model::scenario::FaultSpec};

/// Entry in the catalogue.
pub(super) struct GzipTrailerLost;

const NAME: &str = "gzip-trailer-lost";

/// CRC-32 and length, which end a gzip member.
const TRAILER_BYTES: u64 = 8;

impl Fault for GzipTrailerLost {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "a gzip file without its last checksum and length"
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode { name: "cut", summary: "the last 8 bytes of the dump are gone" }]
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[RESEALED]
    }

    fn strikes_points(&self) -> bool {
        true
    }

    fn meets_commands(&self, _mode: &str, _on_deployments: bool) -> bool {
        true
    }

    fn example(&self) -> &'static str {
        "- fault: gzip-trailer-lost\n  regions: [us-east-1]\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        ground.gzipped(Trial::of(ground.entry(NAME, mode).with(RESEALED.name, true)))
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let forge = Box::new(|point: &Struck, dump: &Body, into| {
            is_gzip(point)?;
            Ok(damaged(dump, Damage::CutOff(TRAILER_BYTES), into)?.into())
        });
        Ok(Forgery::new(NAME, spec, forge).resealed(is_resealed(spec)?).boxed())
    }
}
