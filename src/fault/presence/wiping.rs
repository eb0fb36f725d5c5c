//! What the faults share that delete versions for good, with no more rights than the backup job has: locks hold.

use std::collections::BTreeSet;

use crate::fault::points::Undo;
use crate::{
    emulator::{
        Site,
        s3::{
            listing::{ListQuery, VersionEntry},
            refusal::Refusal,
            rights::{Action, Principal},
        },
    },
    model::{event::Proof, words},
};

/// Versions that were deleted, and those that a lock held.
#[derive(Default)]
pub(super) struct Wiping {
    deleted: Vec<(Site, String, String)>,
    held: u64,
    undo: Undo,
}

impl Wiping {
    /// Deletes every version and delete marker below a prefix that is meant.
    pub(super) fn wipe(
        &mut self,
        site: &Site,
        prefix: &str,
        is_meant: impl Fn(&VersionEntry) -> bool,
    ) -> Result<(), String> {
        let (objects, bucket) = (site.region.objects(), &site.bucket);
        Principal::Writer.permit(Action::DeleteVersion).map_err(|e| e.to_string())?;
        let query = ListQuery { max: usize::MAX, ..ListQuery::below(prefix) };
        let page = objects.list_versions(bucket, &query, None).map_err(|e| e.to_string())?;
        let meant: Vec<VersionEntry> = page.entries.into_iter().filter(is_meant).collect();
        for key in meant.iter().map(|entry| &entry.key).collect::<BTreeSet<_>>() {
            self.undo.save(site, key)?;
        }
        for VersionEntry { key, version, .. } in meant {
            match objects.delete(bucket, &key, Some(&version), false) {
                Ok(_) => self.deleted.push((site.clone(), key, version)),
                Err(Refusal::Locked(_)) => self.held += 1,
                Err(other) => return Err(other.to_string()),
            }
        }
        Ok(())
    }

    /// Whether nothing was there to be deleted.
    pub(super) fn found_nothing(&self) -> bool {
        self.deleted.is_empty() && self.held == 0
    }

    /// It as people read it.
    pub(super) fn words(&self) -> String {
        let deleted = words::count(self.deleted.len() as u64, "version");
        format!("{deleted} deleted for good, {} held by an object lock", self.held)
    }

    pub(super) fn proof(&self) -> Proof {
        let is_gone = |(site, key, version): &&(Site, String, String)| {
            site.region.objects().head(&site.bucket, key, Some(version)).is_err()
        };
        let (gone, whole) = (self.deleted.iter().filter(is_gone).count(), self.deleted.len());
        let evidence = format!("{gone} of {whole} deleted versions are gone, {} held by an object lock", self.held);
        Proof { bit: whole > 0 && gone == whole, evidence }
    }

    pub(super) fn heal(&mut self) -> bool {
        self.undo.heal()
    }
}
