//! What a deployment asks of whoever keeps its documents. It has no copy of its own: a protected service answers for its
//! source, and for each target that it provisions.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream};

use crate::service::contract::{Contents, RowChunk, RowStream, ServiceError};

/// The documents of a deployment.
#[async_trait]
pub trait Documents: Send + Sync {
    /// All documents as they are now.
    async fn snapshot(&self) -> Result<Arc<dyn Snapshot>, ServiceError>;

    /// What changed after the snapshot or change of that timestamp, at most so many documents.
    async fn changes(&self, since: i64, most_rows: u64) -> Result<Deltas, ServiceError>;

    /// Begins an import. Dropping it forgets what was staged.
    async fn begin(&self, plan: ImportPlan) -> Result<Box<dyn Staging>, ServiceError>;
}

/// Documents as they were at one moment; they stay so while it is held.
#[async_trait]
pub trait Snapshot: Send + Sync {
    /// The moment: that of the newest change, in nanoseconds. No two states share one.
    fn timestamp(&self) -> i64;

    /// The tables, in the order in which they are exported.
    fn tables(&self) -> &[TableInfo];

    /// Some documents of a table, from a place on: 0, or where the last page says that it goes on.
    async fn page(&self, table: usize, from: u64, most_rows: usize) -> Result<Page, ServiceError>;
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableInfo {
    /// Its name.
    pub name: Arc<str>,
    /// How many documents it has.
    pub rows: u64,
}

/// Documents of a table as JSON lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// How many.
    pub rows: u64,
    /// The lines, about 1 MiB at the most.
    pub lines: Bytes,
    /// Where the next one begins; `None` at the table's end.
    pub next: Option<u64>,
}

/// What changed.
pub struct Deltas {
    /// The newest change among them.
    pub to: i64,
    /// Whether there are more after it.
    pub has_more: bool,
    /// Each document that changed as it is at `to`, or `{"_id":"…","_deleted":true}`.
    pub rows: RowStream,
}

/// What an import does to the tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportPlan {
    /// Tables that it brings.
    pub tables: Vec<Arc<str>>,
    /// Whether their documents join those that are there, instead of replacing them.
    pub joins: bool,
    /// Whether tables that it does not bring are deleted.
    pub deletes_others: bool,
}

/// An import in the making: nobody sees it before it is committed.
#[async_trait]
pub trait Staging: Send + Sync {
    /// Takes documents of a table of the plan.
    async fn stage(&self, chunk: RowChunk) -> Result<(), ServiceError>;

    /// Makes what was staged visible, all at once.
    async fn commit(self: Box<Self>) -> Result<(), ServiceError>;
}

/// Most documents of a page, where nobody asks for fewer: about 1 MiB of them.
const PAGE_ROWS: usize = 1024;

/// All documents of a snapshot, as they stream.
pub fn contents(snapshot: Arc<dyn Snapshot>) -> Contents {
    let tables: Vec<Arc<str>> = snapshot.tables().iter().map(|table| Arc::clone(&table.name)).collect();
    let rows = stream::iter(tables.clone().into_iter().enumerate()).flat_map(move |(number, name)| {
        let state = (Arc::clone(&snapshot), name, Some(0));
        stream::try_unfold(state, move |(snapshot, name, from)| async move {
            let Some(from) = from else { return Ok(None) };
            let Page { rows, lines, next } = snapshot.page(number, from, PAGE_ROWS).await?;
            let chunk = RowChunk { table: Arc::clone(&name), rows, lines };
            Ok(Some((chunk, (snapshot, name, next))))
        })
        .boxed()
    });
    Contents { tables, rows: rows.filter(|chunk| std::future::ready(!matches!(chunk, Ok(c) if c.rows == 0))).boxed() }
}
