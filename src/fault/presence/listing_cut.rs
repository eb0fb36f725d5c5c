//! Listing cut: a region's listing ends after its first page and says that it is whole. Keys come in their order, so what
//! is missing are the newest backups.

use crate::fault::{Fault, Ground, Injection, Mode, Onset, Parameter, Trial, joined, only_now, parameter};
use crate::{
    emulator::{Site, World},
    model::{event::Proof, scenario::FaultSpec, words},
};

/// Entry in the catalogue.
pub(super) struct ListingCut;

const NAME: &str = "listing-cut";

impl Fault for ListingCut {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "a region whose listings end after their first page and do not say so"
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode {
            name: "first-page",
            summary: "listings of objects and versions end after `keys` entries, and say that nothing follows",
        }]
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[Parameter { name: "keys", summary: "entries of the one page, 1 to 1000; 4: the two oldest recovery points" }]
    }

    fn strikes_points(&self) -> bool {
        false
    }

    fn example(&self) -> &'static str {
        "- fault: listing-cut\n  regions: [us-east-1]\n  with: { keys: 1000 }\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        let entry = ground.entry(NAME, mode);
        // What is backed up once a week or more seldom has two points.
        Trial::of(if ground.points < 3 { entry.with("keys", 2) } else { entry })
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let keys = parameter::<usize>(spec, "keys")?.unwrap_or(4);
        if !(1..=1000).contains(&keys) {
            return Err("parameter `keys`: a page has 1 to 1000 entries".into());
        }
        Ok(Box::new(Cut { regions: spec.regions.clone(), keys, before: vec![] }))
    }
}

struct Cut {
    regions: Vec<String>,
    keys: usize,
    /// The sites struck, where their listings ended before, and how many were cut so far.
    before: Vec<(Site, Option<usize>, u64)>,
}

impl Injection for Cut {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        for site in world.sites_named(&self.regions) {
            let objects = site.region.objects();
            self.before.push((site.clone(), objects.listings_end_after(), objects.listings_cut()));
            objects.cut_listings(Some(self.keys));
        }
        let names: Vec<_> = self.before.iter().map(|(site, ..)| site.region.name()).collect();
        Ok(format!("listings of {} end after {}", joined(&names), words::count(self.keys as u64, "entry")))
    }

    fn proof(&self, _: &World) -> Proof {
        let cut = |(site, _, before): &(Site, Option<usize>, u64)| site.region.objects().listings_cut() - before;
        let seen: Vec<_> = self
            .before
            .iter()
            .map(|one| format!("{}: {} cut", one.0.region.name(), words::count(cut(one), "listing")))
            .collect();
        Proof { bit: !self.before.is_empty() && self.before.iter().all(|one| cut(one) > 0), evidence: joined(&seen) }
    }

    fn heal(&mut self, _: &World) -> bool {
        for (site, was, _) in self.before.drain(..).rev() {
            site.region.objects().cut_listings(was);
        }
        true
    }
}
