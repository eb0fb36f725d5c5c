//! The history of a scenario as a list of entries in time order: writes, backups, looks of the monitor, faults.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use crate::model::{
    plan::{Cadence, ServiceKind, ServicePlan},
    scenario::{Moment, Scenario},
    units::{DayTime, Span},
};

/// The application writes in this many batches a day, and in more where changes are kept as they come: what is lost then
/// is counted in minutes.
const BATCHES: u64 = 144;
const BATCHES_STREAMED: u64 = 1_440;
const DAY: u64 = 86_400_000;
const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;

/// What happens at one moment of the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Entry {
    /// The fault of that number is over.
    Over(usize),
    /// The fault of that number begins.
    Fault(usize),
    /// So many writes are made to the service of that number.
    Writes(usize, u32),
    /// The service of that number copies the changes since the last time.
    Stream(usize),
    /// A backup of the service of that number is due on that day.
    Backup(usize, u32),
    /// The monitors look.
    Look,
}

/// The moments of a scenario, in milliseconds since day 1 00:00 UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timetable {
    start: Timestamp,
    entries: Vec<(u64, Entry)>,
    /// Moment and day of each backup, by service.
    backups: Vec<Vec<(u64, u32)>>,
    /// Time after the disaster at which a fault is over that began before it, by fault.
    over: Vec<Option<Span>>,
    t0: u64,
}

impl Timetable {
    /// The timetable of a scenario for services that are backed up so; they have the numbers of this order.
    pub fn new(scenario: &Scenario, services: &[&ServicePlan], look_every: Span) -> Self {
        let t0 = scenario.disaster.at.millis();
        let all: Vec<_> = services.iter().map(|service| backups(service, t0)).collect();
        let mut entries = Vec::new();
        for (number, (service, backups)) in services.iter().zip(&all).enumerate() {
            entries.extend(backups.iter().map(|(at, day)| (*at, Entry::Backup(number, *day))));
            let per_day = match service.kind {
                ServiceKind::Database | ServiceKind::Files => scenario.history.writes_per_day,
                ServiceKind::Config | ServiceKind::WebApplication => scenario.history.changes_per_day,
            };
            let stream =
                scenario.history.stream.or(service.backup.stream).filter(|_| service.kind == ServiceKind::Database);
            let is_continuous = service.pipeline.as_ref().is_some_and(|commands| commands.continuous);
            let batches = if stream.is_some() || is_continuous { BATCHES_STREAMED } else { BATCHES };
            entries.extend(writes(per_day, batches, t0).map(|(at, writes)| (at, Entry::Writes(number, writes))));
            if let (Some(every), Some((first, _))) = (stream, backups.first()) {
                let step = every.millis().max(MINUTE);
                let pieces = (1..).map(|n| first + n * step).take_while(|at| *at < t0);
                entries.extend(pieces.map(|at| (at, Entry::Stream(number))));
            }
        }
        let step = look_every.millis().max(MINUTE);
        entries.extend((1..).map(|n| n * step).take_while(|at| *at < t0).map(|at| (at, Entry::Look)));
        let mut over = vec![None; scenario.faults.len()];
        for (number, fault) in scenario.faults.iter().enumerate() {
            // Of several services, the one with the most backups gives the days.
            let backups = all.iter().max_by_key(|backups| backups.len()).map_or(&[][..], Vec::as_slice);
            let Some(begin) = begin(fault.when, backups, t0) else { continue };
            entries.push((begin, Entry::Fault(number)));
            match fault.lasts.map(|lasts| begin.saturating_add(lasts.millis())) {
                Some(end) if end < t0 => entries.push((end, Entry::Over(number))),
                Some(end) => over[number] = Some(Span(end - t0)),
                None => {}
            }
        }
        entries.sort();
        let start = scenario.history.from.to_zoned(TimeZone::UTC).map_or(Timestamp::UNIX_EPOCH, |z| z.timestamp());
        Timetable { start, entries, backups: all, over, t0 }
    }

    /// Day 1, 00:00 UTC.
    pub fn start(&self) -> Timestamp {
        self.start
    }

    /// The disaster.
    pub fn t0(&self) -> Timestamp {
        self.moment(self.t0)
    }

    /// Everything before the disaster, in order.
    pub fn entries(&self) -> impl Iterator<Item = (Timestamp, Entry)> {
        self.entries.iter().map(|(at, entry)| (self.moment(*at), *entry))
    }

    /// Time after the disaster at which a fault that began before it is over; `None` where it is over before, or lasts.
    pub fn over(&self, fault: usize) -> Option<Span> {
        self.over.get(fault).copied().flatten()
    }

    /// Numbers of the faults that begin before the disaster.
    pub fn faults(&self) -> impl Iterator<Item = usize> {
        self.entries.iter().filter_map(|(_, entry)| match entry {
            Entry::Fault(number) => Some(*number),
            _ => None,
        })
    }

    /// When the newest backup of a service that should be finished by `now` was due; a backup has an hour.
    pub fn due(&self, service: usize, now: Timestamp) -> Option<Timestamp> {
        let finished = self.backups.get(service)?.iter().rev().find(|(at, _)| self.moment(*at + HOUR) <= now)?;
        Some(self.moment(finished.0))
    }

    fn moment(&self, millis: u64) -> Timestamp {
        let after = SignedDuration::from_millis(i64::try_from(millis).unwrap_or(i64::MAX));
        self.start.checked_add(after).unwrap_or(Timestamp::MAX)
    }
}

/// Moment and day of each scheduled backup before t0; none where changes are copied as they happen, and none of a web
/// application, whose releases are kept as they are made.
fn backups(service: &ServicePlan, t0: u64) -> Vec<(u64, u32)> {
    if service.backup.every == Cadence::Realtime || service.kind == ServiceKind::WebApplication {
        return Vec::new();
    }
    let first = service.backup.at.map_or(0, |at| u64::from(at.minutes) * MINUTE);
    let interval = service.backup.every.interval().millis().max(MINUTE);
    let moments = (0..).map(|n| first + n * interval).take_while(|at| *at < t0);
    moments.map(|at| (at, (at / DAY) as u32 + 1)).collect()
}

fn writes(per_day: u32, batches: u64, t0: u64) -> impl Iterator<Item = (u64, u32)> {
    let step = DAY / batches;
    let up_to = move |batch: u64| batch * u64::from(per_day) / batches;
    (0..)
        .map(move |batch| (batch * step + step / 2, up_to(batch + 1) - up_to(batch)))
        .take_while(move |(at, _)| *at < t0)
        .filter(|(_, writes)| *writes > 0)
        .map(|(at, writes)| (at, writes as u32))
}

/// When a fault begins in the history; `None` where it begins with the disaster or after it.
fn begin(moment: Moment, backups: &[(u64, u32)], t0: u64) -> Option<u64> {
    let of_day = |day: u32| backups.iter().find(|(_, d)| *d == day).map(|(at, _)| *at);
    let at = match moment {
        Moment::AfterLastBackup => backups.last().map(|(at, _)| at + HOUR),
        Moment::BeforeBackupOfDay(day) => of_day(day).map(|at| at.saturating_sub(MINUTE)),
        Moment::At(moment) => Some(DayTime::millis(moment)),
        Moment::AtDisaster | Moment::DuringFetch(_) | Moment::DuringImport(_) => None,
    };
    at.map(|at| at.min(t0.saturating_sub(1)))
}
