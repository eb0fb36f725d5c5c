//! What somebody does who got hold of a key: overwrites and deletes whatever the key's rights and the object locks let
//! them. Unlike the rest of what faults do (`control`), it obeys both; that is the point. [`Objects::snapshot`], taken
//! before, undoes it.

use std::{collections::BTreeMap, io};

use super::{
    body::Body,
    listing::ListQuery,
    objects::Objects,
    refusal::Refusal,
    rights::{Action, Principal},
    version::{NULL_VERSION, ObjectMeta},
};

/// What the intruder leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// Other bytes under every key, as the newest version, and as little as possible below it.
    Encrypt,
    /// Nothing: what cannot be deleted is hidden behind a delete marker.
    Wipe,
}

/// What came of it. What existed before is counted, not what the intruder wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Damage {
    /// Objects whose newest version has other bytes now, or had them before it was wiped.
    pub overwritten: u64,
    /// Versions deleted for good, or replaced in a bucket that keeps none.
    pub deleted: u64,
    /// Versions that a lock held.
    pub held: u64,
    /// Writes and deletions for which the key had no right.
    pub denied: u64,
}

impl Objects {
    /// Strikes every key below a prefix with the rights of `principal`. `other` makes the bytes that an object is
    /// overwritten with. The region's link is not asked.
    ///
    /// # Errors
    /// Where there is no such bucket, or the scratch folder fails.
    pub fn compromise(
        &self,
        principal: Principal,
        bucket: &str,
        prefix: &str,
        aim: Aim,
        mut other: impl FnMut(&ObjectMeta) -> io::Result<Body>,
    ) -> Result<Damage, Refusal> {
        let before = self.history(bucket, prefix)?;
        let mut damage = Damage::default();
        let mut written = BTreeMap::new();
        for meta in self.keys(bucket, prefix)? {
            if !principal.may(Action::Write) {
                damage.denied += 1;
                continue;
            }
            let new = self.put(bucket, &meta.key, other(&meta)?, Default::default())?;
            damage.overwritten += 1;
            written.insert(meta.key, new.version.unwrap_or_else(|| NULL_VERSION.to_owned()));
        }
        for (key, version) in &before {
            if written.get(key) == Some(version) {
                damage.deleted += 1; // the bucket keeps no versions: it is overwritten for good
                continue;
            }
            match self.destroy(principal, bucket, key, version) {
                Ok(()) => damage.deleted += 1,
                Err(Refusal::Locked(_)) => damage.held += 1,
                Err(Refusal::Forbidden(_)) => damage.denied += 1,
                Err(other) => return Err(other),
            }
        }
        if aim == Aim::Wipe && principal.may(Action::Delete) {
            for (key, version) in &written {
                match self.destroy(principal, bucket, key, version) {
                    Ok(()) | Err(Refusal::Locked(_) | Refusal::Forbidden(_)) => {}
                    Err(other) => return Err(other),
                }
            }
            for meta in self.keys(bucket, prefix)? {
                self.delete(bucket, &meta.key, None, false)?;
            }
        }
        Ok(damage)
    }

    /// Deletes a version, after whatever locks the principal may lift or bypass.
    fn destroy(&self, principal: Principal, bucket: &str, key: &str, version: &str) -> Result<(), Refusal> {
        principal.permit(Action::DeleteVersion)?;
        if principal.may(Action::Lock) && self.head(bucket, key, Some(version))?.locks.legal_hold == Some(true) {
            self.set_legal_hold(bucket, key, Some(version), false)?;
        }
        self.delete(bucket, key, Some(version), principal.may(Action::BypassGovernance)).map(drop)
    }

    /// Key and id of every version below a prefix that has bytes.
    fn history(&self, bucket: &str, prefix: &str) -> Result<Vec<(String, String)>, Refusal> {
        let query = ListQuery { max: usize::MAX, ..ListQuery::below(prefix) };
        let page = self.list_versions(bucket, &query, None)?;
        let versions = page.entries.into_iter().filter(|entry| entry.object.is_some());
        Ok(versions.map(|entry| (entry.key, entry.version)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::s3::{buckets::BucketOptions, lock::LockMode, testing::World};

    /// Two versions of `a` and one of `b` below `p/`, and one beside them.
    fn world(options: BucketOptions) -> World {
        let world = World::new(options);
        for (key, bytes) in [("p/a", "a1"), ("p/a", "a2"), ("p/b", "b1"), ("q", "q1")] {
            world.put(key, bytes.as_bytes());
        }
        world
    }

    fn strike(world: &World, principal: Principal, aim: Aim) -> Damage {
        let objects = world.objects();
        objects.compromise(principal, "b", "p/", aim, |_| objects.body(b"PAY")).unwrap()
    }

    fn damage(overwritten: u64, deleted: u64, held: u64, denied: u64) -> Damage {
        Damage { overwritten, deleted, held, denied }
    }

    #[test]
    fn a_writer_destroys_every_version_that_no_lock_holds() {
        let world = world(BucketOptions::versioned());
        let (before, text) = (world.objects().snapshot("b").unwrap(), |world: &World| {
            format!("{:?}", world.objects().snapshot("b").unwrap())
        });
        let was = text(&world);
        assert_eq!(strike(&world, Principal::Writer, Aim::Encrypt), damage(2, 3, 0, 0));
        assert_eq!(world.objects().history("b", "p/").unwrap().len(), 2, "nothing but what was written over it");
        assert_eq!((world.read("p/a", None), world.read("q", None)), (b"PAY".to_vec(), b"q1".to_vec()));
        world.objects().reinstate("b", None, &before).unwrap();
        assert_eq!(text(&world), was);
        assert_eq!(strike(&world, Principal::Writer, Aim::Wipe), damage(2, 3, 0, 0));
        assert!(world.objects().history("b", "p/").unwrap().is_empty());
    }

    #[test]
    fn a_lock_holds_against_a_writer_and_compliance_even_against_the_owner() {
        for (mode, principal, held) in [
            (LockMode::Governance, Principal::Writer, true),
            (LockMode::Governance, Principal::Owner, false),
            (LockMode::Compliance, Principal::Owner, true),
        ] {
            for aim in [Aim::Encrypt, Aim::Wipe] {
                let world = world(BucketOptions::retaining(mode, 30));
                let versions = world.objects().history("b", "p/").unwrap();
                let expected = if held { damage(2, 0, 3, 0) } else { damage(2, 3, 0, 0) };
                assert_eq!(strike(&world, principal, aim), expected, "{mode:?} {principal} {aim:?}");
                for (key, version) in &versions {
                    let read = world.objects().get("b", key, Some(version));
                    assert_eq!(read.is_ok(), held, "{mode:?} {principal} {aim:?}");
                }
                let seen = world.objects().keys("b", "p/").unwrap().len();
                assert_eq!(seen, if aim == Aim::Encrypt { 2 } else { 0 });
            }
        }
    }

    #[test]
    fn a_legal_hold_stops_a_writer_and_a_reader_can_do_nothing_at_all() {
        let world = world(BucketOptions::with_lock());
        world.objects().set_legal_hold("b", "p/b", None, true).unwrap();
        assert_eq!(strike(&world, Principal::Reader, Aim::Wipe), damage(0, 0, 0, 5));
        assert_eq!(world.read("p/a", None), b"a2");
        assert_eq!(strike(&world, Principal::Writer, Aim::Encrypt), damage(2, 2, 1, 0));
    }

    #[test]
    fn without_versions_what_is_overwritten_is_gone() {
        let world = world(BucketOptions::default());
        assert_eq!(strike(&world, Principal::Writer, Aim::Encrypt), damage(2, 2, 0, 0));
        assert_eq!(world.read("p/a", None), b"PAY");
    }
}
