//! What watches a service's backups in a drill: backups that are named, or copies made by rule.

use jiff::Timestamp;

use super::{Copies, Look, Monitor};

/// A drill's monitor over one service.
pub enum Lookout {
    /// Over backups of the house's own pipelines.
    Backups(Monitor),
    /// Over the folders that rules copy into.
    Copies(Copies),
}

impl Lookout {
    /// Looks once. `due` is when the newest backup should have been made; `None` before the first is due.
    pub async fn look(&self, now: Timestamp, due: Option<Timestamp>) -> Look {
        match self {
            Lookout::Backups(monitor) => monitor.look(now, due).await,
            Lookout::Copies(copies) => copies.look(now, due).await,
        }
    }
}
