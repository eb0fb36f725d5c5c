//! Backups that are not backdraft's own: a dump that somebody named, a folder of copies as `aws s3 sync` makes them. Only
//! the user knows what must be in them, so they are looked at from outside: age, size, what replicas lack, and the bytes
//! as far as their form can be checked. Listings are merged as they come; memory does not grow with their length.

use jiff::{SignedDuration, Timestamp};

use super::{Aspect, BackupSeen, Look, Means, RegionSeen, Scope, Sighting, duration, sighting, unanswered};
use crate::{
    model::{
        event::AlarmKind,
        plan::{MonitorPlan, ServiceKind, Watch},
        units::{ByteSize, Span},
        words,
    },
    store::{SharedStore, Store},
};

mod bytes;
mod generation;
mod listing;
mod tally;

use generation::Generation;
use tally::{Comparison, Rules, Sheet, Sum};

/// A copy that is made anew in another region may take so long, besides what the plan grants.
const COPYING: SignedDuration = SignedDuration::from_hours(1);

/// A folder of backups that others write.
pub(super) struct Foreign<'f> {
    pub(super) kind: ServiceKind,
    pub(super) prefix: &'f str,
    pub(super) limits: &'f MonitorPlan,
    pub(super) retention: Span,
    /// How many bytes one byte stands for.
    pub(super) scale: u64,
    /// Why no other region need have what the primary has, where that is so.
    pub(super) alone: Option<&'static str>,
    pub(super) means: &'f Means,
}

/// When a look is, and when the newest backup was due.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    pub(super) now: Timestamp,
    pub(super) due: Timestamp,
}

impl Foreign<'_> {
    /// Looks once at what lies below the prefix in every region, the primary first.
    pub(super) async fn look(&self, stores: &[SharedStore], at: Moment) -> Look {
        let rules = Rules {
            kind: self.kind,
            prefix: self.prefix,
            now: at.now,
            grace: COPYING + duration(self.limits.replica_grace),
            retention: duration(self.retention),
        };
        let mut sheet = Sheet::new(rules, stores.len());
        let failed = listing::side_by_side(stores, self.prefix, |key, found| sheet.row(key, found)).await;
        let (mut regions, mut alarms) = (Vec::new(), Vec::new());
        let primary_answers = failed.first().is_some_and(Option::is_none);
        for (number, (store, failed)) in stores.iter().zip(&failed).enumerate() {
            if let Some(kind) = failed {
                alarms.push(sighting(AlarmKind::Unreachable, &**store, kind.to_string(), None));
                regions.push(unanswered(&**store));
                continue;
            }
            let (newest, before) = sheet.tallies[number].newest();
            let mut seen = RegionSeen {
                region: store.region().to_owned(),
                answered: true,
                newest: newest.map(|(backup, sum)| shown(backup, sum, self.scale)),
                remarks: Vec::new(),
                scope: Scope::default(),
            };
            match number {
                0 => alarms.extend(self.of_primary(at, &**store, newest, before, &mut seen.scope)),
                _ if self.alone.is_some() => seen.scope.left(Aspect::Replica, self.alone.unwrap_or_default()),
                _ if !primary_answers => seen.scope.left(Aspect::Replica, "the primary did not answer"),
                _ => alarms.extend(self.behind(&**store, &sheet.comparisons[number], &mut seen)),
            }
            if let Some((backup, _)) = newest {
                alarms.extend(self.look_into(store, backup, &mut seen.scope).await);
            }
            regions.push(seen);
        }
        Look { regions, alarms }
    }

    fn of_primary(
        &self,
        at: Moment,
        store: &dyn Store,
        newest: Option<(&Generation, &Sum)>,
        before: Option<&Sum>,
        scope: &mut Scope,
    ) -> Vec<Sighting> {
        let mut seen = Vec::new();
        let watches = &self.limits.watches;
        let asks_schedule = scope.asks(Aspect::Schedule, watches, Watch::Missing);
        if asks_schedule {
            scope.did(Aspect::Schedule);
        }
        let Some((backup, sum)) = newest else {
            if asks_schedule {
                seen.push(sighting(AlarmKind::Missing, store, "there is no backup at all".into(), None));
            }
            return seen;
        };
        let (overdue, may_rest) = (sum.modified < at.due, !backup.is_dated);
        let name = sum.newest.escape_debug();
        if overdue && asks_schedule {
            // A copy that is kept up to date is not written to while nothing changes; nobody can tell that from here.
            let or = if may_rest { ", or nothing has changed since" } else { "" };
            let detail = format!("the newest, {name}, was written at {}; one was due at {}{or}", sum.modified, at.due);
            seen.push(Sighting { overdue, may_rest, ..sighting(AlarmKind::Missing, store, detail, None) });
        }
        if scope.asks(Aspect::Age, watches, Watch::TooOld) {
            scope.did(Aspect::Age);
            let age = at.now.duration_since(sum.modified);
            if age > duration(self.limits.max_age) {
                let detail = format!("{name} is {} h old, the limit is {}", age.as_hours(), self.limits.max_age);
                seen.push(Sighting { overdue, may_rest, ..sighting(AlarmKind::TooOld, store, detail, None) });
            }
        }
        if scope.asks(Aspect::Size, watches, Watch::TooSmall) {
            scope.did(Aspect::Size);
            seen.extend(self.small(store, backup, sum, before));
        }
        seen
    }

    /// A backup below the size limit. Configuration is below it by nature, and is held against the backup before it.
    fn small(&self, store: &dyn Store, backup: &Generation, sum: &Sum, before: Option<&Sum>) -> Option<Sighting> {
        let name = shown(backup, sum, self.scale).point;
        let (bytes, limit) = (sum.bytes * self.scale, self.limits.min_size);
        let has = ByteSize(bytes);
        let tell = |detail: String| Some(sighting(AlarmKind::TooSmall, store, detail, Some(bytes)));
        if self.kind == ServiceKind::Config {
            return match before {
                _ if sum.bytes == 0 => tell(format!("{name} has 0 B")),
                Some(before) if sum.bytes < before.bytes / 2 => {
                    tell(format!("{name} has {has}, the one before it {}", ByteSize(before.bytes * self.scale)))
                }
                _ if bytes >= limit.0 => None,
                _ => {
                    let detail = format!("{name} has {has}, the limit is {limit}");
                    let excuse = Some("configuration is small by nature, so the plan's `min_size` is not meant for it");
                    tell(detail).map(|sighting| Sighting { excuse, ..sighting })
                }
            };
        }
        if bytes < limit.0 { tell(format!("{name} has {has}, the limit is {limit}")) } else { None }
    }

    /// A replica that lacks what the primary has, or has something else in its place.
    fn behind(&self, store: &dyn Store, sum: &Comparison, seen: &mut RegionSeen) -> Option<Sighting> {
        if !seen.scope.asks(Aspect::Replica, &self.limits.watches, Watch::ReplicaBehind) {
            return None;
        }
        seen.scope.did(Aspect::Replica);
        let mut told = Vec::new();
        if sum.missing.count > 0 {
            told.push(format!("{} missing, e.g. {}", sum.missing.count, sum.missing.example.escape_debug()));
        }
        if sum.other_size.count > 0 {
            let example = sum.other_size.example.escape_debug();
            told.push(format!("{} of another size, e.g. {example}", sum.other_size.count));
        }
        // Where no pair of ETags agrees they are no digests of the bytes, as with objects that a region encrypts.
        if sum.other_etag.count > 0 && sum.same_etag > 0 {
            let example = sum.other_etag.example.escape_debug();
            told.push(format!("{} with other bytes by the ETag, e.g. {example}", sum.other_etag.count));
        }
        if sum.due > 0 && sum.same_etag == 0 && sum.missing.count < sum.due {
            seen.scope.left(
                Aspect::Replica,
                "ETags that could be compared: objects are held against each other by key and size",
            );
        }
        if sum.more.count > 0 {
            let (count, example) = (words::count(sum.more.count, "object"), sum.more.example.escape_debug());
            seen.remarks.push(format!("{count} of which the primary has nothing, e.g. {example}"));
        }
        let all = words::count(sum.due, "object");
        let detail = || format!("of {all} of the primary: {}", told.join("; "));
        (!told.is_empty()).then(|| sighting(AlarmKind::ReplicaBehind, store, detail(), None))
    }
}

/// A backup as people read it.
fn shown(backup: &Generation, sum: &Sum, scale: u64) -> BackupSeen {
    let point = match (sum.objects, backup.name.is_empty()) {
        (1, _) => sum.newest.clone(),
        (n, true) => format!("{}, the newest {}", words::count(n, "object"), sum.newest),
        (n, false) => format!("{} ({})", backup.name, words::count(n, "object")),
    };
    BackupSeen { point, size: Some(sum.bytes * scale), modified: sum.modified }
}
