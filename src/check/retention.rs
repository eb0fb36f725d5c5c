//! Whether backups go when the plan says that they go: what is kept for longer than promised is paid for, and holds what
//! users have had deleted. Looks at what is stored, by the dates that the regions gave them, never at names.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Check, Evidence, Kept, Outcome, result};
use crate::{
    emulator::{
        Site, World,
        s3::{listing::ListQuery, version::ObjectMeta},
    },
    model::{event::CheckResult, naming::Layout, plan::ServiceKind, units::Span, words},
    service::contract::ServiceError,
};

/// Backups that a failure names.
const NAMED: usize = 3;

/// The check.
#[derive(Debug)]
pub struct RetentionCheck;

#[async_trait]
impl Check for RetentionCheck {
    fn name(&self) -> &'static str {
        "retention"
    }

    fn summary(&self) -> &'static str {
        "looks for backups that are older than the plan keeps them"
    }

    fn proves(&self) -> &'static str {
        "old backups go when the plan says so, in every region that gets new ones"
    }

    fn is_for(&self, kind: ServiceKind) -> bool {
        kind != ServiceKind::WebApplication
    }

    /// Of backups in another form it is not known which objects an old one is made of: newer ones may need them.
    fn is_for_commands(&self) -> bool {
        false
    }

    async fn run(&self, evidence: &Evidence) -> CheckResult {
        result(self, look(&evidence.world, evidence.kept.as_ref()))
    }
}

fn look(world: &World, kept: Option<&Kept>) -> Result<Outcome, ServiceError> {
    let known = kept.and_then(|kept| Some((kept, world.backups.get(&kept.service)?)));
    let Some((kept, backups)) = known else {
        return Ok(Outcome::NothingToAsk("nobody says how long backups are kept".into()));
    };
    let (mut looked, mut over) = (0, Vec::new());
    for site in &world.sites {
        let stored = stored(site, &backups.layout)?;
        looked += stored.len() as u64;
        let (region, limit) = (site.region.name(), kept.at_the_longest);
        over.extend(overdue(&stored, world.clock.now(), limit).map(|key| format!("{key} in {region}")));
    }
    Ok(match over.len() {
        0 => Outcome::Passed(format!("{}, none kept for longer than planned", words::count(looked, "stored object"))),
        n => {
            over.truncate(NAMED);
            let more = if n > NAMED { format!("; and {} more", n - NAMED) } else { String::new() };
            let limit = kept.at_the_longest;
            Outcome::Failed(format!("kept for longer than {limit} before the newest one: {}{more}", over.join("; ")))
        }
    })
}

/// Keys of what was there for too long when the newest one was written: that was the time to remove it. What a lock held
/// then had to stay, and a region that gets nothing new keeps what it has.
fn overdue(stored: &[ObjectMeta], now: Timestamp, limit: Span) -> impl Iterator<Item = &str> {
    let newest = stored.iter().map(|object| object.modified).filter(|written| *written <= now).max();
    stored.iter().filter_map(move |object| {
        let newest = newest?;
        let age = newest.duration_since(object.modified).as_millis();
        let is_over = age > i128::from(limit.millis()) && object.locks.permit_delete(newest, false).is_ok();
        is_over.then_some(object.key.as_str())
    })
}

/// All versions of all dumps and manifests of a layout, past every link and lock.
fn stored(site: &Site, layout: &Layout) -> Result<Vec<ObjectMeta>, ServiceError> {
    let query = ListQuery { max: usize::MAX, ..ListQuery::below(&layout.prefix) };
    let page = site.region.objects().list_versions(&site.bucket, &query, None);
    let page = page.map_err(|e| ServiceError(e.to_string()))?;
    let objects = page.entries.into_iter().filter_map(|entry| entry.object).map(|object| object.meta);
    Ok(objects.filter(|object| layout.parse(&object.key).is_some()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        check::fake::world,
        emulator::{
            Backups, Schedule,
            s3::{Region, buckets::BucketOptions, lock::LockMode},
        },
        model::plan::DumpFormat,
    };

    const DAY: i64 = 86_400;

    /// What is said of dumps that were written on these days, under a retention of seven.
    fn said(days: &[i64], options: BucketOptions) -> Outcome {
        let scratch = tempfile::tempdir().unwrap();
        let mut world = world();
        let region = Region::new("here", &world.clock, scratch.path()).unwrap();
        region.objects().create_bucket("b", options).unwrap();
        let layout = Layout { prefix: "daily/".into(), format: DumpFormat::JsonlGz, written_by: Default::default() };
        for day in days {
            let at = Timestamp::from_second(day * DAY).unwrap();
            world.clock.set(at);
            let (objects, key) = (region.objects(), layout.dump_key(&crate::model::naming::PointName::at(at)));
            objects.put("b", &key, objects.body(b"dump").unwrap(), Default::default()).unwrap();
            objects.put("b", "daily/notes.txt", objects.body(b"old").unwrap(), Default::default()).unwrap();
        }
        world.sites.push(Site { region, bucket: "b".into() });
        let backups = Backups { kind: ServiceKind::Database, schedule: Schedule::default(), layout };
        world.backups.insert("database".into(), backups);
        look(&world, Some(&Kept { service: "database".into(), at_the_longest: Span::hours(7 * 24) })).unwrap()
    }

    #[test]
    fn what_is_older_than_the_retention_when_a_newer_one_is_written_is_found_unless_a_lock_held_it() {
        let locked = |days| BucketOptions::retaining(LockMode::Compliance, days);
        assert!(matches!(said(&[1, 4, 8], BucketOptions::versioned()), Outcome::Passed(_)));
        assert!(matches!(said(&[1, 4], BucketOptions::versioned()), Outcome::Passed(_)));
        assert!(matches!(said(&[1, 4, 9], locked(14)), Outcome::Passed(_)));
        let Outcome::Failed(said) = said(&[1, 4, 9], locked(3)) else { panic!("day 1 is kept for eight days") };
        assert!(said.ends_with("daily/backup-1970-01-02T00-00-00Z.jsonl.gz in here"), "{said}");
    }

    #[test]
    fn what_nobody_promised_cannot_be_checked() {
        assert!(matches!(look(&world(), None), Ok(Outcome::NothingToAsk(_))));
    }
}
