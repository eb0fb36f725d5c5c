//! Storage classes, and the objects that must be brought back from an archive before they can be read. How long that
//! takes counts in scenario time.

use std::{fmt, str::FromStr};

use jiff::{SignedDuration, Timestamp};

use super::{
    objects::Objects,
    refusal::Refusal,
    version::{Object, ObjectMeta},
};

/// Where S3 keeps an object, and what it takes to read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum StorageClass {
    /// Read at once.
    #[default]
    Standard,
    /// Read at once, for a fee.
    StandardIa,
    /// As [`StorageClass::StandardIa`], in one availability zone.
    OneZoneIa,
    /// Read at once; S3 finds the cheapest place.
    IntelligentTiering,
    /// Read at once, for a higher fee.
    GlacierInstant,
    /// An old class with fewer copies.
    ReducedRedundancy,
    /// Glacier Flexible Retrieval: read only after a restore of minutes to hours.
    Glacier,
    /// Read only after a restore of many hours.
    DeepArchive,
}

impl StorageClass {
    const ALL: [StorageClass; 8] = [
        StorageClass::Standard,
        StorageClass::StandardIa,
        StorageClass::OneZoneIa,
        StorageClass::IntelligentTiering,
        StorageClass::GlacierInstant,
        StorageClass::ReducedRedundancy,
        StorageClass::Glacier,
        StorageClass::DeepArchive,
    ];

    /// Its name in S3, such as `STANDARD_IA`.
    pub const fn name(self) -> &'static str {
        match self {
            StorageClass::Standard => "STANDARD",
            StorageClass::StandardIa => "STANDARD_IA",
            StorageClass::OneZoneIa => "ONEZONE_IA",
            StorageClass::IntelligentTiering => "INTELLIGENT_TIERING",
            StorageClass::GlacierInstant => "GLACIER_IR",
            StorageClass::ReducedRedundancy => "REDUCED_REDUNDANCY",
            StorageClass::Glacier => "GLACIER",
            StorageClass::DeepArchive => "DEEP_ARCHIVE",
        }
    }

    /// Whether an object must be restored before it can be read.
    pub const fn is_archive(self) -> bool {
        matches!(self, StorageClass::Glacier | StorageClass::DeepArchive)
    }

    /// What a restore takes: the upper bounds of what S3 documents ("Understanding archive retrieval options" in its
    /// user guide: 1–5 minutes, 3–5 and 5–12 hours; 12 and 48 hours for the deep archive). `None` where there is
    /// nothing to restore, or the tier is not offered.
    pub const fn restore_time(self, tier: Tier) -> Option<SignedDuration> {
        match (self, tier) {
            (StorageClass::Glacier, Tier::Expedited) => Some(SignedDuration::from_mins(5)),
            (StorageClass::Glacier, Tier::Standard) => Some(SignedDuration::from_hours(5)),
            (StorageClass::Glacier, Tier::Bulk) | (StorageClass::DeepArchive, Tier::Standard) => {
                Some(SignedDuration::from_hours(12))
            }
            (StorageClass::DeepArchive, Tier::Bulk) => Some(SignedDuration::from_hours(48)),
            _ => None,
        }
    }
}

impl fmt::Display for StorageClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for StorageClass {
    type Err = Refusal;

    fn from_str(name: &str) -> Result<Self, Refusal> {
        StorageClass::ALL.into_iter().find(|class| class.name() == name).ok_or(Refusal::UnknownStorageClass)
    }
}

/// How fast an object is to be restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Tier {
    /// Minutes, at a price; not from the deep archive.
    Expedited,
    /// Hours: what S3 takes where a request does not say.
    #[default]
    Standard,
    /// Many hours, and cheap.
    Bulk,
}

impl Tier {
    /// Its name in S3.
    pub const fn name(self) -> &'static str {
        match self {
            Tier::Expedited => "Expedited",
            Tier::Standard => "Standard",
            Tier::Bulk => "Bulk",
        }
    }
}

impl FromStr for Tier {
    type Err = Refusal;

    fn from_str(name: &str) -> Result<Self, Refusal> {
        let all = [Tier::Expedited, Tier::Standard, Tier::Bulk];
        let unknown = Refusal::InvalidArgument("the tier must be Expedited, Standard or Bulk");
        all.into_iter().find(|tier| tier.name() == name).ok_or(unknown)
    }
}

/// A temporary copy of an archived object, asked for or there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restore {
    /// When it can be read, by the scenario clock.
    pub ready: Timestamp,
    /// When it is gone again.
    pub expires: Timestamp,
    /// For how many days it was asked for.
    days: u32,
}

/// How far a restore is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestoreState {
    /// The copy is not there yet.
    Ongoing,
    /// The copy can be read.
    Ready {
        /// When it is gone again.
        until: Timestamp,
    },
}

impl Restore {
    fn new(ready: Timestamp, days: u32) -> Self {
        Restore { ready, expires: expiry(ready, days), days }
    }

    /// How far it is at that moment; `None` once the copy has expired.
    pub fn state(&self, now: Timestamp) -> Option<RestoreState> {
        match now {
            now if now < self.ready => Some(RestoreState::Ongoing),
            now if now < self.expires => Some(RestoreState::Ready { until: self.expires }),
            _ => None,
        }
    }
}

/// The next midnight (UTC) after so many days, as S3 counts ("Restoring an archived object" in its user guide).
fn expiry(from: Timestamp, days: u32) -> Timestamp {
    const DAY: i64 = 86_400;
    let end = from.as_second() + i64::from(days) * DAY;
    Timestamp::from_second((end.div_euclid(DAY) + 1) * DAY).unwrap_or(Timestamp::MAX)
}

/// What a request for a restore did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestoreAnswer {
    /// A copy will be there after a while: S3's 202.
    Begun,
    /// A copy is there and stays for that many days from now: S3's 200.
    Extended,
}

impl ObjectMeta {
    /// How far its restore is; `None` where there is no copy, or it needs none.
    pub fn restore_state(&self, now: Timestamp) -> Option<RestoreState> {
        self.restore.and_then(|restore| restore.state(now))
    }

    fn permit_read(&self, now: Timestamp) -> Result<(), Refusal> {
        let class = self.attributes.storage_class;
        match self.restore_state(now) {
            Some(RestoreState::Ready { .. }) => Ok(()),
            _ if class.is_archive() => Err(Refusal::Archived(class)),
            _ => Ok(()),
        }
    }
}

impl Objects {
    /// Opens an object as a client of S3 does: one in an archive only where a restored copy is there.
    /// [`Objects::get`] does not ask.
    pub fn open(&self, bucket: &str, key: &str, version: Option<&str>) -> Result<Object, Refusal> {
        let object = self.get(bucket, key, version)?;
        object.meta.permit_read(self.now())?;
        Ok(object)
    }

    /// Asks for a temporary copy of an archived object, for a number of days.
    pub fn request_restore(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        tier: Tier,
        days: u32,
    ) -> Result<RestoreAnswer, Refusal> {
        let now = self.now();
        let mut state = self.state();
        let (_, content) = state.bucket(bucket)?.content_mut(key, version)?;
        let class = content.attributes.storage_class;
        if !class.is_archive() {
            return Err(Refusal::NotArchived);
        }
        if days == 0 {
            return Err(Refusal::InvalidArgument("a restore must be for one day at least"));
        }
        let unsupported = Refusal::InvalidArgument("Retrieval option is not supported by this storage class");
        let ready = now.checked_add(class.restore_time(tier).ok_or(unsupported)?).unwrap_or(Timestamp::MAX);
        let before = content.restore.and_then(|restore| Some((restore, restore.state(now)?)));
        let (after, answer) = match before {
            None => (Restore::new(ready, days), RestoreAnswer::Begun),
            // S3 takes a second request while one is ongoing only where it makes that one faster.
            Some((old, RestoreState::Ongoing)) if ready < old.ready => {
                (Restore::new(ready, old.days), RestoreAnswer::Begun)
            }
            Some((_, RestoreState::Ongoing)) => return Err(Refusal::RestoreInProgress),
            Some((old, RestoreState::Ready { .. })) => {
                (Restore { expires: expiry(now, days), days, ..old }, RestoreAnswer::Extended)
            }
        };
        content.restore = Some(after);
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::s3::{
        buckets::BucketOptions,
        testing::World,
        version::{Attributes, PutOptions},
    };

    fn archived(class: StorageClass) -> World {
        let world = World::new(BucketOptions::default());
        let attributes = Attributes { storage_class: class, ..Default::default() };
        let body = world.objects().body(b"cold").unwrap();
        world.objects().put("b", "k", body, PutOptions { attributes, ..Default::default() }).unwrap();
        world
    }

    fn at(world: &World, text: &str) -> Result<(), Refusal> {
        world.clock.set(text.parse().unwrap());
        world.objects().open("b", "k", None).map(drop)
    }

    #[test]
    fn every_class_is_known_by_its_name_and_no_other() {
        for class in StorageClass::ALL {
            assert_eq!(class.name().parse(), Ok(class));
        }
        assert_eq!("FROZEN".parse::<StorageClass>(), Err(Refusal::UnknownStorageClass));
    }

    #[test]
    fn an_archived_object_is_readable_from_its_restore_to_the_copys_end_and_then_no_more() {
        let (class, closed) = (StorageClass::Glacier, Err(Refusal::Archived(StorageClass::Glacier)));
        let world = archived(class);
        assert_eq!(at(&world, "2012-10-15T05:30:00Z"), closed);
        // S3's own example: restored on 15 October at 10:30 for three days, gone on 19 October at midnight.
        let ask = |tier, days| world.objects().request_restore("b", "k", None, tier, days);
        assert_eq!(ask(Tier::Standard, 3), Ok(RestoreAnswer::Begun));
        assert_eq!(ask(Tier::Standard, 3), Err(Refusal::RestoreInProgress));
        assert_eq!(at(&world, "2012-10-15T10:29:59Z"), closed);
        assert_eq!(at(&world, "2012-10-15T10:30:00Z"), Ok(()));
        assert_eq!(at(&world, "2012-10-18T23:59:59Z"), Ok(()));
        assert_eq!(at(&world, "2012-10-19T00:00:00Z"), closed);
        assert_eq!(world.read("k", None), b"cold", "what injects faults needs no restore");
        assert_eq!(ask(Tier::Expedited, 1), Ok(RestoreAnswer::Begun), "and again");
        assert_eq!(at(&world, "2012-10-19T00:05:00Z"), Ok(()));
    }

    #[test]
    fn a_restore_can_be_made_faster_and_a_copy_be_kept_longer_but_never_twice_asked_for() {
        let world = archived(StorageClass::Glacier);
        let ask = |tier, days| world.objects().request_restore("b", "k", None, tier, days);
        assert_eq!(ask(Tier::Bulk, 1), Ok(RestoreAnswer::Begun));
        assert_eq!(ask(Tier::Expedited, 1), Ok(RestoreAnswer::Begun));
        assert_eq!(ask(Tier::Standard, 1), Err(Refusal::RestoreInProgress));
        assert_eq!(at(&world, "2026-11-04T03:05:00Z"), Ok(()));
        assert_eq!(ask(Tier::Standard, 10), Ok(RestoreAnswer::Extended));
        assert_eq!(at(&world, "2026-11-14T23:59:59Z"), Ok(()));
        assert!(at(&world, "2026-11-15T00:00:00Z").is_err());
    }

    #[test]
    fn the_deep_archive_takes_longer_and_what_makes_no_sense_is_refused() {
        let world = archived(StorageClass::DeepArchive);
        let ask = |tier, days| world.objects().request_restore("b", "k", None, tier, days);
        assert!(matches!(ask(Tier::Expedited, 1), Err(Refusal::InvalidArgument(_))));
        assert!(matches!(ask(Tier::Bulk, 0), Err(Refusal::InvalidArgument(_))));
        assert_eq!(ask(Tier::Bulk, 1), Ok(RestoreAnswer::Begun));
        assert!(at(&world, "2026-11-06T02:59:59Z").is_err());
        assert_eq!(at(&world, "2026-11-06T03:00:00Z"), Ok(()));
        world.put("warm", b"");
        let warm = world.objects().request_restore("b", "warm", None, Tier::Bulk, 1);
        assert_eq!(warm, Err(Refusal::NotArchived));
    }
}
