//! What can be wrong with a deployment while the way to it is open. A fault sets it, and reads from [`Struck`] whether
//! anybody met it. A target in process obeys the same as far as it has such a thing.

use crate::model::units::Percent;

/// What is wrong. The default is nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Condition {
    /// Every key is answered as a wrong one.
    pub rejects_keys: bool,
    /// A requested export stays in progress.
    pub export_stuck: bool,
    /// A requested export fails, and nothing can be read page by page.
    pub export_fails: bool,
    /// Downloads of exports break off, and so do pages of the streaming export.
    pub download_cut: Option<Cut>,
    /// An import fails after so many documents. One that appends has written them by then; any other writes none.
    pub import_fails_after: Option<u64>,
    /// How many imports do so before they work again; every one where it is not said.
    pub import_failures: Option<u32>,
    /// The disk is full after so many bytes of an import.
    pub disk: Option<u64>,
    /// Most that the plan of the platform allows.
    pub quota: Option<Quota>,
    /// New deployments are not as empty as they should be.
    pub leftovers: Option<Leftovers>,
    /// A field is not in the schema.
    pub old_schema: Option<OldSchema>,
}

/// How a download breaks off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// After that part of it.
    pub after: Percent,
    /// Whether the answer said how many would come. Where it did not, what arrived looks like all there is.
    pub length_told: bool,
}

/// What a plan of the platform allows a deployment to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quota {
    /// So many documents.
    Rows(u64),
    /// So many bytes of documents.
    Bytes(u64),
}

/// What is in a deployment that should be new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leftovers {
    /// In a table that the application has; otherwise in one of their own.
    pub in_known_table: bool,
    /// How many deployments come so; every one where it is not said.
    pub deployments: Option<u32>,
}

/// A schema from before a field was added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldSchema {
    /// The table; the first with rows that comes, where none is named.
    pub table: Option<String>,
    /// The field; the last one of its first row by name, where none is named.
    pub field: Option<String>,
    /// Whether documents with it are refused. Otherwise they are taken, and it is lost.
    pub is_strict: bool,
}

/// How often it was met.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Struck {
    /// Requests whose key was rejected though it was right.
    pub keys_rejected: u64,
    /// Exports that got stuck.
    pub exports_stuck: u64,
    /// Exports that failed.
    pub exports_failed: u64,
    /// Downloads that broke off.
    pub downloads_cut: u64,
    /// Imports that failed.
    pub imports_failed: u64,
    /// Imports for which the disk was too small.
    pub disks_full: u64,
    /// Imports that were more than the plan allows.
    pub quotas_hit: u64,
    /// New deployments that were not empty.
    pub with_leftovers: u64,
    /// Documents that the schema did not know.
    pub unknown_fields: u64,
}
