//! A PostgreSQL cluster of the drill's own, made with the system's programs. An application stays connected and commits;
//! each of its transactions is dated by scenario time, where the server's clock can be moved.

use std::{path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::{Mutex, MutexGuard};

use super::chunked;
use crate::{
    process::{Environment, session::Session},
    service::{
        contract::{Contents, RowStream, ServiceError, Structure},
        place::Probe,
    },
    sim::clock::Clock,
};
use archiving::Archiving;
use cluster::Cluster;

mod archiving;
mod cluster;
mod programs;
mod schema;
mod structure;

/// How long one batch of statements may take.
const LIMIT: Duration = Duration::from_secs(300);

/// The client. What it prints are values alone, one row a line; it ends at the first error.
const PROGRAM: &str = "psql";
const ARGUMENTS: &[&str] =
    &["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1", "--set=VERBOSITY=terse"];

/// Tables of the application, in whatever schema they were restored to.
const TABLES: &str = "SELECT n.nspname, c.relname, \
     EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'doc' AND NOT a.attisdropped) \
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
     WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't' \
     AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' \
     AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e') \
     ORDER BY n.nspname <> 'public', c.relname;\n";

/// The cluster and its application.
pub struct Postgresql {
    cluster: Cluster,
    application: Mutex<Option<Application>>,
    clock: Clock,
}

/// The client that stays connected.
struct Application {
    session: Session,
    archiving: Archiving,
}

impl Postgresql {
    /// A place for a cluster below that folder. What the server runs itself finds `cloud` in its environment.
    ///
    /// # Errors
    /// When there is no PostgreSQL here, or no way to its socket.
    pub fn new(
        folder: &Path,
        environment: Environment,
        cloud: Vec<(String, String)>,
        clock: &Clock,
    ) -> Result<Self, ServiceError> {
        let cluster = Cluster::new(folder, environment, cloud, clock)?;
        Ok(Postgresql { cluster, application: Mutex::default(), clock: clock.clone() })
    }

    fn session(&self) -> Result<Session, ServiceError> {
        let environment = self.cluster.environment();
        Session::start(PROGRAM, ARGUMENTS, "\\echo", environment, &self.clock, LIMIT).map_err(ServiceError)
    }

    /// Lets the application carry out statements, all or none of them.
    async fn commit(&self, application: &mut Application, statements: &[u8]) -> Result<(), ServiceError> {
        self.cluster.tell_time();
        let all = [b"BEGIN;\n".as_slice(), statements, b"COMMIT;\n"].concat();
        application.session.tell(&all, |_| {}).await.map_err(ServiceError)?;
        application.archiving.wrote(self.clock.now());
        Ok(())
    }

    async fn running<'a>(
        &self,
        application: &'a mut MutexGuard<'_, Option<Application>>,
    ) -> Result<&'a mut Application, ServiceError> {
        application.as_mut().ok_or_else(|| ServiceError("the application has ended".into()))
    }
}

#[async_trait]
impl Probe for Postgresql {
    fn variables(&self) -> Vec<(String, String)> {
        // A command is about to run: it finds the server at the time that it reads itself.
        self.cluster.tell_time();
        self.cluster.variables()
    }

    async fn fill(&self, contents: Contents) -> Result<(), ServiceError> {
        self.cluster.make().await?;
        let mut session = self.session()?;
        let has_trigrams = is_available(&mut session, "pg_trgm").await?;
        if !has_trigrams {
            tracing::warn!("PostgreSQL has no extension pg_trgm here: the drill is played without an extension");
        }
        let mut application = self.application.lock().await;
        *application = Some(Application { session, archiving: Archiving::default() });
        let application = self.running(&mut application).await?;
        let tables = contents.tables.iter().map(|table| schema::create(table, has_trigrams));
        let statements = std::iter::once(schema::foundation(has_trigrams)).chain(tables).collect::<String>();
        self.commit(application, statements.as_bytes()).await?;
        application.session.tell(schema::WAITING.as_bytes(), |_| {}).await.map_err(ServiceError)?;
        let mut rows = contents.rows;
        while let Some(chunk) = rows.try_next().await? {
            self.commit(application, &schema::apply(&chunk)?).await?;
        }
        application.session.tell(b"ANALYZE;\nCHECKPOINT;\n", |_| {}).await.map_err(ServiceError)
    }

    async fn write(&self, changes: RowStream) -> Result<(), ServiceError> {
        let chunks: Vec<_> = changes.try_collect().await?;
        let mut application = self.application.lock().await;
        let application = self.running(&mut application).await?;
        let Application { session, archiving } = application;
        archiving.pass(session, &self.cluster.data(), &self.clock).await?;
        let mut statements = Vec::new();
        for chunk in &chunks {
            statements.extend(schema::apply(chunk)?);
        }
        self.commit(application, &statements).await
    }

    async fn lose(&self) -> Result<(), ServiceError> {
        let application = self.application.lock().await.take();
        let mut passed = Ok(());
        if let Some(Application { mut session, mut archiving }) = application {
            passed = archiving.pass(&mut session, &self.cluster.data(), &self.clock).await;
            session.kill().await;
        }
        self.cluster.remove().await?;
        passed
    }

    /// A new cluster, which runs: its database is empty, and it has no roles.
    async fn provision(&self) -> Result<(), ServiceError> {
        self.cluster.make().await
    }

    async fn read(&self) -> Result<Contents, ServiceError> {
        let mut session = self.session()?;
        let (mut tables, mut chunks) = (Vec::new(), Vec::new());
        for Table { schema, name, has_documents } in listed(&mut session).await? {
            let table: Arc<str> = match schema.as_str() {
                "public" => name.as_str().into(),
                _ => format!("{schema}.{name}").into(),
            };
            let what = if has_documents { "doc" } else { "to_jsonb(t)" };
            let from = format!("{}.{}", schema::name(&schema), schema::name(&name));
            let query = format!("COPY (SELECT {what} FROM {from} t) TO STDOUT WITH {};\n", schema::RAW);
            let mut rows = Vec::new();
            let told = session.tell(query.as_bytes(), |line| rows.push([line, b"\n"].concat())).await;
            told.map_err(ServiceError)?;
            chunks.extend(chunked(&table, &rows));
            tables.push(table);
        }
        session.close().await;
        Ok(Contents { tables, rows: stream::iter(chunks.into_iter().map(Ok)).boxed() })
    }

    async fn structure(&self) -> Result<Option<Structure>, ServiceError> {
        let mut session = self.session()?;
        let structure = structure::read(&mut session).await?;
        session.close().await;
        Ok(Some(structure))
    }

    async fn close(&self) {
        if let Some(Application { session, .. }) = self.application.lock().await.take() {
            session.close().await;
        }
        self.cluster.end().await;
    }
}

async fn is_available(session: &mut Session, extension: &str) -> Result<bool, ServiceError> {
    let query = format!("SELECT count(*) FROM pg_available_extensions WHERE name = '{extension}';\n");
    let mut is_there = false;
    session.tell(query.as_bytes(), |line| is_there = line == b"1").await.map_err(ServiceError)?;
    Ok(is_there)
}

/// A table that is there.
struct Table {
    schema: String,
    name: String,
    has_documents: bool,
}

async fn listed(session: &mut Session) -> Result<Vec<Table>, ServiceError> {
    let mut tables = Vec::new();
    let told = session.tell(TABLES.as_bytes(), |line| {
        let line = String::from_utf8_lossy(line);
        let mut fields = line.split('|').map(str::to_owned);
        if let (Some(schema), Some(name), Some(documents)) = (fields.next(), fields.next(), fields.next()) {
            tables.push(Table { schema, name, has_documents: documents == "t" });
        }
    });
    told.await.map_err(ServiceError)?;
    Ok(tables)
}
