//! What can be wrong with a deployment while the way to it is open. A fault sets it, and reads from [`Struck`] whether
//! anybody met it.

/// What is wrong. The default is nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Condition {
    /// Every key is answered as a wrong one.
    pub rejects_keys: bool,
    /// A requested export stays in progress.
    pub export_stuck: bool,
    /// Downloads of exports break off.
    pub download_cut: Option<Cut>,
    /// An import fails after so many documents. One that appends has written them by then; any other writes none.
    pub import_fails_after: Option<u64>,
}

/// How a download breaks off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// After so many bytes.
    pub after_bytes: u64,
    /// Whether the answer said how many would come. Where it did not, what arrived looks like all there is.
    pub length_told: bool,
}

/// How often it was met.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Struck {
    /// Requests whose key was rejected though it was right.
    pub keys_rejected: u64,
    /// Exports that got stuck.
    pub exports_stuck: u64,
    /// Downloads that broke off.
    pub downloads_cut: u64,
    /// Imports that failed.
    pub imports_failed: u64,
}
