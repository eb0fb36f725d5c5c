//! Faults on what is there at all: backups, files and versions that somebody or something removed.

use super::Fault;

mod compromised_account;
mod missing_backup;
mod mistaken_deletion;

/// In the order in which they are listed.
pub(super) static FAULTS: &[&dyn Fault] =
    &[&compromised_account::CompromisedAccount, &missing_backup::MissingBackup, &mistaken_deletion::MistakenDeletion];
