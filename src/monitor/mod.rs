//! Backup monitoring as the plan describes it: at each look the newest backup of every region is asked for, and what
//! the plan's limits forbid raises an alarm. It sees what a monitor sees (names, sizes, dates, the manifest), never the
//! rows.

use futures_util::{StreamExt, future::join_all};
use jiff::{SignedDuration, Timestamp};

use crate::{
    archive::{MAX_MANIFEST_BYTES, Manifest},
    model::{
        event::AlarmKind,
        naming::{KeyKind, Layout, PointName},
        plan::MonitorPlan,
        units::{ByteSize, Span},
    },
    store::{ObjectInfo, SharedStore, Store},
};

/// A monitor. It has no memory: each look says all that it sees, as the scripts do that teams have.
pub struct Monitor {
    stores: Vec<SharedStore>,
    layout: Layout,
    limits: MonitorPlan,
    /// How many bytes one byte stands for.
    scale: u64,
    /// Whether a backup's size is what its manifest says lies beside the dump, not the dump's own.
    by_manifest: bool,
}

/// An alarm as the monitor sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// What sort.
    pub kind: AlarmKind,
    /// Region that it speaks of.
    pub region: String,
    /// What was seen, with the limit.
    pub detail: String,
    /// Size in bytes of the dump that was looked at, where that is what it is about.
    pub size: Option<u64>,
    /// Whether a backup that was due is missing.
    pub overdue: bool,
}

/// The newest dump of a region.
struct Newest {
    point: PointName,
    object: ObjectInfo,
}

impl Monitor {
    /// A monitor of these regions, the primary first, in a world where one byte stands for `scale`.
    pub fn new(stores: Vec<SharedStore>, layout: Layout, limits: MonitorPlan, scale: u64) -> Self {
        Monitor { stores, layout, limits, scale, by_manifest: false }
    }

    /// The same over generations of files, whose contents lie beside the list that stands for them.
    #[must_use]
    pub fn of_generations(self) -> Self {
        Monitor { by_manifest: true, ..self }
    }

    /// Time between two looks.
    pub fn interval(&self) -> Span {
        self.limits.check_every
    }

    /// Looks once. `due` is when the newest backup should have been made; `None` before the first is due.
    pub async fn look(&self, now: Timestamp, due: Option<Timestamp>) -> Vec<Sighting> {
        let lists = join_all(self.stores.iter().map(|store| store.list(&self.layout.prefix))).await;
        let mut seen = Vec::new();
        let mut newest = Vec::new();
        for (store, list) in self.stores.iter().zip(lists) {
            match list {
                Ok(objects) => newest.push((store.clone(), self.newest_of(objects))),
                Err(e) => seen.push(sighting(AlarmKind::Unreachable, &**store, e.kind.to_string(), None)),
            }
        }
        if let Some(due) = due {
            self.look_at_each(now, due, &newest, &mut seen).await;
        }
        seen
    }

    async fn look_at_each(
        &self,
        now: Timestamp,
        due: Timestamp,
        newest: &[(SharedStore, Option<Newest>)],
        seen: &mut Vec<Sighting>,
    ) {
        let leader = newest.iter().filter_map(|(_, newest)| newest.as_ref().map(|n| n.point.clone())).max();
        for (at, (store, newest)) in newest.iter().enumerate() {
            let is_primary = at == 0 && self.stores.first().is_some_and(|s| s.region() == store.region());
            match newest {
                Some(newest) if is_primary => self.look_at_primary(now, due, &**store, newest, seen).await,
                None if is_primary => {
                    seen.push(sighting(AlarmKind::Missing, &**store, "there is no backup at all".into(), None));
                }
                replica => {
                    let newest = replica.as_ref().map(|n| &n.point);
                    if newest < leader.as_ref() {
                        let has = newest.map_or_else(|| "no backup".to_owned(), ToString::to_string);
                        let lacks = leader.as_ref().map(ToString::to_string).unwrap_or_default();
                        let detail = format!("has {has}, lacks {lacks}");
                        seen.push(sighting(AlarmKind::ReplicaBehind, &**store, detail, None));
                    }
                }
            }
        }
    }

    async fn look_at_primary(
        &self,
        now: Timestamp,
        due: Timestamp,
        store: &dyn Store,
        newest: &Newest,
        seen: &mut Vec<Sighting>,
    ) {
        let Newest { point, object } = newest;
        let overdue = point.taken_at().is_some_and(|taken| taken < due);
        if overdue {
            let detail = format!("the newest is {point}, one was due at {due}");
            seen.push(sighting(AlarmKind::Missing, store, detail, None));
        }
        let age = now.duration_since(object.modified);
        if age.as_millis() > i128::from(self.limits.max_age.millis()) {
            let detail = format!("{point} is {} h old, the limit is {}", age.as_hours(), self.limits.max_age);
            seen.push(Sighting { overdue, ..sighting(AlarmKind::TooOld, store, detail, None) });
        }
        let manifest = self.read_manifest(store, point).await;
        let size = match &manifest {
            // Where the manifest cannot be read that is told, and nothing is known of the size.
            _ if !self.by_manifest => Some(object.size),
            manifest => manifest.as_ref().ok().and_then(|manifest| manifest.content_bytes),
        };
        if let Some(size) = size.map(|size| size * self.scale).filter(|size| *size < self.limits.min_size.0) {
            let detail = format!("{point} has {}, the limit is {}", ByteSize(size), self.limits.min_size);
            seen.push(sighting(AlarmKind::TooSmall, store, detail, Some(size)));
        }
        match manifest {
            Err(why) => seen.push(sighting(AlarmKind::Unreadable, store, format!("{point}: {why}"), None)),
            Ok(manifest) => {
                let named = point.taken_at().unwrap_or(manifest.exported_at);
                if named.duration_since(manifest.exported_at) > SignedDuration::from_hours(1) {
                    let detail = format!("{point} holds an export of {}", manifest.exported_at);
                    seen.push(sighting(AlarmKind::StaleContent, store, detail, None));
                }
            }
        }
    }

    async fn read_manifest(&self, store: &dyn Store, point: &PointName) -> Result<Manifest, String> {
        let (info, mut body) = store.get(&self.layout.manifest_key(point)).await.map_err(|e| e.kind.to_string())?;
        if info.size > MAX_MANIFEST_BYTES as u64 {
            return Err(format!("its manifest has {} bytes", info.size));
        }
        let mut text = Vec::new();
        while let Some(piece) = body.next().await {
            text.extend_from_slice(&piece.map_err(|e| e.kind.to_string())?);
        }
        Manifest::parse(&text).map_err(|e| e.to_string())
    }

    fn newest_of(&self, objects: Vec<ObjectInfo>) -> Option<Newest> {
        let dumps = objects.into_iter().filter_map(|object| match self.layout.parse(&object.key) {
            Some(KeyKind::Dump(point)) => Some(Newest { point, object }),
            _ => None,
        });
        dumps.max_by(|a, b| a.point.cmp(&b.point))
    }
}

fn sighting(kind: AlarmKind, store: &dyn Store, detail: String, size: Option<u64>) -> Sighting {
    Sighting { kind, region: store.region().to_owned(), detail, size, overdue: false }
}
