//! Faults on what is there at all: backups, files and versions that somebody or something removed.

use super::Fault;

mod compromised_account;
mod delete_marker;
mod listing_cut;
mod missing_backup;
mod mistaken_deletion;
mod region_emptied;
mod replica_never_written;
mod retention_prunes_all;
mod versions_wiped;
mod wiping;

/// In the order in which they are listed.
pub(super) static FAULTS: &[&dyn Fault] = &[
    &compromised_account::CompromisedAccount,
    &missing_backup::MissingBackup,
    &mistaken_deletion::MistakenDeletion,
    &region_emptied::RegionEmptied,
    &versions_wiped::VersionsWiped,
    &delete_marker::DeleteMarker,
    &retention_prunes_all::RetentionPrunesAll,
    &replica_never_written::ReplicaNeverWritten,
    &listing_cut::ListingCut,
];
