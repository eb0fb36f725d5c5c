//! What most network faults come down to: a condition is laid on the links of the regions meant, proves itself by its
//! own counters, and is taken away again.

use crate::{
    emulator::{
        Site, World,
        link::{Begins, LayerId, LinkState},
    },
    fault::{
        Injection, Onset, joined,
        points::{Struck, points_at},
    },
    model::{event::Proof, scenario::FaultSpec, units::Percent},
};

/// A condition of links.
pub(super) struct Condition {
    regions: Vec<String>,
    state: LinkState,
    begins: Begins,
    words: String,
    met: &'static str,
    /// What was laid, and where.
    laid: Vec<(Site, LayerId)>,
}

impl Condition {
    /// On the regions that the entry names. `words` say what it is, in front of `of us-east-1`; `met` who meets it.
    pub(super) fn of(spec: &FaultSpec, state: LinkState, words: impl Into<String>, met: &'static str) -> Self {
        let (regions, laid) = (spec.regions.clone(), Vec::new());
        Condition { regions, state, begins: Begins::Now, words: words.into(), met, laid }
    }

    /// The same, beginning later.
    pub(super) fn beginning(self, begins: Begins) -> Self {
        Condition { begins, ..self }
    }

    /// When it begins at a site. `None` where there is no dump to be sent.
    fn begins_at(&self, world: &World, site: &Site, onset: Onset) -> Option<Begins> {
        match onset {
            Onset::Now => Some(self.begins),
            Onset::AfterShare(share) => bytes_until(world, site, share).map(Begins::AfterBytes),
        }
    }
}

impl Injection for Condition {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        let sites: Vec<Site> = world.sites_named(&self.regions).cloned().collect();
        let mut begins = Vec::new();
        for site in &sites {
            let at = self.begins_at(world, site, onset);
            begins.push(at.ok_or_else(|| format!("{} has no dump to be cut short", site.region.name()))?);
        }
        let mut names = Vec::new();
        for (site, begins) in sites.into_iter().zip(begins) {
            names.push(site.region.name().to_owned());
            let id = site.region.link().lay(self.state, begins);
            self.laid.push((site, id));
        }
        let later = if onset == Onset::Now { "" } else { ", beginning in the middle of a fetch" };
        Ok(format!("{} of {}{later}", self.words, joined(&names)))
    }

    fn proof(&self, _: &World) -> Proof {
        let mut seen = Vec::new();
        let mut bit = !self.laid.is_empty();
        for (site, id) in &self.laid {
            let struck = site.region.link().struck(*id).has_struck();
            bit &= struck;
            let (name, met) = (site.region.name(), self.met);
            seen.push(if struck { format!("{name}: {met} met it") } else { format!("{name}: {NOTHING} met it") });
        }
        Proof { bit, evidence: joined(&seen) }
    }

    fn heal(&mut self, _: &World) -> bool {
        for (site, id) in self.laid.drain(..) {
            site.region.link().lift(id);
        }
        true
    }
}

const NOTHING: &str = "no request";

/// Bytes that a region sends until that share of its newest dump has gone: every point's manifest is read before it.
fn bytes_until(world: &World, site: &Site, share: Percent) -> Option<u64> {
    // Restores go service by service: the first one with a dump here is the one that is cut short.
    let points = world.backups_of(None).filter_map(|backups| points_at(site, &backups.layout).ok());
    let points = points.into_iter().find(|points| points.iter().any(|point| point.dump.is_some()))?;
    let objects = site.region.objects();
    let manifest = |point: &Struck| objects.head(&site.bucket, &point.manifest_key(), None).map_or(0, |m| m.size);
    // In what order others read is not known: their dump comes first.
    let manifests: u64 = points.iter().filter(|point| !point.is_of_others()).map(manifest).sum();
    let newest = points.iter().find_map(|point| point.dump.as_ref())?;
    Some(manifests + share.of(newest.size + beside(site, points.first()?)))
}

/// Size of what a point's manifest says lies beside its dump: the files that a list of files names.
fn beside(site: &Site, point: &Struck) -> u64 {
    if point.is_of_others() {
        return 0;
    }
    let manifest = site.region.objects().read_all(&site.bucket, &point.manifest_key()).unwrap_or_default();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap_or_default();
    manifest["content_bytes"].as_u64().unwrap_or(0)
}
