//! After the story, however it ended: proofs are taken, faults healed, the steady state is looked at again.

use std::time::Duration;

use super::Play;
use crate::model::event::{SteadyWhen, What};

/// How often, and how far apart, healed regions are asked whether they answer again.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(100);

impl Play<'_> {
    pub(super) async fn heal(&mut self) {
        if let Err(why) = self.stage.world.read_storage().await {
            tracing::warn!("{why}");
        }
        self.faults.prove_all();
        let kept = self.keep_regions();
        self.faults.heal_all().await;
        let steady = self.regions_answer_again().await;
        let held = steady.is_ok();
        let detail = match steady {
            Ok(()) => format!("{} regions answer", self.stage.stores.len()),
            Err(why) => why,
        };
        self.emit(What::SteadyState { when: SteadyWhen::After, held, detail });
        self.keep_live(kept).await;
    }

    /// A region that was just healed may need a moment until it listens again.
    async fn regions_answer_again(&self) -> Result<(), String> {
        for _ in 0..TRIES {
            if self.regions_answer().await.is_ok() {
                return Ok(());
            }
            self.stage.clock.sleep(PAUSE).await;
        }
        self.regions_answer().await
    }
}
