//! Faults on how old a backup really is.

use super::Fault;

mod stale_dump;
mod stream_gap;

/// In the order in which they are listed.
pub(super) static FAULTS: &[&dyn Fault] = &[&stale_dump::StaleDump, &stream_gap::StreamGap];
