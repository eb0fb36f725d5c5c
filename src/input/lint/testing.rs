//! Backups that nobody reads.

use super::{Reader, Weakness};
use crate::model::record::Severity;

/// The monitor looks at size and age; what is inside a backup is seen only when somebody reads it. Backups made between
/// two readings are trusted unread.
pub(super) fn content_unread(reader: &Reader<'_>) -> Vec<Weakness> {
    let plan = reader.plan();
    let Some((every, _)) = reader.most_frequent() else { return Vec::new() };
    let interval = every.interval();
    let what = |often: &str| format!("the monitor sees a backup's age and size; its contents are read {often}");
    let remedy = format!("read every backup when it is made: `verify_every: {interval}`");
    let readings = [("verify_every", plan.testing.verify_every), ("restore_every", plan.testing.restore_every)];
    let readings = readings.into_iter().filter_map(|(field, every)| Some((every?, field)));
    let Some((read, field)) = readings.min() else {
        let why = "a dump that is empty or corrupt passes both limits, and is found out when it is needed".to_owned();
        return vec![reader.weakness("content-unread", Severity::High, "monitor", [what("by nobody"), why, remedy])];
    };
    if read <= interval {
        return Vec::new();
    }
    let unread = read.millis() / interval.millis();
    let kept = plan.retention.millis() / interval.millis();
    let (severity, why) = if read >= plan.retention {
        let why =
            format!("{unread} backups are made between two readings, and {kept} are kept: when a bad one is found, ");
        (Severity::High, why + "every good one may be gone")
    } else {
        let why = format!("{unread} backups are made between two readings: each may be bad without anybody knowing");
        (Severity::Medium, why)
    };
    let words = [what(&format!("every {read}")), why, remedy];
    vec![reader.weakness("content-unread", severity, format!("testing.{field}"), words)]
}
