//! Plain file named .gz: the compression was left out or undone, and the name still promises it.

use super::{
    forgery::{Forgery, RESEALED, is_gzip, is_resealed},
    rewrite::{body_of, copy, inflate},
};
use crate::fault::{Fault, Ground, Injection, Mode, Parameter, Trial, points::Struck};
use crate::{emulator::s3::body::Body, model::scenario::FaultSpec};

/// Entry in the catalogue.
pub(super) struct PlainAsGzip;

const NAME: &str = "plain-as-gzip";

impl Fault for PlainAsGzip {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "a dump that is not compressed, under the name of one that is"
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode { name: "inflated", summary: "the dump is the text that it inflates to; its name stays" }]
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
        "- fault: plain-as-gzip\n  regions: [us-east-1]\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        ground.gzipped(Trial::of(ground.entry(NAME, mode).with(RESEALED.name, true)))
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let forge = Box::new(|point: &Struck, dump: &Body, into| {
            is_gzip(point)?;
            let inflated = body_of(into, |into| copy(&mut inflate(dump), into));
            Ok(inflated.map_err(|e| format!("the dump cannot be inflated: {e}"))?.into())
        });
        Ok(Forgery::new(NAME, spec, forge).resealed(is_resealed(spec)?).boxed())
    }
}
