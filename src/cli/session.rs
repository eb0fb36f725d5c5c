//! Playing drills one after another: a runtime of the right kind, a scratch folder, the signals, and a record of every
//! drill whatever its end.

use std::{
    any::Any,
    fs::File,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

use jiff::Timestamp;
use tokio::{runtime, signal::unix, sync::watch};

mod work;

pub(super) use super::cast::{Cast, Troupe};
use super::{
    console::Console,
    discreet,
    keeper::Keeper,
    progress::Progress,
    selection::Chosen,
    storage::{self, Foreign, StorageArgs},
};
use crate::{
    assembly::{self, Parts},
    engine::{
        self, Drill,
        journal::{self, Scratch},
    },
    error::{Error, Result},
    measure,
    model::{
        event::{Event, What},
        record::{Identity, Record, Way},
    },
    sim::{clock, recorder::Listener, seed::Seed},
};

/// What a drill leaves.
pub(super) struct Played {
    pub(super) record: Record,
    /// Its scratch folder, where that was to be kept.
    pub(super) kept: Option<PathBuf>,
}

/// The seed of a run that names none: any would do, and the same one makes runs comparable.
pub(super) const DEFAULT_SEED: u64 = 42;

/// Files that a drill may need open at once, with room to spare.
const OPEN_FILES: usize = 128;

/// Plays drills until somebody stops it.
pub(super) struct Session {
    base: PathBuf,
    keep: bool,
    stop: watch::Receiver<bool>,
    signals: runtime::Runtime,
    foreign: Option<Foreign>,
}

impl Session {
    /// Sweeps up after killed runs and begins to listen for Ctrl-C and SIGTERM.
    ///
    /// # Errors
    /// When this process may not have what every drill needs: open files, a scratch folder, a thread.
    pub(super) fn start(keep: bool) -> Result<Self> {
        enough_open_files()?;
        let base = journal::base().map_err(|e| {
            Error::new("no scratch folder can be had")
                .because(e)
                .help("set TMPDIR to a folder that this user may write")
        })?;
        match journal::sweep(&base) {
            Ok(swept) => {
                swept.iter().for_each(|dir| tracing::info!("removed what a killed run left: {}", dir.display()))
            }
            Err(e) => tracing::warn!("what killed runs left could not be removed: {e}"),
        }
        let signals = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let signals = signals.map_err(|e| Error::new("no thread can be had for signals").because(e))?;
        let (stopped, stop) = watch::channel(false);
        let listening = signals.block_on(async {
            let interrupt = unix::signal(unix::SignalKind::interrupt())?;
            let terminate = unix::signal(unix::SignalKind::terminate())?;
            let hangup = unix::signal(unix::SignalKind::hangup())?;
            Ok::<_, std::io::Error>((interrupt, terminate, hangup))
        });
        let (mut interrupt, mut terminate, mut hangup) =
            listening.map_err(|e| Error::new("signals cannot be listened for").because(e))?;
        signals.spawn(async move {
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {}, _ = hangup.recv() => {} }
            // Further signals are caught and change nothing: healing is bounded, and must not be cut short.
            // The receiver may be gone: the run is over, and so is the need to stop it.
            let _ = stopped.send(true);
        });
        storage::sweep(&base, signals.handle());
        Ok(Session { base, keep, stop, signals, foreign: None })
    }

    /// Plays drills on the storage that the arguments name.
    ///
    /// # Errors
    /// When it cannot be used.
    pub(super) fn on(mut self, args: &StorageArgs, way: Way) -> Result<Self> {
        self.foreign = args.open(way, &self.base, self.signals.handle())?;
        Ok(self)
    }

    /// The name of the foreign storage that drills are played on.
    pub(super) fn storage(&self) -> Option<&str> {
        self.foreign.as_ref().map(|foreign| foreign.storage().said())
    }

    /// The runtime that outlives every drill, for what goes on beside them.
    pub(super) fn beside(&self) -> &runtime::Handle {
        self.signals.handle()
    }

    /// Whether somebody stopped the run.
    pub(super) fn is_stopped(&self) -> bool {
        *self.stop.borrow()
    }

    /// Plays drills one after another, and shows how far it is. Each record is in the history, where one is kept, before
    /// the next drill begins.
    ///
    /// # Errors
    /// When the history cannot be written.
    pub(super) fn play_all(
        &self,
        troupe: &Troupe,
        chosen: Vec<Chosen>,
        keeper: Option<&Keeper>,
        console: &Console,
    ) -> Result<Vec<Record>> {
        let mut progress = Progress::new(chosen.len(), console);
        let mut records = Vec::new();
        let casts: Vec<Cast> = chosen.into_iter().map(|one| troupe.cast(one)).collect::<Result<_>>()?;
        keeper.map(|keeper| keeper.announce(&casts, 1)).transpose()?;
        for cast in &casts {
            let mark = keeper.map(|keeper| keeper.begin(cast)).transpose()?;
            let Played { record, kept } = self.play(cast, progress.begin(&cast.id));
            if let (Some(keeper), Some(mark)) = (keeper, mark) {
                keeper.append(&record, mark)?;
            }
            progress.end(&record, kept.as_deref());
            records.push(record);
        }
        progress.finish();
        keeper.map(Keeper::all_played).transpose()?;
        Ok(records)
    }

    /// Plays drills on all cores, which only virtual time allows: what is measured must not be disturbed. `ended` is told
    /// of each as it ends; the records come in the order of the drills.
    pub(super) fn play_side_by_side(&self, casts: &[Cast], mut ended: impl FnMut(usize, &Record)) -> Vec<Record> {
        let next = AtomicUsize::new(0);
        let (done, records) = mpsc::channel();
        let mut all: Vec<(usize, Record)> = thread::scope(|scope| {
            for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
                let (next, done) = (&next, done.clone());
                scope.spawn(move || {
                    while let Some((number, cast)) = numbered(casts, next.fetch_add(1, Ordering::Relaxed)) {
                        let record = self.play(cast, Arc::new(|_| {})).record;
                        // Nobody listens only where the run is over.
                        let _ = done.send((number, record));
                    }
                });
            }
            drop(done);
            records.iter().inspect(|(number, record)| ended(*number, record)).collect()
        });
        all.sort_by_key(|(number, _)| *number);
        all.into_iter().map(|(_, record)| record).collect()
    }

    /// Plays one drill and makes its record. Every end leaves a record, and so does a drill that was stopped before it
    /// began.
    pub(super) fn play(&self, cast: &Cast, listener: Listener) -> Played {
        let run_at = (cast.way == Way::Real).then(clock::wall_now);
        let listener = discreet::listener(listener);
        if self.is_stopped() {
            return Played { record: record(cast, never_begun(), run_at), kept: None };
        }
        let (events, kept) = match Scratch::new(&self.base) {
            Ok(scratch) => self.play_in(cast, scratch, listener),
            Err(e) => (vec![aborted(format!("no scratch folder could be made: {e}"))], None),
        };
        Played { record: record(cast, events, run_at), kept }
    }

    fn play_in(&self, cast: &Cast, scratch: Scratch, listener: Listener) -> (Vec<Event>, Option<PathBuf>) {
        let mut events = match runtime(cast.way) {
            Ok(runtime) => {
                // A crash of one drill is a record, and the next drill is played.
                let story = || match self.has_room(cast, &scratch) {
                    Ok(()) => runtime.block_on(self.play_on(cast, scratch.path(), listener)),
                    Err(why) => vec![aborted(why)],
                };
                let events = catch_unwind(AssertUnwindSafe(story));
                drop(runtime); // ends whatever still reads or writes below the scratch folder
                events.unwrap_or_else(|panic| vec![aborted(format!("the drill crashed: {}", words(&*panic)))])
            }
            Err(e) => vec![aborted(format!("no runtime could be started: {e}"))],
        };
        let (mut complete, mut detail, kept) = self.clean_up(scratch);
        if let Some(left) = self.foreign.as_ref().and_then(Foreign::clear) {
            (complete, detail) = (false, format!("{detail}; {left}"));
        }
        let kept_as_asked = kept.is_some();
        events.push(event(What::CleanedUp { complete, kept: kept_as_asked, detail }));
        (events, kept)
    }

    /// A drill that ran out of disk would say of the pipeline what is true of this machine.
    fn has_room(&self, cast: &Cast, scratch: &Scratch) -> std::result::Result<(), String> {
        // What is kept is written once more, as plain files.
        let times = if self.keep { 2 } else { 1 };
        let needed = assembly::scratch_bytes(&cast.plan, &cast.scenario, cast.way).saturating_mul(times);
        let free = scratch.free().map_err(|e| format!("the scratch disk's free space is not known: {e}"))?;
        if free >= needed {
            return Ok(());
        }
        let (dir, needed, free) = (self.base.display(), needed >> 20, free >> 20);
        Err(format!("{dir} has {free} MiB free and the drill may need {needed} MiB; set TMPDIR to a larger disk"))
    }

    async fn play_on(&self, cast: &Cast, scratch: &Path, listener: Listener) -> Vec<Event> {
        let (plan, scenario, way) = (&*cast.plan, &*cast.scenario, cast.way);
        let storage = self.foreign.as_ref().map(|foreign| &**foreign.storage());
        if let Some(why) = storage.and_then(|_| assembly::storage::undrillable(plan, scenario)) {
            return vec![event(What::Undrillable { why })];
        }
        let (seed, beside, listener) = (Seed(cast.seed), &*cast.beside, Some(listener));
        let parts = Parts { plan, scenario, seed, way, scratch, beside, listener, storage };
        match assembly::assemble(parts).await {
            Err(why) => vec![aborted(why.to_string())],
            Ok(mut stage) => {
                stage.keep_in = self.keep.then(|| scratch.to_owned());
                let recorder = stage.recorder.clone();
                let time_limit = assembly::time_limit(plan, scenario, way);
                let (plan, scenario, stop) = (cast.plan.clone(), cast.scenario.clone(), self.stop.clone());
                engine::play(&Drill { plan, scenario, time_limit, stop }, stage).await;
                recorder.events()
            }
        }
    }

    fn clean_up(&self, scratch: Scratch) -> (bool, String, Option<PathBuf>) {
        if self.keep {
            return match scratch.keep() {
                Ok(dir) => {
                    let detail = "nothing listens any more; the scratch folder was kept, as asked".into();
                    (true, detail, Some(dir.to_owned()))
                }
                Err(e) => (false, format!("the scratch folder could not be kept: {e}"), None),
            };
        }
        match scratch.remove() {
            Ok(()) => (true, "the scratch folder is gone, nothing listens any more".into(), None),
            Err(e) => (false, format!("the scratch folder could not be removed: {e}"), None),
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(foreign) = self.foreign.take() {
            foreign.close();
        }
    }
}

fn numbered(casts: &[Cast], number: usize) -> Option<(usize, &Cast)> {
    casts.get(number).map(|cast| (number, cast))
}

/// Said once and before anything is made, rather than by every drill in the middle of its story.
fn enough_open_files() -> Result<()> {
    let opened: std::io::Result<Vec<File>> = (0..OPEN_FILES).map(|_| File::open("/dev/null")).collect();
    opened.map(drop).map_err(|e| {
        Error::new(format!("this process may not have {OPEN_FILES} files open at once, as a drill may need"))
            .because(e)
            .help("raise the limit, for instance with `ulimit -n 1024`")
    })
}

/// A simulated drill runs on one thread under a paused clock; that is what makes it repeatable.
fn runtime(way: Way) -> std::io::Result<runtime::Runtime> {
    match way {
        Way::Simulated => runtime::Builder::new_current_thread().enable_time().start_paused(true).build(),
        Way::Real => runtime::Builder::new_multi_thread().enable_all().build(),
    }
}

/// What a panic says.
fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no reason given".into())
}

/// An event outside of the story.
pub(super) fn event(what: What) -> Event {
    Event { at: None, since_t0: None, service: None, what }
}

/// The drill could not go on.
pub(super) fn aborted(why: String) -> Event {
    event(What::Aborted { why })
}

fn never_begun() -> Vec<Event> {
    let detail = "the drill had not begun, nothing had been made".into();
    vec![event(What::Interrupted), event(What::CleanedUp { complete: true, kept: false, detail })]
}

/// Which drill it is.
pub(super) fn identity(cast: &Cast, run_at: Option<Timestamp>) -> Identity {
    Identity {
        scenario: cast.id.clone(),
        seed: cast.seed,
        way: cast.way,
        storage: cast.storage.clone(),
        tool_version: env!("CARGO_PKG_VERSION").into(),
        plan_sha256: cast.plan_sha256.clone(),
        scenario_sha256: cast.scenario_sha256.clone(),
        run_at,
    }
}

fn record(cast: &Cast, events: Vec<Event>, run_at: Option<Timestamp>) -> Record {
    let identity = identity(cast, run_at);
    let (plan, scenario) = ((*cast.plan).clone(), (*cast.scenario).clone());
    let events = events.into_iter().map(discreet::event).collect();
    measure::record(measure::Inputs { identity, plan, scenario, events })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        input::load::{load_plan, load_scenario},
        model::outcome::DrillResult,
    };

    fn played(session: &Session, prepare: impl FnOnce(&mut Cast)) -> Record {
        let plan = load_plan("fixtures/hooklabs/plan.yaml").unwrap();
        let scenario = load_scenario("scenarios/database/control.yaml").unwrap();
        let mut cast = Cast {
            id: "database/control".into(),
            plan: Arc::new(plan.value),
            plan_sha256: plan.sha256,
            beside: PathBuf::new(),
            scenario: Arc::new(scenario.value),
            scenario_sha256: scenario.sha256,
            seed: 1,
            way: Way::Simulated,
            storage: None,
        };
        prepare(&mut cast);
        session.play(&cast, Arc::new(|_| {})).record
    }

    fn session(base: &Path) -> (watch::Sender<bool>, Session) {
        let (stopped, stop) = watch::channel(false);
        let signals = runtime::Builder::new_current_thread().build().unwrap();
        (stopped, Session { base: base.to_owned(), keep: false, stop, signals, foreign: None })
    }

    #[test]
    fn a_drill_that_cannot_be_assembled_has_a_record_that_says_why_and_exit_code_2() {
        let base = tempfile::tempdir().unwrap();
        let record = played(&session(base.path()).1, |cast| Arc::make_mut(&mut cast.plan).services.clear());
        assert_eq!(record.result.result, DrillResult::NotExecuted);
        assert!(record.result.reasons[0].contains("the plan has no service `database`"), "{:?}", record.result.reasons);
        assert_eq!(measure::exit_code(&[record], false), 2);
        assert_eq!(base.path().read_dir().unwrap().count(), 0);
    }

    #[test]
    fn a_drill_that_was_stopped_before_it_began_has_a_record_too() {
        let base = tempfile::tempdir().unwrap();
        let (stopped, session) = session(base.path());
        stopped.send(true).unwrap();
        let record = played(&session, |_| {});
        assert_eq!((record.result.result, record.cleanup.removed), (DrillResult::Interrupted, true));
        assert_eq!(measure::exit_code(&[record], false), 130);
    }
}
