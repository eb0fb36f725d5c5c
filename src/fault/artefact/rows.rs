//! Editing the rows of a dump, in whatever form it is: streams through a copy of it, spells everything else as it was, and
//! counts and digests the tables as a manifest would.

use std::io::{self, BufReader, Read, Write};

use data_encoding::HEXLOWER;
use flate2::{Compression, write::GzEncoder};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{
    forgery::Forged,
    rewrite::{Writer, body_of, inflate, next_line},
    zipped::{self, Zip},
};
use crate::{
    emulator::s3::body::{Body, BodyWriter},
    model::plan::DumpFormat,
};

/// What becomes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Keep,
    Drop,
    Twice,
}

/// What is done to a dump's rows.
pub(super) trait Edit {
    /// Whether a table stays.
    fn keeps(&mut self, _table: &str) -> bool {
        true
    }

    /// What becomes of a row, which is one JSON object without a line end; it may be changed.
    fn row(&mut self, table: &str, row: &mut Vec<u8>) -> Fate;
}

/// A table as a manifest states it.
pub(super) struct TableSeal {
    name: String,
    rows: u64,
    bytes: u64,
    sha: Sha256,
}

impl TableSeal {
    pub(super) fn new(name: &str) -> Self {
        TableSeal { name: name.to_owned(), rows: 0, bytes: 0, sha: Sha256::new() }
    }

    pub(super) fn add(&mut self, row: &[u8]) {
        self.rows += 1;
        self.bytes += row.len() as u64 + 1;
        self.sha.update(row);
        self.sha.update(b"\n");
    }

    pub(super) fn to_json(&self) -> Value {
        let sha256 = HEXLOWER.encode(&self.sha.clone().finalize());
        serde_json::json!({ "name": self.name, "rows": self.rows, "bytes": self.bytes, "sha256": sha256 })
    }
}

/// A copy of a dump with its rows edited, and what its tables are then.
pub(super) fn edited(body: &Body, format: DumpFormat, edit: &mut dyn Edit, into: BodyWriter) -> Result<Forged, String> {
    let mut seals = Seals { edit, tables: Vec::new() };
    let made = body_of(into, |into| match format {
        DumpFormat::JsonlGz => edit_lines(body, &mut seals, into),
        DumpFormat::JsonGz => edit_object(body, &mut seals, into),
        DumpFormat::ConvexZip => edit_zip(body, &mut seals, into),
    });
    let dump = made.map_err(|e| format!("the dump cannot be damaged so: {e}"))?;
    Ok(Forged { dump, tables: Some(seals.tables), service: None })
}

/// The edit, and the tables as they come out of it.
struct Seals<'e> {
    edit: &'e mut dyn Edit,
    tables: Vec<TableSeal>,
}

impl Seals<'_> {
    /// Whether the table stays.
    fn begin(&mut self, table: &str) -> bool {
        let stays = self.edit.keeps(table);
        if stays {
            self.tables.push(TableSeal::new(table));
        }
        stays
    }

    /// How often the row is written.
    fn row(&mut self, table: &str, row: &mut Vec<u8>) -> usize {
        let Some(at) = self.tables.iter().position(|known| known.name == table) else { return 0 };
        let times = match self.edit.row(table, row) {
            Fate::Keep => 1,
            Fate::Drop => 0,
            Fate::Twice => 2,
        };
        (0..times).for_each(|_| self.tables[at].add(row));
        times
    }
}

/// A line a row, which names its table first; the first line lists all tables.
fn edit_lines(body: &Body, seals: &mut Seals<'_>, into: &mut Writer) -> io::Result<()> {
    const LABEL: &[u8] = b"{\"_table\":";
    let mut deflate = GzEncoder::new(into, Compression::default());
    let (mut from, mut line) = (inflate(body), Vec::new());
    while next_line(&mut from, &mut line)? {
        if line.ends_with(b"\n") {
            line.pop();
        }
        let Some(rest) = line.strip_prefix(LABEL) else {
            #[derive(serde::Deserialize)]
            struct List {
                #[serde(rename = "_tables")]
                tables: Vec<String>,
            }
            let mut list: List = serde_json::from_slice(&line)?;
            list.tables.retain(|table| seals.begin(table));
            writeln!(deflate, "{}", serde_json::json!({ "_tables": list.tables }))?;
            continue;
        };
        let (table, end) = leading_text(rest)?;
        let (quoted, rest) = rest.split_at(end);
        let mut row = [b"{", rest.strip_prefix(b",").unwrap_or(rest)].concat();
        for _ in 0..seals.row(&table, &mut row) {
            deflate.write_all(LABEL)?;
            deflate.write_all(quoted)?;
            deflate.write_all(if row.len() > 2 { b"," } else { b"" })?;
            deflate.write_all(&row[1..])?;
            deflate.write_all(b"\n")?;
        }
    }
    deflate.finish().map(|_| ())
}

/// One object with an array a table, a line a row.
fn edit_object(body: &Body, seals: &mut Seals<'_>, into: &mut Writer) -> io::Result<()> {
    let mut deflate = GzEncoder::new(into, Compression::default());
    let (mut from, mut line) = (inflate(body), Vec::new());
    let (mut table, mut tables, mut rows, mut stays) = (String::new(), 0, 0, false);
    deflate.write_all(b"{")?;
    while next_line(&mut from, &mut line)? {
        let text = line.trim_ascii();
        if text.starts_with(b"\"") {
            table = leading_text(text)?.0;
            stays = seals.begin(&table);
            if stays {
                deflate.write_all(between(tables, rows))?;
                write!(deflate, "{}:[", Value::from(table.as_str()))?;
                (tables, rows) = (tables + 1, 0);
            }
        } else if text.len() > 1 && text.starts_with(b"{") && !table.is_empty() && stays {
            let mut row = text.strip_suffix(b",").unwrap_or(text).to_vec();
            for _ in 0..seals.row(&table, &mut row) {
                deflate.write_all(if rows > 0 { b",\n" } else { b"\n" })?;
                deflate.write_all(&row)?;
                rows += 1;
            }
        }
    }
    deflate.write_all(match (tables, rows) {
        (0, _) => b"}\n",
        (_, 0) => b"]\n}\n",
        _ => b"\n]\n}\n",
    })?;
    deflate.finish().map(|_| ())
}

/// What stands before the next table of an object.
fn between(tables: usize, rows: usize) -> &'static [u8] {
    match (tables, rows) {
        (0, _) => b"\n",
        (_, 0) => b"],\n",
        _ => b"\n],\n",
    }
}

/// A file a table; one file lists all tables.
fn edit_zip(body: &Body, seals: &mut Seals<'_>, into: &mut Writer) -> io::Result<()> {
    zipped::rewritten(body, into, |name, entry, zip| {
        let Some((table, file)) = name.split_once('/') else { return zip.copy(name, entry) };
        if name == zipped::TABLES {
            #[derive(serde::Deserialize)]
            struct Named {
                name: String,
            }
            let mut text = String::new();
            entry.read_to_string(&mut text)?;
            let kept = text.lines().filter(|line| {
                let named: Result<Named, _> = serde_json::from_str(line);
                named.is_ok_and(|table| seals.begin(&table.name))
            });
            let kept: String = kept.map(|line| format!("{line}\n")).collect();
            return zip.copy(name, &mut kept.as_bytes());
        }
        if !seals.tables.iter().any(|known| known.name == table) {
            return Ok(());
        }
        if file != zipped::DOCUMENTS {
            return zip.copy(name, entry);
        }
        edit_documents(table, entry, seals, zip)
    })
}

fn edit_documents(table: &str, entry: &mut dyn Read, seals: &mut Seals<'_>, zip: &mut Zip<'_>) -> io::Result<()> {
    zip.begin(&format!("{table}/{}", zipped::DOCUMENTS))?;
    let (mut from, mut row) = (BufReader::new(entry), Vec::new());
    while next_line(&mut from, &mut row)? {
        if row.ends_with(b"\n") {
            row.pop();
        }
        for _ in 0..seals.row(table, &mut row) {
            zip.write_all(&row)?;
            zip.write_all(b"\n")?;
        }
    }
    Ok(())
}

/// The JSON text with which bytes begin, and where it ends.
fn leading_text(bytes: &[u8]) -> io::Result<(String, usize)> {
    let mut texts = serde_json::Deserializer::from_slice(bytes).into_iter::<String>();
    match texts.next() {
        Some(text) => Ok((text?, texts.byte_offset())),
        None => Err(io::Error::other("it is spelled in another way than its pipeline spells dumps")),
    }
}
