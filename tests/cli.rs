//! The product at its command line: exit codes, what is said where, and what is left behind, over the binary itself.

#![allow(clippy::unwrap_used)]

#[path = "cli/bench.rs"]
mod bench;
#[path = "cli/compliance.rs"]
mod compliance;
#[path = "cli/evidence.rs"]
mod evidence;
#[path = "cli/gate.rs"]
mod gate;
#[path = "cli/history.rs"]
mod history;
#[path = "cli/incident.rs"]
mod incident;
#[path = "cli/input.rs"]
mod input;
#[path = "cli/output.rs"]
mod output;
#[path = "cli/replay.rs"]
mod replay;
#[path = "cli/report.rs"]
mod report;
#[path = "cli/signals.rs"]
mod signals;
#[path = "cli/storage.rs"]
mod storage;
