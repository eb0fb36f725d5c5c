//! People who ask again: a management API that does not answer now is asked once more after a while, until patience ends.
//! Nobody sleeps for it: the waits are assumed time, in both ways.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::{
    model::units::Span,
    provider::{Answer, Request, Wire},
    sim::clock::Clock,
};

/// Time between two tries.
const PAUSE: Span = Span(30_000);

/// How long may still be waited.
pub(super) struct Patience {
    left: Mutex<Span>,
    clock: Clock,
}

impl Patience {
    pub(super) fn new(whole: Span, clock: &Clock) -> Self {
        Patience { left: Mutex::new(whole), clock: clock.clone() }
    }

    /// Waits a while; `false` where patience has ended, and nothing was waited for.
    pub(super) fn wait(&self) -> bool {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        if *left < PAUSE {
            return false;
        }
        *left = Span(left.millis() - PAUSE.millis());
        self.clock.assume(PAUSE);
        true
    }
}

/// A wire that asks the management API again while it is out. What users ask is asked once.
pub(super) struct PatientWire {
    inner: Arc<dyn Wire>,
    patience: Arc<Patience>,
}

impl PatientWire {
    pub(super) fn new(inner: Arc<dyn Wire>, patience: Arc<Patience>) -> Self {
        PatientWire { inner, patience }
    }
}

#[async_trait]
impl Wire for PatientWire {
    async fn send(&self, request: Request) -> Result<Answer, String> {
        loop {
            let answer = self.inner.send(request.clone()).await;
            let out = answer.as_ref().map_or(true, |answer| answer.status >= 500 || answer.status == 429);
            if request.bearer.is_none() || !out || !self.patience.wait() {
                return answer;
            }
        }
    }
}
