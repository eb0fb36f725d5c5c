//! Archive bomb: a few kilobytes that inflate to more than the machine has. Whoever inflates before he looks has lost
//! another machine in the night of the disaster.

use std::io::{self, Read, Write};

use flate2::{Compression, write::GzEncoder};

use super::{
    forgery::{Forge, Forgery, RESEALED, is_gzip, is_resealed, is_zip},
    rewrite::{Writer, body_of},
    zipped,
};
use crate::fault::{Fault, Ground, Injection, Mode, Parameter, Trial, parameter};
use crate::{
    emulator::s3::body::Body,
    model::{
        plan::{DumpFormat, ServiceKind},
        scenario::FaultSpec,
        units::ByteSize,
    },
};

/// Entry in the catalogue.
pub(super) struct ArchiveBomb;

const NAME: &str = "archive-bomb";

/// What any machine takes without noticing.
const LEAST: u64 = 64 << 20;

/// What a gzip member of the bomb inflates to. A gzip file may have any number of members.
const MEMBER: u64 = 16 << 20;

impl Fault for ArchiveBomb {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "a small archive that inflates without end"
    }

    fn modes(&self) -> &'static [Mode] {
        &[
            Mode { name: "gzip", summary: "the dump is a gzip file that inflates to `inflates_to`" },
            Mode { name: "zip", summary: "a table of the snapshot archive inflates to `inflates_to`" },
        ]
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[Parameter { name: "inflates_to", summary: "as `10 GiB`; 1 GiB" }, RESEALED]
    }

    fn is_for(&self, kind: ServiceKind) -> bool {
        kind == ServiceKind::Database
    }

    fn strikes_points(&self) -> bool {
        true
    }

    fn example(&self) -> &'static str {
        "- fault: archive-bomb\n  mode: gzip\n  regions: [us-east-1]\n  with: { inflates_to: 10 GiB, resealed: true }\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        // A ZIP's entry is one stream, which takes its time to pack.
        let to = if mode == "zip" { LEAST } else { 1 << 30 };
        let entry = ground.entry(NAME, mode).with("inflates_to", ByteSize(to).to_string());
        let trial = Trial::of(entry.with(RESEALED.name, true));
        if mode == "zip" { trial.dumped_as(DumpFormat::ConvexZip) } else { ground.gzipped(trial) }
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let to = parameter::<ByteSize>(spec, "inflates_to")?.unwrap_or(ByteSize(1 << 30)).0;
        if to < LEAST {
            return Err(format!("parameter `inflates_to`: less than {} is no bomb", ByteSize(LEAST)));
        }
        let forge: Forge = match spec.mode.as_str() {
            "zip" => Box::new(move |point, dump, into| {
                is_zip(point)?;
                let bomb = body_of(into, |into| zip_bomb(dump, to, into));
                Ok(bomb.map_err(|e| format!("the bomb cannot be packed: {e}"))?.into())
            }),
            _ => Box::new(move |point, _, into| {
                is_gzip(point)?;
                let bomb = body_of(into, |into| gzip_bomb(to, into));
                Ok(bomb.map_err(|e| format!("the bomb cannot be packed: {e}"))?.into())
            }),
        };
        Ok(Forgery::new(NAME, spec, forge).resealed(is_resealed(spec)?).boxed())
    }
}

/// Blanks: between rows they are good JSON.
fn gzip_bomb(to: u64, into: &mut Writer) -> io::Result<()> {
    let mut member = GzEncoder::new(Vec::new(), Compression::best());
    io::copy(&mut io::repeat(b' ').take(MEMBER), &mut member)?;
    let member = member.finish()?;
    (0..to.div_ceil(MEMBER)).try_for_each(|_| into.write_all(&member))
}

/// The first table's rows, and then blanks.
fn zip_bomb(dump: &Body, to: u64, into: &mut Writer) -> io::Result<()> {
    let mut done = false;
    zipped::rewritten(dump, into, |name, entry, zip| {
        if done || name == zipped::TABLES || !name.ends_with(zipped::DOCUMENTS) {
            return zip.copy(name, entry);
        }
        done = true;
        zip.begin_large(name)?;
        io::copy(entry, zip)?;
        io::copy(&mut io::repeat(b' ').take(to), zip).map(|_| ())
    })
}
