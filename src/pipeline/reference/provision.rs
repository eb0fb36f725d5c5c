//! Getting a target: a new one, looked at before anything is fetched for it. It must answer, and be empty.

use std::sync::Arc;

use futures_util::StreamExt;

use super::{Reference, cost, refusal::Refusal};
use crate::{
    model::{event::Phase, units::Span},
    service::contract::Target,
};

/// How often a target is asked for, and how far apart. Nobody sleeps for it: the waits are assumed time, in both ways.
const TRIES: u32 = 5;
const PAUSE: Span = Span::minutes(2);

impl Reference {
    /// A target that answers and is empty. One that does not is given back, and another asked for after a while.
    pub(super) async fn provision_empty(&self) -> Result<Arc<dyn Target>, Refusal> {
        let mut why = String::new();
        for number in 1..=TRIES {
            self.bench.recorder.begin(Phase::Provision);
            let got = self.provision_one().await;
            self.bench.recorder.end(Phase::Provision, got.is_ok());
            match got {
                Ok(target) => return Ok(target),
                Err(wanting) => why = wanting,
            }
            if number < TRIES {
                self.bench.clock.let_pass(PAUSE).await;
            }
        }
        Err(Refusal::new(Phase::Provision, why).by_target())
    }

    async fn provision_one(&self) -> Result<Arc<dyn Target>, String> {
        let target = self.platform.provision().await;
        self.bench.clock.spend(cost::SWITCH).await;
        let target = target.map_err(|e| e.to_string())?;
        let wanting = match look(&*target).await {
            Ok(None) => return Ok(target),
            Ok(Some(found)) => found,
            Err(why) => why,
        };
        if let Err(left) = target.discard().await {
            tracing::warn!("a target that cannot be used could not be given back: {left}");
        }
        Err(wanting)
    }
}

/// What a new target has that it should not have.
async fn look(target: &dyn Target) -> Result<Option<String>, String> {
    let mut contents = target.read_back().await.map_err(|e| e.to_string())?;
    match contents.rows.next().await.transpose().map_err(|e| e.to_string())? {
        Some(rows) => Ok(Some(format!("a new target has rows in it (table {})", rows.table))),
        None => Ok(None),
    }
}
