//! Schema file missing: a snapshot archive without the file that tells integers from floats. It opens, every row is there,
//! and an import turns every 64-bit integer into a float.

use super::{
    forgery::{Forgery, RESEALED, is_resealed, is_zip},
    zipped,
};
use crate::fault::{Fault, Ground, Injection, Mode, Parameter, Trial, points::Struck};
use crate::{
    emulator::s3::body::Body,
    model::{
        plan::{DumpFormat, ServiceKind},
        scenario::FaultSpec,
    },
};

/// Entry in the catalogue.
pub(super) struct SchemaFileMissing;

const NAME: &str = "schema-file-missing";

impl Fault for SchemaFileMissing {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "a snapshot archive without the files that tell integers from floats"
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode {
            name: "removed",
            summary: "no table has its `generated_schema.jsonl` any more; the rows are untouched",
        }]
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[RESEALED]
    }

    fn is_for(&self, kind: ServiceKind) -> bool {
        kind == ServiceKind::Database
    }

    fn strikes_points(&self) -> bool {
        true
    }

    fn example(&self) -> &'static str {
        "- fault: schema-file-missing\n  regions: [us-east-1]\n  with: { resealed: true }\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        Trial::of(ground.entry(NAME, mode).with(RESEALED.name, true)).dumped_as(DumpFormat::ConvexZip)
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let forge = Box::new(|point: &Struck, dump: &Body, into| {
            is_zip(point)?;
            let lacks = zipped::forged(dump, into, |name, entry, zip| match name.ends_with(zipped::SCHEMA) {
                true => Ok(()),
                false => zip.copy(name, entry),
            });
            Ok(lacks?.into())
        });
        Ok(Forgery::new(NAME, spec, forge).resealed(is_resealed(spec)?).boxed())
    }
}
