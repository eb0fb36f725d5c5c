//! Backups that one stolen key can destroy.

use super::{Reader, Weakness};
use crate::model::{plan::RegionPlan, record::Severity, units::Span};

/// No region whose object lock outlasts the gap to the next backup: who holds the key that writes backups can destroy
/// the last one. A lock that has run out by then is none.
pub(super) fn none_holds(reader: &Reader<'_>) -> Vec<Weakness> {
    let plan = reader.plan();
    let Some((every, _)) = reader.most_frequent() else { return Vec::new() };
    let gap = every.interval();
    let outlasts = |region: &RegionPlan| region.lock.is_some_and(|lock| lock.keep > gap);
    if plan.regions.iter().any(outlasts) {
        return Vec::new();
    }
    let longest: Option<Span> = plan.regions.iter().filter_map(|region| region.lock).map(|lock| lock.keep).max();
    let what = match longest {
        None => "no region locks what is written to it".to_owned(),
        Some(keep) => format!("no lock outlasts the gap between two backups: the longest holds for {keep}"),
    };
    let regions = match plan.regions.len() {
        1 => "the only region".to_owned(),
        n => format!("all {n} regions"),
    };
    let why = format!(
        "whoever gets hold of the key that writes backups can overwrite and delete every one of them, in {regions}; a \
         copy elsewhere is no protection from a key that reaches it"
    );
    let remedy = "lock at least one region so that nobody may bypass it and longer than an intruder waits unseen: \
                  `lock: { mode: compliance, keep: 14 days }`"
        .to_owned();
    vec![reader.weakness("no-lock-holds", Severity::High, "regions", [what, why, remedy])]
}
