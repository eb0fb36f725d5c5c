//! The digest manifest that stands beside a dump: what the dump held when it was made. A dump that is read without
//! error and does not agree with its manifest is not the dump that was made.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Limits, Summary, TableDigest};
use crate::model::{event::Position, plan::DumpFormat};

/// Version of the manifest that this build writes and reads.
pub const MANIFEST_FORMAT: &str = "backdraft.manifest/1";

/// Largest manifest that is read, in bytes.
pub const MAX_MANIFEST_BYTES: usize = 1 << 20;

/// What a dump may inflate to beyond the rows that its manifest states: brackets, separators, entries of an archive, and
/// for each row the name of its table. In bytes.
const SLACK: u64 = 1 << 20;
const ROW_SLACK: u64 = 128;

/// What a dump held when it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`MANIFEST_FORMAT`].
    pub format: String,
    /// The service that was dumped.
    pub service: String,
    /// Name of the dump, without its folder.
    pub dump: String,
    /// Form of the dump.
    pub dump_format: DumpFormat,
    /// Size of the dump as stored, in bytes.
    pub stored_bytes: u64,
    /// SHA-256 of the dump as stored, in lower-case hexadecimal.
    pub stored_sha256: String,
    /// The source's last write that the dump holds.
    pub position: Position,
    /// When the export was made, by the scenario clock.
    pub exported_at: Timestamp,
    /// Its tables, the empty ones too.
    pub tables: Vec<TableDigest>,
    /// Size in bytes of what lies beside the dump and belongs to it: the files that a list of files names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_bytes: Option<u64>,
}

impl Manifest {
    /// Reads a manifest. Err: what is wrong with it, in one line.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() > MAX_MANIFEST_BYTES {
            return Err(format!("the manifest has {} bytes; the limit is {MAX_MANIFEST_BYTES}", bytes.len()));
        }
        #[derive(Deserialize)]
        struct Version {
            format: String,
        }
        let unreadable = |error: serde_json::Error| format!("the manifest cannot be read: {error}");
        let text = simdutf8::basic::from_utf8(bytes).map_err(|_| "the manifest is not UTF-8".to_owned())?;
        let version: Version = serde_json::from_str(text).map_err(unreadable)?;
        if version.format != MANIFEST_FORMAT {
            let found = version.format.escape_debug();
            return Err(format!("the manifest is of format `{found}`, not `{MANIFEST_FORMAT}`"));
        }
        let manifest: Manifest = serde_json::from_str(text).map_err(unreadable)?;
        by_name(&manifest.tables).map_err(|table| format!("the manifest has table `{table}` twice"))?;
        Ok(manifest)
    }

    /// The manifest as it is stored: JSON for people, with a `\n` at its end.
    pub fn to_json(&self) -> String {
        // A derived struct of strings and numbers always has a JSON form.
        serde_json::to_string_pretty(self).map(|json| json + "\n").unwrap_or_default()
    }

    /// What the dump may inflate to: the rows stated and what stands between them.
    pub fn limits(&self) -> Limits {
        let stated = |table: &TableDigest| table.bytes.saturating_add(table.rows.saturating_mul(ROW_SLACK));
        Limits { raw_bytes: self.tables.iter().map(stated).fold(SLACK, u64::saturating_add) }
    }

    /// Whether a dump is the one that was made. Err: the first thing in which it differs. Contents are compared before
    /// the archive's digest, so that what is told is what it means.
    pub fn check(&self, found: &Summary) -> Result<(), String> {
        check_tables(&self.tables, &found.tables)?;
        differs("dump: bytes", self.stored_bytes, found.stored_bytes)?;
        differs("dump: SHA-256", &self.stored_sha256, &found.stored_sha256)
    }
}

/// Whether these tables are the ones that are expected, whatever their order. Err: the first thing in which they differ.
pub fn check_tables(expected: &[TableDigest], found: &[TableDigest]) -> Result<(), String> {
    let known = by_name(found).map_err(|table| format!("table `{table}` is there twice"))?;
    for expected in expected {
        let name = expected.name.escape_debug();
        let table = known.get(&*expected.name).ok_or_else(|| format!("table `{name}` is missing"))?;
        differs(&format!("table `{name}`: rows"), expected.rows, table.rows)?;
        differs(&format!("table `{name}`: bytes"), expected.bytes, table.bytes)?;
        differs(&format!("table `{name}`: SHA-256"), &expected.sha256, &table.sha256)?;
    }
    let expected = by_name(expected).map_err(|table| format!("the manifest has table `{table}` twice"))?;
    if let Some(extra) = known.keys().find(|name| !expected.contains_key(**name)) {
        return Err(format!("table `{}` is not in the manifest", extra.escape_debug()));
    }
    Ok(())
}

fn differs<T: PartialEq + std::fmt::Display>(what: &str, expected: T, found: T) -> Result<(), String> {
    if expected == found { Ok(()) } else { Err(format!("{what}: the manifest says {expected}, the dump has {found}")) }
}

/// Tables by their names. Err: a name that is there twice.
fn by_name(tables: &[TableDigest]) -> Result<BTreeMap<&str, &TableDigest>, String> {
    let mut known = BTreeMap::new();
    for table in tables {
        if known.insert(&*table.name, table).is_some() {
            return Err(table.name.escape_debug().to_string());
        }
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, rows: u64) -> TableDigest {
        TableDigest { name: name.into(), rows, bytes: rows * 10, sha256: "ab".repeat(32) }
    }

    fn manifest() -> Manifest {
        let moment: Timestamp = "2026-03-04T03:00:00Z".parse().unwrap();
        Manifest {
            format: MANIFEST_FORMAT.into(),
            service: "database".into(),
            dump: "2026-03-04T03-00-00Z.jsonl.gz".into(),
            dump_format: DumpFormat::JsonlGz,
            stored_bytes: 100,
            stored_sha256: "cd".repeat(32),
            position: Position { seq: 7, committed_at: moment },
            exported_at: moment,
            tables: vec![table("users", 3), table("posts", 0)],
            content_bytes: None,
        }
    }

    fn summary() -> Summary {
        let Manifest { tables, stored_bytes, stored_sha256, .. } = manifest();
        Summary { raw_bytes: 30, tables, stored_bytes, stored_sha256 }
    }

    #[test]
    fn what_is_written_is_read_back_and_agrees_with_its_dump_in_any_order_of_tables() {
        let read = Manifest::parse(manifest().to_json().as_bytes()).unwrap();
        assert_eq!(read, manifest());
        let mut other_order = summary();
        other_order.tables.reverse();
        assert_eq!(read.check(&other_order), Ok(()));
        insta::assert_snapshot!(read.to_json());
    }

    #[test]
    fn the_first_difference_is_named() {
        let changes: [fn(&mut Summary); 8] = [
            |s| drop(s.tables.remove(1)),
            |s| s.tables.push(table("ghosts", 1)),
            |s| s.tables.push(table("users", 3)),
            |s| s.tables[0].rows = 2,
            |s| s.tables[0].bytes = 29,
            |s| s.tables[0].sha256 = "00".repeat(32),
            |s| s.stored_bytes = 99,
            |s| s.stored_sha256 = "00".repeat(32),
        ];
        let told = changes.map(|change| {
            let mut changed = summary();
            change(&mut changed);
            manifest().check(&changed).unwrap_err()
        });
        insta::assert_snapshot!(told.join("\n"));
    }

    #[test]
    fn a_manifest_that_is_not_exactly_one_is_refused() {
        let json = manifest().to_json();
        let edits = [
            json.replace("manifest/1", "manifest/2"),
            json.replace("\"service\"", "\"colour\": 1, \"service\""),
            json.replace("\"rows\": 3", "\"rows\": -3"),
            json.replace("posts", "users"),
            json[..json.len() / 2].to_owned(),
            String::new(),
            " ".repeat(MAX_MANIFEST_BYTES + 1),
        ];
        let told = edits.map(|edit| Manifest::parse(edit.as_bytes()).unwrap_err());
        assert!(Manifest::parse(b"{\"format\":\"\xff\"}").is_err());
        insta::assert_snapshot!(told.join("\n"));
    }
}
