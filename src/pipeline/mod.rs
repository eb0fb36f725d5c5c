//! How a service is backed up and restored: the contract here, the reference pipeline and a team's own commands in
//! their folders.

use std::path::PathBuf;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::{
    model::{
        event::{Alarm, AlarmKind, BackupMade, Claim, What},
        naming::PointName,
    },
    sim::{clock::Clock, lanes::Lanes, recorder::Recorder},
    store::SharedStore,
};

pub mod command;
pub mod files;
pub mod reference;
pub mod release;
pub mod sync;

/// A way to back a service up and to get it back.
#[async_trait]
pub trait Pipeline: Send + Sync {
    /// Makes one backup and removes old ones. Says through the recorder what it did, and raises an alarm for what did
    /// not work.
    ///
    /// # Errors
    /// When nothing restorable came of it.
    async fn backup(&self, day: u32) -> Result<BackupMade, BackupError>;

    /// Copies what was written since the last backup or the last call, where the pipeline keeps a stream of changes
    /// between its backups. Says through the recorder what did not work. Does nothing where there is no stream.
    async fn stream(&self) {}

    /// Restores the newest recovery point that passes into a new target and lets the service use it. Must raise an
    /// alarm where it restores nothing.
    async fn restore(&self) -> RestoreEnd;

    /// Points the restored service at the services that came back after it. Says through the recorder what did not work.
    /// Does nothing for a service that keeps no addresses.
    async fn follow(&self) {}

    /// Asks the restored service what its users ask, in the way that the team has for it: what was seen, or what is
    /// wrong. `None` where it has none.
    async fn query(&self) -> Option<Result<String, String>> {
        None
    }
}

/// What a pipeline works with.
#[derive(Clone)]
pub struct Workbench {
    /// A store per region, the primary first.
    pub stores: Vec<SharedStore>,
    /// Scenario time.
    pub clock: Clock,
    /// Where computation runs.
    pub lanes: Lanes,
    /// Where it says what happens.
    pub recorder: Recorder,
    /// A folder of its own for temporary files.
    pub scratch: PathBuf,
}

/// By how much the name of a backup and the date of its object may differ: an export takes time.
pub(crate) const CLOCKS_AGREE: SignedDuration = SignedDuration::from_hours(1);

impl Workbench {
    /// A region has a clock, too. Raises an alarm where the name of what a region just got says another time than the
    /// region: one of the clocks is wrong, or the name is not in UTC.
    fn compare_clocks(&self, point: &PointName, stored_at: Timestamp, region: &str) {
        let off = point.taken_at().map(|named| stored_at.duration_since(named));
        if off.is_some_and(|off| off.abs() > CLOCKS_AGREE) {
            let detail =
                format!("{point} was stored at {stored_at}, as {region} says: the job's clock or zone is wrong");
            self.recorder.emit(What::Alarm(Alarm::new(AlarmKind::ClockSkew, Some(region), detail)));
        }
    }
}

/// A backup of which nothing restorable came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BackupError(pub String);

/// How a restore ended, in the pipeline's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RestoreEnd {
    /// The service is back, from this point.
    Restored(Claim),
    /// The service is said to be back, and not from what: the ledger has to tell.
    Done,
    /// A time limit of the pipeline's own ended it.
    TimeLimit {
        /// The limit, in milliseconds.
        limit_ms: u64,
    },
    /// Nothing could be restored.
    Refused {
        /// Why.
        why: String,
    },
}
