//! Scenario time. It stands still while the history is played (each entry sets it) and runs during the recovery: with
//! the wall clock in a real drill, with tokio's paused clock in a simulated one.

#![expect(clippy::disallowed_methods, reason = "this is the one home of time")]

use std::{
    future::Future,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio::{sync::watch, time::Instant};

use crate::model::{record::Way, time::Elapsed, units::Span};

/// A clock of scenario time; clones share it. Must be made inside a tokio runtime: a simulated drill's runtime has its
/// time paused (see [`Clock::new`]).
#[derive(Debug, Clone)]
pub struct Clock {
    way: Way,
    /// Sizes are modelled: one byte stands for so many.
    scale: u64,
    face: Arc<Mutex<Face>>,
    /// How far off it is where it is read; right where `None`.
    deviation: Option<Arc<Deviation>>,
    /// Counts how often time jumped: whoever waits for a moment looks again.
    jumps: Arc<watch::Sender<u64>>,
}

/// How far off the clock of one machine is, and whether the machine takes its local time for UTC. The world's own time
/// does not care.
#[derive(Debug, Default)]
pub struct Deviation {
    skew: AtomicI64,
    zone: AtomicI64,
}

impl Deviation {
    /// Sets how many milliseconds the clock is ahead; behind where below zero.
    pub fn set_skew(&self, millis: i64) {
        self.skew.store(millis, Ordering::SeqCst);
    }

    /// Sets how many milliseconds what the machine writes down as UTC is ahead of UTC.
    pub fn set_zone(&self, millis: i64) {
        self.zone.store(millis, Ordering::SeqCst);
    }

    /// Both, in milliseconds.
    pub fn millis(&self) -> (i64, i64) {
        (self.skew.load(Ordering::SeqCst), self.zone.load(Ordering::SeqCst))
    }
}

#[derive(Debug)]
struct Face {
    /// Scenario time at `since`.
    shown: Timestamp,
    /// When it began to run; `None` while it stands.
    since: Option<Instant>,
    /// t0, if it has come: when, and how much time was assumed since.
    mark: Option<(Instant, Span)>,
}

impl Clock {
    /// A standing clock that shows `start`.
    pub fn new(way: Way, start: Timestamp) -> Self {
        let face = Arc::new(Mutex::new(Face { shown: start, since: None, mark: None }));
        Clock { way, scale: 1, face, deviation: None, jumps: Arc::new(watch::Sender::new(0)) }
    }

    /// The same clock in a world where one byte stands for `scale` bytes: a large restore is played with little data,
    /// and takes the time that the large one would.
    #[must_use]
    pub fn modelled(self, scale: u64) -> Self {
        Clock { scale: scale.max(1), ..self }
    }

    /// The same clock as a machine reads it whose clock may be off.
    #[must_use]
    pub fn read_on(self, machine: &Arc<Deviation>) -> Self {
        Clock { deviation: Some(Arc::clone(machine)), ..self }
    }

    /// How many bytes one byte stands for; 1 unless sizes are modelled.
    pub fn scale(&self) -> u64 {
        self.scale
    }

    /// Whether time is virtual.
    pub fn is_simulated(&self) -> bool {
        self.way == Way::Simulated
    }

    /// Scenario time now, as it is read here.
    pub fn now(&self) -> Timestamp {
        let face = self.face();
        let now = match face.since {
            None => face.shown,
            Some(since) => later(face.shown, since.elapsed()),
        };
        self.off(now, |(skew, _)| skew)
    }

    /// What is written into names as the time now, in UTC: not quite that where the machine takes its local time for it.
    pub fn now_to_name(&self) -> Timestamp {
        self.off(self.now(), |(_, zone)| zone)
    }

    fn off(&self, moment: Timestamp, by: impl Fn((i64, i64)) -> i64) -> Timestamp {
        let millis = self.deviation.as_ref().map_or(0, |deviation| by(deviation.millis()));
        moment.checked_add(SignedDuration::from_millis(millis)).unwrap_or(moment)
    }

    /// Stops the clock at a moment of the history.
    pub fn set(&self, moment: Timestamp) {
        let mut face = self.face();
        face.shown = moment;
        face.since = None;
    }

    /// Lets the clock run before t0, while something real happens in the history.
    pub fn run(&self) {
        let mut face = self.face();
        if face.since.is_none() {
            face.since = Some(Instant::now());
        }
    }

    /// Stops it again where it is; after t0 it runs on.
    pub fn stand(&self) {
        let mut face = self.face();
        if let (Some(since), None) = (face.since, face.mark) {
            face.shown = later(face.shown, since.elapsed());
            face.since = None;
        }
    }

    /// t0: from here the clock runs, and [`Clock::since_t0`] counts.
    pub fn mark_t0(&self) {
        let now = Instant::now();
        let mut face = self.face();
        face.since = Some(now);
        face.mark = Some((now, Span::ZERO));
    }

    /// Lets an assumed time pass at once: nobody waits, the scenario clock shows it, the record says assumed.
    pub fn assume(&self, span: Span) {
        let mut face = self.face();
        face.shown = later(face.shown, span.duration());
        if let Some((_, assumed)) = &mut face.mark {
            *assumed = Span(assumed.millis() + span.millis());
        }
        drop(face);
        self.jumps.send_modify(|jumps| *jumps += 1);
    }

    /// The same for somebody who waits that long: whoever waits for a moment that has come with it acts first.
    pub async fn let_pass(&self, span: Span) {
        self.assume(span);
        tokio::task::yield_now().await;
    }

    /// Waits until so much time has passed since t0, assumed time too; for ever before t0.
    pub async fn reached(&self, since_t0: Span) {
        let mut jumps = self.jumps.subscribe();
        loop {
            let Some(now) = self.since_t0() else { return std::future::pending().await };
            let left = since_t0.millis().saturating_sub(now.total_ms());
            if left == 0 {
                return;
            }
            tokio::select! {
                biased;
                _ = jumps.changed() => {}
                () = self.sleep(Duration::from_millis(left)) => {}
            }
        }
    }

    /// Time since t0; `None` before it.
    pub fn since_t0(&self) -> Option<Elapsed> {
        let (mark, assumed) = self.face().mark?;
        Some(Elapsed::assumed(assumed).plus(self.ran(mark.elapsed())))
    }

    /// Begins to measure something.
    pub fn stopwatch(&self) -> Stopwatch {
        Stopwatch { clock: self.clone(), started: Instant::now() }
    }

    /// Waits: for real in a real drill, in no time in a simulated one.
    pub async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    /// Lets modelled time pass in a simulated drill; a real one takes its real time instead.
    pub async fn spend(&self, duration: Duration) {
        if self.is_simulated() {
            tokio::time::sleep(duration).await;
        }
    }

    /// Lets the time pass in a simulated drill that so many bytes, as they stand for, take at a rate per second.
    pub async fn spend_on(&self, bytes: u64, per_second: u64) {
        let micros = u128::from(bytes) * u128::from(self.scale) * 1_000_000 / u128::from(per_second.max(1));
        self.spend(Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))).await;
    }

    /// Runs `work` with a limit; `None` when the limit came first.
    pub async fn limit<F: Future>(&self, limit: Duration, work: F) -> Option<F::Output> {
        tokio::time::timeout(limit, work).await.ok()
    }

    fn ran(&self, duration: Duration) -> Elapsed {
        Elapsed::ran(duration.as_millis() as u64, self.is_simulated())
    }

    fn face(&self) -> MutexGuard<'_, Face> {
        self.face.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Measures one thing from its making on.
#[derive(Debug)]
pub struct Stopwatch {
    clock: Clock,
    started: Instant,
}

impl Stopwatch {
    /// Time since it was made, measured or simulated.
    pub fn elapsed(&self) -> Elapsed {
        self.clock.ran(self.started.elapsed())
    }
}

/// The wall clock's date and time, for the one field that says when a real drill was run.
pub fn wall_now() -> Timestamp {
    Timestamp::now()
}

fn later(moment: Timestamp, by: Duration) -> Timestamp {
    let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
    moment.checked_add(by).unwrap_or(Timestamp::MAX)
}
