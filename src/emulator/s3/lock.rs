//! Object lock: retention in governance and compliance mode, and legal hold.

use jiff::{SignedDuration, Timestamp};

use super::refusal::Refusal;

/// How firmly a retention holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockMode {
    /// Whoever has the right may bypass it.
    Governance,
    /// Nobody may, the owner included.
    Compliance,
}

/// Until when a version cannot be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// How firmly.
    pub mode: LockMode,
    /// Until when, by the scenario clock.
    pub until: Timestamp,
}

/// What new objects of a bucket get where the request says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DefaultRetention {
    /// How firmly.
    pub mode: LockMode,
    /// For how many days from their writing.
    pub days: u32,
    /// Whether the bucket was set up in years: 365 days each.
    pub in_years: bool,
}

impl DefaultRetention {
    /// So many days from an object's writing.
    pub const fn of_days(mode: LockMode, days: u32) -> Self {
        DefaultRetention { mode, days, in_years: false }
    }

    /// The retention of an object written now.
    pub fn from(&self, now: Timestamp) -> Retention {
        let span = SignedDuration::from_hours(24 * i64::from(self.days));
        Retention { mode: self.mode, until: now.checked_add(span).unwrap_or(Timestamp::MAX) }
    }
}

/// A version's locks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Locks {
    /// Its retention, which may have run out.
    pub retention: Option<Retention>,
    /// Its legal hold; `None` where none was ever set.
    pub legal_hold: Option<bool>,
}

impl Locks {
    /// Whether the version may be deleted now.
    pub fn permit_delete(&self, now: Timestamp, bypass_governance: bool) -> Result<(), Refusal> {
        if self.legal_hold == Some(true) {
            return Err(Refusal::Locked("a legal hold is on it"));
        }
        match self.retention.filter(|r| r.until > now) {
            Some(Retention { mode: LockMode::Compliance, .. }) => Err(Refusal::Locked("retention in compliance mode")),
            Some(Retention { mode: LockMode::Governance, .. }) if !bypass_governance => {
                Err(Refusal::Locked("retention in governance mode, not bypassed"))
            }
            _ => Ok(()),
        }
    }

    /// Whether the retention may become `wanted` now (`None`: be taken off).
    pub fn permit_change(
        &self,
        wanted: Option<Retention>,
        now: Timestamp,
        bypass_governance: bool,
    ) -> Result<(), Refusal> {
        if wanted.is_some_and(|w| w.until <= now) {
            return Err(Refusal::InvalidArgument("the retain until date must be in the future"));
        }
        let Some(held) = self.retention.filter(|r| r.until > now) else { return Ok(()) };
        let loosens = match wanted {
            None => true,
            Some(w) => w.until < held.until || (held.mode == LockMode::Compliance && w.mode == LockMode::Governance),
        };
        match (loosens, held.mode) {
            (false, _) => Ok(()),
            (true, LockMode::Governance) if bypass_governance => Ok(()),
            (true, _) => Err(Refusal::Locked("its retention cannot be shortened")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::s3::{buckets::BucketOptions, testing::World, version::PutOptions};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// A region with a version locked until 10 November.
    fn locked(mode: LockMode) -> (World, String) {
        let world = World::new(BucketOptions::with_lock());
        let retention = Some(Retention { mode, until: at("2026-11-10T00:00:00Z") });
        let body = world.objects().body(b"locked").unwrap();
        let meta = world.objects().put("b", "k", body, PutOptions { retention, ..Default::default() }).unwrap();
        (world, meta.version.unwrap())
    }

    #[test]
    fn governance_yields_to_a_bypass_and_compliance_to_nothing_but_time() {
        for (mode, bypass_helps) in [(LockMode::Governance, true), (LockMode::Compliance, false)] {
            let (world, version) = locked(mode);
            let delete = |bypass| world.objects().delete("b", "k", Some(&version), bypass);
            assert!(matches!(delete(false), Err(Refusal::Locked(_))));
            assert_eq!(world.read("k", None), b"locked");
            assert_eq!(delete(true).is_ok(), bypass_helps);
            let (world, version) = locked(mode);
            world.clock.set(at("2026-11-10T00:00:00Z"));
            assert!(world.objects().delete("b", "k", Some(&version), false).is_ok(), "the retention has run out");
        }
    }

    #[test]
    fn a_lock_does_not_keep_a_delete_marker_or_a_new_version_from_coming() {
        let (world, version) = locked(LockMode::Compliance);
        world.put("k", b"newer");
        assert!(world.objects().delete("b", "k", None, false).unwrap().delete_marker);
        assert_eq!(world.read("k", Some(&version)), b"locked");
    }

    #[test]
    fn a_retention_may_be_extended_but_not_loosened() {
        let (world, version) = locked(LockMode::Compliance);
        let set = |retention, bypass| world.objects().set_retention("b", "k", Some(&version), retention, bypass);
        let compliance = |until| Some(Retention { mode: LockMode::Compliance, until: at(until) });
        assert_eq!(set(compliance("2026-11-20T00:00:00Z"), false), Ok(()));
        assert!(matches!(set(compliance("2026-11-10T00:00:00Z"), true), Err(Refusal::Locked(_))));
        assert!(matches!(set(None, true), Err(Refusal::Locked(_))));
        let governance = Some(Retention { mode: LockMode::Governance, until: at("2026-12-20T00:00:00Z") });
        assert!(matches!(set(governance, true), Err(Refusal::Locked(_))));

        let (world, version) = locked(LockMode::Governance);
        let set = |retention, bypass| world.objects().set_retention("b", "k", Some(&version), retention, bypass);
        assert!(matches!(set(None, false), Err(Refusal::Locked(_))));
        assert_eq!(set(None, true), Ok(()));
    }

    #[test]
    fn a_legal_hold_outlasts_every_retention() {
        let (world, version) = locked(LockMode::Governance);
        world.objects().set_legal_hold("b", "k", Some(&version), true).unwrap();
        world.clock.set(at("2030-01-01T00:00:00Z"));
        assert!(matches!(world.objects().delete("b", "k", Some(&version), true), Err(Refusal::Locked(_))));
        world.objects().set_legal_hold("b", "k", Some(&version), false).unwrap();
        assert!(world.objects().delete("b", "k", Some(&version), false).is_ok());
    }

    #[test]
    fn a_bucket_without_object_lock_takes_no_locks_and_a_default_reaches_new_objects() {
        let world = World::new(BucketOptions::default());
        world.put("k", b"");
        assert!(matches!(world.objects().set_legal_hold("b", "k", None, true), Err(Refusal::InvalidRequest(_))));
        let world = World::new(BucketOptions::with_lock());
        let default = DefaultRetention::of_days(LockMode::Governance, 7);
        world.objects().set_lock_configuration("b", Some(default)).unwrap();
        let until = world.put("k", b"").locks.retention.unwrap().until;
        assert_eq!(until, at("2026-11-11T03:00:00Z"));

        let world = World::new(BucketOptions::retaining(LockMode::Compliance, 30));
        let held = world.put("k", b"").locks.retention.unwrap();
        assert_eq!(held, Retention { mode: LockMode::Compliance, until: at("2026-12-04T03:00:00Z") });
        let none = world.objects().create_bucket("none", BucketOptions::retaining(LockMode::Compliance, 0));
        assert!(matches!(none, Err(Refusal::InvalidArgument(_))), "a lock that would not hold is none");
    }
}
