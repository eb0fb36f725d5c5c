//! Where the configuration is restored to: a folder of environment files. What a backup leaves out is asked of the
//! secret store; where the store does not have it, or has one that its issuer no longer accepts, nothing is restored.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

use super::files::{self, Row};
use crate::{
    emulator::operator::{Operator, stored_name},
    environment::{Variable, is_secret},
    service::contract::{Contents, RowChunk, ServiceError, Target, View},
};

/// A target. Whoever gave the folder removes it.
#[derive(Debug)]
pub(super) struct FileTarget {
    folder: PathBuf,
    operator: Arc<Operator>,
    state: Mutex<State>,
}

/// A file by its table, with what is in it.
type File<T> = (Arc<str>, Vec<T>);

#[derive(Debug, Default)]
struct State {
    staged: Option<Vec<File<Row>>>,
    /// The files that are there.
    visible: Vec<Arc<str>>,
}

impl FileTarget {
    /// An empty target in a folder that is made for it.
    pub(super) fn new(folder: PathBuf, operator: Arc<Operator>) -> Result<Self, ServiceError> {
        fs::create_dir_all(&folder).map_err(|e| ServiceError(format!("the target's folder cannot be made: {e}")))?;
        Ok(FileTarget { folder, operator, state: Mutex::default() })
    }

    /// Where the files are.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The files that are there, as rows of that form.
    fn rows(&self, form: impl Fn(&Variable) -> Row) -> Result<Contents, ServiceError> {
        let visible = self.state().visible.clone();
        let rows = |table: Arc<str>| {
            let variables = files::read(&self.folder, &table)?;
            Ok((table, variables.iter().map(&form).collect()))
        };
        Ok(files::contents(visible.into_iter().map(rows).collect::<Result<_, ServiceError>>()?))
    }

    /// Puts the secrets where the backup left them out.
    fn complete(&self, tables: &[File<Row>]) -> Result<Vec<File<Variable>>, ServiceError> {
        let redacted = tables.iter().any(|(_, rows)| rows.iter().any(|row| row.redacted.is_some()));
        let secrets = if redacted { self.operator.secrets.read().map_err(ServiceError)? } else { Default::default() };
        let fill = |table: &str, row: &Row| {
            let name = row.name.clone();
            if let Some(value) = &row.value {
                return Ok(Variable { name, value: value.clone() });
            }
            let stored = stored_name(table, &name);
            let secret = secrets.get(&stored).filter(|secret| !secret.is_empty());
            let secret = secret.ok_or_else(|| {
                ServiceError(format!(
                    "the backup leaves out {name} of .env.{table}, and the secret store has no {stored}"
                ))
            })?;
            let digest = self.operator.secrets.salt().map(|salt| secret.digest(salt)).unwrap_or_default();
            match self.operator.secrets.accepts(&stored, &digest) {
                Some(false) => Err(ServiceError(format!(
                    "{stored} of the secret store is not accepted by its issuer: it was rotated since"
                ))),
                _ => Ok(Variable { name, value: secret.expose().to_owned() }),
            }
        };
        let file = |(table, rows): &File<Row>| {
            let variables = rows.iter().map(|row| fill(table, row)).collect::<Result<_, _>>()?;
            Ok((Arc::clone(table), variables))
        };
        tables.iter().map(file).collect()
    }
}

/// Reads the rows of a backup, which must hold no secret.
fn parse(table: &str, lines: &[u8]) -> Result<Vec<Row>, ServiceError> {
    let row = |line: &[u8]| {
        // The parser's own words would cite the line.
        let row: Row = serde_json::from_slice(line)
            .map_err(|e| ServiceError(format!("a row of {table} is no variable (column {})", e.column())))?;
        match (&row.value, row.redacted, &row.secret) {
            (Some(value), None, None) if is_secret(&row.name, value) => {
                Err(ServiceError(format!("the backup holds {} of {table} in clear", row.name)))
            }
            (Some(_), None, None) | (None, Some(true), None) => Ok(row),
            _ => Err(ServiceError(format!("{} of {table} has neither a value nor is it left out", row.name))),
        }
    };
    lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(row).collect()
}

#[async_trait]
impl Target for FileTarget {
    async fn begin(&self, tables: &[Arc<str>]) -> Result<(), ServiceError> {
        if let Some(bad) = tables.iter().find(|table| !files::is_table(table)) {
            return Err(ServiceError(format!("`{}` names no environment file", bad.escape_debug())));
        }
        let mut state = self.state();
        if state.staged.is_some() {
            return Err(ServiceError("rows are staged already: commit or discard them first".into()));
        }
        state.staged = Some(tables.iter().map(|table| (Arc::clone(table), Vec::new())).collect());
        Ok(())
    }

    async fn stage(&self, chunk: RowChunk) -> Result<(), ServiceError> {
        let rows = parse(&chunk.table, &chunk.lines)?;
        let mut state = self.state();
        let staged = state.staged.as_mut().ok_or_else(|| ServiceError("nothing was begun".into()))?;
        let table = staged.iter_mut().find(|(name, _)| *name == chunk.table);
        table.ok_or_else(|| ServiceError(format!("{} was not declared", chunk.table)))?.1.extend(rows);
        Ok(())
    }

    async fn commit(&self) -> Result<(), ServiceError> {
        let staged = self.state().staged.take().ok_or_else(|| ServiceError("nothing was begun".into()))?;
        let complete = self.complete(&staged)?;
        for (table, variables) in &complete {
            files::write(&self.folder, table, variables)?;
        }
        self.state().visible = complete.into_iter().map(|(table, _)| table).collect();
        Ok(())
    }

    async fn discard(&self) -> Result<(), ServiceError> {
        let mut state = self.state();
        state.staged = None;
        for table in std::mem::take(&mut state.visible) {
            fs::remove_file(files::path(&self.folder, &table))
                .map_err(|e| ServiceError(format!(".env.{table} cannot be removed: {}", e.kind())))?;
        }
        Ok(())
    }
}

#[async_trait]
impl View for FileTarget {
    /// As a backup would hold it: what is secret is left out.
    async fn read_back(&self) -> Result<Contents, ServiceError> {
        self.rows(|variable| Row::for_backup(variable, is_secret(&variable.name, &variable.value)))
    }
}

/// The restored files as an application reads them, secrets as digests.
pub(super) struct LiveFiles(pub(super) Arc<FileTarget>);

#[async_trait]
impl View for LiveFiles {
    async fn read_back(&self) -> Result<Contents, ServiceError> {
        let salt = self.0.operator.secrets.salt().ok_or_else(|| ServiceError("there is no secret store".into()))?;
        self.0.rows(|variable| Row::for_comparison(variable, salt))
    }
}
