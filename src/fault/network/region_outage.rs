//! Region outage: one region, or several, cannot be used. How it shows differs: refused, silent, throttled, denied, slow.

use std::time::Duration;

use crate::fault::{
    Fault, Injection, Mode, Onset, Parameter, joined, parameter,
    points::{Struck, points_at},
};
use crate::{
    emulator::{
        Site, World,
        s3::link::{LinkCounters, LinkState, StatusFault},
    },
    model::{
        event::Proof,
        scenario::FaultSpec,
        units::{Percent, Rate, Span},
    },
};

/// Entry in the catalogue.
pub(super) struct RegionOutage;

const NAME: &str = "region-outage";

impl Fault for RegionOutage {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "a region that cannot be used, or hardly"
    }

    fn modes(&self) -> &'static [Mode] {
        &[
            Mode { name: "refused", summary: "nobody listens: connections are refused" },
            Mode { name: "black-hole", summary: "connections are taken and never answered" },
            Mode { name: "slow-down", summary: "every request is answered 503 SlowDown" },
            Mode { name: "denied", summary: "every request is answered 403 AccessDenied" },
            Mode { name: "slow-link", summary: "bodies pass at `rate`, answers start after `latency`" },
        ]
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[
            Parameter { name: "rate", summary: "bytes per second of a slow link; 512 KiB/s" },
            Parameter { name: "latency", summary: "time until a slow link's answer starts; 50 ms" },
        ]
    }

    fn strikes_points(&self) -> bool {
        false
    }

    fn begins_in_fetch(&self) -> bool {
        true
    }

    fn example(&self) -> &'static str {
        "- fault: region-outage\n  mode: refused\n  regions: [us-east-1]\n  when: at-disaster\n"
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let rate = parameter::<Rate>(spec, "rate")?.unwrap_or(Rate(512 * 1024));
        let latency = parameter::<Span>(spec, "latency")?.unwrap_or(Span(50)).duration();
        let state = match spec.mode.as_str() {
            "refused" => LinkState::Refused,
            "black-hole" => LinkState::BlackHole,
            "slow-down" => LinkState::Status(StatusFault::SlowDown503),
            "denied" => LinkState::Status(StatusFault::Denied403),
            _ => LinkState::Slow { bytes_per_second: rate.0, latency },
        };
        Ok(Box::new(Outage { regions: spec.regions.clone(), state, before: vec![] }))
    }
}

struct Outage {
    regions: Vec<String>,
    state: LinkState,
    /// The sites struck, with what their links had counted and were like before.
    before: Vec<(Site, LinkCounters, LinkState)>,
}

impl Injection for Outage {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        let sites: Vec<Site> = world.sites_named(&self.regions).cloned().collect();
        let mut words = Vec::new();
        for site in &sites {
            let link = site.region.link();
            self.before.push((site.clone(), link.counters(), link.state()));
            match onset {
                Onset::Now => link.set(self.state),
                Onset::AfterShare(share) => {
                    let Some(bytes) = bytes_until(world, site, share) else {
                        self.heal(world);
                        return Err(format!("{} has no dump to be cut short", site.region.name()));
                    };
                    link.arm(bytes, self.state);
                }
            }
            words.push(site.region.name());
        }
        let begins = if onset == Onset::Now { "" } else { ", beginning in the middle of a fetch" };
        Ok(format!("{} of {}{begins}", describe(self.state), joined(&words)))
    }

    fn proof(&self, _: &World) -> Proof {
        let mut seen = Vec::new();
        let mut bit = !self.before.is_empty();
        for (site, before, _) in &self.before {
            let now = site.region.link().counters();
            let struck = match self.state {
                LinkState::Slow { .. } => now.delayed - before.delayed,
                _ => (now.refused - before.refused) + (now.hung - before.hung) + (now.rejected - before.rejected),
            };
            let struck = struck + (now.cut - before.cut);
            bit &= struck > 0;
            seen.push(format!(
                "{}: {}",
                site.region.name(),
                if struck > 0 { "requests met it" } else { "no request met it" }
            ));
        }
        Proof { bit, evidence: joined(&seen) }
    }

    fn heal(&mut self, _: &World) -> bool {
        for (site, _, state) in self.before.drain(..) {
            site.region.link().disarm();
            site.region.link().set(state);
        }
        true
    }
}

/// Bytes that a region sends until that share of its newest dump has gone: every point's manifest is read before it.
fn bytes_until(world: &World, site: &Site, share: Percent) -> Option<u64> {
    // Restores go service by service: the first one with a dump here is the one that is cut short.
    let points = world.backups_of(None).filter_map(|backups| points_at(site, &backups.layout).ok());
    let points = points.into_iter().find(|points| points.iter().any(|point| point.dump.is_some()))?;
    let objects = site.region.objects();
    let manifest = |point: &Struck| objects.head(&site.bucket, &point.manifest_key(), None).map_or(0, |m| m.size);
    let manifests: u64 = points.iter().map(manifest).sum();
    let newest = points.iter().find_map(|point| point.dump.as_ref())?;
    Some(manifests + share.of(newest.size + beside(site, points.first()?)))
}

/// Size of what a point's manifest says lies beside its dump: the files that a list of files names.
fn beside(site: &Site, point: &Struck) -> u64 {
    let manifest = site.region.objects().read_all(&site.bucket, &point.manifest_key()).unwrap_or_default();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap_or_default();
    manifest["content_bytes"].as_u64().unwrap_or(0)
}

fn describe(state: LinkState) -> String {
    match state {
        LinkState::Up => "no outage".into(),
        LinkState::Refused => "refused connections".into(),
        LinkState::BlackHole => "a black hole instead".into(),
        LinkState::Status(StatusFault::SlowDown503) => "503 SlowDown answers".into(),
        LinkState::Status(StatusFault::Denied403) => "403 AccessDenied answers".into(),
        LinkState::Status(StatusFault::Internal500) => "500 InternalError answers".into(),
        LinkState::Slow { bytes_per_second, latency } => {
            let latency = Span(Duration::as_millis(&latency) as u64);
            format!("a slow link ({}, {latency} latency)", Rate(bytes_per_second))
        }
    }
}
