//! The status page: one HTML file that needs nothing else, with the status of its making in it. With scripts it asks for
//! `status.json` beside it again and again; without, it is a snapshot and says so.

use std::time::Duration;

use askama::Template;
use data_encoding::BASE64;
use sha2::{Digest, Sha256};

use super::status::{State, Status};

const STYLE: &str = include_str!("../../templates/status.css");
const SCRIPT: &str = include_str!("../../templates/status.js");

#[derive(Template)]
#[template(path = "status.html")]
struct Page<'p> {
    status: &'p Status,
    /// Whether the states are what somebody saw who looked.
    looked_at: bool,
    poll_ms: u128,
    style: &'p str,
    script: &'p str,
    style_digest: String,
    script_digest: String,
}

/// The page of a drill's status, which asks for the next one every `poll`.
pub fn page(status: &Status, poll: Duration) -> String {
    of(status, poll, false)
}

/// The same of a world in which no drill is played: somebody looks at its services again and again.
pub fn page_of_world(status: &Status, poll: Duration) -> String {
    of(status, poll, true)
}

fn of(status: &Status, poll: Duration, looked_at: bool) -> String {
    let digest = |text: &str| format!("sha256-{}", BASE64.encode(&Sha256::digest(text)));
    let page = Page {
        status,
        looked_at,
        poll_ms: poll.as_millis(),
        style: STYLE,
        script: SCRIPT,
        style_digest: digest(STYLE),
        script_digest: digest(SCRIPT),
    };
    // Writing to a string cannot fail, and nothing in the template can.
    page.render().unwrap_or_default()
}

impl State {
    /// Its name in classes and attributes, the same as in `status.json`.
    const fn class(self) -> &'static str {
        match self {
            State::Operational => "operational",
            State::Unknown => "unknown",
            State::Degraded => "degraded",
            State::Outage => "outage",
        }
    }
}
