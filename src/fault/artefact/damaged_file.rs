//! Damaged file: a generation's list is whole, and a file that it names is not. Strikes the contents beside the list.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::BufRead,
};

use super::rewrite::{Damage, damaged, inflate, sha256};
use crate::fault::{
    Fault, Injection, Mode, Onset, Parameter, joined, only_now, parameter,
    points::{Selection, Struck, Undo, points_at},
};
use crate::{
    emulator::{Site, World},
    model::{event::Proof, plan::ServiceKind, scenario::FaultSpec, units::Percent},
};

/// Entry in the catalogue.
pub(super) struct DamagedFile;

const NAME: &str = "damaged-file";

impl Fault for DamagedFile {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "a file of a generation that is not what its list says"
    }

    fn modes(&self) -> &'static [Mode] {
        &[
            Mode { name: "bit-flip", summary: "one bit of the stored file is flipped" },
            Mode { name: "truncated", summary: "only the first half of the stored file is kept" },
            Mode { name: "missing", summary: "the stored file is gone, all versions of it" },
        ]
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[Parameter {
            name: "files",
            summary: "how many files; 1. Files that older generations have not come first: there they can be got back",
        }]
    }

    fn strikes_points(&self) -> bool {
        true
    }

    fn is_for(&self, kind: ServiceKind) -> bool {
        kind == ServiceKind::Files
    }

    fn example(&self) -> &'static str {
        "- fault: damaged-file\n  mode: bit-flip\n  regions: [us-east-1]\n  with: { files: 3 }\n"
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let files = parameter::<usize>(spec, "files")?.unwrap_or(1);
        if files == 0 {
            return Err("parameter `files`: to damage no file changes nothing".into());
        }
        let damage = match spec.mode.as_str() {
            "bit-flip" => Some(Damage::FlipBit),
            "truncated" => Some(Damage::Keep(Percent(50))),
            _ => None,
        };
        let selection = Selection::of(spec);
        Ok(Box::new(Files { selection, damage, files, struck: vec![], undo: Undo::default() }))
    }
}

struct Files {
    selection: Selection,
    /// `None` removes them.
    damage: Option<Damage>,
    files: usize,
    /// Where each struck content was, and its SHA-256: its name.
    struck: Vec<(Site, String, String)>,
    undo: Undo,
}

impl Injection for Files {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        let mut names = Vec::new();
        for (site, contents) in self.victims(world)? {
            for (key, digest, name) in contents {
                if let Err(why) = self.strike(&site, &key, &digest) {
                    self.undo.heal(); // half a fault would be a fault that nobody declared
                    return Err(why);
                }
                names.push(format!("{name} in {}", site.region.name()));
            }
        }
        let did = if self.damage.is_some() { "damaged" } else { "removed" };
        Ok(format!("{did} {}", joined(&names)))
    }

    fn proof(&self, _: &World) -> Proof {
        let shows = |(site, key, digest): &&(Site, String, String)| {
            let now = site.region.objects().get(&site.bucket, key, None).ok();
            now.and_then(|object| sha256(&object.body).ok()).as_ref() != Some(digest)
        };
        let (bad, whole) = (self.struck.iter().filter(shows).count(), self.struck.len());
        Proof {
            bit: whole > 0 && bad == whole,
            evidence: format!("{bad} of {whole} stored files are not what they were"),
        }
    }

    fn heal(&mut self, _: &World) -> bool {
        self.undo.heal()
    }
}

/// Key, digest and name of contents.
type Contents = Vec<(String, String, String)>;

impl Files {
    /// The contents to strike, by site: of the generations meant, those first that no older generation names.
    fn victims(&self, world: &World) -> Result<Vec<(Site, Contents)>, String> {
        let struck = self.selection.some_points(world)?;
        let mut by_site: BTreeMap<String, Vec<&Struck>> = BTreeMap::new();
        for point in &struck {
            by_site.entry(point.site.region.name().to_owned()).or_default().push(point);
        }
        let mut all = Vec::new();
        for site in self.selection.sites(world) {
            let Some(points) = by_site.get(site.region.name()) else { continue };
            let mut meant: BTreeMap<String, (String, String)> = BTreeMap::new();
            let mut older = BTreeSet::new();
            for layout in points.iter().map(|point| &point.layout) {
                for point in points_at(site, layout).map_err(|e| e.to_string())? {
                    let is_meant = points.iter().any(|one| one.point == point.point && one.layout == point.layout);
                    for (digest, name) in listed(&point)? {
                        let key = layout.content_key(&digest);
                        if is_meant {
                            meant.insert(key, (digest, name));
                        } else {
                            older.insert(key);
                        }
                    }
                }
            }
            let mut chosen: Vec<_> = meant.into_iter().map(|(key, (digest, name))| (key, digest, name)).collect();
            chosen.sort_by_key(|(key, _, name)| (older.contains(key), name.clone()));
            chosen.truncate(self.files);
            all.push((site.clone(), chosen));
        }
        match all.iter().any(|(_, contents)| !contents.is_empty()) {
            true => Ok(all),
            false => Err("no generation of files exists at that moment in the regions meant".into()),
        }
    }

    fn strike(&mut self, site: &Site, key: &str, digest: &str) -> Result<(), String> {
        let (objects, bucket) = (site.region.objects(), &site.bucket);
        let body = objects.get(bucket, key, None).map_err(|e| e.to_string())?.body;
        self.undo.save(site, key)?;
        match self.damage {
            Some(damage) => {
                let other = damaged(&body, damage, objects.writer())?;
                objects.replace_body(bucket, key, other).map_err(|e| e.to_string())?;
            }
            None => {
                objects.remove_key(bucket, key).map_err(|e| e.to_string())?;
            }
        }
        self.struck.push((site.clone(), key.to_owned(), digest.to_owned()));
        Ok(())
    }
}

/// Digest and name of every file that a generation's list names.
fn listed(point: &Struck) -> Result<Vec<(String, String)>, String> {
    #[derive(serde::Deserialize)]
    struct Row {
        #[serde(rename = "_id")]
        name: String,
        sha256: String,
    }
    let object = point.site.region.objects().get(&point.site.bucket, &point.dump_key(), None);
    let Ok(object) = object else { return Ok(Vec::new()) };
    let unread = |e: std::io::Error| format!("the list of {} cannot be read: {e}", point.words());
    let mut files = Vec::new();
    for line in inflate(&object.body).lines() {
        // Rows of other services' dumps are no files.
        if let Ok(Row { name, sha256 }) = serde_json::from_str(&line.map_err(unread)?) {
            files.push((sha256, name));
        }
    }
    Ok(files)
}
