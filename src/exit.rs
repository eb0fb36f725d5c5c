//! The documented exit codes, one per class of ending.

/// Every drill ended as its scenario expects.
pub const PASS: u8 = 0;
/// An expectation or the data failed.
pub const FAILED: u8 = 1;
/// Could not execute: bad input, a missing tool, a taken port.
pub const NOT_EXECUTED: u8 = 2;
/// Inconclusive: a fault did not bite, or a check could not run.
pub const INCONCLUSIVE: u8 = 3;
/// Interrupted by Ctrl-C or SIGTERM.
pub const INTERRUPTED: u8 = 130;
