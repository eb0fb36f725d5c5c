//! A platform with a careless hand between it and the pipeline: what is exported, what is staged, and whether anybody
//! looks at what arrived. Data are small in a simulated drill, so tables are taken whole.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use backdraft::model::event::Position;
use backdraft::service::contract::{
    Changes, Contents, Directory, Export, Platform, RowChunk, ServiceError, Source, Target, View,
};
use futures_util::{StreamExt, TryStreamExt, stream};

type Done<T> = Result<T, ServiceError>;

/// Tables in order, each with its lines (without the line's end).
pub(crate) type Tables = Vec<(Arc<str>, Vec<String>)>;

type OnExport = Arc<dyn Fn(Position, Tables) -> Tables + Send + Sync>;
type OnLines = Arc<dyn Fn(&str, Vec<String>) -> Vec<String> + Send + Sync>;

/// Where the hand reaches in.
#[derive(Default, Clone)]
pub(crate) struct Hand {
    /// An export is made of these tables instead.
    pub(crate) export: Option<OnExport>,
    /// A stretch of changes has these lines of a table instead.
    pub(crate) changes: Option<OnLines>,
    /// These lines are staged instead, and the target says that it holds what it was sent.
    pub(crate) stage: Option<OnLines>,
    /// Users are never sent to the target.
    pub(crate) stays: bool,
    /// Addresses are what people wrote down, and nobody tries them.
    pub(crate) believes_the_runbook: bool,
    /// Addresses stay as they are in the backup.
    pub(crate) keeps_addresses: bool,
}

/// A hand that changes exports.
pub(crate) fn exporting(with: impl Fn(Tables) -> Tables + Send + Sync + 'static) -> Hand {
    exporting_at(move |_, tables| with(tables))
}

/// A hand that changes exports and knows their position.
pub(crate) fn exporting_at(with: impl Fn(Position, Tables) -> Tables + Send + Sync + 'static) -> Hand {
    Hand { export: Some(Arc::new(with)), ..Hand::default() }
}

/// A hand that changes each line of an export.
pub(crate) fn spelling(with: impl Fn(String) -> String + Send + Sync + 'static) -> Hand {
    exporting(move |tables| {
        let lines = |lines: Vec<String>| lines.into_iter().map(&with).collect();
        tables.into_iter().map(|(table, all)| (table, lines(all))).collect()
    })
}

/// A hand that changes what is staged, and then believes what it sent.
pub(crate) fn staging(with: impl Fn(&str, Vec<String>) -> Vec<String> + Send + Sync + 'static) -> Hand {
    Hand { stage: Some(Arc::new(with)), ..Hand::default() }
}

impl Hand {
    /// The platform with this hand in between.
    pub(crate) fn on(&self, inner: Arc<dyn Platform>) -> Arc<dyn Platform> {
        Arc::new(Handled { inner, hand: self.clone(), targets: Mutex::default() })
    }
}

/// What was handed out, and what stands behind it.
type Pair = (Arc<dyn Target>, Arc<dyn Target>);

struct Handled {
    inner: Arc<dyn Platform>,
    hand: Hand,
    /// What was handed out, and what stands behind it.
    targets: Mutex<Vec<Pair>>,
}

#[async_trait]
impl Platform for Handled {
    fn source(&self) -> Arc<dyn Source> {
        Arc::new(HandledSource { inner: self.inner.source(), hand: self.hand.clone() })
    }

    async fn provision(&self) -> Done<Arc<dyn Target>> {
        let inner = self.inner.provision().await?;
        let Some(stage) = self.hand.stage.clone() else { return Ok(inner) };
        let target: Arc<dyn Target> = Arc::new(Believing { inner: Arc::clone(&inner), stage, sent: Mutex::default() });
        self.targets.lock().unwrap().push((Arc::clone(&target), inner));
        Ok(target)
    }

    async fn cut_over(&self, target: Arc<dyn Target>) -> Done<()> {
        if self.hand.stays {
            return Ok(());
        }
        let known = self.targets.lock().unwrap().iter().find(|(ours, _)| is_same(ours, &target)).cloned();
        self.inner.cut_over(known.map_or(target, |(_, inner)| inner)).await
    }

    async fn follow(&self, directory: Directory) -> Done<Vec<String>> {
        match self.hand {
            Hand { keeps_addresses: true, .. } => Ok(Vec::new()),
            Hand { believes_the_runbook: true, .. } => self.inner.follow(Directory::Runbook).await,
            _ => self.inner.follow(directory).await,
        }
    }

    async fn dead_addresses(&self) -> Done<Vec<String>> {
        match self.hand.keeps_addresses || self.hand.believes_the_runbook {
            true => Ok(Vec::new()),
            false => self.inner.dead_addresses().await,
        }
    }
}

fn is_same(one: &Arc<dyn Target>, other: &Arc<dyn Target>) -> bool {
    std::ptr::eq(Arc::as_ptr(one).cast::<()>(), Arc::as_ptr(other).cast::<()>())
}

struct HandledSource {
    inner: Arc<dyn Source>,
    hand: Hand,
}

#[async_trait]
impl Source for HandledSource {
    async fn export(&self) -> Done<Export> {
        let Export { position, contents } = self.inner.export().await?;
        let contents = match &self.hand.export {
            Some(export) => contents_of(export(position, tables_of(contents).await?)),
            None => contents,
        };
        Ok(Export { position, contents })
    }

    async fn changes(&self, since: Position) -> Done<Changes> {
        let Changes { from, to, rows } = self.inner.changes(since).await?;
        let Some(with) = self.hand.changes.clone() else { return Ok(Changes { from, to, rows }) };
        let chunks: Vec<RowChunk> = rows.try_collect().await?;
        let chunks = chunks.into_iter().map(move |chunk| chunk_of(&chunk.table, &with(&chunk.table, lines_of(&chunk))));
        let chunks: Vec<_> = chunks.filter(|chunk| chunk.rows > 0).map(Ok).collect();
        Ok(Changes { from, to, rows: stream::iter(chunks).boxed() })
    }
}

/// Chunks by table.
type Sent = BTreeMap<Arc<str>, Vec<RowChunk>>;

/// A target that stages something else, and answers who reads it back with what it was sent.
struct Believing {
    inner: Arc<dyn Target>,
    stage: OnLines,
    sent: Mutex<(Vec<Arc<str>>, Sent)>,
}

#[async_trait]
impl View for Believing {
    async fn read_back(&self) -> Done<Contents> {
        let (tables, mut sent) = self.sent.lock().unwrap().clone();
        let rows: Vec<_> = tables.iter().flat_map(|table| sent.remove(table).unwrap_or_default()).map(Ok).collect();
        Ok(Contents { tables, rows: stream::iter(rows).boxed() })
    }
}

#[async_trait]
impl Target for Believing {
    async fn begin(&self, tables: &[Arc<str>]) -> Done<()> {
        *self.sent.lock().unwrap() = (tables.to_vec(), BTreeMap::new());
        self.inner.begin(tables).await
    }

    async fn stage(&self, chunk: RowChunk) -> Done<()> {
        let staged = chunk_of(&chunk.table, &(self.stage)(&chunk.table, lines_of(&chunk)));
        self.sent.lock().unwrap().1.entry(Arc::clone(&chunk.table)).or_default().push(chunk);
        self.inner.stage(staged).await
    }

    async fn apply(&self, changes: RowChunk) -> Done<()> {
        self.inner.apply(changes).await
    }

    async fn commit(&self) -> Done<()> {
        self.inner.commit().await
    }

    async fn discard(&self) -> Done<()> {
        self.inner.discard().await
    }
}

/// The lines of a chunk.
pub(crate) fn lines_of(chunk: &RowChunk) -> Vec<String> {
    String::from_utf8_lossy(&chunk.lines).lines().map(str::to_owned).collect()
}

/// A chunk of these lines.
pub(crate) fn chunk_of(table: &Arc<str>, lines: &[String]) -> RowChunk {
    let text: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
    RowChunk { table: Arc::clone(table), rows: lines.len() as u64, lines: text.into() }
}

/// All tables of these contents.
pub(crate) async fn tables_of(contents: Contents) -> Done<Tables> {
    let mut all: Tables = contents.tables.iter().map(|table| (Arc::clone(table), Vec::new())).collect();
    let chunks: Vec<RowChunk> = contents.rows.try_collect().await?;
    for chunk in chunks {
        match all.iter_mut().find(|(table, _)| *table == chunk.table) {
            Some((_, lines)) => lines.extend(lines_of(&chunk)),
            None => all.push((Arc::clone(&chunk.table), lines_of(&chunk))),
        }
    }
    Ok(all)
}

/// The contents that these tables make, a chunk a table.
pub(crate) fn contents_of(tables: Tables) -> Contents {
    let names = tables.iter().map(|(table, _)| Arc::clone(table)).collect();
    let filled = tables.into_iter().filter(|(_, lines)| !lines.is_empty());
    let chunks: Vec<_> = filled.map(|(table, lines)| Ok(chunk_of(&table, &lines))).collect();
    Contents { tables: names, rows: stream::iter(chunks).boxed() }
}
