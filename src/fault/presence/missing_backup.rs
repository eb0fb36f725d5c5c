//! Missing backup: it was made, and it is not there, or not under its name, or it is empty.

use crate::fault::{
    Fault, Ground, Injection, Mode, Onset, Parameter, Trial, joined, only_now, parameter,
    points::{Selection, Struck, Undo},
};
use crate::{
    emulator::World,
    model::{event::Proof, scenario::FaultSpec, units::Span},
};

/// Entry in the catalogue.
pub(super) struct MissingBackup;

const NAME: &str = "missing-backup";

impl Fault for MissingBackup {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "a recovery point that is not where it should be"
    }

    fn modes(&self) -> &'static [Mode] {
        &[
            Mode { name: "deleted", summary: "dump and manifest are gone, all versions of them" },
            Mode { name: "dump-deleted", summary: "the dump is gone, its manifest still promises it" },
            Mode { name: "wrong-name", summary: "dump and manifest lie under names that nobody looks for" },
            Mode { name: "empty-object", summary: "the dump is there and has 0 bytes" },
            Mode {
                name: "expired",
                summary: "a rule of the storage deletes what is older than `older_than`, good newer ones or not",
            },
        ]
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[Parameter { name: "older_than", summary: "for `expired`: the age at which a point goes; 7 days" }]
    }

    fn strikes_points(&self) -> bool {
        true
    }

    fn meets_commands(&self, _mode: &str, _on_deployments: bool) -> bool {
        true
    }

    fn example(&self) -> &'static str {
        "- fault: missing-backup\n  mode: deleted\n  regions: [us-east-1]\n  generations: all\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        let entry = ground.entry(NAME, mode);
        // The whole history of a trial is younger than a week.
        Trial::of(if mode == "expired" { entry.with("older_than", "30 min") } else { entry })
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let older_than = parameter::<Span>(spec, "older_than")?;
        if older_than.is_some() && spec.mode != "expired" {
            return Err("parameter `older_than`: only mode `expired` goes by age; remove it".into());
        }
        let how = match spec.mode.as_str() {
            "expired" => How::Expire { older_than: older_than.unwrap_or(Span::hours(7 * 24)) },
            "deleted" => How::Delete { manifest: true },
            "dump-deleted" => How::Delete { manifest: false },
            "wrong-name" => How::Rename,
            _ => How::Empty,
        };
        Ok(Box::new(Missing { selection: Selection::of(spec), how, struck: vec![], undo: Undo::default() }))
    }
}

#[derive(Debug, Clone, Copy)]
enum How {
    Delete { manifest: bool },
    Expire { older_than: Span },
    Rename,
    Empty,
}

struct Missing {
    selection: Selection,
    how: How,
    struck: Vec<Struck>,
    undo: Undo,
}

impl Injection for Missing {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        self.struck = match self.how {
            How::Expire { older_than } => expired(&self.selection, older_than, world)?,
            _ => self.selection.some_points(world)?,
        };
        for point in &self.struck {
            if let Err(why) = strike(self.how, point, &mut self.undo) {
                self.undo.heal(); // half a fault would be a fault that nobody declared
                return Err(why);
            }
        }
        let words: Vec<_> = self.struck.iter().map(Struck::words).collect();
        let did = match self.how {
            How::Delete { .. } | How::Expire { .. } => "deleted",
            How::Rename => "renamed",
            How::Empty => "emptied",
        };
        Ok(format!("{did} {}", joined(&words)))
    }

    fn proof(&self, _: &World) -> Proof {
        let gone = self.struck.iter().filter(|point| {
            let objects = point.site.region.objects();
            let found = objects.head(&point.site.bucket, &point.dump_key(), None);
            found.map_or(true, |object| object.size == 0)
        });
        let (gone, whole) = (gone.count(), self.struck.len());
        let state = if matches!(self.how, How::Empty) { "are empty" } else { "are not under their name" };
        Proof { bit: whole > 0 && gone == whole, evidence: format!("{gone} of {whole} dumps {state}") }
    }

    fn heal(&mut self, _: &World) -> bool {
        self.undo.heal()
    }
}

/// What is older than that, whatever its generation.
fn expired(selection: &Selection, older_than: Span, world: &World) -> Result<Vec<Struck>, String> {
    let now = world.clock.now();
    let is_old = |point: &Struck| {
        let age = point.point.taken_at().map(|taken| now.duration_since(taken).as_millis());
        age.is_some_and(|age| age > i128::from(older_than.millis()))
    };
    let old: Vec<Struck> = selection.all_points(world)?.into_iter().filter(is_old).collect();
    if old.is_empty() {
        return Err(format!("no recovery point is older than {older_than} at that moment in the regions meant"));
    }
    Ok(old)
}

fn strike(how: How, point: &Struck, undo: &mut Undo) -> Result<(), String> {
    let (objects, bucket) = (point.site.region.objects(), &point.site.bucket);
    let dump = point.dump_key();
    if point.dump.is_none() {
        return Err(format!("{} has no dump", point.words()));
    }
    undo.save(&point.site, &dump)?;
    match how {
        How::Empty => {
            let nothing = objects.body(&[]).map_err(|e| e.to_string())?;
            objects.replace_body(bucket, &dump, nothing).map_err(|e| e.to_string())?;
            Ok(())
        }
        How::Delete { .. } | How::Expire { .. } => {
            let also = !matches!(how, How::Delete { manifest: false });
            objects.remove_key(bucket, &dump).map_err(|e| e.to_string())?;
            for beside in point.beside().iter().filter(|_| also) {
                undo.save(&point.site, beside)?;
                objects.remove_key(bucket, beside).map_err(|e| e.to_string())?;
            }
            Ok(())
        }
        How::Rename => {
            for key in &point.keys() {
                let other = misspelled(key, point);
                undo.save(&point.site, key)?;
                undo.save(&point.site, &other)?;
                objects.rename(bucket, key, &other).map_err(|e| e.to_string())?;
            }
            Ok(())
        }
    }
}

/// A name that nobody looks for.
fn misspelled(key: &str, point: &Struck) -> String {
    if !point.is_of_others() {
        return key.replace("/backup-", "/bakcup-");
    }
    let (folder, name) = key.rsplit_once('/').map_or(("", key), |(folder, name)| (folder, name));
    let mut letters: Vec<char> = name.chars().collect();
    // Two letters the other way round, or one more where they are the same.
    match letters.as_slice() {
        [_, b, c, ..] if b != c => letters.swap(1, 2),
        _ => letters.insert(0, '_'),
    }
    let name: String = letters.into_iter().collect();
    if folder.is_empty() { name } else { format!("{folder}/{name}") }
}
