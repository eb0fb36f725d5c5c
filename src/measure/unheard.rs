//! Alarms that were raised and that nobody heard.

use super::findings::finding;
use crate::model::{
    record::{Finding, Record, Severity},
    words,
};

/// One finding for all of them: whether each was told again later is what makes it worse or not.
pub(super) fn unheard(record: &Record) -> Option<Finding> {
    let alarms = || record.alarms.iter().filter(|told| told.alarm.justified);
    let lost: Vec<_> = alarms().filter(|told| !told.alarm.heard).collect();
    let (first, times) = (lost.first()?, lost.len() as u64);
    let again = |kind, region: &Option<String>| {
        alarms().any(|told| told.alarm.heard && told.alarm.kind == kind && told.alarm.region == *region)
    };
    let never: Vec<_> = lost.iter().filter(|told| !again(told.alarm.kind, &told.alarm.region)).collect();
    let rest = match &never[..] {
        [] => "all of them were told again, and heard".to_owned(),
        [one, ..] => format!("{} of them nobody heard at any time (“{}”)", never.len(), one.alarm.kind.words()),
    };
    let what = format!(
        "{} reached nobody, the first “{}”: {}; {rest}",
        words::count(times, "alarm"),
        first.alarm.kind.words(),
        first.alarm.detail
    );
    let severity = if never.is_empty() { Severity::Medium } else { Severity::High };
    Some(finding(
        severity,
        "Alarms reached nobody",
        what,
        "Send alarms by two ways that do not fail together, and let silence be an alarm of its own: a heartbeat that \
         somebody misses.",
    ))
}
