//! Backup monitoring as the plan describes it: at each look the newest backup of every region is asked for, and what
//! the plan's limits forbid raises an alarm. What it looks at, the plan says; who is told outside drills is in `alerts`.
//! Backups that backdraft's own pipelines made are looked at here, those of others in `foreign`.

use std::path::PathBuf;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};

use crate::{
    archive::Manifest,
    model::{
        event::AlarmKind,
        naming::{Layout, PointName},
        plan::{MonitorPlan, Watch},
        units::{ByteSize, Span},
    },
    sim::lanes::Lanes,
    store::{SharedStore, Store},
};

pub mod alerts;
mod changes;
mod content;
mod copies;
mod files;
mod foreign;
pub mod health;
mod lookout;
pub mod prometheus;
pub mod reading;
pub mod round;
mod scope;
mod survey;
pub mod webhook;

pub use copies::Copies;
pub use lookout::Lookout;
pub use scope::{Aspect, Omission, Scope};

use survey::{Survey, survey};

/// A monitor. It has no memory: each look says all that it sees, as the scripts do that teams have.
pub struct Monitor {
    stores: Vec<SharedStore>,
    layout: Layout,
    limits: MonitorPlan,
    /// How many bytes one byte stands for.
    scale: u64,
    /// Whether a backup is a list of files, whose contents lie beside it and are its size.
    is_list: bool,
    /// Whether the size limit is meant for other services: what is as small as its manifest says is then none to wake for.
    is_small: bool,
    /// Time between two pieces of the change stream.
    stream: Option<Span>,
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
    /// What is worth knowing and no alarm.
    pub remarks: Vec<String>,
    /// What was looked at.
    pub scope: Scope,
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
    /// Whether it may be that nothing has changed since, so that there was nothing to copy.
    pub may_rest: bool,
    /// Why it is to be told and wakes nobody, outside drills: the limit is at fault.
    pub excuse: Option<&'static str>,
    /// What the change stream has not copied, where that is what it is about.
    pub uncopied: Option<Uncopied>,
}

/// Writes that no piece of the change stream has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uncopied {
    /// The last write that a piece has.
    pub after: u64,
    /// How long a write may wait.
    pub longest: SignedDuration,
}

/// One region as it is looked at.
struct Place {
    store: SharedStore,
    is_primary: bool,
    found: Survey,
    /// The newest dump's manifest, where it was asked for.
    manifest: Option<Result<Manifest, String>>,
    /// Size of what the newest dump stands for.
    size: Option<u64>,
    scope: Scope,
}

impl Place {
    fn newest(&self) -> Option<&PointName> {
        self.found.newest.as_ref().map(|(point, _)| point)
    }

    /// The newest dump with the size that its manifest states.
    fn made(&self) -> Option<(PointName, u64)> {
        let made = self.manifest.as_ref()?.as_ref().ok()?;
        Some((self.newest()?.clone(), made.stored_bytes))
    }

    fn sighting(&self, kind: AlarmKind, detail: String) -> Sighting {
        sighting(kind, &*self.store, detail, None)
    }

    fn seen(self) -> RegionSeen {
        let (remarks, size) = (self.found.remark().into_iter().collect(), self.size);
        let newest = self.found.newest.map(|(point, object)| BackupSeen {
            point: point.to_string(),
            size,
            modified: object.modified,
        });
        RegionSeen { region: self.store.region().to_owned(), answered: true, newest, remarks, scope: self.scope }
    }
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
        Monitor { stores, layout, limits, scale, is_list: false, is_small: false, stream: None, means }
    }

    /// The same over generations of files, whose contents lie beside the list that stands for them.
    #[must_use]
    pub fn of_generations(self) -> Self {
        Monitor { is_list: true, ..self }
    }

    /// The same over a service that is smaller than the plan's one size limit by nature.
    #[must_use]
    pub fn of_small(self) -> Self {
        Monitor { is_small: true, ..self }
    }

    /// The same, with a change stream of which a piece is due each time this has passed.
    #[must_use]
    pub fn with_stream(self, every: Option<Span>) -> Self {
        Monitor { stream: every, ..self }
    }

    /// Looks once. `due` is when the newest backup should have been made; `None` before the first is due.
    pub async fn look(&self, now: Timestamp, due: Option<Timestamp>) -> Look {
        let surveys = join_all(self.stores.iter().map(|store| survey(&**store, &self.layout))).await;
        let (mut places, mut dark, mut alarms) = (Vec::new(), Vec::new(), Vec::new());
        for (number, (store, found)) in self.stores.iter().zip(surveys).enumerate() {
            match found {
                Ok(found) => places.push(self.place(number, store, found).await),
                Err(e) => {
                    alarms.push(sighting(AlarmKind::Unreachable, &**store, e.kind.to_string(), None));
                    dark.push((number, unanswered(&**store)));
                }
            }
        }
        if let Some(due) = due {
            self.look_at_each(Now { at: now, due }, &mut places, &mut alarms).await;
        }
        let mut regions: Vec<RegionSeen> = places.into_iter().map(Place::seen).collect();
        dark.into_iter().for_each(|(number, region)| regions.insert(number, region));
        Look { regions, alarms }
    }

    async fn place(&self, number: usize, store: &SharedStore, found: Survey) -> Place {
        let (mut manifest, mut size) = (None, None);
        let is_primary = number == 0;
        if let Some((point, object)) = &found.newest {
            let asked = self.watches(Watch::Contents) || self.watches(Watch::Manifest) && (is_primary || self.is_list);
            if asked || self.is_list || self.is_small || self.stream.is_some() {
                manifest = Some(self.read_manifest(&**store, point).await);
            }
            let stated = manifest.as_ref().and_then(|read| read.as_ref().ok()).and_then(|made| made.content_bytes);
            size = if self.is_list { stated } else { Some(object.size) }.map(|size| size * self.scale);
        }
        Place { store: store.clone(), is_primary, found, manifest, size, scope: Scope::default() }
    }

    fn watches(&self, what: Watch) -> bool {
        self.limits.watches.contains(&what)
    }

    async fn look_at_each(&self, now: Now, places: &mut [Place], seen: &mut Vec<Sighting>) {
        let leader = places.iter().filter_map(|place| place.newest().cloned()).max();
        let alone = places.len() < 2;
        let primary = places.first().filter(|place| place.is_primary).and_then(Place::made);
        for place in places {
            match place.is_primary {
                true => self.look_at_primary(now, place, seen),
                false if alone => place.scope.left(Aspect::Replica, "no other region answered"),
                false => seen.extend(self.behind(now, place, leader.as_ref(), primary.as_ref())),
            }
            seen.extend(self.look_inside(place).await);
            if self.is_list {
                seen.extend(self.look_at_files(place).await);
            }
            if let Some(every) = self.stream {
                self.look_at_stream(now.at, every, place, seen).await;
            }
        }
    }

    /// A replica that lacks what another region has, for longer than it may, or has it in another size than the primary's
    /// manifest states.
    fn behind(
        &self,
        now: Now,
        place: &mut Place,
        leader: Option<&PointName>,
        primary: Option<&(PointName, u64)>,
    ) -> Option<Sighting> {
        if !place.scope.asks(Aspect::Replica, &self.limits.watches, Watch::ReplicaBehind) {
            return None;
        }
        place.scope.did(Aspect::Replica);
        if let (Some((point, stated)), Some((has, object))) = (primary, &place.found.newest)
            && point == has
            && *stated != object.size
        {
            let detail = format!("has {has} with {} bytes, the primary's manifest says {stated}", object.size);
            return Some(place.sighting(AlarmKind::ReplicaBehind, detail));
        }
        let has = place.newest();
        let leader = leader.filter(|leader| has < Some(*leader))?;
        let waited = leader.taken_at().map_or(0, |taken| now.at.duration_since(taken).as_millis());
        if waited < i128::from(self.limits.replica_grace.millis()) {
            return None;
        }
        let has = has.map_or_else(|| "no backup".to_owned(), ToString::to_string);
        Some(place.sighting(AlarmKind::ReplicaBehind, format!("has {has}, lacks {leader}")))
    }

    fn look_at_primary(&self, now: Now, place: &mut Place, seen: &mut Vec<Sighting>) {
        let watches = &self.limits.watches;
        let asks_schedule = place.scope.asks(Aspect::Schedule, watches, Watch::Missing);
        if asks_schedule {
            place.scope.did(Aspect::Schedule);
        }
        let Some((point, object)) = place.found.newest.clone() else {
            if asks_schedule {
                seen.push(place.sighting(AlarmKind::Missing, "there is no backup at all".into()));
            }
            return;
        };
        // A name of the future must not hide that a backup is missing.
        let overdue = point.taken_at().is_some_and(|taken| taken.min(object.modified) < now.due);
        let ahead = point.taken_at().map(|taken| taken.duration_since(object.modified));
        if asks_schedule && ahead.is_some_and(|ahead| ahead > content::NAME_AHEAD) {
            let detail = format!("the newest is {point}, and the region got it at {}", object.modified);
            seen.push(place.sighting(AlarmKind::ClockSkew, detail));
        }
        if overdue && asks_schedule {
            let detail = format!("the newest is {point}, one was due at {}", now.due);
            seen.push(place.sighting(AlarmKind::Missing, detail));
        }
        if place.scope.asks(Aspect::Age, watches, Watch::TooOld) {
            place.scope.did(Aspect::Age);
            let age = now.at.duration_since(object.modified);
            if age.as_millis() > i128::from(self.limits.max_age.millis()) {
                let detail = format!("{point} is {} h old, the limit is {}", age.as_hours(), self.limits.max_age);
                seen.push(Sighting { overdue, ..place.sighting(AlarmKind::TooOld, detail) });
            }
        }
        if place.scope.asks(Aspect::Size, watches, Watch::TooSmall) {
            seen.extend(self.small(place, &point));
        }
    }

    /// A backup below the size limit.
    fn small(&self, place: &mut Place, point: &PointName) -> Option<Sighting> {
        // Where the manifest cannot be read that is told, and nothing is known of the size.
        let Some(size) = place.size else {
            place.scope.left(Aspect::Size, "its manifest, which states it, cannot be read");
            return None;
        };
        place.scope.did(Aspect::Size);
        if size >= self.limits.min_size.0 {
            return None;
        }
        let detail = format!("{point} has {}, the limit is {}", ByteSize(size), self.limits.min_size);
        let made = place.manifest.as_ref().and_then(|read| read.as_ref().ok());
        let whole = made.is_some_and(|made| made.stored_bytes * self.scale == size);
        let excuse = (self.is_small && whole)
            .then_some("that is what its manifest says, so the plan's `min_size` is not meant for it");
        Some(Sighting { size: Some(size), excuse, ..place.sighting(AlarmKind::TooSmall, detail) })
    }
}

/// Things that are not as they should be: how many, and the first.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Amiss {
    count: u64,
    example: String,
}

impl Amiss {
    fn note(&mut self, example: impl FnOnce() -> String) {
        if self.count == 0 {
            self.example = example();
        }
        self.count += 1;
    }
}

fn duration(span: Span) -> SignedDuration {
    SignedDuration::from_millis(i64::try_from(span.millis()).unwrap_or(i64::MAX))
}

fn sighting(kind: AlarmKind, store: &dyn Store, detail: String, size: Option<u64>) -> Sighting {
    let region = store.region().to_owned();
    Sighting { kind, region, detail, size, overdue: false, may_rest: false, excuse: None, uncopied: None }
}

/// A region that did not answer.
fn unanswered(store: &dyn Store) -> RegionSeen {
    let (region, scope) = (store.region().to_owned(), Scope::default());
    RegionSeen { region, answered: false, newest: None, remarks: Vec::new(), scope }
}
