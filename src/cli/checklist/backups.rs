//! What a checklist asks of the user's own buckets: are the backups there, can they be read and restored, are as many
//! kept as promised?

use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::{
    Desk,
    items::{Item, State},
};
use crate::{
    archive::{Form, MAX_MANIFEST_BYTES, Manifest},
    error::Result,
    model::{
        naming::{KeyKind, Layout, PointName},
        plan::{Cadence, ServiceKind, ServicePlan},
        units::Span,
        words,
    },
    monitor::{
        Means,
        reading::{Reading, Verdict},
        round::look_at_all,
    },
    sim::lanes::Lanes,
    store::SharedStore,
    verify::{self, Expected, Options, Status, StoredObject, read_small},
};

/// What is said where nobody said which buckets.
const NO_BUCKETS: &str = "no bucket was named: give --endpoint REGION=URL or --allow-endpoint HOST, and a key";

/// A recovery point later than promised by this much is late.
const GRACE_MS: u64 = 3_600_000;

impl Desk<'_> {
    pub(super) fn backups_were_made(&self) -> Result<Item> {
        let title = "Backups were made";
        let looked = self.in_buckets(async |stores: &[SharedStore], scratch: &Path| {
            let means = Means { lanes: Lanes::new(&self.clock), scratch: scratch.to_owned() };
            look_at_all(&self.plan.value, stores, &means, self.clock.now()).await
        })?;
        let Some(readings) = looked else { return Ok(Item::new(title, State::NotChecked, NO_BUCKETS)) };
        let alarms: usize = readings.iter().map(|reading| reading.alarms.len()).sum();
        let seen = readings.iter().filter(|reading| reading.verdict != Verdict::NotLookedAt).count() as u64;
        let seen = format!("{} looked at", words::count(seen, "place"));
        let lines = readings.iter().map(line).collect();
        Ok(match (alarms, readings.iter().all(|reading| reading.verdict == Verdict::NotLookedAt)) {
            (_, true) => Item::new(title, State::NotChecked, "no service of the plan has backups that can be dated"),
            (0, _) => Item::new(title, State::Done, seen),
            (n, _) => Item::new(title, State::Failed, format!("{seen}, {}", words::count(n as u64, "alarm"))),
        }
        .with(lines))
    }

    pub(super) fn newest_backups_verified(&self) -> Result<Item> {
        let title = "Newest backups verified";
        let verified = self.in_buckets(async |stores: &[SharedStore], scratch: &Path| {
            let mut lines = Vec::new();
            for (name, service) in self.databases() {
                for store in stores {
                    lines.push(self.verify_newest(name, service, store, scratch).await);
                }
            }
            lines
        })?;
        let Some(lines) = verified else { return Ok(Item::new(title, State::NotChecked, NO_BUCKETS)) };
        let failed = lines.iter().filter(|line| line.is_err()).count();
        let total = words::count(lines.len() as u64, "backup");
        let state = match (lines.len(), failed) {
            (0, _) => return Ok(Item::new(title, State::NotChecked, "the plan has no database")),
            (_, 0) => State::Done,
            _ => State::Failed,
        };
        let detail = match failed {
            0 => format!("{total} read, restored into a scratch target and asked; 0 failed"),
            _ => format!("{total} asked for; {failed} failed or could not be read"),
        };
        Ok(Item::new(title, state, detail).with(lines.into_iter().map(|line| line.unwrap_or_else(|bad| bad)).collect()))
    }

    pub(super) fn retention_kept(&self) -> Result<Item> {
        let title = "Retention kept";
        let now = self.clock.now();
        let audited = self.in_buckets(async |stores: &[SharedStore], _: &Path| {
            let mut lines = Vec::new();
            for (name, service) in self.databases() {
                for store in stores {
                    let told = match points(service, store).await {
                        Ok(points) => audit(&points, service.backup.every, self.plan.value.retention, now),
                        Err(why) => Err(why),
                    };
                    let place = format!("{name} in {}", store.region());
                    lines.push(match told {
                        Ok(told) => Ok(format!("{place}: {told}")),
                        Err(why) => Err(format!("{place}: FAILED: {why}")),
                    });
                }
            }
            lines
        })?;
        let Some(lines) = audited else { return Ok(Item::new(title, State::NotChecked, NO_BUCKETS)) };
        let failed = lines.iter().filter(|line| line.is_err()).count();
        let state = if failed == 0 { State::Done } else { State::Failed };
        let detail =
            format!("backups are promised for {}; {failed} of {} places fail", self.plan.value.retention, lines.len());
        Ok(Item::new(title, state, detail).with(lines.into_iter().map(|line| line.unwrap_or_else(|bad| bad)).collect()))
    }

    /// Works in the user's buckets; `None` where nobody said which, or somebody stopped it.
    fn in_buckets<T>(&self, work: impl AsyncFnOnce(&[SharedStore], &Path) -> T) -> Result<Option<T>> {
        if !self.args.buckets.are_given(&self.plan.value) {
            return Ok(None);
        }
        let done = self.session.carry_out(async |scratch: &Path| -> Result<T> {
            let stores = self.args.buckets.stores(&self.plan.value, &self.clock)?;
            Ok(work(&stores, scratch).await)
        })?;
        done.transpose()
    }

    fn databases(&self) -> impl Iterator<Item = (&String, &ServicePlan)> {
        let services = self.plan.value.services.iter();
        services
            .filter(|(_, service)| service.kind == ServiceKind::Database && service.backup.every != Cadence::Realtime)
    }

    /// Err: as well a line, of what failed.
    async fn verify_newest(
        &self,
        name: &str,
        service: &ServicePlan,
        store: &SharedStore,
        scratch: &Path,
    ) -> std::result::Result<String, String> {
        let place = format!("{name} in {}", store.region());
        let failed = |why: String| format!("{place}: FAILED: {why}");
        let points = points(service, store).await.map_err(failed)?;
        let newest = points.into_iter().max().ok_or_else(|| failed("there is no backup".into()))?;
        let layout = Layout::new(&service.backup, None);
        let origin = StoredObject::new(store.clone(), layout.dump_key(&newest), newest.as_str());
        let beside = StoredObject::new(store.clone(), layout.manifest_key(&newest), "its manifest");
        let manifest = match read_small(&beside, MAX_MANIFEST_BYTES).await {
            Ok(text) => Manifest::parse(&text),
            Err(why) => Err(why.words().to_owned()),
        };
        let expected = Expected { manifest: Some(manifest), sha256: None, service: Some(name.to_owned()) };
        let options = Options { id_field: "_id".into(), allow_mixed: false };
        let means =
            verify::Means { clock: self.clock.clone(), lanes: Lanes::new(&self.clock), scratch: scratch.to_owned() };
        let found = verify::verify(&origin, Form::Dump(layout.format), &expected, &options, &means).await;
        let bad = found.steps.iter().find(|done| matches!(done.status, Status::Failed | Status::NotExecuted));
        match bad {
            Some(done) => Err(failed(format!("{newest}: {}: {}", done.step.words(), done.detail))),
            None => {
                let rows = found.tables.iter().map(|table| table.rows).sum();
                let took = found.took.map_or_else(String::new, |took| format!(", in {took}"));
                Ok(format!("{place}: {newest}: {} restored{took}", words::count(rows, "row")))
            }
        }
    }
}

fn line(reading: &Reading) -> String {
    let place = match reading.region.as_str() {
        "" => reading.service.clone(),
        region => format!("{} in {region}", reading.service),
    };
    let alarms: Vec<String> =
        reading.alarms.iter().map(|a| format!("ALARM {}: {}", a.kind.words(), a.detail)).collect();
    let mut remarks = reading.remarks.clone();
    // A tick must not claim what nobody looked at.
    remarks
        .extend(reading.not_looked_at.iter().map(|one| format!("not looked at: {}, {}", one.aspect.words(), one.why)));
    let remarks = remarks.join("; ");
    let newest = reading.newest.as_deref().unwrap_or("no backup was seen");
    match (reading.verdict, alarms.is_empty()) {
        (Verdict::NotLookedAt, _) => format!("{place}: not looked at: {remarks}"),
        (_, true) if remarks.is_empty() => format!("{place}: {newest}"),
        (_, true) => format!("{place}: {newest} (remark: {remarks})"),
        (_, false) => format!("{place}: {}", alarms.join("; ")),
    }
}

/// A service's recovery points in a region.
async fn points(service: &ServicePlan, store: &SharedStore) -> std::result::Result<Vec<PointName>, String> {
    let layout = Layout::new(&service.backup, None);
    let objects = store.list(&layout.prefix).await.map_err(|e| e.kind.to_string())?;
    let named = objects.iter().filter_map(|object| match layout.parse(&object.key) {
        Some(KeyKind::Dump(point)) => Some(point),
        _ => None,
    });
    Ok(named.collect())
}

/// Whether as many are kept as promised, and none longer. Err: what is not.
fn audit(points: &[PointName], every: Cadence, retention: Span, now: Timestamp) -> std::result::Result<String, String> {
    let interval = every.interval();
    let age = |point: &PointName| now.duration_since(point.taken_at().unwrap_or(now));
    let within = |limit: u64| SignedDuration::from_millis(i64::try_from(limit).unwrap_or(i64::MAX));
    // The oldest is removed when a new one is there, so it may be an interval older than promised.
    let longest = within(retention.millis().saturating_add(interval.millis()).saturating_add(GRACE_MS));
    let over: Vec<&PointName> = points.iter().filter(|point| age(point) > longest).collect();
    let kept = points.len() - over.len();
    let expected = usize::try_from(retention.millis() / interval.millis().max(1)).unwrap_or(usize::MAX);
    if kept < expected {
        return Err(format!("{kept} are there, {expected} should be"));
    }
    match over.iter().min() {
        Some(oldest) => Err(format!("{} older than promised, the oldest is {oldest}", over.len())),
        None => Ok(format!("{kept} are there, none older than promised")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_few_and_too_old_recovery_points_are_found() {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let point = |day: i64| PointName::at(now - SignedDuration::from_hours(9 + 24 * day));
        let told = |days: &[i64]| {
            let points: Vec<PointName> = days.iter().map(|day| point(*day)).collect();
            audit(&points, Cadence::Daily, Span::hours(7 * 24), now)
        };
        assert_eq!(told(&[0, 1, 2, 3, 4, 5, 6, 7]).unwrap(), "8 are there, none older than promised");
        assert_eq!(told(&[0, 1, 2, 4, 5, 6]).unwrap_err(), "6 are there, 7 should be");
        let over = told(&[0, 1, 2, 3, 4, 5, 6, 8, 30]).unwrap_err();
        assert_eq!(over, "2 older than promised, the oldest is backup-2026-10-21T03-00-00Z");
    }
}
