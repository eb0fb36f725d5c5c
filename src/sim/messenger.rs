//! What carries alarms to people: a chat, a pager, mail. It can fail, and what it was given is gone then.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// The messenger.
#[derive(Debug, Default)]
pub struct Messenger {
    down: AtomicBool,
    lost: AtomicU32,
}

impl Messenger {
    /// Carries an alarm; `false` where nobody hears it.
    pub fn deliver(&self) -> bool {
        let down = self.down.load(Ordering::SeqCst);
        self.lost.fetch_add(u32::from(down), Ordering::SeqCst);
        !down
    }

    /// Takes it down, or puts it up again.
    pub fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    /// Whether it is down.
    pub fn is_down(&self) -> bool {
        self.down.load(Ordering::SeqCst)
    }

    /// Alarms that nobody heard so far.
    pub fn lost(&self) -> u32 {
        self.lost.load(Ordering::SeqCst)
    }
}
