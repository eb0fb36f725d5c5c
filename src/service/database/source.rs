//! Where the data lives before the disaster: the data set, and on top of it what was written since.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use futures_util::{StreamExt, future, stream};

use super::{
    changelog::{AT_ONCE, ChangeLog, Stretch},
    dataset::{DataSet, longest_line},
    tables::TABLES,
    workload::{Change, Write},
};
use crate::{
    model::event::Position,
    service::{
        change::push_deletion,
        contract::{Changes, Contents, Export, RowChunk, RowStream, ServiceError, Source},
    },
    sim::lanes::Lanes,
};

/// Bytes of an exported chunk at the most.
const CHUNK: u64 = 1 << 20;

/// Which rows there are. Holds what differs from the data set and nothing else.
#[derive(Debug, Clone)]
pub(super) struct State {
    data: Arc<DataSet>,
    position: Position,
    inserted: [u64; TABLES.len()],
    /// Rows changed since the seeding: their revision, or `None` once they are deleted.
    changed: [BTreeMap<u64, Option<u32>>; TABLES.len()],
    rows: u64,
}

impl State {
    /// Rows that a table ever had; their indices are below.
    pub(super) fn ever(&self, table: usize) -> u64 {
        self.data.seeded(table) + self.inserted[table]
    }

    /// The revision of a row that is there now.
    pub(super) fn revision(&self, table: usize, index: u64) -> Option<u32> {
        self.changed[table].get(&index).copied().unwrap_or((index < self.ever(table)).then_some(0))
    }

    /// The newest committed write.
    pub(super) fn position(&self) -> Position {
        self.position
    }

    /// Rows that a table has now.
    pub(super) fn rows_of(&self, table: usize) -> u64 {
        let deleted = self.changed[table].values().filter(|revision| revision.is_none()).count();
        self.ever(table) - deleted as u64
    }

    fn apply(&mut self, write: Write, position: Position) {
        let Write { table, index, change } = write;
        match change {
            Change::Insert => {
                self.inserted[table] += 1;
                self.rows += 1;
            }
            Change::Update => {
                let revision = self.revision(table, index).map(|revision| revision + 1);
                self.changed[table].insert(index, revision);
            }
            Change::Delete => {
                self.changed[table].insert(index, None);
                self.rows -= 1;
            }
        }
        self.position = position;
    }

    /// The rows of a range of indices, as one chunk.
    pub(super) fn render(&self, part: &Part) -> RowChunk {
        let mut lines = Vec::with_capacity(CHUNK as usize);
        let mut rows = 0;
        let mut changed = self.changed[part.table].range(part.from..part.to).peekable();
        for index in part.from..part.to {
            let revision = match changed.next_if(|(row, _)| **row == index) {
                Some((_, revision)) => *revision,
                None => Some(0),
            };
            if let Some(revision) = revision {
                self.data.render(part.table, index, revision, &mut lines);
                rows += 1;
            }
        }
        RowChunk { table: Arc::clone(&part.name), rows, lines: lines.into() }
    }

    /// Cuts all tables into ranges that make a chunk each.
    fn parts(self: &Arc<Self>, tables: Vec<Arc<str>>) -> impl Iterator<Item = Part> + Send + use<> {
        let state = Arc::clone(self);
        let step = CHUNK / longest_line();
        tables.into_iter().enumerate().flat_map(move |(table, name)| {
            let end = state.ever(table);
            let starts = (0..end).step_by(step as usize);
            starts.map(move |from| Part { table, name: Arc::clone(&name), from, to: end.min(from + step) })
        })
    }
}

/// A range of a table's indices.
pub(super) struct Part {
    pub(super) table: usize,
    pub(super) name: Arc<str>,
    pub(super) from: u64,
    pub(super) to: u64,
}

/// The source.
#[derive(Debug)]
pub(super) struct LiveSource {
    state: Mutex<Arc<State>>,
    /// Locked after `state`, where both are.
    log: Mutex<ChangeLog>,
    lost: Arc<AtomicBool>,
    lanes: Lanes,
}

impl LiveSource {
    /// A source that holds the seeded rows, at `position`.
    pub(super) fn new(data: Arc<DataSet>, position: Position, lanes: &Lanes) -> Self {
        let rows = data.rows();
        let state = State { data, position, inserted: Default::default(), changed: Default::default(), rows };
        let log = Mutex::new(ChangeLog::new(position));
        LiveSource { state: Mutex::new(Arc::new(state)), log, lost: Arc::default(), lanes: lanes.clone() }
    }

    /// Commits the write that `choose` makes of the present state.
    pub(super) fn commit(
        &self,
        choose: impl FnOnce(&State) -> (Write, Position),
    ) -> Result<(Write, Position), ServiceError> {
        alive(&self.lost)?;
        let mut state = self.state();
        let (write, position) = choose(&state);
        // A running export keeps the state that it began with; only then is it copied.
        Arc::make_mut(&mut state).apply(write, position);
        self.log().push(position, write.table, write.index, state.revision(write.table, write.index));
        Ok((write, position))
    }

    /// Rows there are now.
    pub(super) fn rows(&self) -> u64 {
        self.state().rows
    }

    /// The disaster.
    pub(super) fn lose(&self) {
        self.lost.store(true, Ordering::SeqCst);
    }

    /// The rows there are now; they stay so while this is held.
    pub(super) fn now(&self) -> Result<Arc<State>, ServiceError> {
        alive(&self.lost)?;
        Ok(Arc::clone(&self.state()))
    }

    /// What the next writes after `since` changed, at most so many.
    pub(super) async fn changes_of(&self, since: Position, most: usize) -> Result<Changes, ServiceError> {
        alive(&self.lost)?;
        let stretch = self.log().since(since, most)?;
        let data = Arc::clone(&self.state().data);
        let (from, to) = (stretch.from, stretch.to);
        let chunks = self.lanes.run(move || changed_rows(&data, &stretch)).await;
        Ok(Changes { from, to, rows: stream::iter(chunks.into_iter().map(Ok)).boxed() })
    }

    fn state(&self) -> MutexGuard<'_, Arc<State>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log(&self) -> MutexGuard<'_, ChangeLog> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stream(&self, state: Arc<State>, tables: Vec<Arc<str>>) -> RowStream {
        let (lost, lanes, width) = (Arc::clone(&self.lost), self.lanes.clone(), self.lanes.width());
        let chunks = stream::iter(state.parts(tables)).map(move |part| {
            let (lost, state) = (Arc::clone(&lost), Arc::clone(&state));
            lanes.run(move || alive(&lost).map(|()| state.render(&part)))
        });
        let some_rows = |chunk: &Result<RowChunk, _>| chunk.as_ref().map_or(true, |chunk| chunk.rows > 0);
        chunks.buffered(width + 1).filter(move |chunk| future::ready(some_rows(chunk))).boxed()
    }
}

fn alive(lost: &AtomicBool) -> Result<(), ServiceError> {
    match lost.load(Ordering::SeqCst) {
        true => Err(ServiceError("the source is lost".into())),
        false => Ok(()),
    }
}

#[async_trait]
impl Source for LiveSource {
    async fn export(&self) -> Result<Export, ServiceError> {
        alive(&self.lost)?;
        let state = Arc::clone(&self.state());
        let tables: Vec<Arc<str>> = TABLES.iter().map(|table| table.name.into()).collect();
        let rows = self.stream(Arc::clone(&state), tables.clone());
        Ok(Export { position: state.position, contents: Contents { tables, rows } })
    }

    async fn changes(&self, since: Position) -> Result<Changes, ServiceError> {
        self.changes_of(since, AT_ONCE).await
    }
}

/// The lines of a change stream, table by table.
fn changed_rows(data: &DataSet, stretch: &Stretch) -> Vec<RowChunk> {
    let mut chunks = Vec::new();
    for (number, table) in TABLES.iter().enumerate() {
        let mut lines = Vec::new();
        let mut rows = 0;
        let mut cut = |rows: &mut u64, lines: &mut Vec<u8>| {
            if *rows > 0 {
                let (rows, lines) = (std::mem::take(rows), std::mem::take(lines).into());
                chunks.push(RowChunk { table: table.name.into(), rows, lines });
            }
        };
        for ((_, index), revision) in stretch.rows.range((number, 0)..(number + 1, 0)) {
            match revision {
                Some(revision) => data.render(number, *index, *revision, &mut lines),
                None => push_deletion(&String::from_utf8_lossy(&data.id(number, *index)), &mut lines),
            }
            rows += 1;
            if lines.len() as u64 + longest_line() > CHUNK {
                cut(&mut rows, &mut lines);
            }
        }
        cut(&mut rows, &mut lines);
    }
    chunks
}
