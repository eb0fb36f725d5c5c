//! Faults on what a backup is made of: it is there, and it is not what it should be.

use super::Fault;

mod corrupt_json;
mod damaged_file;
pub(super) mod rewrite;

/// In the order in which they are listed.
pub(super) static FAULTS: &[&dyn Fault] = &[&corrupt_json::CorruptJson, &damaged_file::DamagedFile];
