//! Replica never written: the plan has a region, and no backup ever came there: replication was never switched on, or went
//! to another bucket. Nobody sees it until the primary is gone.

use crate::fault::{
    Fault, Ground, Injection, Mode, Onset, Trial, joined, only_now,
    points::{Selection, Undo},
};
use crate::{
    emulator::{Site, World},
    model::{
        event::Proof,
        scenario::{FaultSpec, Moment},
        words,
    },
};

/// Entry in the catalogue.
pub(super) struct ReplicaNeverWritten;

const NAME: &str = "replica-never-written";

impl Fault for ReplicaNeverWritten {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "a region of the plan that no backup ever reached"
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode { name: "never", summary: "nothing of the service is there, as if nothing had ever been written" }]
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
        "- fault: replica-never-written\n  regions: [eu-west-1]\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        let entry = ground.entry(NAME, mode);
        let Some(replica) = ground.replicas.first() else { return Trial::of(entry) };
        // A replica counts once the primary is gone.
        let outage = ground.entry("region-outage", "refused").at(Moment::AtDisaster);
        Trial::of(FaultSpec { regions: vec![replica.clone()], ..entry }).after(outage)
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        if spec.regions.is_empty() {
            return Err(format!("fault `{NAME}` needs `regions`: the replicas"));
        }
        Ok(Box::new(Never { selection: Selection::of(spec), removed: vec![], undo: Undo::default() }))
    }
}

struct Never {
    selection: Selection,
    removed: Vec<(Site, String)>,
    undo: Undo,
}

impl Injection for Never {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        let mut said = Vec::new();
        for (site, layout) in self.selection.places(world) {
            let (objects, bucket) = (site.region.objects(), &site.bucket);
            let keys = objects.keys(bucket, &layout.prefix).map_err(|e| e.to_string())?;
            for object in &keys {
                self.undo.save(site, &object.key)?;
                objects.remove_key(bucket, &object.key).map_err(|e| e.to_string())?;
                self.removed.push((site.clone(), object.key.clone()));
            }
            let count = words::count(keys.len() as u64, "object");
            said.push(format!("{count} below {} in {}", layout.prefix, site.region.name()));
        }
        match self.removed.is_empty() {
            true => Err("the regions meant hold no backup at that moment".into()),
            false => Ok(format!("never written: {}", joined(&said))),
        }
    }

    fn proof(&self, _: &World) -> Proof {
        let lacks = |(site, key): &&(Site, String)| site.region.objects().head(&site.bucket, key, None).is_err();
        let (missing, whole) = (self.removed.iter().filter(lacks).count(), self.removed.len());
        let evidence = format!("{missing} of {whole} objects are missing in the replicas");
        Proof { bit: whole > 0 && missing == whole, evidence }
    }

    fn heal(&mut self, _: &World) -> bool {
        self.undo.heal()
    }
}
