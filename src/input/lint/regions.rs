//! Backups that share one fate.

use super::{Reader, Weakness};
use crate::model::record::Severity;

/// A plan with a single region: what takes the region takes every backup.
pub(super) fn only_one(reader: &Reader<'_>) -> Vec<Weakness> {
    let [only] = reader.plan().regions.as_slice() else { return Vec::new() };
    let words = [
        format!("every backup is in one region, {}", only.name),
        "while the region does not answer there is nothing to restore from, and no other copy".to_owned(),
        "add a second region, as far from the first as the objectives allow".to_owned(),
    ];
    vec![reader.weakness("single-region", Severity::High, "regions", words)]
}
