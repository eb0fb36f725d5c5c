//! Climbing entry: an archive with an entry whose name leads out of the folder that it is unpacked into ("zip slip").
//! Whoever unpacks it by name writes where the archive's maker wants.

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
pub(super) struct ClimbingEntry;

const NAME: &str = "climbing-entry";

impl Fault for ClimbingEntry {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "an archive with an entry that climbs out of its folder"
    }

    fn modes(&self) -> &'static [Mode] {
        &[
            Mode {
                name: "parent-folder",
                summary: "one more entry, `../../../tmp/backdraft-was-here`, is in the archive",
            },
            Mode { name: "absolute", summary: "one more entry, `/tmp/backdraft-was-here`, is in the archive" },
        ]
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
        "- fault: climbing-entry\n  mode: parent-folder\n  regions: [us-east-1]\n  with: { resealed: true }\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        Trial::of(ground.entry(NAME, mode).with(RESEALED.name, true)).dumped_as(DumpFormat::ConvexZip)
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let name = if spec.mode == "absolute" { "/tmp/backdraft-was-here" } else { "../../../tmp/backdraft-was-here" };
        let forge = Box::new(move |point: &Struck, dump: &Body, into| {
            is_zip(point)?;
            let mut first = true;
            let climbs = zipped::forged(dump, into, |own, entry, zip| {
                if std::mem::take(&mut first) {
                    zip.copy(name, &mut &b"out of the archive's folder\n"[..])?;
                }
                zip.copy(own, entry)
            });
            Ok(climbs?.into())
        });
        Ok(Forgery::new(NAME, spec, forge).resealed(is_resealed(spec)?).boxed())
    }
}
