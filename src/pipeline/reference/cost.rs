//! What computation costs in a simulated drill, where it takes no time of its own. Bytes of JSON per second on two
//! lanes, rounded from measurements (docs/performance.md); a real drill takes its real time instead.

use std::time::Duration;

/// Export, compress and digest.
pub(super) const PACK: u64 = 100_000_000;
/// Inflate, check and digest, and write into the target.
pub(super) const UNPACK_AND_IMPORT: u64 = 350_000_000;
/// Read the target back and digest.
pub(super) const READ_BACK: u64 = 800_000_000;
/// Get an empty target, or switch the service to it.
pub(super) const SWITCH: Duration = Duration::from_millis(50);
