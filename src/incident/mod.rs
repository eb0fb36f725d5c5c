//! What an incident asks for besides the restore: the status page, the notices to users, the calls, the report. Pure
//! functions over a drill's events and its plan; docs/incident.md tells how they are used.

mod announcement;
mod board;
mod calls;
mod facts;
mod lessons;
mod log;
mod page;
mod report;
mod say;
pub mod status;
mod terms;
mod text;

use std::time::Duration;

use crate::model::record::Record;
use facts::Facts;
use status::Status;

pub use board::Board;
pub use page::{page, page_of_world};
pub use text::{Lang, Text};

/// Time between two questions of a status page for its next state.
pub const POLL: Duration = Duration::from_secs(30);

/// A document of an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its file name.
    pub name: String,
    /// Its text, with a newline at its end.
    pub text: String,
}

/// Every document of the incident that a drill played; `None` where the drill ended before its disaster. The same record
/// gives the same texts.
pub fn documents(record: &Record) -> Option<Vec<Document>> {
    let facts = Facts::of(record)?;
    let status = status(record);
    let mut all = vec![
        Document { name: "status.html".into(), text: page(&status, POLL) },
        Document { name: "status.json".into(), text: status.json() },
    ];
    for lang in Lang::ALL {
        let in_language = |name: &str, text| Document { name: format!("{name}.{}.md", lang.tag()), text };
        all.extend([
            in_language("announcement", announcement::announcement(&facts, lang)),
            in_language("calls", calls::calls(&facts, lang)),
            in_language("incident-report", report::report(&facts, lang)),
        ]);
    }
    Some(all)
}

/// What the status page shows at the end of a drill.
pub fn status(record: &Record) -> Status {
    let mut board = Board::new(&record.plan, &record.scenario);
    for event in &record.events {
        board.hear(event);
    }
    board.status()
}
