//! An emulated Convex deployment: exports and imports as the `convex` command and the streaming export know them. It
//! keeps no documents; whoever protects them answers for them ([`Documents`]). What faults change is its state:
//! [`Targets`], which a service's deployments share.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{sync::watch, task::JoinSet};

use self::{
    documents::{Documents, Snapshot},
    exports::Exports,
    imports::Imports,
};
use super::{link::Link, targets::Targets};
use crate::{
    service::contract::ServiceError,
    sim::{clock::Clock, lanes::Lanes, seed::Seed},
};

pub mod condition;
pub mod documents;
mod error;
mod exports;
mod functions;
mod http;
pub mod ids;
mod imports;
mod provision;
mod reading;
pub mod server;
mod streaming;
mod sync;
pub mod values;

use condition::{Condition, Struck};

/// Snapshots that are kept for whoever pages through them.
const KEPT_SNAPSHOTS: usize = 4;

/// One deployment.
pub struct Deployment {
    name: String,
    admin_key: String,
    documents: Arc<dyn Documents>,
    state: Arc<Targets>,
    /// Becomes true when it is shut down.
    closed: watch::Sender<bool>,
    exports: Mutex<Exports>,
    imports: Mutex<Imports>,
    snapshots: Mutex<Vec<Arc<dyn Snapshot>>>,
    /// Counts what happens; subscriptions are looked at again when it changes.
    happened: watch::Sender<u64>,
    tasks: Mutex<JoinSet<()>>,
    made: AtomicU64,
    clock: Clock,
    lanes: Lanes,
    scratch: PathBuf,
}

impl std::fmt::Debug for Deployment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Deployment({})", self.name)
    }
}

impl Deployment {
    /// A deployment of that name, such as `tidy-heron-311`. Exports and uploads go to unlinked files in `scratch`.
    pub fn new(
        name: &str,
        documents: Arc<dyn Documents>,
        state: &Arc<Targets>,
        clock: &Clock,
        lanes: &Lanes,
        scratch: &Path,
    ) -> Arc<Self> {
        let secret = Seed(0).child(name).0;
        Arc::new(Deployment {
            name: name.to_owned(),
            admin_key: format!("prod:{name}|{secret:016x}"),
            documents,
            state: Arc::clone(state),
            closed: watch::Sender::new(false),
            exports: Mutex::default(),
            imports: Mutex::default(),
            snapshots: Mutex::default(),
            happened: watch::Sender::new(0),
            tasks: Mutex::default(),
            made: AtomicU64::new(0),
            clock: clock.clone(),
            lanes: lanes.clone(),
            scratch: scratch.to_owned(),
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key that opens it, in the form of a deploy key. It opens nothing else.
    pub fn admin_key(&self) -> &str {
        &self.admin_key
    }

    /// The way to it. Refused means that it is down.
    pub fn link(&self) -> &Arc<Link> {
        self.state.link()
    }

    /// What is wrong with it and with others of its service.
    pub fn state(&self) -> &Arc<Targets> {
        &self.state
    }

    /// What is wrong with it.
    pub fn condition(&self) -> Condition {
        self.state.condition()
    }

    /// Makes something wrong with it, or nothing. An export that was stuck fails as soon as none are stuck any more.
    pub fn set_condition(&self, condition: Condition) {
        let released = !condition.export_stuck;
        self.state.change(|now| *now = condition);
        if released {
            self.release_stuck_exports();
        }
    }

    /// How often what is wrong was met.
    pub fn struck(&self) -> Struck {
        self.state.struck()
    }

    fn strike(&self, count: impl FnOnce(&mut Struck)) {
        self.state.strike(count);
    }

    /// The snapshot of that timestamp, or the newest, which is kept for a while.
    async fn snapshot(&self, timestamp: Option<i64>) -> Result<Option<Arc<dyn Snapshot>>, ServiceError> {
        if let Some(timestamp) = timestamp {
            let kept = lock(&self.snapshots);
            return Ok(kept.iter().find(|snapshot| snapshot.timestamp() == timestamp).cloned());
        }
        let newest = self.documents.snapshot().await?;
        let mut kept = lock(&self.snapshots);
        if let Some(same) = kept.iter().find(|snapshot| snapshot.timestamp() == newest.timestamp()) {
            return Ok(Some(Arc::clone(same)));
        }
        if kept.len() == KEPT_SNAPSHOTS {
            kept.remove(0);
        }
        kept.push(Arc::clone(&newest));
        Ok(Some(newest))
    }

    /// Something changed that a subscription may show.
    fn tell(&self) {
        self.happened.send_modify(|count| *count += 1);
    }

    /// A new id in a table.
    fn new_id(&self, table: u32) -> String {
        let seed = Seed(0).child(&self.name).nth(self.made.fetch_add(1, Ordering::Relaxed));
        let mut document = [0; 16];
        document[..8].copy_from_slice(&seed.0.to_le_bytes());
        document[8..].copy_from_slice(&seed.nth(1).0.to_le_bytes());
        ids::encode(table, document)
    }

    /// Now, in milliseconds since 1970, as documents spell it.
    fn now_ms(&self) -> f64 {
        self.clock.now().as_microsecond() as f64 / 1000.0
    }

    /// Lets something run until it ends or the deployment is closed.
    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = lock(&self.tasks);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(work);
    }

    /// Waits until it is shut down.
    async fn closes(&self) {
        // The sender lives as long as the deployment, so the only error (no sender) cannot come.
        let _ = self.closed.subscribe().wait_for(|closed| *closed).await;
    }

    /// Ends everything that runs.
    async fn close(&self) {
        self.closed.send_replace(true);
        let mut tasks = std::mem::take(&mut *lock(&self.tasks));
        tasks.shutdown().await;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
