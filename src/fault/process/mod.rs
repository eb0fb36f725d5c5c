//! Faults on people and programs that should act, and do not.

use super::Fault;

mod alert_lost;
mod export_cut_short;
mod export_fails;
mod exporting;
mod operator_credentials_lost;
mod restore_hangs;

/// In the order in which they are listed.
pub(super) static FAULTS: &[&dyn Fault] = &[
    &restore_hangs::RestoreHangs,
    &alert_lost::AlertLost,
    &operator_credentials_lost::OperatorCredentialsLost,
    &export_fails::ExportFails,
    &export_cut_short::ExportCutShort,
];
