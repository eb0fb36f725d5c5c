//! Empty archive: the export ran against something empty, or with a filter that matched nothing. The archive is valid to
//! its last byte, and there is no row in it.

use super::{
    forgery::{Forged, Forgery, RESEALED, is_resealed},
    rows::{Edit, Fate, edited},
};
use crate::fault::{Fault, Ground, Injection, Mode, Parameter, Trial, points::Struck};
use crate::{emulator::s3::body::Body, model::scenario::FaultSpec};

/// Entry in the catalogue.
pub(super) struct EmptyArchive;

const NAME: &str = "empty-archive";

impl Fault for EmptyArchive {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "a valid dump with nothing in it"
    }

    fn modes(&self) -> &'static [Mode] {
        &[
            Mode { name: "no-rows", summary: "every table is there, and none has a row" },
            Mode { name: "no-tables", summary: "there is not even a table" },
        ]
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[RESEALED]
    }

    fn strikes_points(&self) -> bool {
        true
    }

    fn example(&self) -> &'static str {
        "- fault: empty-archive\n  mode: no-rows\n  regions: [us-east-1]\n  with: { resealed: true }\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        Trial::of(ground.entry(NAME, mode).with(RESEALED.name, true))
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let keeps_tables = spec.mode == "no-rows";
        let forge = Box::new(move |point: &Struck, dump: &Body, into| {
            let forged = edited(dump, point.layout.format, &mut Emptying { keeps_tables }, into)?;
            Ok(Forged { tables: None, ..forged })
        });
        Ok(Forgery::new(NAME, spec, forge).resealed(is_resealed(spec)?).boxed())
    }
}

struct Emptying {
    keeps_tables: bool,
}

impl Edit for Emptying {
    fn keeps(&mut self, _: &str) -> bool {
        self.keeps_tables
    }

    fn row(&mut self, _: &str, _: &mut Vec<u8>) -> Fate {
        Fate::Drop
    }
}
