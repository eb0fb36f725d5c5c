//! Delete marker: somebody deletes backups in a bucket that keeps versions. No listing shows them any more, a read finds
//! nothing, and every byte is still there, below a marker.

use crate::fault::{
    Fault, Ground, Injection, Mode, Onset, Trial, joined, only_now,
    points::{Selection, Struck, Undo},
};
use crate::{
    emulator::{Site, World, s3::refusal::Refusal},
    model::{
        event::Proof,
        scenario::{FaultSpec, Generations},
    },
};

/// Entry in the catalogue.
pub(super) struct DeleteMarker;

const NAME: &str = "delete-marker";

impl Fault for DeleteMarker {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "a recovery point that is hidden behind delete markers, its versions still there"
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode {
            name: "hidden",
            summary: "dump and manifest are deleted as an object is, in a bucket that keeps versions",
        }]
    }

    fn strikes_points(&self) -> bool {
        true
    }

    fn meets_commands(&self, _mode: &str, _on_deployments: bool) -> bool {
        true
    }

    fn example(&self) -> &'static str {
        "- fault: delete-marker\n  generations: all\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        // Where another region shows it, nobody has to look below a marker.
        let entry = ground.entry(NAME, mode).everywhere();
        Trial::of(FaultSpec { generations: Generations::All, ..entry })
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        Ok(Box::new(Hiding { selection: Selection::of(spec), hidden: vec![], undo: Undo::default() }))
    }
}

struct Hiding {
    selection: Selection,
    /// Keys with a marker on them.
    hidden: Vec<(Site, String)>,
    undo: Undo,
}

impl Injection for Hiding {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        let points = self.selection.some_points(world)?;
        for point in &points {
            if let Err(why) = self.hide(point) {
                self.undo.heal(); // half a fault would be a fault that nobody declared
                return Err(why);
            }
        }
        let names: Vec<_> = points.iter().map(Struck::words).collect();
        Ok(format!("put delete markers on {}", joined(&names)))
    }

    fn proof(&self, _: &World) -> Proof {
        let is_hidden = |(site, key): &&(Site, String)| {
            let found = site.region.objects().head(&site.bucket, key, None);
            matches!(found, Err(Refusal::NoSuchKey { marker: Some(_), .. }))
        };
        let (hidden, whole) = (self.hidden.iter().filter(is_hidden).count(), self.hidden.len());
        let evidence = format!("{hidden} of {whole} keys are hidden behind a delete marker");
        Proof { bit: whole > 0 && hidden == whole, evidence }
    }

    fn heal(&mut self, _: &World) -> bool {
        self.undo.heal()
    }
}

impl Hiding {
    fn hide(&mut self, point: &Struck) -> Result<(), String> {
        let (objects, bucket) = (point.site.region.objects(), &point.site.bucket);
        for key in point.keys() {
            let Ok(meta) = objects.head(bucket, &key, None) else { continue };
            if meta.version.is_none() {
                return Err(format!(
                    "{} keeps no versions: to delete there is to delete for good",
                    point.site.region.name()
                ));
            }
            self.undo.save(&point.site, &key)?;
            objects.delete(bucket, &key, None, false).map_err(|e| e.to_string())?;
            self.hidden.push((point.site.clone(), key));
        }
        Ok(())
    }
}
