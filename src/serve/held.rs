//! The world that is kept up, and what can be done to it by hand: break, heal, back up, write, provision, let time pass.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::future::BoxFuture;
use jiff::Timestamp;

use super::{
    book::{Book, Healed, NotHealed},
    entry::{Entries, Ready},
};
use crate::{
    assembly::{Doors, KeptDatabase},
    emulator::{self, Schedule, targets::Load},
    engine::{Protected, Stage},
    error::Error,
    input::validate::FaultInfo,
    model::{
        event::BackupMade,
        plan::{Plan, ServiceKind},
        scenario::Scenario,
        units::Span,
    },
    sim::{clock::Clock, lanes::Lanes},
};

/// Things done that are told of.
const TOLD: usize = 50;

/// The longest jump of the clock: ten years.
const LONGEST_JUMP: Span = Span::hours(24 * 3653);

/// Most writes at once.
const MOST_WRITES: u32 = 100_000;

/// What a world is made of.
pub struct World {
    /// The plan.
    pub plan: Arc<Plan>,
    /// The story that it was built from.
    pub story: Scenario,
    /// Everything wired together.
    pub stage: Stage,
    /// Where it is reached.
    pub doors: Doors,
    /// What entries may ask of faults.
    pub infos: Vec<FaultInfo>,
}

/// A world in somebody's hands.
pub struct Held {
    pub(super) plan: Arc<Plan>,
    pub(super) story: Scenario,
    pub(super) doors: Doors,
    pub(super) world: Arc<emulator::World>,
    pub(super) services: Vec<Protected>,
    pub(super) clock: Clock,
    pub(super) lanes: Lanes,
    infos: Vec<FaultInfo>,
    book: Mutex<Book>,
    provisioned: Mutex<Vec<Provisioned>>,
    told: Mutex<VecDeque<Told>>,
    /// A service is backed up, or written to, once at a time.
    hands: tokio::sync::Mutex<()>,
}

/// A deployment that was made to restore into.
#[derive(Debug, Clone)]
pub(super) struct Provisioned {
    pub(super) service: String,
    pub(super) url: String,
    pub(super) admin_key: String,
}

/// Something that was done.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) at: Timestamp,
    pub(super) well: bool,
    pub(super) text: String,
}

/// Why something is not done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It makes no sense.
    Unreadable(String),
    /// It makes sense, and cannot be done here.
    Impossible(String),
    /// There is no such thing.
    Unknown(String),
    /// Something else must be done first.
    Conflict(String),
}

impl Refusal {
    /// What is said of it.
    pub(super) fn text(&self) -> &str {
        let (Refusal::Unreadable(text) | Refusal::Impossible(text) | Refusal::Unknown(text) | Refusal::Conflict(text)) =
            self;
        text
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Held {
    /// Takes a world over, with a first new deployment where it has a database. What is handed back ends everything that
    /// listens. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// When no port can be had for that deployment.
    pub fn new(world: World) -> Result<(Arc<Held>, BoxFuture<'static, ()>), Error> {
        let World { plan, story, stage, doors, infos } = world;
        let Stage { world, services, clock, lanes, close, .. } = stage;
        let held = Held {
            plan,
            story,
            doors,
            world,
            services,
            clock,
            lanes,
            infos,
            book: Mutex::default(),
            provisioned: Mutex::default(),
            told: Mutex::default(),
            hands: tokio::sync::Mutex::default(),
        };
        if let Some(database) = held.doors.databases.first() {
            let address = database.provision()?;
            let made = Provisioned { service: database.service.clone(), url: address.url, admin_key: address.key };
            lock(&held.provisioned).push(made);
        }
        Ok((Arc::new(held), close))
    }

    /// Where it is reached.
    pub fn doors(&self) -> &Doors {
        &self.doors
    }

    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
        lock(&self.book)
    }

    /// The newest first.
    pub(super) fn told(&self) -> Vec<Told> {
        lock(&self.told).iter().rev().cloned().collect()
    }

    pub(super) fn provisioned(&self) -> Vec<Provisioned> {
        lock(&self.provisioned).clone()
    }

    fn tell(&self, well: bool, text: String) {
        let mut told = lock(&self.told);
        if told.len() == TOLD {
            told.pop_front();
        }
        told.push_back(Told { at: self.clock.now(), well, text });
    }

    /// Injects what a text asks for, all of it or nothing; the numbers given.
    pub(super) async fn inject_text(self: &Arc<Self>, text: &str) -> Result<Vec<u64>, Refusal> {
        self.inject(Entries::read(text).map_err(Refusal::Unreadable)?).await
    }

    /// Injects these, all of them or nothing; the numbers given.
    pub(super) async fn inject(self: &Arc<Self>, entries: Entries) -> Result<Vec<u64>, Refusal> {
        let ready = entries.ready(&self.plan, &self.story, &self.infos).map_err(Refusal::Impossible)?;
        let held = Arc::clone(self);
        let ids = self.lanes.run(move || held.inject_ready(ready)).await.map_err(Refusal::Impossible)?;
        for (id, lasts) in ids.iter().filter_map(|(id, lasts)| Some((*id, (*lasts)?))) {
            let (held, since) = (Arc::clone(self), self.clock.since_t0().map_or(0, |since| since.total_ms()));
            let over = Span(since.saturating_add(lasts.millis()));
            tokio::spawn(async move {
                held.clock.reached(over).await;
                let (again, lanes) = (Arc::clone(&held), held.lanes.clone());
                lanes.run(move || again.tell_healed(again.book().over(id, &again.world))).await;
            });
        }
        Ok(ids.into_iter().map(|(id, _)| id).collect())
    }

    fn inject_ready(&self, ready: Vec<Ready>) -> Result<Vec<(u64, Option<Span>)>, String> {
        let mut book = self.book();
        let mut ids: Vec<(u64, Option<Span>)> = Vec::new();
        for Ready { spec, mut injection, onset } in ready {
            match injection.inject(&self.world, onset) {
                Ok(detail) => {
                    let lasts = spec.lasts;
                    self.tell(true, format!("{}: {detail}", spec.name()));
                    ids.push((book.add(spec, injection, self.clock.now(), detail), lasts));
                }
                Err(why) => {
                    let name = spec.name();
                    for (id, _) in ids.into_iter().rev() {
                        // It is the newest that acts: nothing lies on it.
                        if let Ok(healed) = book.heal(id, &self.world) {
                            self.tell(
                                healed.complete,
                                format!("{} taken back: {name} cannot be injected", healed.name),
                            );
                        }
                    }
                    return Err(format!("fault `{name}` cannot be injected here: {why}"));
                }
            }
        }
        Ok(ids)
    }

    /// Heals one fault.
    pub(super) async fn heal(self: &Arc<Self>, id: u64) -> Result<Vec<Healed>, Refusal> {
        let held = Arc::clone(self);
        let healed = self.lanes.run(move || {
            let mut book = held.book();
            let one = book.heal(id, &held.world)?;
            let mut all = vec![one];
            all.extend(book.settle(&held.world));
            Ok(all)
        });
        match healed.await {
            Ok(healed) => Ok(self.tell_healed(healed)),
            Err(NotHealed::Unknown) => Err(Refusal::Unknown(format!("no fault acts that has the number {id}"))),
            Err(NotHealed::Under(ids)) => {
                let ids = ids.iter().rev().map(u64::to_string).collect::<Vec<_>>().join(", ");
                Err(Refusal::Conflict(format!(
                    "fault {id} lies under others that came later on the same thing: heal {ids} first, in this order, or all"
                )))
            }
        }
    }

    /// Heals all that act, the last one first.
    pub(super) async fn heal_all(self: &Arc<Self>) -> Vec<Healed> {
        let held = Arc::clone(self);
        let healed = self.lanes.run(move || held.book().heal_all(&held.world)).await;
        self.tell_healed(healed)
    }

    fn tell_healed(&self, healed: Vec<Healed>) -> Vec<Healed> {
        for one in &healed {
            let bit = if one.proof.bit { "it bit" } else { "it did not bite" };
            let how = if one.complete { "healed" } else { "healed in part: not everything could be put back" };
            self.tell(one.complete, format!("{} {how}; {bit}: {}", one.name, one.proof.evidence));
        }
        healed
    }

    fn service(&self, name: &str) -> Result<(&Protected, Option<&Schedule>), Refusal> {
        let found = self.services.iter().find(|one| one.name == name);
        let one = found.ok_or_else(|| {
            let names: Vec<&str> = self.services.iter().map(|one| one.name.as_str()).collect();
            Refusal::Unknown(format!("there is no service of that name here; there are: {}", names.join(", ")))
        })?;
        Ok((one, self.world.backups.get(&one.name).map(|backups| &backups.schedule)))
    }

    /// Backs a service up, as the reference pipeline does on schedule.
    pub(super) async fn back_up(&self, name: &str) -> Result<BackupMade, Refusal> {
        let (one, schedule) = self.service(name)?;
        if one.kind == ServiceKind::WebApplication {
            let why = "the releases of a web application are kept as they are made: nothing of it is backed up";
            return Err(Refusal::Impossible(why.into()));
        }
        let _hands = self.hands.lock().await;
        if !schedule.is_none_or(Schedule::starts) {
            let why = format!("the schedule of {} does not start backups: a fault stopped it", one.name);
            self.tell(false, why.clone());
            return Err(Refusal::Impossible(why));
        }
        let made = one.pipeline.backup(self.day()).await.map_err(|why| {
            let why = format!("the backup of {} failed: {why}", one.name);
            self.tell(false, why.clone());
            Refusal::Impossible(why)
        })?;
        if let Some(targets) = self.world.targets.get(&one.name) {
            targets.expect(Load { rows: made.rows, bytes: made.raw_bytes });
        }
        let missing =
            if made.missing_in.is_empty() { String::new() } else { format!("; not to {}", made.missing_in.join(", ")) };
        let text = format!(
            "{} backed up: {}, {} rows, to {}{missing}",
            one.name,
            made.point,
            made.rows,
            made.regions.join(", ")
        );
        self.tell(made.missing_in.is_empty(), text);
        Ok(made)
    }

    /// The day of the story, from 1 on.
    fn day(&self) -> u32 {
        let today = self.clock.now().to_zoned(jiff::tz::TimeZone::UTC).date();
        let since = today.since(self.story.history.from).map_or(0, |span| span.get_days());
        u32::try_from(since).unwrap_or(0).saturating_add(1)
    }

    /// Lets the application write.
    pub(super) async fn write(&self, name: &str, writes: u32) -> Result<(), Refusal> {
        let (one, _) = self.service(name)?;
        if writes == 0 || writes > MOST_WRITES {
            return Err(Refusal::Unreadable(format!("`writes` is a number from 1 to {MOST_WRITES}")));
        }
        let _hands = self.hands.lock().await;
        let written = one.service.write(self.clock.now(), writes).await;
        written.map_err(|e| Refusal::Impossible(format!("{} cannot be written to: {e}", one.name)))?;
        self.tell(true, format!("{}: the application made {writes} writes", one.name));
        Ok(())
    }

    /// A new deployment to restore into, of the database of that name, or of the first.
    pub(super) fn provision(&self, name: Option<&str>) -> Result<Provisioned, Refusal> {
        let wanted = |one: &&KeptDatabase| name.is_none_or(|name| name == one.service);
        let found = self.doors.databases.iter().find(wanted);
        let one = found.ok_or_else(|| Refusal::Unknown("there is no database of that name here".into()))?;
        let address = one.provision().map_err(|e: Error| Refusal::Impossible(e.to_string()))?;
        let made = Provisioned { service: one.service.clone(), url: address.url, admin_key: address.key };
        lock(&self.provisioned).push(made.clone());
        self.tell(true, format!("{}: a new deployment at {}", made.service, made.url));
        Ok(made)
    }

    /// Lets time pass at once: objects age, locks run out, faults that last a while are over.
    pub(super) fn let_pass(&self, span: Span) -> Result<(), Refusal> {
        let left = jiff::civil::date(2200, 1, 1)
            .to_zoned(jiff::tz::TimeZone::UTC)
            .map_or(Timestamp::MAX, |end| end.timestamp());
        if span.is_zero() || span > LONGEST_JUMP || self.clock.now() > left {
            return Err(Refusal::Unreadable(
                "the clock goes ahead by more than no time and at the most ten years".into(),
            ));
        }
        self.clock.assume(span);
        self.tell(true, format!("the clock went {span} ahead"));
        Ok(())
    }
}
