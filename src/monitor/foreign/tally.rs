//! What a merged listing comes to: for each region its newest backups with their sizes, for each replica what it lacks of
//! the primary. Sums and one example of each; nothing grows with the number of objects.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::generation::{Generation, generation, is_marker};
use crate::{model::plan::ServiceKind, monitor::Amiss, store::ObjectInfo};

/// Backups of a region that are kept in mind; of more, those written last.
const MOST: usize = 64;

/// How keys are read and what of them a replica must have.
pub(super) struct Rules<'r> {
    pub(super) kind: ServiceKind,
    pub(super) prefix: &'r str,
    pub(super) now: Timestamp,
    /// How long a replica may lack something.
    pub(super) grace: SignedDuration,
    /// How long a backup that has a date is kept anywhere.
    pub(super) retention: SignedDuration,
}

/// All objects of one backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) objects: u64,
    pub(super) bytes: u64,
    /// The object written last, and when.
    pub(super) newest: String,
    pub(super) modified: Timestamp,
}

/// A region's backups.
#[derive(Debug, Default)]
pub(super) struct Tally {
    generations: BTreeMap<Generation, Sum>,
}

/// What a replica has of what the primary has.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    /// Objects that it must have by now.
    pub(super) due: u64,
    pub(super) missing: Amiss,
    pub(super) other_size: Amiss,
    /// Objects of one size whose ETags say that they have the same bytes, and that they have not.
    pub(super) same_etag: u64,
    pub(super) other_etag: Amiss,
    /// What the primary lacks.
    pub(super) more: Amiss,
}

impl Tally {
    fn add(&mut self, backup: Generation, object: &ObjectInfo, key: &str) {
        let sum = self.generations.entry(backup).or_insert_with(|| Sum {
            objects: 0,
            bytes: 0,
            newest: key.to_owned(),
            modified: object.modified,
        });
        sum.objects += 1;
        sum.bytes += object.size;
        if sum.modified <= object.modified {
            (sum.newest, sum.modified) = (key.to_owned(), object.modified);
        }
        if self.generations.len() > MOST {
            let oldest = self.generations.iter().min_by_key(|(_, sum)| sum.modified).map(|(backup, _)| backup.clone());
            oldest.map(|oldest| self.generations.remove(&oldest));
        }
    }

    /// The backup that was written last, and the one before it.
    pub(super) fn newest(&self) -> (Option<(&Generation, &Sum)>, Option<&Sum>) {
        let mut all: Vec<(&Generation, &Sum)> = self.generations.iter().collect();
        all.sort_by_key(|(backup, sum)| (sum.modified, *backup));
        let newest = all.pop();
        (newest, all.pop().map(|(_, sum)| sum))
    }
}

/// Regions side by side, the primary first.
pub(super) struct Sheet<'r> {
    rules: Rules<'r>,
    pub(super) tallies: Vec<Tally>,
    /// Of each region; nothing is said of the primary.
    pub(super) comparisons: Vec<Comparison>,
}

impl<'r> Sheet<'r> {
    pub(super) fn new(rules: Rules<'r>, regions: usize) -> Self {
        let tallies = (0..regions).map(|_| Tally::default()).collect();
        let comparisons = (0..regions).map(|_| Comparison::default()).collect();
        Sheet { rules, tallies, comparisons }
    }

    /// A key, and what each region says of it.
    pub(super) fn row(&mut self, key: &str, found: &[Option<ObjectInfo>]) {
        let key = key.strip_prefix(self.rules.prefix).unwrap_or(key);
        if found.iter().flatten().all(|object| is_marker(key, object.size)) {
            return;
        }
        let backup = generation(self.rules.kind, key);
        if let Some(backup) = &backup {
            for (tally, object) in self.tallies.iter_mut().zip(found) {
                if let Some(object) = object {
                    tally.add(backup.clone(), object, key);
                }
            }
        }
        let is_dated = backup.is_some_and(|backup| backup.is_dated);
        let [primary, replicas @ ..] = found else { return };
        for (comparison, replica) in self.comparisons[1..].iter_mut().zip(replicas) {
            self.rules.compare(comparison, key, is_dated, primary.as_ref(), replica.as_ref());
        }
    }
}

impl Rules<'_> {
    fn compare(
        &self,
        sum: &mut Comparison,
        key: &str,
        is_dated: bool,
        primary: Option<&ObjectInfo>,
        replica: Option<&ObjectInfo>,
    ) {
        let age = |object: &ObjectInfo| self.now.duration_since(object.modified);
        // What is older than anybody promises to keep may be gone in one place before it is in another.
        let is_kept = |object: &ObjectInfo| !is_dated || age(object) <= self.retention;
        match (primary, replica) {
            (Some(primary), _) if age(primary) <= self.grace || !is_kept(primary) => {}
            (Some(_), None) => {
                sum.due += 1;
                sum.missing.note(|| key.to_owned());
            }
            (Some(primary), Some(replica)) => {
                sum.due += 1;
                if primary.size != replica.size {
                    let sizes = || format!("{key} with {} B for {} B", replica.size, primary.size);
                    sum.other_size.note(sizes);
                } else if let (Some(a), Some(b)) = (md5_of(primary), md5_of(replica)) {
                    if a == b { sum.same_etag += 1 } else { sum.other_etag.note(|| key.to_owned()) }
                }
            }
            (None, Some(replica)) if is_kept(replica) => sum.more.note(|| key.to_owned()),
            (None, _) => {}
        }
    }
}

/// The MD5 that an ETag is, where the object was written in one part and its region does not encrypt it with a key of its
/// own: then it is something that merely looks so.
pub(super) fn md5_of(object: &ObjectInfo) -> Option<&str> {
    object.etag.as_deref().filter(|etag| etag.len() == 32 && etag.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
