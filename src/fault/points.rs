//! Helpers that the faults on recovery points share: which objects a fault strikes, and putting them back.

use crate::{
    emulator::{
        Schedule, Site, World,
        s3::{control::KeyState, refusal::Refusal, version::ObjectMeta},
    },
    model::{
        naming::{KeyKind, Layout, PointName, WrittenBy},
        scenario::{FaultSpec, Generations},
    },
};

/// A recovery point in one region.
pub(super) struct Struck {
    pub(super) site: Site,
    pub(super) layout: Layout,
    pub(super) point: PointName,
    pub(super) dump: Option<ObjectMeta>,
    /// Of a point that others wrote: what else their run stored.
    pub(super) others: Vec<String>,
}

/// Objects of others that were stored further apart than this are of two runs. Seconds.
const RUNS_APART: i64 = 3_600;

/// Which points a fault strikes, as the scenario says.
#[derive(Debug, Clone)]
pub(super) struct Selection {
    service: Option<String>,
    regions: Vec<String>,
    generations: Generations,
}

impl Selection {
    pub(super) fn of(spec: &FaultSpec) -> Self {
        Selection { service: spec.service.clone(), regions: spec.regions.clone(), generations: spec.generations }
    }

    pub(super) fn sites<'w>(&'w self, world: &'w World) -> impl Iterator<Item = &'w Site> {
        world.sites_named(&self.regions)
    }

    /// Where the points of the services meant may lie: each region meant, with each layout.
    pub(super) fn places<'w>(&'w self, world: &'w World) -> impl Iterator<Item = (&'w Site, &'w Layout)> {
        let layouts = || world.backups_of(self.service.as_deref()).map(|backups| &backups.layout);
        self.sites(world).flat_map(move |site| layouts().map(move |layout| (site, layout)))
    }

    /// The schedules of the services meant.
    pub(super) fn schedules<'w>(&'w self, world: &'w World) -> impl Iterator<Item = &'w Schedule> {
        world.backups_of(self.service.as_deref()).map(|backups| &backups.schedule)
    }

    /// The points that exist now in the regions meant, newest first.
    pub(super) fn points(&self, world: &World) -> Result<Vec<Struck>, Refusal> {
        let mut struck = Vec::new();
        for (site, layout) in self.places(world) {
            struck.extend(points_at(site, layout)?.into_iter().take(self.generations.count()));
        }
        Ok(struck)
    }

    /// Every point that exists now in the regions meant, of any generation.
    pub(super) fn all_points(&self, world: &World) -> Result<Vec<Struck>, String> {
        let mut all = Vec::new();
        for (site, layout) in self.places(world) {
            all.extend(points_at(site, layout).map_err(|e| e.to_string())?);
        }
        Ok(all)
    }

    /// The same of the generations meant, or why there are none.
    pub(super) fn some_points(&self, world: &World) -> Result<Vec<Struck>, String> {
        let points = self.points(world).map_err(|e| e.to_string())?;
        if points.is_empty() {
            return Err("no recovery point exists at that moment in the regions meant".into());
        }
        Ok(points)
    }
}

/// All points of one service in one region, newest name first.
pub(super) fn points_at(site: &Site, layout: &Layout) -> Result<Vec<Struck>, Refusal> {
    if layout.written_by == WrittenBy::Others {
        return runs_at(site, layout);
    }
    let mut points: Vec<Struck> = Vec::new();
    for object in site.region.objects().keys(&site.bucket, &layout.prefix)? {
        let (point, dump) = match layout.parse(&object.key) {
            Some(KeyKind::Dump(point)) => (point, Some(object)),
            Some(KeyKind::Manifest(point)) => (point, None),
            None => continue,
        };
        match points.iter_mut().find(|struck| struck.point == point) {
            Some(struck) => struck.dump = struck.dump.take().or(dump),
            None => {
                points.push(Struck { site: site.clone(), layout: layout.clone(), point, dump, others: Vec::new() });
            }
        }
    }
    points.sort_by(|a, b| b.point.cmp(&a.point));
    Ok(points)
}

/// What each run of others stored, newest first. The largest object of a run stands for its dump.
fn runs_at(site: &Site, layout: &Layout) -> Result<Vec<Struck>, Refusal> {
    let mut objects = site.region.objects().keys(&site.bucket, &layout.prefix)?;
    objects.sort_by(|a, b| (a.modified, &a.key).cmp(&(b.modified, &b.key)));
    let mut runs: Vec<Vec<ObjectMeta>> = Vec::new();
    for object in objects {
        let before = runs.last().and_then(|run| run.last());
        let joins = before.is_some_and(|last| object.modified.duration_since(last.modified).as_secs() < RUNS_APART);
        match runs.last_mut().filter(|_| joins) {
            Some(run) => run.push(object),
            None => runs.push(vec![object]),
        }
    }
    let point = |run: Vec<ObjectMeta>| {
        let began = run.first()?.modified;
        let largest = run.iter().enumerate().max_by_key(|(_, object)| object.size)?.0;
        let others = run.iter().enumerate().filter(|(at, _)| *at != largest).map(|(_, one)| one.key.clone()).collect();
        let dump = run.into_iter().nth(largest);
        Some(Struck { site: site.clone(), layout: layout.clone(), point: PointName::at(began), dump, others })
    };
    Ok(runs.into_iter().rev().filter_map(point).collect())
}

impl Struck {
    /// Whether nothing is known of it but which objects it is.
    pub(super) fn is_of_others(&self) -> bool {
        self.layout.written_by == WrittenBy::Others
    }

    /// What lies beside its dump: its manifest, or what else a run of others stored.
    pub(super) fn beside(&self) -> Vec<String> {
        if self.is_of_others() { self.others.clone() } else { vec![self.manifest_key()] }
    }

    /// Every key of it, the dump's first.
    pub(super) fn keys(&self) -> Vec<String> {
        std::iter::once(self.dump_key()).chain(self.beside()).collect()
    }

    pub(super) fn dump_key(&self) -> String {
        match &self.dump {
            Some(dump) if self.is_of_others() => dump.key.clone(),
            _ => self.layout.dump_key(&self.point),
        }
    }

    /// Of a point of the house's own.
    pub(super) fn manifest_key(&self) -> String {
        self.layout.manifest_key(&self.point)
    }

    /// `point in region`.
    pub(super) fn words(&self) -> String {
        format!("{} in {}", self.point, self.site.region.name())
    }
}

/// Keys as they were before a fault, so that they can be put back.
#[derive(Default)]
pub(super) struct Undo {
    saved: Vec<(Site, String, KeyState)>,
}

impl Undo {
    /// Remembers a key with all its versions; also a key that does not exist yet.
    pub(super) fn save(&mut self, site: &Site, key: &str) -> Result<(), String> {
        let state = site.region.objects().key_state(&site.bucket, key).map_err(|e| e.to_string())?;
        self.saved.push((site.clone(), key.to_owned(), state));
        Ok(())
    }

    /// Puts every key back, the last one saved first. `true` when each could be.
    pub(super) fn heal(&mut self) -> bool {
        let back = |(site, key, state): (Site, String, KeyState)| {
            site.region.objects().restore_key(&site.bucket, &key, &state).is_ok()
        };
        // Every key is tried, also after one that could not be put back.
        let failed = self.saved.drain(..).rev().map(back).filter(|done| !done).count();
        failed == 0
    }
}
