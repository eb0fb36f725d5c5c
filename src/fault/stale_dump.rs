//! Stale dump: a backup is there and opens, and its data is older than everybody believes.

use super::{
    Fault, Injection, Mode, Onset, joined, only_now,
    points::{Selection, Undo, points_at},
    rewrite::sha256,
};
use crate::{
    emulator::World,
    model::{event::Proof, scenario::FaultSpec},
};

/// Entry in the catalogue.
pub(super) struct StaleDump;

const NAME: &str = "stale-dump";

impl Fault for StaleDump {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "a dump whose data is older than it seems"
    }

    fn modes(&self) -> &'static [Mode] {
        &[
            Mode { name: "schedule-stopped", summary: "no backup starts any more; nobody is told" },
            Mode {
                name: "old-content",
                summary: "the oldest point's dump and manifest lie under the newest point's name, with a fresh date",
            },
            Mode { name: "replica-behind", summary: "the newest points (`generations`) never reached these regions" },
        ]
    }

    fn strikes_points(&self) -> bool {
        true
    }

    fn example(&self) -> &'static str {
        "- fault: stale-dump\n  mode: schedule-stopped\n  when: { before-backup-of-day: 4 }\n"
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let selection = Selection::of(spec);
        Ok(match spec.mode.as_str() {
            "schedule-stopped" => Box::new(Stopped { missed_before: 0 }),
            "old-content" => Box::new(OldContent { selection, struck: vec![], undo: Undo::default() }),
            _ if spec.regions.is_empty() => return Err("mode `replica-behind` needs `regions`: the replicas".into()),
            _ => Box::new(Behind { selection, removed: vec![], undo: Undo::default() }),
        })
    }
}

struct Stopped {
    missed_before: u32,
}

impl Injection for Stopped {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        self.missed_before = world.schedule.missed();
        world.schedule.stop(true);
        Ok("stopped the backup schedule".into())
    }

    fn proof(&self, world: &World) -> Proof {
        let missed = world.schedule.missed() - self.missed_before;
        Proof { bit: missed > 0, evidence: format!("{missed} scheduled backups did not start") }
    }

    fn heal(&mut self, world: &World) -> bool {
        world.schedule.stop(false);
        true
    }
}

struct OldContent {
    selection: Selection,
    /// What now lies under a newer name: words, and whether its bytes changed.
    struck: Vec<(String, bool)>,
    undo: Undo,
}

impl Injection for OldContent {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        for site in self.selection.sites(world) {
            let points = points_at(world, site).map_err(|e| e.to_string())?;
            let (Some(newest), Some(oldest)) = (points.first(), points.last()) else { continue };
            if newest.point == oldest.point {
                continue;
            }
            let objects = site.region.objects();
            let pairs = [
                (oldest.dump_key(world), newest.dump_key(world)),
                (oldest.manifest_key(world), newest.manifest_key(world)),
            ];
            let mut changed = false;
            for (from, to) in pairs {
                let body = objects.get(&site.bucket, &from, None).map_err(|e| e.to_string())?.body;
                let was = objects.get(&site.bucket, &to, None).map_err(|e| e.to_string())?.body;
                changed |= sha256(&body)? != sha256(&was)?;
                self.undo.save(site, &to)?;
                objects.replace_body(&site.bucket, &to, body).map_err(|e| e.to_string())?;
            }
            self.struck.push((format!("{} holds {}", newest.words(), oldest.point), changed));
        }
        if self.struck.is_empty() {
            return Err("no region meant has two recovery points at that moment".into());
        }
        let words: Vec<_> = self.struck.iter().map(|(words, _)| words.as_str()).collect();
        Ok(joined(&words))
    }

    fn proof(&self, _: &World) -> Proof {
        let (whole, changed) = (self.struck.len(), self.struck.iter().filter(|(_, changed)| *changed).count());
        Proof {
            bit: whole > 0 && changed == whole,
            evidence: format!("{changed} of {whole} newest dumps have other bytes"),
        }
    }

    fn heal(&mut self, _: &World) -> bool {
        self.undo.heal()
    }
}

struct Behind {
    selection: Selection,
    removed: Vec<String>,
    undo: Undo,
}

impl Injection for Behind {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        for point in self.selection.some_points(world)? {
            for key in [point.dump_key(world), point.manifest_key(world)] {
                self.undo.save(&point.site, &key)?;
                let removed = point.site.region.objects().remove_key(&point.site.bucket, &key);
                removed.map_err(|e| e.to_string())?;
            }
            self.removed.push(point.words());
        }
        Ok(format!("never replicated: {}", joined(&self.removed)))
    }

    fn proof(&self, _: &World) -> Proof {
        let removed = self.removed.len();
        Proof { bit: removed > 0, evidence: format!("{removed} recovery points are missing in the replicas") }
    }

    fn heal(&mut self, _: &World) -> bool {
        self.undo.heal()
    }
}
