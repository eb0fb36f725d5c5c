//! After the story, however it ended: proofs are taken, faults healed, the steady state is looked at again.

use super::Play;
use crate::model::event::{SteadyWhen, What};

impl Play<'_> {
    pub(super) async fn heal(&mut self) {
        self.prove();
        self.heal_faults();
        let steady = self.regions_answer().await;
        let held = steady.is_ok();
        let detail = match steady {
            Ok(()) => format!("{} regions answer", self.stage.stores.len()),
            Err(why) => why,
        };
        self.emit(What::SteadyState { when: SteadyWhen::After, held, detail });
    }
}
