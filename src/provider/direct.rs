//! The wire in process: the same requests and answers, with the time that they would take.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use super::{Answer, Request, Wire};
use crate::{emulator::hosting::Hosting, sim::clock::Clock};

/// Time of a request to its answer in a simulated drill: a round trip between continents, and the work.
const ROUND_TRIP: Duration = Duration::from_millis(80);

/// A provider in the same process.
#[derive(Debug)]
pub struct DirectWire {
    hosting: Arc<Hosting>,
    clock: Clock,
}

impl DirectWire {
    /// A wire to that provider.
    pub fn new(hosting: Arc<Hosting>, clock: &Clock) -> Self {
        DirectWire { hosting, clock: clock.clone() }
    }
}

#[async_trait]
impl Wire for DirectWire {
    async fn send(&self, request: Request) -> Result<Answer, String> {
        self.clock.spend(ROUND_TRIP).await;
        let answer = self.hosting.answer(&request);
        Ok(Answer { status: answer.status, body: answer.body })
    }
}
