//! Backup monitoring as the plan describes it: at each look the newest backup of every region is asked for, and what
//! the plan's limits forbid raises an alarm. What it looks at, the plan says; who is told outside drills is in `alerts`.

use std::path::PathBuf;

use futures_util::future::join_all;
use jiff::Timestamp;

use crate::{
    model::{
        event::AlarmKind,
        naming::{KeyKind, Layout, PointName},
        plan::{MonitorPlan, Watch},
        units::{ByteSize, Span},
    },
    sim::lanes::Lanes,
    store::{ObjectInfo, SharedStore, Store},
};

pub mod alerts;
mod content;
pub mod folder;
pub mod health;
pub mod prometheus;
pub mod reading;
pub mod round;
pub mod webhook;

/// A monitor. It has no memory: each look says all that it sees, as the scripts do that teams have.
pub struct Monitor {
    stores: Vec<SharedStore>,
    layout: Layout,
    limits: MonitorPlan,
    /// How many bytes one byte stands for.
    scale: u64,
    /// Whether a backup's size is what its manifest says lies beside the dump, not the dump's own.
    by_manifest: bool,
    means: Means,
}

/// What reading a dump takes.
#[derive(Debug, Clone)]
pub struct Means {
    /// Where it is inflated and checked.
    pub lanes: Lanes,
    /// A folder for what does not fit into memory; nothing is left in it.
    pub scratch: PathBuf,
}

/// All that one look saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Each region, the primary first.
    pub regions: Vec<RegionSeen>,
    /// What the limits forbid.
    pub alarms: Vec<Sighting>,
}

/// A region as the monitor sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionSeen {
    /// Its name.
    pub region: String,
    /// Whether it answered.
    pub answered: bool,
    /// Its newest backup.
    pub newest: Option<BackupSeen>,
    /// A key below the service's prefix that is not named as its backups are, where there is no backup at all.
    pub stranger: Option<String>,
}

/// A backup as the monitor sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupSeen {
    /// Its name.
    pub point: String,
    /// Size in bytes of what it stands for; `None` where nothing says so.
    pub size: Option<u64>,
    /// When it was written, by the region's clock.
    pub modified: Timestamp,
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
    /// Size in bytes of what it stands for, where that is known.
    size: Option<u64>,
}

/// When a look is, and when the newest backup was due.
#[derive(Clone, Copy)]
struct Now {
    at: Timestamp,
    due: Timestamp,
}

impl Monitor {
    /// A monitor of these regions, the primary first, in a world where one byte stands for `scale`.
    pub fn new(stores: Vec<SharedStore>, layout: Layout, limits: MonitorPlan, scale: u64, means: Means) -> Self {
        Monitor { stores, layout, limits, scale, by_manifest: false, means }
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
    pub async fn look(&self, now: Timestamp, due: Option<Timestamp>) -> Look {
        let lists = join_all(self.stores.iter().map(|store| store.list(&self.layout.prefix))).await;
        let (mut regions, mut alarms, mut newest) = (Vec::new(), Vec::new(), Vec::new());
        for (store, list) in self.stores.iter().zip(lists) {
            let answered = list.is_ok();
            let (found, stranger) = match list {
                Ok(objects) => self.newest_of(objects),
                Err(e) => {
                    alarms.push(sighting(AlarmKind::Unreachable, &**store, e.kind.to_string(), None));
                    (None, None)
                }
            };
            let found = match found {
                Some(list) if self.by_manifest => Some(self.with_contents(&**store, list).await),
                found => found,
            };
            let seen = found.as_ref().map(|found| BackupSeen {
                point: found.point.to_string(),
                size: found.size,
                modified: found.object.modified,
            });
            regions.push(RegionSeen { region: store.region().to_owned(), answered, newest: seen, stranger });
            if answered {
                newest.push((store.clone(), found));
            }
        }
        if let Some(due) = due {
            self.look_at_each(Now { at: now, due }, &newest, &mut alarms).await;
        }
        Look { regions, alarms }
    }

    fn watches(&self, what: Watch) -> bool {
        self.limits.watches.contains(&what)
    }

    async fn look_at_each(&self, now: Now, newest: &[(SharedStore, Option<Newest>)], seen: &mut Vec<Sighting>) {
        let leader = newest.iter().filter_map(|(_, newest)| newest.as_ref().map(|n| n.point.clone())).max();
        for (at, (store, newest)) in newest.iter().enumerate() {
            let is_primary = at == 0 && self.stores.first().is_some_and(|s| s.region() == store.region());
            match newest {
                Some(newest) if is_primary => self.look_at_primary(now, &**store, newest, seen),
                None if is_primary && self.watches(Watch::Missing) => {
                    seen.push(sighting(AlarmKind::Missing, &**store, "there is no backup at all".into(), None));
                }
                None if is_primary => {}
                replica => {
                    let has = replica.as_ref().map(|n| &n.point);
                    seen.extend(self.behind(now, &**store, has, leader.as_ref()));
                }
            }
            if let Some(newest) = newest {
                seen.extend(self.look_inside(&**store, newest, is_primary).await);
            }
        }
    }

    /// A replica that lacks what another region has, for longer than it may.
    fn behind(
        &self,
        now: Now,
        store: &dyn Store,
        has: Option<&PointName>,
        leader: Option<&PointName>,
    ) -> Option<Sighting> {
        let leader = leader.filter(|leader| self.watches(Watch::ReplicaBehind) && has < Some(*leader))?;
        let waited = leader.taken_at().map_or(0, |taken| now.at.duration_since(taken).as_millis());
        if waited < i128::from(self.limits.replica_grace.millis()) {
            return None;
        }
        let has = has.map_or_else(|| "no backup".to_owned(), ToString::to_string);
        Some(sighting(AlarmKind::ReplicaBehind, store, format!("has {has}, lacks {leader}"), None))
    }

    fn look_at_primary(&self, now: Now, store: &dyn Store, newest: &Newest, seen: &mut Vec<Sighting>) {
        let Newest { point, object, .. } = newest;
        // A name of the future must not hide that a backup is missing.
        let overdue = point.taken_at().is_some_and(|taken| taken.min(object.modified) < now.due);
        let ahead = point.taken_at().map(|taken| taken.duration_since(object.modified));
        if ahead.is_some_and(|ahead| ahead > content::NAME_AHEAD) && self.watches(Watch::Missing) {
            let detail = format!("the newest is {point}, and the region got it at {}", object.modified);
            seen.push(sighting(AlarmKind::ClockSkew, store, detail, None));
        }
        if overdue && self.watches(Watch::Missing) {
            let detail = format!("the newest is {point}, one was due at {}", now.due);
            seen.push(sighting(AlarmKind::Missing, store, detail, None));
        }
        let age = now.at.duration_since(object.modified);
        if age.as_millis() > i128::from(self.limits.max_age.millis()) && self.watches(Watch::TooOld) {
            let detail = format!("{point} is {} h old, the limit is {}", age.as_hours(), self.limits.max_age);
            seen.push(Sighting { overdue, ..sighting(AlarmKind::TooOld, store, detail, None) });
        }
        // Where the manifest cannot be read that is told, and nothing is known of the size.
        let small = newest.size.filter(|size| *size < self.limits.min_size.0 && self.watches(Watch::TooSmall));
        if let Some(size) = small {
            let detail = format!("{point} has {}, the limit is {}", ByteSize(size), self.limits.min_size);
            seen.push(sighting(AlarmKind::TooSmall, store, detail, Some(size)));
        }
    }

    /// A list of files with the size of all that it stands for.
    async fn with_contents(&self, store: &dyn Store, list: Newest) -> Newest {
        let manifest = self.read_manifest(store, &list.point).await.ok();
        Newest { size: manifest.and_then(|manifest| manifest.content_bytes).map(|size| size * self.scale), ..list }
    }

    /// The newest dump of a region; where there is none, a key that is none of ours.
    fn newest_of(&self, objects: Vec<ObjectInfo>) -> (Option<Newest>, Option<String>) {
        let (mut newest, mut stranger) = (None::<Newest>, None);
        for object in objects {
            match self.layout.parse(&object.key) {
                Some(KeyKind::Dump(point)) if newest.as_ref().is_none_or(|newest| newest.point <= point) => {
                    newest = Some(Newest { point, size: Some(object.size * self.scale), object });
                }
                Some(_) => {}
                None => stranger = Some(object.key),
            }
        }
        let stranger = stranger.filter(|_| newest.is_none());
        (newest, stranger)
    }
}

fn sighting(kind: AlarmKind, store: &dyn Store, detail: String, size: Option<u64>) -> Sighting {
    Sighting { kind, region: store.region().to_owned(), detail, size, overdue: false }
}
