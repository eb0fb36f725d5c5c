//! Region emptied: somebody deletes everything in a region's bucket, or the account that it belonged to. No lock helps where
//! the account goes.

use std::collections::BTreeSet;

use crate::fault::{Fault, Injection, Mode, Onset, joined, only_now};
use crate::{
    emulator::{
        Site, World,
        s3::{control::BucketSnapshot, listing::ListQuery},
    },
    model::{event::Proof, scenario::FaultSpec, words},
};

/// Entry in the catalogue.
pub(super) struct RegionEmptied;

const NAME: &str = "region-emptied";

impl Fault for RegionEmptied {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "a region in which nothing is left"
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode { name: "emptied", summary: "every object of the bucket is gone, with all versions, locked or not" }]
    }

    fn strikes_points(&self) -> bool {
        false
    }

    fn needs_points(&self) -> bool {
        true
    }

    fn meets_commands(&self, _mode: &str, _on_deployments: bool) -> bool {
        true
    }

    fn example(&self) -> &'static str {
        "- fault: region-emptied\n  regions: [us-east-1]\n"
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        Ok(Box::new(Emptied { regions: spec.regions.clone(), undo: vec![] }))
    }
}

struct Emptied {
    regions: Vec<String>,
    /// The regions with what they held: its keys, and all of it.
    undo: Vec<(Site, Vec<String>, BucketSnapshot)>,
}

impl Injection for Emptied {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        for site in world.sites_named(&self.regions) {
            let (objects, bucket) = (site.region.objects(), &site.bucket);
            let query = ListQuery { max: usize::MAX, ..ListQuery::below("") };
            let held = objects.list_versions(bucket, &query, None).map_err(|e| e.to_string())?;
            let keys: BTreeSet<String> = held.entries.into_iter().map(|entry| entry.key).collect();
            let snapshot = objects.snapshot(bucket).map_err(|e| e.to_string())?;
            self.undo.push((site.clone(), keys.into_iter().collect(), snapshot));
        }
        if self.undo.iter().all(|(_, keys, _)| keys.is_empty()) {
            return Err("no region meant holds anything at that moment".into());
        }
        let mut said = Vec::new();
        for (site, keys, _) in &self.undo {
            for key in keys {
                site.region.objects().remove_key(&site.bucket, key).map_err(|e| e.to_string())?;
            }
            said.push(format!("{} in {}", words::count(keys.len() as u64, "key"), site.region.name()));
        }
        Ok(format!("removed {}", joined(&said)))
    }

    fn proof(&self, _: &World) -> Proof {
        let (mut gone, mut whole) = (0, 0);
        for (site, keys, _) in &self.undo {
            let is_gone = |key: &&String| site.region.objects().head(&site.bucket, key, None).is_err();
            gone += keys.iter().filter(is_gone).count();
            whole += keys.len();
        }
        Proof { bit: whole > 0 && gone == whole, evidence: format!("{gone} of {whole} keys are not there") }
    }

    fn heal(&mut self, _: &World) -> bool {
        let back = |(site, keys, was): (Site, Vec<String>, BucketSnapshot)| {
            site.region.objects().reinstate(&site.bucket, Some(&keys), &was).is_ok()
        };
        let failed = self.undo.drain(..).rev().map(back).filter(|done| !done).count();
        failed == 0
    }
}
