//! A SQLite file, in WAL mode as applications keep it: a client of the drill's stays connected and commits, so that the
//! newest writes lie in the WAL beside the file.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::Mutex;

use super::chunked;
use crate::{
    process::{Environment, session::Session},
    service::{
        change::Change,
        contract::{Contents, RowChunk, RowStream, ServiceError},
        place::Probe,
    },
    sim::clock::Clock,
};

/// How long one batch of statements may take.
const LIMIT: Duration = Duration::from_secs(120);

/// The client.
const PROGRAM: &str = "sqlite3";

/// The file and its application.
pub struct Sqlite {
    file: PathBuf,
    environment: Environment,
    application: Mutex<Option<Session>>,
    clock: Clock,
}

impl Sqlite {
    /// A place for a file in that folder.
    pub fn new(folder: &Path, environment: Environment, clock: &Clock) -> Self {
        let (file, application, clock) = (folder.join("app.db"), Mutex::default(), clock.clone());
        Sqlite { file, environment, application, clock }
    }

    fn session(&self, arguments: &[&str]) -> Result<Session, ServiceError> {
        let file = self.file.display().to_string();
        let arguments: Vec<&str> =
            ["-batch", "-bail"].into_iter().chain(arguments.iter().copied()).chain([&*file]).collect();
        let started = Session::start(PROGRAM, &arguments, ".print", &self.environment, &self.clock, LIMIT);
        started.map_err(ServiceError)
    }

    /// Lets the application carry out statements, all or none of them.
    async fn commit(&self, statements: Vec<u8>) -> Result<(), ServiceError> {
        let mut application = self.application.lock().await;
        let session = application.as_mut().ok_or_else(|| ServiceError("the application has ended".into()))?;
        let all = [b"BEGIN;\n".as_slice(), &statements, b"COMMIT;\n"].concat();
        session.tell(&all, |_| {}).await.map_err(ServiceError)
    }

    /// Removes the file and what SQLite keeps beside it.
    fn remove(&self) -> Result<(), ServiceError> {
        for ending in ["", "-wal", "-shm", "-journal"] {
            let path = PathBuf::from(format!("{}{ending}", self.file.display()));
            match fs::remove_file(&path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => {
                    return Err(ServiceError(format!("{} cannot be removed: {e}", path.display())));
                }
                _ => {}
            }
        }
        Ok(())
    }

    async fn tables(&self, session: &mut Session) -> Result<Vec<Arc<str>>, ServiceError> {
        let mut tables: Vec<Arc<str>> = Vec::new();
        let query =
            b"SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid;\n";
        let told = session.tell(query, |line| tables.push(String::from_utf8_lossy(line).into())).await;
        told.map_err(ServiceError)?;
        Ok(tables)
    }
}

#[async_trait]
impl Probe for Sqlite {
    fn variables(&self) -> Vec<(String, String)> {
        vec![("SQLITE_DATABASE".into(), self.file.display().to_string())]
    }

    async fn fill(&self, contents: Contents) -> Result<(), ServiceError> {
        let session = self.session(&[])?;
        *self.application.lock().await = Some(session);
        let mut application = self.application.lock().await;
        let session = application.as_mut().ok_or_else(|| ServiceError("the application has ended".into()))?;
        session.tell(b"PRAGMA journal_mode = WAL;\n", |_| {}).await.map_err(ServiceError)?;
        drop(application);
        let tables: String = contents.tables.iter().map(|table| create(table)).collect();
        self.commit(tables.into_bytes()).await?;
        self.write(contents.rows).await?;
        let mut application = self.application.lock().await;
        let session = application.as_mut().ok_or_else(|| ServiceError("the application has ended".into()))?;
        session.tell(b"PRAGMA wal_checkpoint(TRUNCATE);\n", |_| {}).await.map_err(ServiceError)
    }

    async fn write(&self, mut changes: RowStream) -> Result<(), ServiceError> {
        while let Some(chunk) = changes.try_next().await? {
            self.commit(statements(&chunk)?).await?;
        }
        Ok(())
    }

    async fn lose(&self) -> Result<(), ServiceError> {
        if let Some(session) = self.application.lock().await.take() {
            session.kill().await;
        }
        self.remove()
    }

    /// SQLite makes a file when it is first opened: an empty place is none.
    async fn provision(&self) -> Result<(), ServiceError> {
        self.remove()
    }

    async fn read(&self) -> Result<Contents, ServiceError> {
        if !self.file.is_file() {
            return Err(ServiceError(format!("there is no file {}", self.file.display())));
        }
        // Read as the application would: what lies in a WAL counts.
        let mut session = self.session(&[])?;
        let mut sound = Vec::new();
        session
            .tell(b"PRAGMA integrity_check(1);\n", |line| sound.extend_from_slice(line))
            .await
            .map_err(ServiceError)?;
        if sound != b"ok" {
            let said: String = String::from_utf8_lossy(&sound).chars().take(200).collect();
            return Err(ServiceError(format!("SQLite says of the file: {said}")));
        }
        let tables = self.tables(&mut session).await?;
        let mut chunks = Vec::new();
        for table in &tables {
            let mut rows = Vec::new();
            let query = format!("SELECT doc FROM {} ORDER BY _id;\n", name(table));
            let told = session.tell(query.as_bytes(), |line| rows.push([line, b"\n"].concat())).await;
            told.map_err(ServiceError)?;
            chunks.extend(chunked(table, &rows));
        }
        session.close().await;
        Ok(Contents { tables, rows: stream::iter(chunks.into_iter().map(Ok)).boxed() })
    }

    async fn close(&self) {
        if let Some(session) = self.application.lock().await.take() {
            session.close().await;
        }
    }
}

fn create(table: &str) -> String {
    let name = name(table);
    let index = self::name(&format!("{table}_by_creation"));
    format!(
        "CREATE TABLE {name} (_id TEXT PRIMARY KEY, doc TEXT NOT NULL CHECK (json_valid(doc)));\n\
         CREATE INDEX {index} ON {name} (json_extract(doc, '$._creationTime'));\n"
    )
}

/// Puts the rows of a chunk in, and takes those out that it says are gone.
fn statements(chunk: &RowChunk) -> Result<Vec<u8>, ServiceError> {
    let table = name(&chunk.table);
    let mut out = Vec::with_capacity(chunk.lines.len() * 5 / 4);
    for line in chunk.lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let unread = || ServiceError(format!("a row of {} cannot be read", chunk.table));
        let change = Change::read(line).ok_or_else(unread)?;
        let id = text(&change.id);
        let statement = if change.deleted {
            format!("DELETE FROM {table} WHERE _id = {id};\n")
        } else {
            let doc = text(std::str::from_utf8(line).map_err(|_| unread())?);
            format!("INSERT OR REPLACE INTO {table} (_id, doc) VALUES ({id}, {doc});\n")
        };
        out.extend_from_slice(statement.as_bytes());
    }
    Ok(out)
}

/// A name as SQL has it.
fn name(table: &str) -> String {
    format!("\"{}\"", table.replace('"', "\"\""))
}

/// A text as SQL has it.
fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}
