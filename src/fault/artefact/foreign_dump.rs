//! Foreign dump: a backup of something else lies where this service's backup should be. It is whole, it can be restored,
//! and it is not what is wanted.

use std::io::{self, Write};

use flate2::{Compression, write::GzEncoder};
use serde_json::json;

use super::{
    forgery::{Forged, Forgery, RESEALED, is_ours, is_resealed},
    rewrite::{Writer, body_of},
    rows::TableSeal,
    zipped::{self, Zip},
};
use crate::fault::{Fault, Ground, Injection, Mode, Parameter, Trial, points::Struck};
use crate::{
    emulator::s3::body::{Body, BodyWriter},
    model::{plan::DumpFormat, scenario::FaultSpec},
};

/// Entry in the catalogue.
pub(super) struct ForeignDump;

const NAME: &str = "foreign-dump";

/// The other service, and its tables with their rows.
const SERVICE: &str = "billing";
const TABLES: [(&str, u64); 2] = [("invoices", 120), ("refunds", 30)];

impl Fault for ForeignDump {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "another database's dump in the place of this one's"
    }

    fn modes(&self) -> &'static [Mode] {
        &[
            Mode {
                name: "other-service",
                summary: "a whole backup of another service, with its own manifest, under this one's name",
            },
            Mode { name: "other-tables", summary: "a dump of other tables under the manifest that was there" },
        ]
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[Parameter { name: RESEALED.name, summary: "for `other-tables`: as for other faults on dumps; false" }]
    }

    fn strikes_points(&self) -> bool {
        true
    }

    fn example(&self) -> &'static str {
        "- fault: foreign-dump\n  mode: other-service\n  regions: [us-east-1]\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        let entry = ground.entry(NAME, mode);
        Trial::of(if mode == "other-tables" { entry.with(RESEALED.name, true) } else { entry })
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let is_whole = spec.mode == "other-service";
        let resealed = is_resealed(spec)? || is_whole;
        let forge = Box::new(move |point: &Struck, _: &Body, into| {
            is_ours(point)?;
            let forged = foreign(point.layout.format, into)?;
            Ok(match is_whole {
                true => Forged { service: Some(SERVICE), ..forged },
                false => Forged { tables: None, ..forged },
            })
        });
        Ok(Forgery::new(NAME, spec, forge).resealed(resealed).boxed())
    }
}

/// A whole dump of the other service.
fn foreign(format: DumpFormat, into: BodyWriter) -> Result<Forged, String> {
    let made = body_of(into, |into| match format {
        DumpFormat::JsonlGz | DumpFormat::JsonGz => {
            let mut deflate = GzEncoder::new(into, Compression::default());
            let text = if format == DumpFormat::JsonGz { object() } else { lines() };
            deflate.write_all(text.as_bytes()).and_then(|()| deflate.finish().map(|_| ()))
        }
        DumpFormat::ConvexZip => archive(into),
    });
    let dump = made.map_err(|e| format!("no dump can be made: {e}"))?;
    let sealed = TABLES.iter().map(|(table, count)| {
        let mut seal = TableSeal::new(table);
        rows(table, *count).for_each(|row| seal.add(row.as_bytes()));
        seal
    });
    Ok(Forged { dump, tables: Some(sealed.collect()), service: None })
}

fn rows(table: &str, count: u64) -> impl Iterator<Item = String> {
    (0..count).map(move |n| {
        format!(r#"{{"_id":"{table}{n:06}","_creationTime":{},"cents":{}}}"#, 1_767_225_600_000 + n, 100 * n)
    })
}

fn lines() -> String {
    let mut text = json!({ "_tables": TABLES.map(|(table, _)| table) }).to_string() + "\n";
    for (table, count) in TABLES {
        for row in rows(table, count) {
            text += &format!("{{\"_table\":\"{table}\",{}\n", &row[1..]);
        }
    }
    text
}

fn object() -> String {
    let array = |(table, count)| format!("\"{table}\":[\n{}\n]", rows(table, count).collect::<Vec<_>>().join(",\n"));
    format!("{{\n{}\n}}\n", TABLES.map(array).join(",\n"))
}

fn archive(into: &mut Writer) -> io::Result<()> {
    let mut zip = Zip::new(into);
    let list = (10_001..).zip(TABLES).map(|(id, (table, _))| json!({ "name": table, "id": id }).to_string() + "\n");
    zip.copy(zipped::TABLES, &mut list.collect::<String>().as_bytes())?;
    for (table, count) in TABLES {
        let text: String = rows(table, count).map(|row| row + "\n").collect();
        zip.copy(&format!("{table}/{}", zipped::DOCUMENTS), &mut text.as_bytes())?;
        zip.copy(&format!("{table}/{}", zipped::SCHEMA), &mut &b"\"uniform\"\n"[..])?;
    }
    zip.finish()
}
