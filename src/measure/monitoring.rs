//! What monitoring saw before the disaster, and what it slept through.

use jiff::Timestamp;

use super::story::Story;
use crate::model::{
    event::{Alarm, AlarmKind, What},
    units::Span,
};

/// Alarms with reason that a monitor raised before the disaster, at or after the event with that index, which speak of
/// one of these regions or of none.
pub(super) fn saw<'a>(story: &Story<'a>, from: usize, regions: &[&str]) -> Vec<&'a Alarm> {
    let until = story.disaster.unwrap_or(story.events.len());
    let told = story.alarms().filter(|(index, alarm)| {
        let here = alarm.region.as_deref().is_none_or(|region| regions.contains(&region));
        // What the restore says when it gives up is no monitoring.
        (from..until).contains(index) && alarm.justified && here && alarm.kind != AlarmKind::NothingRestorable
    });
    told.map(|(_, alarm)| alarm).collect()
}

/// Where in the events a fault was injected, if that was before the disaster, so that monitoring could have seen it.
pub(super) fn injected_before_disaster(story: &Story<'_>, fault: usize) -> Option<usize> {
    let injected = |what: &What| matches!(what, What::FaultInjected { fault: f, .. } if *f == fault);
    let index = story.events.iter().position(|e| injected(&e.what))?;
    (index < story.disaster?).then_some(index)
}

/// How often a monitor looked from one moment to another; looks are counted from midnight UTC.
pub(super) fn looks(from: Timestamp, until: Timestamp, every: Span) -> u64 {
    let Ok(every) = i64::try_from(every.millis()) else { return 0 };
    if every == 0 {
        return 0;
    }
    let (first, last) = (from.as_millisecond().div_euclid(every), until.as_millisecond().div_euclid(every));
    u64::try_from(last - first).unwrap_or(0)
}
