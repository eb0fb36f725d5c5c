//! A platform in process, met by what faults do to targets: each import passes the gate, and targets that stand for
//! deployments obey the state that emulated deployments obey over HTTP.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;

use futures_util::{StreamExt, stream};

use super::contract::{
    Changes, Contents, Directory, Export, Platform, RowChunk, RowStream, ServiceError, Source, Target, View,
};
use crate::{
    emulator::{
        gate::Gate,
        link::Intent,
        targets::{LEFTOVER_TABLE, Load, Targets, failed_after, leftover_row, split},
    },
    model::event::Position,
    sim::clock::Clock,
};

/// How long an answer of a deployment is waited for.
pub(super) const ANSWER: Duration = Duration::from_secs(10);

/// A platform whose targets can be struck.
pub struct Struck {
    platform: Arc<dyn Platform>,
    targets: Arc<Targets>,
    /// State of the deployment that is exported, where there is one.
    exported: Option<Arc<Targets>>,
    /// Set for targets that are reached over a network.
    far: Option<Far>,
    handed_out: Mutex<Vec<Arc<StruckTarget>>>,
}

#[derive(Clone)]
struct Far {
    clock: Clock,
    known_table: &'static str,
}

impl Struck {
    /// Targets at hand: files of the operators' own machine. Of all that can be wrong they know the gate alone.
    pub fn at_hand(platform: Arc<dyn Platform>, targets: &Arc<Targets>) -> Self {
        Struck { platform, targets: Arc::clone(targets), exported: None, far: None, handed_out: Mutex::default() }
    }

    /// Targets that stand for deployments, in which `known_table` is a table that the application has.
    pub fn deployments(
        platform: Arc<dyn Platform>,
        targets: &Arc<Targets>,
        clock: &Clock,
        known_table: &'static str,
    ) -> Self {
        Struck { far: Some(Far { clock: clock.clone(), known_table }), ..Struck::at_hand(platform, targets) }
    }

    /// The same with a source that stands for a deployment in that state.
    #[must_use]
    pub fn exported_from(self, source: &Arc<Targets>) -> Self {
        Struck { exported: Some(Arc::clone(source)), ..self }
    }

    fn handed_out(&self) -> MutexGuard<'_, Vec<Arc<StruckTarget>>> {
        lock(&self.handed_out)
    }

    /// The platform's own target in one that was handed out.
    fn inner_of(&self, target: &Arc<dyn Target>) -> Result<Arc<dyn Target>, ServiceError> {
        let address = Arc::as_ptr(target).cast::<()>();
        let ours = self.handed_out().iter().find(|ours| Arc::as_ptr(ours).cast::<()>() == address).cloned();
        ours.map(|ours| Arc::clone(&ours.inner))
            .ok_or_else(|| ServiceError("the target is none of this service's".into()))
    }
}

#[async_trait]
impl Platform for Struck {
    fn source(&self) -> Arc<dyn Source> {
        let inner = self.platform.source();
        match &self.exported {
            Some(state) => Arc::new(StruckSource { inner, state: Arc::clone(state) }),
            None => inner,
        }
    }

    async fn provision(&self) -> Result<Arc<dyn Target>, ServiceError> {
        let target = self.platform.provision().await?;
        if let Some(far) = &self.far
            && let Some(found) = self.targets.leftovers()
        {
            let chunk = leftover_row(if found.in_known_table { far.known_table } else { LEFTOVER_TABLE });
            target.begin(&[Arc::clone(&chunk.table)]).await?;
            target.stage(chunk).await?;
            target.commit().await?;
        }
        let target = Arc::new(StruckTarget {
            inner: target,
            targets: Arc::clone(&self.targets),
            clock: self.far.as_ref().map(|far| far.clock.clone()),
            import: Mutex::default(),
        });
        self.handed_out().push(Arc::clone(&target));
        Ok(target)
    }

    async fn cut_over(&self, target: Arc<dyn Target>) -> Result<(), ServiceError> {
        if self.far.is_some() {
            return self.platform.cut_over(target).await;
        }
        let inner = self.inner_of(&target)?;
        self.platform.cut_over(inner).await
    }

    async fn follow(&self, directory: Directory) -> Result<Vec<String>, ServiceError> {
        self.platform.follow(directory).await
    }

    async fn dead_addresses(&self) -> Result<Vec<String>, ServiceError> {
        self.platform.dead_addresses().await
    }
}

/// A source that stands for a deployment, read page by page.
struct StruckSource {
    inner: Arc<dyn Source>,
    state: Arc<Targets>,
}

impl StruckSource {
    fn answers(&self) -> Result<(), ServiceError> {
        match self.state.export_fails() {
            true => Err(ServiceError("the deployment answers 500 Internal Server Error".into())),
            false => Ok(()),
        }
    }

    /// Rows as they arrive. Whoever reads page by page sees where a page ends too soon, also where no length was told.
    fn arriving(&self, rows: RowStream) -> RowStream {
        match self.state.cut() {
            Some(_) => stream::iter([Err(ServiceError("the deployment's answer ends too soon".into()))]).boxed(),
            None => rows,
        }
    }
}

#[async_trait]
impl Source for StruckSource {
    async fn export(&self) -> Result<Export, ServiceError> {
        self.answers()?;
        let Export { position, contents } = self.inner.export().await?;
        Ok(Export { position, contents: Contents { rows: self.arriving(contents.rows), ..contents } })
    }

    async fn changes(&self, since: Position) -> Result<Changes, ServiceError> {
        self.answers()?;
        let changes = self.inner.changes(since).await?;
        Ok(Changes { rows: self.arriving(changes.rows), ..changes })
    }
}

struct StruckTarget {
    inner: Arc<dyn Target>,
    targets: Arc<Targets>,
    /// `None` for targets at hand.
    clock: Option<Clock>,
    import: Mutex<Import>,
}

/// What was brought so far, and the first thing that went wrong with it. A deployment says so once all has come.
#[derive(Default)]
struct Import {
    load: Load,
    failed: Option<String>,
}

impl StruckTarget {
    /// Asks for a request, where there is a way to go.
    async fn enter(&self, intent: Intent) -> Result<(), ServiceError> {
        let Some(clock) = &self.clock else { return Ok(()) };
        let answer = clock.limit(ANSWER, self.targets.enter(intent)).await;
        answer.unwrap_or_else(|| Err(ServiceError("the deployment does not answer".into())))
    }

    /// Rows as they go in; `None` where something is wrong already.
    fn take(&self, chunk: RowChunk) -> Option<RowChunk> {
        let mut import = lock(&self.import);
        if self.clock.is_none() {
            return Some(chunk);
        }
        if import.failed.is_some() {
            return None;
        }
        self.targets.take(&mut import.load, chunk).map_err(|why| import.failed = Some(why)).ok()
    }
}

#[async_trait]
impl View for StruckTarget {
    async fn read_back(&self) -> Result<Contents, ServiceError> {
        self.enter(Intent::Read).await?;
        self.inner.read_back().await
    }
}

#[async_trait]
impl Target for StruckTarget {
    async fn begin(&self, tables: &[Arc<str>]) -> Result<(), ServiceError> {
        self.targets.gate().begin();
        *lock(&self.import) = Import::default();
        self.inner.begin(tables).await
    }

    async fn stage(&self, chunk: RowChunk) -> Result<(), ServiceError> {
        let mut left = Some(chunk);
        while let Some(next) = next_through(self.targets.gate(), &mut left).await {
            if let Some(chunk) = self.take(next) {
                self.inner.stage(chunk).await?;
            }
        }
        Ok(())
    }

    async fn apply(&self, changes: RowChunk) -> Result<(), ServiceError> {
        let schema = self.targets.condition().old_schema.filter(|_| self.clock.is_some());
        let fit = match schema {
            Some(schema) => self.targets.fit(&schema, changes),
            None => Ok(changes),
        };
        match fit {
            Ok(changes) => self.inner.apply(changes).await,
            Err(why) => {
                lock(&self.import).failed.get_or_insert(why);
                Ok(())
            }
        }
    }

    async fn commit(&self) -> Result<(), ServiceError> {
        self.enter(Intent::Write).await?;
        let (rows, failed) = {
            let mut import = lock(&self.import);
            (import.load.rows, import.failed.take())
        };
        let failed = failed.or_else(|| self.targets.fails_after(rows).map(|after| failed_after(after, rows)));
        match failed {
            Some(why) => Err(import_failed(&why)),
            None => self.inner.commit().await,
        }
    }

    async fn discard(&self) -> Result<(), ServiceError> {
        self.inner.discard().await
    }
}

/// An import's failure in the words of whoever asked for it.
fn import_failed(why: &str) -> ServiceError {
    ServiceError(format!("the import failed: Hit an error while importing: {why}"))
}

/// The next rows that may pass the gate, taken off what is left.
pub(super) async fn next_through(gate: &Gate, left: &mut Option<RowChunk>) -> Option<RowChunk> {
    let rows = left.as_ref()?.rows;
    let most = gate.pass(rows).await;
    let (next, rest) = split(left.take()?, most);
    *left = rest;
    Some(next)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
