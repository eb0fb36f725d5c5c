//! Faults on people and programs that should act, and do not.

use super::Fault;

mod alert_lost;
mod operator_credentials_lost;
mod restore_hangs;

/// In the order in which they are listed.
pub(super) static FAULTS: &[&dyn Fault] =
    &[&restore_hangs::RestoreHangs, &alert_lost::AlertLost, &operator_credentials_lost::OperatorCredentialsLost];
