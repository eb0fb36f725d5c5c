//! What a service is to the rest of the house. To the engine: something that is written to, gets lost, can be looked at
//! when it is back, and has a ledger of every acknowledged write, kept outside. To a pipeline: a platform with a source
//! that is exported and targets that are imported into. Rooms beside this one import this file and no other of the
//! folder.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use jiff::Timestamp;

use crate::{model::event::Position, store::SharedStore};

/// Whole rows of one table, in the table's order, as JSON lines: each line is one row and ends in `\n`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowChunk {
    /// The table.
    pub table: Arc<str>,
    /// How many rows.
    pub rows: u64,
    /// The lines; about 1 MiB at the most.
    pub lines: Bytes,
}

/// Rows as they stream, table by table.
pub type RowStream = BoxStream<'static, Result<RowChunk, ServiceError>>;

/// A source or target that does not do what is asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ServiceError(pub String);

/// A consistent export at one position.
pub struct Export {
    /// The last write that it holds.
    pub position: Position,
    /// The rows.
    pub contents: Contents,
}

/// What changed between two positions of a source.
pub struct Changes {
    /// The position after which the changes begin.
    pub from: Position,
    /// The last write among them. A source may stop before its newest one, so that a piece keeps a bounded size; it has
    /// handed out everything once this is `from`.
    pub to: Position,
    /// One line for each row that changed, table by table: the row as it is at `to`, or `{"_id":"…","_deleted":true}`
    /// where it is not there. [`super::change`] reads such lines.
    pub rows: RowStream,
}

/// All rows of a source, a target or a dump.
pub struct Contents {
    /// All tables in order, the empty ones too.
    pub tables: Vec<Arc<str>>,
    /// Their rows, in the order of `tables`; a table's chunks stand together.
    pub rows: RowStream,
}

/// What a place has beside its rows, by kind and name: `index users_by_email`, and what it is. What has no rows of its own
/// and must come back nevertheless: sequences, indexes, constraints, roles and their rights, extensions.
pub type Structure = BTreeMap<String, String>;

/// Where the data lives before the disaster.
#[async_trait]
pub trait Source: Send + Sync {
    /// Exports all rows at the newest position. Fails once the source is lost.
    async fn export(&self) -> Result<Export, ServiceError>;

    /// What changed after `since`. Fails once the source is lost, where it does not remember that far back, and where
    /// it keeps no record of its changes.
    async fn changes(&self, since: Position) -> Result<Changes, ServiceError> {
        Err(ServiceError(format!("the source keeps no record of what changed after write {}", since.seq)))
    }
}

/// A state that can be read in full.
#[async_trait]
pub trait View: Send + Sync {
    /// Reads all visible rows, table by table. What cannot be a row is described by one: a file by its name, size and
    /// digest, taken from the bytes that are there now.
    async fn read_back(&self) -> Result<Contents, ServiceError>;

    /// What is there beside the rows; `None` where rows are all that there is.
    async fn structure(&self) -> Result<Option<Structure>, ServiceError> {
        Ok(None)
    }

    /// What users get who ask for a path over HTTP, where the service is one that answers them.
    async fn ask(&self, path: &str) -> Result<Asked, ServiceError> {
        Err(ServiceError(format!("nobody can be asked for {path}: this service is not reached over HTTP")))
    }
}

/// What users got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: Bytes,
}

/// Where the data is restored to. Rows are staged, and become visible all at once.
#[async_trait]
pub trait Target: View {
    /// Declares the tables that will come, the empty ones too.
    async fn begin(&self, tables: &[Arc<str>]) -> Result<(), ServiceError>;

    /// Stages rows. Checks nothing but that the table was declared.
    async fn stage(&self, chunk: RowChunk) -> Result<(), ServiceError>;

    /// Puts changes, as [`Changes::rows`] has them, on top of what was staged: rows are replaced, added or removed.
    async fn apply(&self, changes: RowChunk) -> Result<(), ServiceError> {
        Err(ServiceError(format!("the target takes no changes (table {})", changes.table)))
    }

    /// Makes what was staged visible.
    async fn commit(&self) -> Result<(), ServiceError>;

    /// Forgets what was staged; the target is as empty as when it was provisioned.
    async fn discard(&self) -> Result<(), ServiceError>;
}

/// What a pipeline asks of the platform that the service runs on.
#[async_trait]
pub trait Platform: Send + Sync {
    /// The source.
    fn source(&self) -> Arc<dyn Source>;

    /// A new, empty target.
    async fn provision(&self) -> Result<Arc<dyn Target>, ServiceError>;

    /// Lets the service use a target from now on.
    async fn cut_over(&self, target: Arc<dyn Target>) -> Result<(), ServiceError>;

    /// Points the service, once it is back, at the services that it uses, as that directory has them. Returns what was
    /// changed, `NAME=address`. Does nothing for a service that keeps no addresses.
    async fn follow(&self, _: Directory) -> Result<Vec<String>, ServiceError> {
        Ok(Vec::new())
    }

    /// Addresses that the restored service keeps and at which nothing answers, `NAME=address`.
    async fn dead_addresses(&self) -> Result<Vec<String>, ServiceError> {
        Ok(Vec::new())
    }
}

/// Where to look up at which address a service is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Directory {
    /// What people have written down.
    Runbook,
    /// The provider that runs the service.
    Provider,
}

/// A bucket of the platform.
#[derive(Debug, Clone)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// The way to it.
    pub store: SharedStore,
}

/// What a pipeline asks of the platform that a service's files lie on.
#[async_trait]
pub trait BucketPlatform: Send + Sync {
    /// The source.
    fn source(&self) -> SharedStore;

    /// The last write that a listing of the source shows now. A bucket keeps no sequence; whoever runs it knows.
    fn position(&self) -> Position;

    /// A new, empty bucket.
    async fn provision(&self) -> Result<Bucket, ServiceError>;

    /// Removes a bucket that was provisioned, with all that is in it.
    async fn discard(&self, bucket: &Bucket) -> Result<(), ServiceError>;

    /// Lets the service use a bucket from now on.
    async fn cut_over(&self, bucket: &Bucket) -> Result<(), ServiceError>;
}

/// The truth: every acknowledged write, with its place in the sequence and its commit time. An *item* is one row
/// through all its versions; items have numbers from 0, without gaps.
pub trait Ledger: Send + Sync {
    /// The last acknowledged write.
    fn last(&self) -> Position;

    /// Sequence number and commit time of a write; 0 is the seeding. `None` past the last.
    fn position(&self, seq: u64) -> Option<Position>;

    /// How many items there ever were.
    fn items(&self) -> u64;

    /// How many rows the prefix up to and including `seq` holds.
    fn rows_at(&self, seq: u64) -> u64;

    /// The versions of an item in order; the first has the sequence number that created it.
    fn versions(&self, item: u64) -> Vec<Version>;

    /// Tables that are there whatever was written, with rows or without. Empty where the service has no such thing.
    fn tables(&self) -> Vec<Arc<str>> {
        Vec::new()
    }

    /// What a row read from a restored table is. Compares content, not spelling: the order of keys does not matter.
    fn recognise(&self, table: &str, row: &[u8]) -> Recognised;

    /// An item as people read it, `table/id`.
    fn name(&self, item: u64) -> String;
}

/// One version of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// The write that made it; 0 is the seeding.
    pub seq: u64,
    /// Whether the row exists in this version; `false` is a deletion.
    pub present: bool,
}

/// What a row is to the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recognised {
    /// That item in that version (index into [`Ledger::versions`]).
    Version {
        /// Number of the item.
        item: u64,
        /// Index of the version.
        version: usize,
    },
    /// That item, with content that was never written.
    Altered {
        /// Number of the item.
        item: u64,
    },
    /// No item of the ledger; what could be read of its name.
    Unknown(String),
}

/// One protected service, as the engine drives it.
#[async_trait]
pub trait Service: Send + Sync {
    /// The ledger.
    fn ledger(&self) -> Arc<dyn Ledger>;

    /// Whether the service is as it should be before anything is played, in words.
    ///
    /// # Errors
    /// What is not.
    async fn steady(&self) -> Result<String, ServiceError>;

    /// Lets the application, or the people who run it, make `writes` writes, acknowledged at `at`.
    async fn write(&self, at: Timestamp, writes: u32) -> Result<(), ServiceError>;

    /// The disaster: what users reached is gone, or broken.
    ///
    /// # Errors
    /// When something of it is left: then a restore would show nothing.
    async fn lose(&self) -> Result<(), ServiceError>;

    /// What users of the service reach after the disaster; `None` while that is nothing.
    fn live(&self) -> Option<Arc<dyn View>>;

    /// What was there beside the rows when the disaster came, or why nobody knows; `None` where rows are all that there is.
    fn structure(&self) -> Option<Result<Structure, ServiceError>> {
        None
    }

    /// Rows in the source now.
    fn rows(&self) -> u64;

    /// Size in bytes of what the source held when it was seeded: rows as JSON lines, files as they are.
    fn seeded_bytes(&self) -> u64;
}
