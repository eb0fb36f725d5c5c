//! What users of a service reach after the disaster. Checks look at what is live, never at what a pipeline says it has
//! filled.

use std::sync::{Arc, Mutex, PoisonError};

use super::contract::View;

/// The service's home after the disaster.
#[derive(Default)]
pub(super) struct Live(Mutex<Option<Arc<dyn View>>>);

impl Live {
    /// From now on users reach this.
    pub(super) fn switch(&self, target: Arc<dyn View>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(target);
    }

    /// What they reach.
    pub(super) fn view(&self) -> Option<Arc<dyn View>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Live({})", if self.view().is_some() { "restored" } else { "nothing" })
    }
}
