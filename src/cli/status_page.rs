//! `run --status-page`: the page that users would look at, while the drills are played.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde_json::json;

use super::{console::Console, session::Session};
use crate::{
    emulator::status::{Publisher, Shown, StatusSite},
    error::{Error, Result},
    incident::{self, Board},
    model::{event::Event, plan::Plan, scenario::Scenario},
    sim::recorder::Listener,
};

/// Drills are short: their page asks for news more often than one that lies on a server.
const POLL: Duration = Duration::from_secs(1);

/// A status page that shows the drill that is being played.
pub(super) struct StatusPage {
    site: StatusSite,
}

impl StatusPage {
    /// Begins to serve, and says where.
    pub(super) fn start(session: &Session, console: &Console) -> Result<Self> {
        let site = StatusSite::start(session.beside(), Shown::default()).map_err(|e| {
            Error::new("no port on 127.0.0.1 can be had for the status page")
                .because(e)
                .help("check that this user may listen on loopback, or leave out --status-page")
        })?;
        let url = site.url();
        // Somebody asked for it: it is said even when quiet.
        console.note("status-page", format_args!("status page: {url}"), json!({ "url": url }));
        Ok(StatusPage { site })
    }

    /// A listener that hands a drill's events on, and shows what they mean.
    pub(super) fn follow(&self, plan: &Plan, scenario: &Scenario, next: Listener) -> Listener {
        let board = Board::new(plan, scenario);
        let publisher = self.site.publisher();
        show(&publisher, &board);
        let board = Mutex::new(board);
        Arc::new(move |event: &Event| {
            let mut board = board.lock().unwrap_or_else(PoisonError::into_inner);
            if board.hear(event) {
                show(&publisher, &board);
            }
            next(event);
        })
    }

    /// Stops serving.
    pub(super) fn stop(self, session: &Session) {
        session.beside().block_on(self.site.shutdown());
    }
}

fn show(publisher: &Publisher, board: &Board) {
    let status = board.status();
    publisher.publish(Shown { page: incident::page(&status, POLL), status: status.json() });
}
