//! Reads an upload as an import does: a snapshot archive, CSV, JSON lines or a JSON array. It believes what a deployment
//! believes, and says what is wrong in a deployment's words. An archive without types, like every other form, makes each
//! number a float.

use std::{
    borrow::Cow,
    collections::HashSet,
    fs::File,
    io::{BufRead, BufReader, Read},
    sync::Arc,
};

use serde::Deserialize;
use serde_json::value::RawValue;
use zip::ZipArchive;

use super::{ids, values};
use crate::service::contract::RowChunk;

/// Bytes of a chunk of documents.
const CHUNK: usize = 1 << 20;
/// Longest document that is read, in bytes, and largest JSON array.
const LONGEST: u64 = 16 << 20;
/// Largest upload once it is unpacked, in bytes.
const LARGEST: u64 = 64 << 30;
/// The list of tables in an archive.
const TABLES: &str = "_tables/documents.jsonl";

/// Form of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Format {
    /// A snapshot archive.
    Zip,
    /// Comma-separated values, the first line with the names.
    Csv,
    /// A document on each line.
    JsonLines,
    /// One array of documents.
    JsonArray,
}

/// An upload, and how it is to be read.
#[derive(Debug)]
pub(super) struct Upload {
    pub(super) file: File,
    pub(super) format: Format,
    /// The table, where the form does not say it.
    pub(super) table: Option<Arc<str>>,
}

/// Gives ids to documents that have none, and the time when they were created.
pub(super) type NewFields<'n> = dyn Fn() -> (String, f64) + 'n;

/// Takes documents; `false` when no more are wanted.
pub(super) type Sink<'s> = dyn FnMut(RowChunk) -> bool + 's;

impl Upload {
    /// The tables that it brings.
    pub(super) fn tables(&self) -> Result<Vec<Arc<str>>, String> {
        match &self.table {
            Some(table) => Ok(vec![Arc::clone(table)]),
            None => listed(&mut self.archive()?),
        }
    }

    /// Reads all documents, table by table.
    pub(super) fn read(&self, new: &NewFields<'_>, sink: &mut Sink<'_>) -> Result<(), String> {
        let Some(table) = &self.table else { return self.read_archive(new, sink) };
        let mut rows = Rows::new(table, false, new, sink);
        let mut text = BufReader::new(self.handle()?);
        match self.format {
            Format::JsonLines => rows.lines(&mut text),
            Format::JsonArray => rows.array(text),
            Format::Csv => rows.csv(text),
            Format::Zip => Err("an archive says itself which tables it has".into()),
        }?;
        rows.finish()
    }

    fn handle(&self) -> Result<File, String> {
        use std::io::{Seek, SeekFrom};
        let mut file = self.file.try_clone().map_err(|e| e.to_string())?;
        file.seek(SeekFrom::Start(0)).map_err(|e| e.to_string())?;
        Ok(file)
    }

    fn archive(&self) -> Result<ZipArchive<BufReader<File>>, String> {
        ZipArchive::new(BufReader::with_capacity(CHUNK / 4, self.handle()?)).map_err(|_| invalid_zip())
    }

    fn read_archive(&self, new: &NewFields<'_>, sink: &mut Sink<'_>) -> Result<(), String> {
        let mut archive = self.archive()?;
        let mut left = LARGEST;
        for table in listed(&mut archive)? {
            let typed = archive.index_for_name(&format!("{table}/generated_schema.jsonl")).is_some();
            let Some(index) = archive.index_for_name(&format!("{table}/documents.jsonl")) else { continue };
            let entry = archive.by_index(index).map_err(|_| invalid_zip())?;
            let mut rows = Rows::new(&table, typed, new, sink);
            // What the archive's directory says of sizes binds nobody.
            rows.lines(&mut BufReader::with_capacity(CHUNK / 4, entry.take(left)))?;
            left = left.saturating_sub(rows.bytes);
            rows.finish()?;
            if left == 0 {
                return Err(format!("the archive unpacks to more than {LARGEST} bytes"));
            }
        }
        Ok(())
    }
}

/// Tables of an archive: those of its list, and those that have documents.
fn listed(archive: &mut ZipArchive<BufReader<File>>) -> Result<Vec<Arc<str>>, String> {
    #[derive(Deserialize)]
    struct Line {
        name: String,
    }
    let mut tables: Vec<Arc<str>> = Vec::new();
    if let Ok(list) = archive.by_name(TABLES) {
        let mut text = String::new();
        list.take(LONGEST).read_to_string(&mut text).map_err(|_| invalid_zip())?;
        for (number, line) in text.lines().enumerate() {
            let Line { name } = serde_json::from_str(line).map_err(|error| not_json(number as u64 + 1, &error))?;
            tables.push(name.into());
        }
    }
    for name in archive.file_names() {
        let name = name.map_err(|_| invalid_zip())?;
        if name.starts_with("_components/") {
            return Err("components are not emulated; import without them".into());
        }
        if let Some(table) = name.strip_suffix("/documents.jsonl")
            && !tables.iter().any(|known| **known == *table)
        {
            tables.push(table.into());
        }
    }
    if let Ok(mut files) = archive.by_name("_storage/documents.jsonl")
        && files.read(&mut [0]).map_err(|_| invalid_zip())? > 0
    {
        return Err("file storage is not emulated; export without it".into());
    }
    tables.retain(|table| !table.starts_with('_'));
    if let Some(table) = tables.iter().find(|table| !is_table_name(table)) {
        return Err(format!("invalid table name '{}'", table.escape_debug()));
    }
    Ok(tables)
}

/// Whether a table may be called so: letters, digits and underscores, the first a letter, 64 at the most.
pub(super) fn is_table_name(name: &str) -> bool {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    plain && name.len() <= 64 && name.starts_with(|c: char| c.is_ascii_alphabetic())
}

fn invalid_zip() -> String {
    "invalid zip file".into()
}

fn not_json(row: u64, error: &dyn std::fmt::Display) -> String {
    format!("Row {row} wasn't valid JSON: {error}")
}

/// What of a document is looked at; reading it checks the rest.
#[derive(Deserialize)]
struct Head<'d> {
    #[serde(borrow, rename = "_id")]
    id: Option<Cow<'d, str>>,
    #[serde(rename = "_creationTime")]
    created: Option<f64>,
}

/// Documents of one table on their way in.
struct Rows<'r> {
    table: Arc<str>,
    /// Whether integers are told from floats.
    typed: bool,
    new: &'r NewFields<'r>,
    sink: &'r mut Sink<'r>,
    seen: HashSet<[u8; 16]>,
    /// Rows read so far, and bytes of lines.
    read: u64,
    bytes: u64,
    held: Vec<u8>,
    rows: u64,
    wanted: bool,
}

impl<'r> Rows<'r> {
    fn new<'s: 'r>(table: &Arc<str>, typed: bool, new: &'r NewFields<'_>, sink: &'r mut Sink<'s>) -> Self {
        let table = Arc::clone(table);
        Rows {
            table,
            typed,
            new,
            sink,
            seen: HashSet::new(),
            read: 0,
            bytes: 0,
            held: Vec::new(),
            rows: 0,
            wanted: true,
        }
    }

    fn lines(&mut self, text: &mut impl BufRead) -> Result<(), String> {
        let mut line = Vec::new();
        while self.wanted {
            line.clear();
            // A wrong checksum inside of an archive is found here.
            let read = text.take(LONGEST + 1).read_until(b'\n', &mut line).map_err(|_| invalid_zip())?;
            if read == 0 {
                break;
            }
            self.bytes += read as u64;
            let document = line.trim_ascii();
            if !document.is_empty() {
                self.document(document)?;
            }
        }
        Ok(())
    }

    fn array(&mut self, text: impl Read) -> Result<(), String> {
        let mut whole = String::new();
        text.take(LONGEST + 1).read_to_string(&mut whole).map_err(|error| not_json(1, &error))?;
        if whole.len() as u64 > LONGEST {
            return Err(format!("JSON arrays may have {} MiB at the most; use JSON lines", LONGEST >> 20));
        }
        let documents: Vec<&RawValue> = serde_json::from_str(&whole).map_err(|error| not_json(1, &error))?;
        for document in documents {
            // One line each: white space goes.
            let value: serde_json::Value = serde_json::from_str(document.get()).map_err(|e| not_json(self.read, &e))?;
            self.document(value.to_string().as_bytes())?;
        }
        Ok(())
    }

    fn csv(&mut self, text: impl Read) -> Result<(), String> {
        let mut reader = csv::ReaderBuilder::new().from_reader(text);
        let names = reader.headers().map_err(|error| format!("the CSV header cannot be read: {error}"))?.clone();
        for record in reader.records() {
            let record = record.map_err(|error| format!("Row {} cannot be read: {error}", self.read + 1))?;
            let field = |text: &str| match text.parse::<f64>() {
                Ok(number) if number.is_finite() => number.into(),
                _ => serde_json::Value::from(text),
            };
            let document: serde_json::Map<String, serde_json::Value> =
                names.iter().zip(&record).map(|(name, text)| (name.to_owned(), field(text))).collect();
            self.document(serde_json::Value::Object(document).to_string().as_bytes())?;
        }
        Ok(())
    }

    fn document(&mut self, json: &[u8]) -> Result<(), String> {
        self.read += 1;
        let text = std::str::from_utf8(json).map_err(|error| not_json(self.read, &error))?;
        let Some(fields) = text.strip_prefix('{') else {
            return Err(not_json(self.read, &"a document is an object"));
        };
        let head: Head<'_> = serde_json::from_str(text).map_err(|error| not_json(self.read, &error))?;
        if let Some(id) = &head.id {
            let (_, document) = ids::decode(id).ok_or_else(|| format!("invalid _id '{}'", id.escape_debug()))?;
            if !self.seen.insert(document) {
                return Err(format!("Objects in table \"{}\" have duplicate _id fields", self.table));
            }
        }
        let completed = (head.id.is_none() || head.created.is_none()).then(|| self.complete(&head, fields));
        let json = completed.as_deref().map_or(json, str::as_bytes);
        match self.typed {
            true => self.held.extend_from_slice(json),
            false => values::without_types(json, &mut self.held),
        }
        self.held.push(b'\n');
        self.rows += 1;
        if self.held.len() >= CHUNK {
            self.hand_on();
        }
        Ok(())
    }

    /// The document with the fields that it lacks.
    fn complete(&self, head: &Head<'_>, fields: &str) -> String {
        let (id, created) = (self.new)();
        let id = head.id.is_none().then(|| format!("\"_id\":\"{id}\""));
        let created = head.created.is_none().then(|| format!("\"_creationTime\":{created:?}"));
        let rest = fields.trim().strip_suffix('}').unwrap_or(fields).trim();
        let rest = (!rest.is_empty()).then(|| rest.to_owned());
        let parts: Vec<String> = [id, created, rest].into_iter().flatten().collect();
        format!("{{{}}}", parts.join(","))
    }

    fn hand_on(&mut self) {
        let chunk = RowChunk {
            table: Arc::clone(&self.table),
            rows: std::mem::take(&mut self.rows),
            lines: std::mem::take(&mut self.held).into(),
        };
        self.wanted = (self.sink)(chunk);
    }

    fn finish(mut self) -> Result<(), String> {
        if self.rows > 0 {
            self.hand_on();
        }
        Ok(())
    }
}
