//! The process that restores, as its machine sees it: it runs, it was killed, or it stands still for ever.

use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::watch;

/// How it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fate {
    /// It runs.
    #[default]
    Runs,
    /// It was killed. A person starts it again.
    Killed,
    /// It stands still and does not come back.
    Stopped,
}

/// The restore process.
#[derive(Debug)]
pub struct Restorer {
    fate: watch::Sender<Fate>,
    killed: AtomicU32,
    stopped: AtomicU32,
}

impl Default for Restorer {
    fn default() -> Self {
        Restorer { fate: watch::Sender::new(Fate::Runs), killed: AtomicU32::new(0), stopped: AtomicU32::new(0) }
    }
}

impl Restorer {
    /// Kills it, stops it, or lets it run.
    pub fn set(&self, fate: Fate) {
        self.fate.send_replace(fate);
    }

    /// How it is.
    pub fn fate(&self) -> Fate {
        *self.fate.borrow()
    }

    /// Waits until a process that ran does not any more. Says what met it, and counts it.
    pub async fn ends(&self) -> Fate {
        // The sender lives as long as this, so the only error (no sender) cannot come.
        let fate = self.fate.subscribe().wait_for(|fate| *fate != Fate::Runs).await.map_or(Fate::Runs, |fate| *fate);
        let met = if fate == Fate::Killed { &self.killed } else { &self.stopped };
        met.fetch_add(1, Ordering::SeqCst);
        fate
    }

    /// Restores that were killed.
    pub fn killed(&self) -> u32 {
        self.killed.load(Ordering::SeqCst)
    }

    /// Restores that stood still.
    pub fn stopped(&self) -> u32 {
        self.stopped.load(Ordering::SeqCst)
    }
}
