//! The command line: one file a verb.

use std::ffi::OsString;

/// Parses the arguments, runs the verb and returns the exit code.
pub fn run(_arguments: impl IntoIterator<Item = OsString>) -> u8 {
    crate::exit::NOT_EXECUTED
}
