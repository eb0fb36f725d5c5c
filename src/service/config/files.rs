//! Environment files in a folder, and what they are as rows: for a backup, with secrets redacted; for a comparison, with
//! secrets as salted digests.

use std::{
    fs, io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};

use crate::{
    environment::{self, Salt, Secret, Variable, is_secret},
    service::contract::{Contents, RowChunk, ServiceError},
};

/// A variable as a row. Which of the three it has says what sort it is.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    /// The variable's name.
    #[serde(rename = "_id")]
    pub(super) name: String,
    /// Its value, where it may be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<String>,
    /// `true` in a backup: the value is to be had from the secret store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) redacted: Option<bool>,
    /// In a comparison: the secret's salted digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) secret: Option<String>,
}

impl std::fmt::Debug for Row {
    /// Without the value: a row of a leaking backup has a secret there.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}=…", self.name)
    }
}

impl Row {
    fn of(name: &str) -> Self {
        Row { name: name.to_owned(), value: None, redacted: None, secret: None }
    }

    /// As it stands in a backup; `hidden` says whether the value is left out.
    pub(super) fn for_backup(variable: &Variable, hidden: bool) -> Self {
        match hidden {
            true => Row { redacted: Some(true), ..Row::of(&variable.name) },
            false => Row { value: Some(variable.value.clone()), ..Row::of(&variable.name) },
        }
    }

    /// As it is held against the ledger.
    pub(super) fn for_comparison(variable: &Variable, salt: Salt) -> Self {
        match is_secret(&variable.name, &variable.value) {
            true => {
                let digest = Secret::new(variable.value.clone()).digest(salt);
                Row { secret: Some(digest), ..Row::of(&variable.name) }
            }
            false => Row::for_backup(variable, false),
        }
    }

    /// One JSON line.
    pub(super) fn line(&self) -> Vec<u8> {
        // A struct of strings always has a JSON form.
        let mut line = serde_json::to_vec(self).unwrap_or_default();
        line.push(b'\n');
        line
    }
}

/// The file of a table: `.env.production`.
pub(super) fn path(folder: &Path, table: &str) -> PathBuf {
    folder.join(format!(".env.{table}"))
}

/// Whether a table's name can be a file's.
pub(super) fn is_table(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// Reads a file as an application does.
pub(super) fn read(folder: &Path, table: &str) -> Result<Vec<Variable>, ServiceError> {
    let failed = |why: String| ServiceError(format!(".env.{table} cannot be read: {why}"));
    let text = fs::read_to_string(path(folder, table)).map_err(|e| failed(e.kind().to_string()))?;
    environment::parse(&text).map_err(|e| failed(e.to_string()))
}

/// Writes a file that its owner alone may read.
pub(super) fn write(folder: &Path, table: &str, variables: &[Variable]) -> Result<(), ServiceError> {
    let text = environment::render(variables.iter().map(|v| (v.name.as_str(), v.value.as_str())));
    let put = || -> io::Result<()> {
        let mut file =
            fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path(folder, table))?;
        io::Write::write_all(&mut file, text.as_bytes())
    };
    put().map_err(|e| ServiceError(format!(".env.{table} cannot be written: {}", e.kind())))
}

/// Rows of files, a chunk each.
pub(super) fn contents(tables: Vec<(Arc<str>, Vec<Row>)>) -> Contents {
    let names = tables.iter().map(|(name, _)| Arc::clone(name)).collect();
    let chunk = |(table, rows): (Arc<str>, Vec<Row>)| {
        let lines: Vec<u8> = rows.iter().flat_map(Row::line).collect();
        Ok(RowChunk { table, rows: rows.len() as u64, lines: lines.into() })
    };
    let chunks: Vec<_> = tables.into_iter().filter(|(_, rows)| !rows.is_empty()).map(chunk).collect();
    Contents { tables: names, rows: stream::iter(chunks).boxed() }
}
