//! What an incident asks for besides the restore: the status page, the notice to users, the calls, the report. Pure
//! functions over a drill's events and its plan; docs/incident.md tells how they are used.

mod board;
mod page;
mod say;
pub mod status;
mod text;

pub use board::Board;
pub use page::page;
pub use text::{Lang, Text};
