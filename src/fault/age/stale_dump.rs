//! Stale dump: a backup is there and opens, and its data is older than everybody believes.

use crate::fault::{
    Fault, Ground, Injection, Mode, Onset, Trial,
    artefact::rewrite::sha256,
    joined, only_now,
    points::{Selection, Undo, points_at},
};
use crate::{
    emulator::{Schedule, Site, World},
    model::{
        event::Proof,
        plan::ServiceKind,
        scenario::{FaultSpec, Moment},
        units::Span,
    },
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
            Mode {
                name: "schedule-stopped",
                summary: "no backup starts any more, and no change stream is copied; nobody is told",
            },
            Mode { name: "stream-stopped", summary: "the change stream is not copied any more; backups go on" },
            Mode {
                name: "old-content",
                summary: "the oldest point's dump and manifest lie under the newest point's name, with a fresh date",
            },
            Mode { name: "replica-behind", summary: "the newest points (`generations`) never reached these regions" },
        ]
    }

    fn mode_is_for(&self, mode: &str, kind: ServiceKind) -> bool {
        // Nothing else has a change stream.
        self.is_for(kind) && (mode != "stream-stopped" || kind == ServiceKind::Database)
    }

    fn strikes_points(&self) -> bool {
        true
    }

    fn meets_commands(&self, mode: &str, _on_deployments: bool) -> bool {
        mode != "stream-stopped"
    }

    fn example(&self) -> &'static str {
        "- fault: stale-dump\n  mode: schedule-stopped\n  when: { before-backup-of-day: 4 }\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        let entry = ground.entry(NAME, mode);
        match mode {
            "schedule-stopped" => Trial::of(entry.everywhere().at(ground.before_last_backup())),
            "stream-stopped" => Trial::of(entry.everywhere()).streamed(Span::minutes(30)),
            "replica-behind" => {
                let Some(replica) = ground.replicas.first() else { return Trial::of(entry) };
                // A replica counts once the primary is gone.
                let outage = ground.entry("region-outage", "refused").at(Moment::AtDisaster);
                Trial::of(FaultSpec { regions: vec![replica.clone()], ..entry }).after(outage)
            }
            _ => Trial::of(entry),
        }
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let selection = Selection::of(spec);
        Ok(match spec.mode.as_str() {
            "schedule-stopped" if matches!(spec.when, Moment::AfterLastBackup | Moment::AtDisaster) => {
                return Err("mode `schedule-stopped` stops nothing after the last backup; write \
                            `when: { before-backup-of-day: N }`"
                    .into());
            }
            "schedule-stopped" => Box::new(Stopped { selection, backups_too: true, missed_before: (0, 0) }),
            "stream-stopped" => Box::new(Stopped { selection, backups_too: false, missed_before: (0, 0) }),
            "old-content" => Box::new(OldContent { selection, struck: vec![], undo: Undo::default() }),
            _ if spec.regions.is_empty() => return Err("mode `replica-behind` needs `regions`: the replicas".into()),
            _ => Box::new(Behind { selection, removed: vec![], undo: Undo::default() }),
        })
    }
}

struct Stopped {
    selection: Selection,
    /// Whether backups stop as well, and not the change stream alone.
    backups_too: bool,
    missed_before: (u32, u32),
}

impl Stopped {
    /// Backups and pieces of the stream that did not start so far.
    fn missed(&self, world: &World) -> (u32, u32) {
        let of = |schedule: &Schedule| (schedule.missed(), schedule.pieces_missed());
        self.selection.schedules(world).map(of).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    }

    fn stop(&self, world: &World, stopped: bool) {
        for schedule in self.selection.schedules(world) {
            schedule.stop_stream(stopped);
            if self.backups_too {
                schedule.stop(stopped);
            }
        }
    }
}

impl Injection for Stopped {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        self.missed_before = self.missed(world);
        self.stop(world, true);
        Ok(format!("stopped the {}", if self.backups_too { "backup schedule" } else { "change stream" }))
    }

    fn proof(&self, world: &World) -> Proof {
        let (backups, pieces) = self.missed(world);
        let (backups, pieces) = (backups - self.missed_before.0, pieces - self.missed_before.1);
        let mut said = Vec::new();
        if self.backups_too {
            said.push(format!("{backups} scheduled backups did not start"));
        }
        if pieces > 0 || !self.backups_too {
            said.push(format!("{pieces} pieces of the change stream were not copied"));
        }
        let bit = if self.backups_too { backups > 0 } else { pieces > 0 };
        Proof { bit, evidence: said.join(", ") }
    }

    fn heal(&mut self, world: &World) -> bool {
        self.stop(world, false);
        true
    }
}

struct OldContent {
    selection: Selection,
    struck: Vec<Renamed>,
    undo: Undo,
}

/// A newest dump that holds the oldest one's bytes.
struct Renamed {
    site: Site,
    key: String,
    words: String,
    /// SHA-256 before and after.
    before: String,
    after: String,
}

impl Renamed {
    /// Whether the old bytes are still there.
    fn shows(&self) -> bool {
        let now = self.site.region.objects().get(&self.site.bucket, &self.key, None);
        let now = now.ok().and_then(|object| sha256(&object.body).ok());
        self.before != self.after && now.as_ref() == Some(&self.after)
    }
}

impl Injection for OldContent {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        for (site, layout) in self.selection.places(world) {
            let points = points_at(site, layout).map_err(|e| e.to_string())?;
            let (Some(newest), Some(oldest)) = (points.first(), points.last()) else { continue };
            if newest.point == oldest.point {
                continue;
            }
            let objects = site.region.objects();
            let mut pairs = vec![(oldest.dump_key(), newest.dump_key())];
            if !newest.is_of_others() {
                pairs.push((oldest.manifest_key(), newest.manifest_key()));
            }
            let key = newest.dump_key();
            let before = digest(site, &key)?;
            for (from, to) in pairs {
                let body = objects.get(&site.bucket, &from, None).map_err(|e| e.to_string())?.body;
                self.undo.save(site, &to)?;
                objects.replace_body(&site.bucket, &to, body).map_err(|e| e.to_string())?;
            }
            let (after, words) = (digest(site, &key)?, format!("{} holds {}", newest.words(), oldest.point));
            self.struck.push(Renamed { site: site.clone(), key, words, before, after });
        }
        if self.struck.is_empty() {
            return Err("no region meant has two recovery points at that moment".into());
        }
        let words: Vec<_> = self.struck.iter().map(|renamed| renamed.words.as_str()).collect();
        Ok(joined(&words))
    }

    fn proof(&self, _: &World) -> Proof {
        let (whole, changed) = (self.struck.len(), self.struck.iter().filter(|renamed| renamed.shows()).count());
        Proof {
            bit: whole > 0 && changed == whole,
            evidence: format!("{changed} of {whole} newest dumps have other bytes"),
        }
    }

    fn heal(&mut self, _: &World) -> bool {
        self.undo.heal()
    }
}

fn digest(site: &Site, key: &str) -> Result<String, String> {
    let object = site.region.objects().get(&site.bucket, key, None).map_err(|e| e.to_string())?;
    sha256(&object.body)
}

struct Behind {
    selection: Selection,
    /// What was removed: words, and where it was.
    removed: Vec<(String, Site, String)>,
    undo: Undo,
}

impl Injection for Behind {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        for point in self.selection.some_points(world)? {
            for key in point.keys() {
                self.undo.save(&point.site, &key)?;
                let removed = point.site.region.objects().remove_key(&point.site.bucket, &key);
                removed.map_err(|e| e.to_string())?;
            }
            self.removed.push((point.words(), point.site.clone(), point.dump_key()));
        }
        let words: Vec<_> = self.removed.iter().map(|(words, ..)| words.as_str()).collect();
        Ok(format!("never replicated: {}", joined(&words)))
    }

    fn proof(&self, _: &World) -> Proof {
        let lacks =
            |(_, site, key): &&(String, Site, String)| site.region.objects().head(&site.bucket, key, None).is_err();
        let (missing, whole) = (self.removed.iter().filter(lacks).count(), self.removed.len());
        let evidence = format!("{missing} of {whole} recovery points are missing in the replicas");
        Proof { bit: whole > 0 && missing == whole, evidence }
    }

    fn heal(&mut self, _: &World) -> bool {
        self.undo.heal()
    }
}
