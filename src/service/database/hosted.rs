//! The database on emulated deployments: a real drill exports, imports and reads back over HTTP, and the application
//! is switched from one deployment to another.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use async_trait::async_trait;

use super::{
    Database, KNOWN_TABLE,
    documents::{SourceDocuments, nanoseconds},
    ledger::WriteLedger,
    remote::Remote,
    stored::StoredDocuments,
    target::SpooledTarget,
};
use crate::{
    archive,
    emulator::{
        convex::{Deployment, documents::Documents, server::Server},
        targets::{LEFTOVER_TABLE, Targets, leftover_row},
    },
    model::{event::Position, plan::DumpFormat},
    service::{
        contract::{Changes, Contents, Export, Platform, RowChunk, ServiceError, Source, Target, View},
        struck::next_through,
    },
    sim::{clock::Clock, lanes::Lanes},
};

pub use super::remote::Address;

/// Name of the deployment that the application uses before the disaster.
const SOURCE: &str = "hooklabs-production";

/// Name of the deployment into which backups are restored to try them.
const FOR_TESTS: &str = "hooklabs-restore-test";

/// The deployments of one database. What it hands out as a pipeline's platform goes over HTTP.
pub struct Hosted {
    database: Arc<Database>,
    source: Arc<RemoteSource>,
    address: Address,
    provisioned: AtomicU32,
    targets: Arc<Targets>,
    servers: Mutex<Vec<Arc<Serving>>>,
    clock: Clock,
    lanes: Lanes,
    scratch: PathBuf,
}

/// A server that can be shut down early.
struct Serving(Mutex<Option<Server>>);

impl Serving {
    fn deployment(&self) -> Option<Arc<Deployment>> {
        let server = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        server.as_ref().map(|server| Arc::clone(server.deployment()))
    }

    async fn end(&self) {
        let server = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(server) = server {
            server.shutdown().await;
        }
    }
}

impl Hosted {
    /// Serves the database's source as a deployment in that state. Exports, uploads and restored documents lie in
    /// `scratch`.
    ///
    /// # Errors
    /// When no port on 127.0.0.1 can be had.
    pub fn start(
        database: Arc<Database>,
        state: &Arc<Targets>,
        clock: &Clock,
        scratch: &Path,
    ) -> Result<Hosted, ServiceError> {
        let lanes = database.lanes.clone();
        let (source, ledger) = (Arc::clone(&database.source), Arc::clone(&database.ledger));
        let documents = SourceDocuments { source, ledger: Arc::clone(&ledger), lanes: lanes.clone() };
        let (serving, remote) = serve(SOURCE, Arc::new(documents), state, clock, &lanes, scratch)?;
        let address = remote.address();
        Ok(Hosted {
            database,
            source: Arc::new(RemoteSource { remote, ledger }),
            address,
            provisioned: AtomicU32::new(0),
            targets: Targets::new(clock),
            servers: Mutex::new(vec![serving]),
            clock: clock.clone(),
            lanes,
            scratch: scratch.to_owned(),
        })
    }

    /// The same with new deployments that share that state.
    #[must_use]
    pub fn restoring_into(self, targets: &Arc<Targets>) -> Self {
        Hosted { targets: Arc::clone(targets), ..self }
    }

    /// Where the source is reached.
    pub fn source_address(&self) -> &Address {
        &self.address
    }

    /// The deployments that are served now, the source's first: what faults strike.
    pub fn deployments(&self) -> Vec<Arc<Deployment>> {
        let servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        servers.iter().filter_map(|server| server.deployment()).collect()
    }

    /// An empty deployment for tests of backups, and where it is reached. Nothing that is wrong with others is wrong
    /// with it.
    ///
    /// # Errors
    /// When no port or no folder can be had.
    pub fn for_tests(&self) -> Result<Address, ServiceError> {
        let documents = StoredDocuments::new(self.scratch.join(FOR_TESTS), &self.lanes)?;
        let state = Targets::new(&self.clock);
        let (serving, remote) = serve(FOR_TESTS, Arc::new(documents), &state, &self.clock, &self.lanes, &self.scratch)?;
        self.servers.lock().unwrap_or_else(PoisonError::into_inner).push(serving);
        Ok(remote.address())
    }

    /// A new deployment, empty unless a fault left something in it, and where it is reached.
    ///
    /// # Errors
    /// When no port or no folder can be had.
    pub fn provision_at(&self) -> Result<(Arc<dyn Target>, Address), ServiceError> {
        let number = self.provisioned.fetch_add(1, Ordering::Relaxed) + 1;
        let name = format!("hooklabs-restore-{number}");
        let documents = StoredDocuments::new(self.scratch.join(&name), &self.lanes)?;
        if let Some(found) = self.targets.leftovers() {
            documents.leave(&leftover_row(if found.in_known_table { KNOWN_TABLE } else { LEFTOVER_TABLE }))?;
        }
        let state = &self.targets;
        let (serving, remote) = serve(&name, Arc::new(documents), state, &self.clock, &self.lanes, &self.scratch)?;
        let address = remote.address();
        self.servers.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&serving));
        let staged = SpooledTarget::new(self.scratch.join(format!("{name}-staged")), &self.lanes)?;
        let (lanes, scratch) = (self.lanes.clone(), self.scratch.clone());
        let targets = Arc::clone(&self.targets);
        Ok((Arc::new(RemoteTarget { remote, serving, targets, staged, lanes, scratch }), address))
    }

    /// Ends all deployments.
    pub async fn shutdown(&self) {
        let servers = std::mem::take(&mut *self.servers.lock().unwrap_or_else(PoisonError::into_inner));
        for server in servers {
            server.end().await;
        }
    }
}

fn serve(
    name: &str,
    documents: Arc<dyn Documents>,
    state: &Arc<Targets>,
    clock: &Clock,
    lanes: &Lanes,
    scratch: &Path,
) -> Result<(Arc<Serving>, Remote), ServiceError> {
    let deployment = Deployment::new(name, documents, state, clock, lanes, scratch);
    let no_port = |error| ServiceError(format!("no port on 127.0.0.1 can be had for a deployment: {error}"));
    let server = Server::start(Arc::clone(&deployment)).map_err(no_port)?;
    let remote = Remote::new(&server.url(), deployment.admin_key(), deployment.link(), clock, lanes)?;
    Ok((Arc::new(Serving(Mutex::new(Some(server)))), remote))
}

#[async_trait]
impl Platform for Hosted {
    fn source(&self) -> Arc<dyn Source> {
        Arc::clone(&self.source) as _
    }

    async fn provision(&self) -> Result<Arc<dyn Target>, ServiceError> {
        self.provision_at().map(|(target, _)| target)
    }

    async fn cut_over(&self, target: Arc<dyn Target>) -> Result<(), ServiceError> {
        self.database.cut_over(target).await
    }
}

/// The source over HTTP.
struct RemoteSource {
    remote: Remote,
    /// Says which write a timestamp means.
    ledger: Arc<WriteLedger>,
}

impl RemoteSource {
    fn position(&self, timestamp: i64) -> Result<Position, ServiceError> {
        let moment = jiff::Timestamp::from_nanosecond(timestamp.into()).ok();
        let position = moment.and_then(|moment| self.ledger.position_at(moment));
        position.ok_or_else(|| ServiceError(format!("no write was acknowledged at timestamp {timestamp}")))
    }
}

#[async_trait]
impl Source for RemoteSource {
    async fn export(&self) -> Result<Export, ServiceError> {
        let (timestamp, contents) = self.remote.read_all().await?;
        Ok(Export { position: self.position(timestamp)?, contents })
    }

    async fn changes(&self, since: Position) -> Result<Changes, ServiceError> {
        let (to, rows) = self.remote.read_changes(nanoseconds(since.committed_at)).await?;
        Ok(Changes { from: since, to: self.position(to)?, rows })
    }
}

/// A new deployment over HTTP. Rows and changes are made one snapshot archive here, which is imported at once.
struct RemoteTarget {
    remote: Remote,
    serving: Arc<Serving>,
    targets: Arc<Targets>,
    staged: SpooledTarget,
    lanes: Lanes,
    scratch: PathBuf,
}

#[async_trait]
impl View for RemoteTarget {
    async fn read_back(&self) -> Result<Contents, ServiceError> {
        self.remote.read_all().await.map(|(_, contents)| contents)
    }
}

#[async_trait]
impl Target for RemoteTarget {
    async fn begin(&self, tables: &[Arc<str>]) -> Result<(), ServiceError> {
        self.targets.gate().begin();
        self.staged.begin(tables).await
    }

    async fn stage(&self, chunk: RowChunk) -> Result<(), ServiceError> {
        let mut left = Some(chunk);
        while let Some(next) = next_through(self.targets.gate(), &mut left).await {
            self.staged.stage(next).await?;
        }
        Ok(())
    }

    async fn apply(&self, changes: RowChunk) -> Result<(), ServiceError> {
        self.staged.apply(changes).await
    }

    async fn commit(&self) -> Result<(), ServiceError> {
        self.staged.commit().await?;
        let contents = self.staged.read_back().await?;
        self.remote.import(archive::pack(DumpFormat::ConvexZip, contents, &self.lanes, &self.scratch)).await?;
        self.staged.discard().await
    }

    /// Gives the deployment back.
    async fn discard(&self) -> Result<(), ServiceError> {
        self.serving.end().await;
        self.staged.discard().await
    }
}
