//! Manifest altered with its dump: somebody who knows how the backups are made changes a row and everything that speaks
//! of it: the table's digest, the dump's size and digest. The pair agrees with itself; only what other regions hold, or
//! what lies below it where the bucket keeps versions, contradicts it.

use super::{
    forgery::{Forgery, tables_of},
    rewrite::change_value,
    rows::{Edit, Fate, edited},
};
use crate::fault::{Fault, Ground, Injection, Mode, Trial, points::Struck};
use crate::{
    emulator::s3::body::Body,
    model::{plan::ServiceKind, scenario::FaultSpec},
};

/// Entry in the catalogue.
pub(super) struct ManifestAltered;

const NAME: &str = "manifest-altered";

impl Fault for ManifestAltered {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "a dump and its manifest that were changed together and agree with each other"
    }

    fn modes(&self) -> &'static [Mode] {
        &[
            Mode {
                name: "uploaded",
                summary: "one row is another; dump and manifest are uploaded over the true ones, which stay as older versions",
            },
            Mode {
                name: "replaced",
                summary: "one row is another; of the true dump and manifest nothing is left in these regions",
            },
        ]
    }

    fn is_for(&self, kind: ServiceKind) -> bool {
        matches!(kind, ServiceKind::Database | ServiceKind::Config)
    }

    fn strikes_points(&self) -> bool {
        true
    }

    fn example(&self) -> &'static str {
        "- fault: manifest-altered\n  mode: replaced\n  regions: [us-east-1]\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        // What is uploaded lies above the true one everywhere; what is replaced leaves other regions alone to speak.
        let entry = ground.entry(NAME, mode);
        Trial::of(if mode == "uploaded" { entry.everywhere() } else { entry })
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let overwrites = spec.mode == "uploaded";
        let forge = Box::new(|point: &Struck, dump: &Body, into| {
            let mut altering = Altering { row: rows_of(point)? / 2, seen: 0, done: false };
            let forged = edited(dump, point.layout.format, &mut altering, into)?;
            if altering.done { Ok(forged) } else { Err(format!("{} has no row to alter", point.words())) }
        });
        let forgery = Forgery::new(NAME, spec, forge).resealed(true);
        Ok(if overwrites { forgery.overwriting() } else { forgery }.boxed())
    }
}

/// Rows that the manifest states.
fn rows_of(point: &Struck) -> Result<u64, String> {
    Ok(tables_of(point)?.iter().map(|(_, rows)| rows).sum())
}

/// Alters the row of that number, or the next one that can be.
struct Altering {
    row: u64,
    seen: u64,
    done: bool,
}

impl Edit for Altering {
    fn row(&mut self, _: &str, row: &mut Vec<u8>) -> Fate {
        if self.seen >= self.row && !self.done {
            self.done = change_value(row);
        }
        self.seen += 1;
        Fate::Keep
    }
}
