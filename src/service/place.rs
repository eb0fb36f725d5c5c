//! A service as commands reach it: by variables in their environment. And the contract of a probe, through which a drill
//! writes to a real database or folder and reads it back. Rooms beside this one import this file, too.

use async_trait::async_trait;

use super::contract::{Contents, RowStream, ServiceError, Structure};
use crate::model::event::Position;

/// Where a service is, for commands.
#[async_trait]
pub trait Place: Send + Sync {
    /// Variables by which commands find it: the source before the disaster, what is to be restored into after it.
    fn variables(&self) -> Vec<(String, String)>;

    /// The last write that it holds now.
    fn position(&self) -> Position;

    /// Rows that it holds now, and what they take, in bytes.
    fn load(&self) -> (u64, u64);

    /// Makes a new, empty place, to which [`Place::variables`] leads from now on.
    ///
    /// # Errors
    /// When there is no room for one.
    async fn provision(&self) -> Result<(), ServiceError>;

    /// Lets users reach what is in that place.
    ///
    /// # Errors
    /// When it cannot be reached.
    async fn cut_over(&self) -> Result<(), ServiceError>;
}

/// How a drill writes to a place and reads it back. What it says is done is committed there: a backup that begins after
/// it finds it.
#[async_trait]
pub trait Probe: Send + Sync {
    /// Variables by which commands find the place.
    fn variables(&self) -> Vec<(String, String)>;

    /// Makes the place and puts rows in.
    ///
    /// # Errors
    /// What the place says.
    async fn fill(&self, contents: Contents) -> Result<(), ServiceError>;

    /// Replaces, adds and removes rows; lines as [`super::change`] reads them.
    ///
    /// # Errors
    /// What the place says.
    async fn write(&self, changes: RowStream) -> Result<(), ServiceError>;

    /// The disaster: what was in the place is gone for good.
    ///
    /// # Errors
    /// When something of it is left.
    async fn lose(&self) -> Result<(), ServiceError>;

    /// Makes the place again, empty.
    ///
    /// # Errors
    /// What the place says.
    async fn provision(&self) -> Result<(), ServiceError>;

    /// Reads every row.
    ///
    /// # Errors
    /// When the place cannot be read: there is none, or it is damaged.
    async fn read(&self) -> Result<Contents, ServiceError>;

    /// What is there beside the rows, with the words of [`super::contract::View::structure`]; `None` where rows are all.
    ///
    /// # Errors
    /// When the place cannot be asked.
    async fn structure(&self) -> Result<Option<Structure>, ServiceError> {
        Ok(None)
    }

    /// Ends what runs for the place.
    async fn close(&self) {}
}
