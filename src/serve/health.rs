//! Whether each service is well, as the status page tells it: looked at without being counted as somebody's asking, so
//! that no fault is proven by it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::Held;
use crate::{
    emulator::status::{Publisher, Shown},
    engine::Protected,
    incident::{self, Board},
    model::plan::ServiceKind,
};

/// Time between two looks, and between two questions of the page.
const EVERY: Duration = Duration::from_secs(2);

impl Held {
    /// Why a service is not well; `None` where it is.
    pub(super) async fn ails(&self, one: &Protected) -> Option<String> {
        match one.kind {
            // What others back up has a home of its own, which its probe knows.
            _ if one.by_commands => one.service.steady().await.err().map(|e| e.to_string()),
            ServiceKind::Database => one.service.steady().await.err().map(|e| e.to_string()),
            ServiceKind::Files => {
                let site = self.world.sources.get(&one.name)?;
                let there = site.region.objects().census(&site.bucket).map_or(0, |census| census.objects);
                let wanted = one.service.rows();
                (there < wanted).then(|| format!("the media bucket holds {there} of {wanted} files"))
            }
            ServiceKind::Config => self.world.operator.secrets.look().err(),
            ServiceKind::WebApplication => {
                let hosting = self.world.hosting.get(&one.name)?;
                (!hosting.serves_newest_release()).then(|| "users do not get the newest release".into())
            }
        }
    }
}

/// Whoever looks at the services of a world.
pub struct Watch {
    held: Arc<Held>,
    board: Board,
}

impl Watch {
    /// Nothing has been looked at yet.
    pub fn new(held: &Arc<Held>) -> Self {
        Watch { held: Arc::clone(held), board: Board::new(&held.plan, &held.story) }
    }

    /// Looks at every service once: the status page of what was seen.
    pub async fn look(&mut self) -> Shown {
        let mut well = BTreeMap::new();
        for one in &self.held.services {
            well.insert(one.name.clone(), self.held.ails(one).await.is_none());
        }
        self.board.see(self.held.clock.now(), &well);
        let status = self.board.status();
        Shown { page: incident::page_of_world(&status, EVERY), status: status.json() }
    }

    /// Looks again and again, and shows what it sees. Never ends.
    pub async fn keep_looking(mut self, publisher: Publisher) {
        loop {
            self.held.clock.sleep(EVERY).await;
            publisher.publish(self.look().await);
        }
    }
}
