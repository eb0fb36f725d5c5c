//! Reads JSON Lines: cuts text at line ends, and checks batches of whole lines on the lanes. In a dump of the whole
//! database each line names its table, and the first one may list all tables; in a ZIP archive a file is a table.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{
    ArchiveError, Fault, MAX_LINE_BYTES, Place, json,
    members::Pieces,
    sequence::{Parsed, ParsedStream, Run},
};
use crate::sim::lanes::Lanes;

/// The first line of a dump of ours: all tables in their order, so that those without rows are not lost.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    #[serde(rename = "_tables")]
    tables: Vec<String>,
}

/// The first line of a dump, without its `\n`.
pub(super) fn header(tables: &[Arc<str>]) -> String {
    let names: Vec<String> = tables.iter().map(|table| quoted(table)).collect();
    format!(r#"{{"_tables":[{}]}}"#, names.join(","))
}

/// What a row of that table begins with, in the place of its `{`.
pub(super) fn row_prefix(table: &str) -> String {
    format!(r#"{{"_table":{}"#, quoted(table))
}

/// A text as JSON.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Reads a dump in which each line names its table.
pub(super) fn read(pieces: Pieces, lanes: &Lanes) -> ParsedStream {
    checked(pieces, None, lanes)
}

/// Reads a file of one table.
pub(super) fn read_table(pieces: Pieces, table: Arc<str>, lanes: &Lanes) -> ParsedStream {
    checked(pieces, Some(table), lanes)
}

fn checked(pieces: Pieces, table: Option<Arc<str>>, lanes: &Lanes) -> ParsedStream {
    let batches = whole_lines(pieces).enumerate();
    let results = lanes
        .map(batches, move |(number, batch)| Ok(Batch { first: number == 0, table: table.clone() }.check(&batch?)));
    // Batches are checked at once, so that only here it is known on which line one begins.
    let state = (results.boxed(), 1u64);
    stream::try_unfold(
        state,
        |(mut results, line): (BoxStream<'static, Result<Outcome, ArchiveError>>, u64)| async move {
            match results.next().await.transpose()? {
                None => Ok(None),
                Some(Ok(mut done)) => {
                    for parsed in &mut done.parsed {
                        if let Parsed::Rows(run) = parsed {
                            run.place.line += line;
                        }
                    }
                    Ok(Some((done.parsed, (results, line + done.lines))))
                }
                Some(Err(bad)) => {
                    let place = Place { table: bad.table, line: line + bad.line, row: None };
                    Err(ArchiveError::Row { place, fault: bad.fault })
                }
            }
        },
    )
    .boxed()
}

/// Cuts text at line ends. A line that is too long comes as far as it has been read: the check will refuse it.
fn whole_lines(pieces: Pieces) -> Pieces {
    let state = (Some(pieces), Vec::new());
    stream::try_unfold(state, |(mut pieces, mut held): (Option<Pieces>, Vec<u8>)| async move {
        while let Some(source) = &mut pieces {
            let Some(mut piece) = source.next().await.transpose()? else { break };
            let end = piece.iter().rposition(|byte| *byte == b'\n').map(|at| at + 1);
            let rest = piece.split_off(end.unwrap_or(0));
            if end.is_some() {
                let batch = if held.is_empty() { piece } else { [held, piece].concat() };
                return Ok(Some((batch, (pieces, rest))));
            }
            held.extend_from_slice(&rest);
            if held.len() > MAX_LINE_BYTES {
                pieces = None;
            }
        }
        Ok(if held.is_empty() { None } else { Some((held, (None, Vec::new()))) })
    })
    .boxed()
}

/// What became of a batch.
type Outcome = Result<Checked, BadLine>;

/// A batch that is as it should be. Lines count from its start, from 0.
struct Checked {
    parsed: Vec<Parsed>,
    lines: u64,
}

/// The first line of a batch that is not.
struct BadLine {
    line: u64,
    table: Option<Arc<str>>,
    fault: Fault,
}

/// How a batch is to be read.
struct Batch {
    /// Whether the text begins with it.
    first: bool,
    /// The table of all its lines; `None` where each names its own.
    table: Option<Arc<str>>,
}

impl Batch {
    fn check(self, batch: &[u8]) -> Outcome {
        let text = match simdutf8::compat::from_utf8(batch) {
            Ok(text) => text,
            Err(error) => {
                let (line, fault) = json::not_utf8(batch, error.valid_up_to());
                return Err(BadLine { line, table: self.table, fault });
            }
        };
        let mut rows = Rows::new(batch.len());
        let mut parsed = Vec::new();
        let mut lines = 0;
        for (number, line) in (0..).zip(text.split_inclusive('\n')) {
            lines = number + 1;
            if self.first
                && number == 0
                && self.table.is_none()
                && let Ok(header) = serde_json::from_str::<Header>(line)
            {
                parsed.push(Parsed::Tables(header.tables));
                continue;
            }
            let checked = match &self.table {
                Some(table) => rows.push_plain(line, table, number),
                None => rows.push_tagged(line, number),
            };
            if let Err(fault) = checked {
                return Err(BadLine { line: number, table: self.table.or_else(|| named(line)), fault });
            }
        }
        parsed.append(&mut rows.finish());
        Ok(Checked { parsed, lines })
    }
}

/// Rows of a batch, gathered table by table.
struct Rows {
    runs: Vec<Parsed>,
    /// The table of the last row.
    table: Option<Arc<str>>,
    /// What a line of that table begins with, if it is spelled as ours are.
    prefix: String,
    out: Vec<u8>,
    rows: u64,
    line: u64,
}

impl Rows {
    fn new(room: usize) -> Self {
        Rows { runs: Vec::new(), table: None, prefix: String::new(), out: Vec::with_capacity(room), rows: 0, line: 0 }
    }

    /// A line that is a row of `table`.
    fn push_plain(&mut self, line: &str, table: &Arc<str>, number: u64) -> Result<(), Fault> {
        let row = bare(line)?;
        json::check_object(row)?;
        if self.table.is_none() {
            self.turn_to(table.clone(), number);
        }
        self.push_row(&[row]);
        Ok(())
    }

    /// A line that names its table.
    fn push_tagged(&mut self, line: &str, number: u64) -> Result<(), Fault> {
        let text = bare(line)?;
        json::check_object(text)?;
        // Most lines begin as the one before; what follows the table's name is the row.
        match text.strip_prefix(&*self.prefix).map(str::as_bytes) {
            Some(b"}") => self.push_row(&["{}"]),
            Some([b',', ..]) => self.push_row(&["{", &text[self.prefix.len() + 1..]]),
            _ => {
                let row: Members = serde_json::from_str(text).map_err(|error| json::fault(&error))?;
                let (name, members) = row.split_table().ok_or(Fault::NoTable)?;
                if self.table.as_deref() != Some(&*name) {
                    self.turn_to(name.into(), number);
                    if text.starts_with(&self.prefix) {
                        return self.push_tagged(line, number);
                    }
                }
                self.push_row(&[&members]);
            }
        }
        Ok(())
    }

    fn push_row(&mut self, parts: &[&str]) {
        for part in parts {
            self.out.extend_from_slice(part.as_bytes());
        }
        self.out.push(b'\n');
        self.rows += 1;
    }

    fn turn_to(&mut self, table: Arc<str>, number: u64) {
        self.close();
        self.prefix = row_prefix(&table);
        self.table = Some(table);
        self.line = number;
    }

    fn close(&mut self) {
        if let Some(table) = self.table.take().filter(|_| self.rows > 0) {
            let lines = Bytes::from(std::mem::take(&mut self.out));
            let place = Place { table: Some(table.clone()), line: self.line, row: None };
            self.runs.push(Parsed::Rows(Run { table, rows: std::mem::take(&mut self.rows), lines, place }));
        }
    }

    fn finish(mut self) -> Vec<Parsed> {
        self.close();
        self.runs
    }
}

/// A line without its end and what stands around the row.
fn bare(line: &str) -> Result<&str, Fault> {
    if line.len() > MAX_LINE_BYTES {
        return Err(Fault::TooLong);
    }
    let row = line.trim_matches([' ', '\t', '\r', '\n']);
    if row.is_empty() { Err(Fault::Blank) } else { Ok(row) }
}

/// The table that a broken line names, if it is spelled as ours are.
fn named(line: &str) -> Option<Arc<str>> {
    let rest = line.strip_prefix(r#"{"_table":"#)?;
    serde_json::Deserializer::from_str(rest).into_iter::<String>().next()?.ok().map(Arc::from)
}

/// The members of an object in their order, values as they are spelled.
struct Members<'t>(Vec<(String, &'t RawValue)>);

impl<'t> Members<'t> {
    /// The table that a row names first, and the row without it.
    fn split_table(mut self) -> Option<(String, String)> {
        let at = self.0.iter().position(|(key, _)| key == "_table")?;
        let name = serde_json::from_str(self.0.remove(at).1.get()).ok()?;
        let members: Vec<String> =
            self.0.iter().map(|(key, value)| format!("{}:{}", quoted(key), value.get())).collect();
        Some((name, format!("{{{}}}", members.join(","))))
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a JSON object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}
