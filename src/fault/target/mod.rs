//! Faults on where a service is restored to, and on the restore in the middle of it.

use super::Fault;

mod import_fails;
mod restore_killed;
mod struck;
mod target_disk_full;
mod target_down;
mod target_not_empty;
mod target_old_schema;
mod target_quota;
mod target_wrong_key;

/// In the order in which they are listed.
pub(super) static FAULTS: &[&dyn Fault] = &[
    &target_down::TargetDown,
    &import_fails::ImportFails,
    &restore_killed::RestoreKilled,
    &target_disk_full::TargetDiskFull,
    &target_quota::TargetQuota,
    &target_wrong_key::TargetWrongKey,
    &target_not_empty::TargetNotEmpty,
    &target_old_schema::TargetOldSchema,
];
