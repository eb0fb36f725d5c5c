//! Mistaken deletion: somebody deletes files that everybody still wants. No write of the application, so no ledger knows of
//! it; the bucket obeys, and so does every copy that follows it.

use crate::fault::{
    Fault, Ground, Injection, Mode, Onset, Parameter, Trial, joined, only_now, parameter, points::Undo,
};
use crate::{
    emulator::{Site, World},
    model::{
        event::Proof,
        plan::ServiceKind,
        scenario::FaultSpec,
        units::{DayTime, Percent, TimeOfDay},
    },
};

/// Entry in the catalogue.
pub(super) struct MistakenDeletion;

const NAME: &str = "mistaken-deletion";

impl Fault for MistakenDeletion {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "files that somebody deletes from the source, and everybody still wants; a restore from before it needs \
         `disaster.target_time`, or the newest backup comes back without them"
    }

    fn modes(&self) -> &'static [Mode] {
        &[
            Mode { name: "share", summary: "a share of the source's files, spread over all folders (`share`)" },
            Mode { name: "everything", summary: "every file of the source" },
        ]
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[Parameter { name: "share", summary: "how many of the files; 30%" }]
    }

    fn strikes_points(&self) -> bool {
        false
    }

    fn is_for(&self, kind: ServiceKind) -> bool {
        kind == ServiceKind::Files
    }

    fn example(&self) -> &'static str {
        "- fault: mistaken-deletion\n  mode: share\n  when: { at: \"day 3 10:00\" }\n  with: { share: 30% }\n"
    }

    /// Noticed after the next backup, which lacks them: the point before it is wanted.
    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        let midnight = DayTime { day: ground.last_backup_day, time: TimeOfDay { minutes: 0 } };
        Trial::of(ground.entry(NAME, mode).everywhere().at(ground.before_last_backup())).back_to(midnight)
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let share = parameter::<Percent>(spec, "share")?.unwrap_or(Percent(30));
        let share = if spec.mode == "everything" { Percent(100) } else { share };
        if share == Percent(0) {
            return Err("parameter `share`: to delete 0% changes nothing".into());
        }
        Ok(Box::new(Deletion { service: spec.service.clone(), share, deleted: vec![], undo: Undo::default() }))
    }
}

struct Deletion {
    service: Option<String>,
    share: Percent,
    /// Where each deleted file was.
    deleted: Vec<(Site, String)>,
    undo: Undo,
}

impl Injection for Deletion {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        let meant = |name: &&String| self.service.as_ref().is_none_or(|service| service == *name);
        let sources: Vec<&Site> = world.sources.iter().filter(|(name, _)| meant(name)).map(|(_, site)| site).collect();
        let mut words = Vec::new();
        for site in sources {
            let objects = site.region.objects();
            let keys = objects.keys(&site.bucket, "").map_err(|e| e.to_string())?;
            let share = u64::from(self.share.0);
            // Every so many-th, so that each folder loses some.
            let falls = |n: &u64| (n + 1) * share / 100 > n * share / 100;
            let victims: Vec<String> =
                (0..).zip(&keys).filter(|(n, _)| falls(n)).map(|(_, object)| object.key.clone()).collect();
            for key in &victims {
                self.undo.save(site, key)?;
                objects.delete(&site.bucket, key, None, false).map_err(|e| e.to_string())?;
                self.deleted.push((site.clone(), key.clone()));
            }
            words.push(format!("{} of {} files in {}", victims.len(), keys.len(), site.bucket));
        }
        if self.deleted.is_empty() {
            return Err("no source with files is drilled".into());
        }
        Ok(format!("deleted {}", joined(&words)))
    }

    fn proof(&self, _: &World) -> Proof {
        let gone = |(site, key): &&(Site, String)| site.region.objects().head(&site.bucket, key, None).is_err();
        let (gone, whole) = (self.deleted.iter().filter(gone).count(), self.deleted.len());
        // An application that uploads a file again gets it back by itself; the others stay away.
        Proof { bit: gone > 0, evidence: format!("{gone} of {whole} deleted files are still not in the source") }
    }

    fn heal(&mut self, _: &World) -> bool {
        self.undo.heal()
    }
}
