//! Table dropped: a whole table is not in the dump, nor in its list of tables; everything else is as it was.

use super::{
    forgery::{Forged, Forgery, RESEALED, is_resealed, tables_of},
    rows::{Edit, Fate, edited},
};
use crate::fault::{Fault, Ground, Injection, Mode, Parameter, Trial, parameter, points::Struck};
use crate::{
    emulator::s3::body::Body,
    model::{plan::ServiceKind, scenario::FaultSpec},
};

/// Entry in the catalogue.
pub(super) struct TableDropped;

const NAME: &str = "table-dropped";

impl Fault for TableDropped {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "a dump without one of its tables"
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode {
            name: "missing",
            summary: "the table with the most rows is gone (`table` names another), also from the dump's own list",
        }]
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[Parameter { name: "table", summary: "which one; the one with the most rows" }, RESEALED]
    }

    fn is_for(&self, kind: ServiceKind) -> bool {
        kind == ServiceKind::Database // others have one table alone
    }

    fn strikes_points(&self) -> bool {
        true
    }

    fn example(&self) -> &'static str {
        "- fault: table-dropped\n  regions: [us-east-1]\n  with: { table: users, resealed: true }\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        Trial::of(ground.entry(NAME, mode).with(RESEALED.name, true))
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let named = parameter::<String>(spec, "table")?;
        let forge = Box::new(move |point: &Struck, dump: &Body, into| {
            let table = match &named {
                Some(table) => table.clone(),
                None => largest(point)?,
            };
            let mut without = Without { table, found: false };
            let forged = edited(dump, point.layout.format, &mut without, into)?;
            match without.found {
                true => Ok(Forged { tables: None, ..forged }),
                false => Err(format!("{} has no table `{}`", point.words(), without.table.escape_debug())),
            }
        });
        Ok(Forgery::new(NAME, spec, forge).resealed(is_resealed(spec)?).boxed())
    }
}

/// The table of which the manifest states the most rows.
fn largest(point: &Struck) -> Result<String, String> {
    let tables = tables_of(point)?.into_iter().max_by_key(|(_, rows)| *rows);
    tables.map(|(name, _)| name).ok_or_else(|| format!("{} has no table", point.words()))
}

struct Without {
    table: String,
    found: bool,
}

impl Edit for Without {
    fn keeps(&mut self, table: &str) -> bool {
        self.found |= table == self.table;
        table != self.table
    }

    fn row(&mut self, _: &str, _: &mut Vec<u8>) -> Fate {
        Fate::Keep
    }
}
