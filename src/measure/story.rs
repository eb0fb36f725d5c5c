//! What the events tell, read once: the moments and claims on which every verdict rests. The last claim and the last
//! result of each check count, and the worst comparison; what came before a claim says nothing about it.

use jiff::Timestamp;

use super::told;
use crate::model::{
    event::{Alarm, AlarmKind, BackupMade, CheckResult, Claim, Comparison, Event, Phase, What},
    record::Streamed,
    words,
};

/// One drill's events with the places that matter.
#[derive(Debug)]
pub(super) struct Story<'a> {
    /// Those that it is about, in order.
    pub(super) events: Vec<&'a Event>,
    /// Scenario time of the disaster.
    pub(super) t0: Option<Timestamp>,
    /// Index of the disaster.
    pub(super) disaster: Option<usize>,
    /// How the restore ended.
    pub(super) end: Option<End<'a>>,
    /// Index from which on events speak of the restored service; the number of events where there is none.
    pub(super) claimed_at: usize,
    /// The changes that were put on top of what is claimed.
    pub(super) streamed: Option<Streamed>,
    /// What was restored against the ledger; the first comparison that contradicts the claim, else the last.
    pub(super) comparison: Option<&'a Comparison>,
    /// The last result of each check on what was restored.
    pub(super) checks: Vec<&'a CheckResult>,
    /// Why the drill was not played to its end.
    pub(super) broke_off: Option<BrokeOff<'a>>,
}

/// How a restore ended.
#[derive(Debug, Clone, Copy)]
pub(super) enum End<'a> {
    /// The pipeline claims that the service is back.
    Restored(&'a Claim),
    /// It says that nothing can be restored, and why.
    Refused(&'a str),
    /// The time limit, in milliseconds, ended it.
    TimeLimit(u64),
}

impl End<'_> {
    /// As people read it.
    pub(super) fn words(self) -> String {
        match self {
            End::Restored(claim) => format!("the pipeline restored {} from {}", claim.point, claim.region),
            End::Refused(why) => format!("the pipeline restored nothing: {why}"),
            End::TimeLimit(ms) => format!("the time limit of {} ended the restore", words::duration(ms)),
        }
    }
}

/// Why a drill was not played to its end.
#[derive(Debug, Clone, Copy)]
pub(super) enum BrokeOff<'a> {
    /// Somebody stopped it.
    Interrupted,
    /// It could not go on.
    Aborted(&'a str),
}

impl<'a> Story<'a> {
    /// Reads what the events tell of a service and of the drill; all of it where no service is named.
    pub(super) fn of(events: &'a [Event], service: Option<&str>) -> Self {
        let about = |event: &&Event| match (&event.service, service) {
            (Some(one), Some(wanted)) => one == wanted,
            _ => true,
        };
        let events: Vec<&Event> = events.iter().filter(about).collect();
        let disaster = events.iter().position(|e| matches!(e.what, What::Disaster { .. }));
        let recovery = disaster.unwrap_or(events.len());
        let mut story = Story {
            t0: disaster.and_then(|index| events[index].at),
            disaster,
            end: None,
            claimed_at: events.len(),
            streamed: None,
            comparison: None,
            checks: Vec::new(),
            broke_off: None,
            events: Vec::new(),
        };
        for (index, event) in events.iter().enumerate() {
            match &event.what {
                What::Interrupted => story.broke_off = Some(BrokeOff::Interrupted),
                What::Aborted { why } if story.broke_off.is_none() => story.broke_off = Some(BrokeOff::Aborted(why)),
                _ if index < recovery => {}
                What::Restored(claim) => {
                    story.end = Some(End::Restored(claim));
                    story.claimed_at = index;
                    story.comparison = None;
                    story.checks.clear();
                    // Changes that were put on top of another attempt are not in this one.
                    story.streamed = story.streamed.filter(|streamed| streamed.to == claim.position);
                }
                What::Streamed { pieces, from, to } => {
                    story.streamed = Some(Streamed { pieces: *pieces, from: *from, to: *to });
                }
                What::Refused { why } => story.end = Some(End::Refused(why)),
                What::TimeLimit { limit_ms } => story.end = Some(End::TimeLimit(*limit_ms)),
                // A check may pass later, when the service is up; data that was wrong does not become right by itself.
                What::Compared(comparison) if story.claimed_at < index && story.data_wrong().is_none() => {
                    story.comparison = Some(comparison);
                }
                What::Checked(result) if story.claimed_at < index => {
                    story.checks.retain(|earlier| earlier.check != result.check);
                    story.checks.push(result);
                }
                _ => {}
            }
        }
        story.events = events;
        story
    }

    /// Backups with the moment at which each was made.
    pub(super) fn backups(&self) -> impl DoubleEndedIterator<Item = (Option<Timestamp>, &'a BackupMade)> {
        self.events.iter().filter_map(|e| if let What::BackedUp(made) = &e.what { Some((e.at, made)) } else { None })
    }

    /// Alarms with the index of their event.
    pub(super) fn alarms(&self) -> impl Iterator<Item = (usize, &'a Alarm)> {
        let alarms = self.events.iter().enumerate();
        alarms.filter_map(|(index, e)| if let What::Alarm(alarm) = &e.what { Some((index, alarm)) } else { None })
    }

    /// Day of the history on which the claimed data was exported. The position decides, not the name: old content under
    /// a new name is old. With changes on top of it, the day of the backup that is below them.
    pub(super) fn day_of(&self, claim: &Claim) -> Option<u32> {
        let position = self.streamed.map_or(claim.position, |streamed| streamed.from);
        let same_data = self.backups().filter(|(_, made)| made.position.seq == position.seq);
        let (mut same_name, mut first) = (None, None);
        for (_, made) in same_data {
            first = first.or(Some(made.day));
            same_name = same_name.or(Some(made.day).filter(|_| made.point == claim.point));
        }
        same_name.or(first)
    }

    /// Whether the restore said aloud, after the disaster, that nothing can be restored, and somebody heard it.
    pub(super) fn gave_alarm(&self) -> bool {
        self.gave_up().any(|alarm| alarm.heard)
    }

    /// Whether it said so, and nobody heard it.
    pub(super) fn alarm_was_lost(&self) -> bool {
        !self.gave_alarm() && self.gave_up().next().is_some()
    }

    fn gave_up(&self) -> impl Iterator<Item = &'a Alarm> {
        let after = self.disaster.unwrap_or(self.events.len());
        let alarms = self.alarms().filter(move |(index, _)| *index > after).map(|(_, alarm)| alarm);
        alarms.filter(|alarm| alarm.kind == AlarmKind::NothingRestorable)
    }

    /// What is wrong with the restored data, as far as it was compared; `None` where it is as claimed.
    pub(super) fn data_wrong(&self) -> Option<String> {
        self.comparison.and_then(wrong)
    }

    /// The checks that failed without anybody being told of just that, with their reason.
    pub(super) fn failed_checks(&self) -> Vec<&'a CheckResult> {
        self.checks.iter().copied().filter(|c| c.passed == Some(false) && !told::is_told(self, c)).collect()
    }

    /// Those that failed, and of which somebody was told before the restore claimed anything.
    pub(super) fn told_checks(&self) -> Vec<&'a CheckResult> {
        self.checks.iter().copied().filter(|c| told::is_told(self, c)).collect()
    }

    /// The checks that could not run, with their reason.
    pub(super) fn unrun_checks(&self) -> Vec<&'a CheckResult> {
        self.checks.iter().copied().filter(|c| c.passed.is_none()).collect()
    }

    /// How the last check phase since the claim ended: its event and whether it was well, but for what somebody was told
    /// of. `None` where none ended, or where one was begun again and did not end.
    pub(super) fn check_phase(&self) -> Option<(&'a Event, bool)> {
        let mut last = None;
        for event in self.events.iter().copied().skip(self.claimed_at) {
            match event.what {
                What::PhaseStarted { phase: Phase::Check } => last = None,
                What::PhaseEnded { phase: Phase::Check, ok } => last = Some((event, ok)),
                _ => {}
            }
        }
        let is_told =
            !self.told_checks().is_empty() && self.failed_checks().is_empty() && self.unrun_checks().is_empty();
        last.map(|(event, ok)| (event, ok || is_told))
    }
}

/// What the counts of a comparison hold against it. `as_claimed` is believed only where they agree.
fn wrong(found: &Comparison) -> Option<String> {
    let counts = [
        (found.holes, "hole", "below the claimed position"),
        (found.altered, "altered row", ""),
        (found.extra, "extra row", ""),
        (found.resurrected, "resurrected row", ""),
    ];
    let mut said: Vec<String> = Vec::new();
    for (n, noun, place) in counts.into_iter().filter(|(n, ..)| *n > 0) {
        said.push(format!("{} {place}", words::count(n, noun)).trim_end().to_owned());
    }
    if found.rows_found != found.rows_expected {
        said.push(format!("{} where {} should be", words::count(found.rows_found, "row"), found.rows_expected));
    }
    match (found.as_claimed, said.is_empty()) {
        (true, true) => None,
        (false, true) => {
            let example = found.examples.first().map_or(String::new(), |example| format!(" ({example})"));
            Some(format!("it is not the state that was claimed{example}"))
        }
        _ => Some(words::list(&said)),
    }
}
