//! Duplicate id: a row stands twice in its table, as after an export that was resumed where it had not stopped.

use super::{
    forgery::{Forged, Forgery, RESEALED, is_resealed},
    rows::{Edit, Fate, edited},
};
use crate::fault::{Fault, Ground, Injection, Mode, Parameter, Trial, points::Struck};
use crate::{emulator::s3::body::Body, model::scenario::FaultSpec};

/// Entry in the catalogue.
pub(super) struct DuplicateId;

const NAME: &str = "duplicate-id";

impl Fault for DuplicateId {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "a row that stands twice in its table"
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode { name: "twice", summary: "the first row of every table comes a second time, with the same id" }]
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[RESEALED]
    }

    fn strikes_points(&self) -> bool {
        true
    }

    fn example(&self) -> &'static str {
        "- fault: duplicate-id\n  regions: [us-east-1]\n  with: { resealed: true }\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        Trial::of(ground.entry(NAME, mode).with(RESEALED.name, true))
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let forge = Box::new(|point: &Struck, dump: &Body, into| {
            let mut doubling = Doubling::default();
            Ok(Forged { tables: None, ..edited(dump, point.layout.format, &mut doubling, into)? })
        });
        Ok(Forgery::new(NAME, spec, forge).resealed(is_resealed(spec)?).boxed())
    }
}

/// Writes the first row of every table twice.
#[derive(Default)]
struct Doubling {
    table: String,
}

impl Edit for Doubling {
    fn row(&mut self, table: &str, _: &mut Vec<u8>) -> Fate {
        if self.table == table {
            return Fate::Keep;
        }
        table.clone_into(&mut self.table);
        Fate::Twice
    }
}
