//! The way to a region or a deployment. Whoever serves it asks the way about every request and every piece of a body,
//! over HTTP and in process alike, so that no fault is written twice.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::watch;

use super::s3::body::PIECE;
use crate::sim::clock::{Clock, Stopwatch};

mod layer;
pub(super) mod listener;
mod state;

use layer::{Layer, Piece};
pub use state::{
    Admission, Begins, BodyFault, Break, Ending, Intent, LayerId, LinkCounters, LinkState, Pass, Rhythm, Shut,
    StatusFault,
};

/// The way to one region.
#[derive(Debug)]
pub struct Link {
    clock: Clock,
    since: Stopwatch,
    book: Mutex<Book>,
    /// Counts changes, and tells those who wait for one.
    changes: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Book {
    counters: LinkCounters,
    laid: u64,
    /// Nearest to those who ask first; of those equally near the newest first.
    layers: Vec<Layer>,
}

impl Book {
    /// Lets every layer that acts look, the nearest first, until one has an answer that is final; what it counts
    /// meanwhile is the link's as well.
    fn ask<T>(&mut self, mut look: impl FnMut(&mut Layer) -> Option<T>) -> Option<T> {
        for layer in self.layers.iter_mut().filter(|layer| layer.is_awake()) {
            let before = layer.struck;
            let answer = look(layer);
            self.counters.add(&layer.struck, &before);
            if answer.is_some() {
                return answer;
            }
        }
        None
    }

    fn has(&self, state: LinkState) -> bool {
        self.layers.iter().any(|layer| layer.is_awake() && layer.state == state)
    }

    fn put(&mut self, layer: Layer) {
        let at = self.layers.iter().position(|other| other.depth() >= layer.depth()).unwrap_or(self.layers.len());
        self.layers.insert(at, layer);
    }
}

impl Link {
    /// A link that is up.
    pub fn new(clock: &Clock) -> Self {
        Link { clock: clock.clone(), since: clock.stopwatch(), book: Mutex::default(), changes: watch::Sender::new(0) }
    }

    /// Adds a condition to those that there are.
    pub fn lay(&self, state: LinkState, begins: Begins) -> LayerId {
        let now = self.clock.now();
        let id = {
            let mut book = self.book();
            book.laid += 1;
            let id = LayerId(book.laid);
            book.put(Layer::new(id, state, begins, now));
            id
        };
        self.changed(true);
        id
    }

    /// Takes a condition away. Others stay.
    pub fn lift(&self, id: LayerId) {
        self.book().layers.retain(|layer| layer.id != id);
        self.changed(true);
    }

    /// What one condition has done so far; nothing where it was taken away.
    pub fn struck(&self, id: LayerId) -> LinkCounters {
        self.book().layers.iter().find(|layer| layer.id == id).map(|layer| layer.struck).unwrap_or_default()
    }

    /// Takes every condition away, also those that have not begun, and has this one alone.
    pub fn set(&self, state: LinkState) {
        let now = self.clock.now();
        {
            let mut book = self.book();
            book.layers.clear();
            book.laid += 1;
            if state != LinkState::Up {
                let id = LayerId(book.laid);
                book.put(Layer::new(id, state, Begins::Now, now));
            }
        }
        self.changed(true);
    }

    /// The newest of the conditions that act.
    pub fn state(&self) -> LinkState {
        let book = self.book();
        let newest = book.layers.iter().filter(|layer| layer.is_awake()).max_by_key(|layer| layer.id);
        newest.map_or(LinkState::Up, |layer| layer.state)
    }

    /// How many conditions there are, whether they have begun or not.
    pub fn layers(&self) -> usize {
        self.book().layers.len()
    }

    /// Whether connections are refused.
    pub fn is_refused(&self) -> bool {
        self.book().has(LinkState::Refused)
    }

    /// Whether its name does not resolve. Somebody who looked it up is counted.
    pub fn look_up(&self) -> Result<(), Shut> {
        let mut book = self.book();
        let nameless = book.ask(|layer| {
            let is_it = layer.state == LinkState::Nameless;
            layer.struck.nameless += u64::from(is_it);
            is_it.then_some(Shut::Nameless)
        });
        nameless.map_or(Ok(()), Err)
    }

    /// Asks for a request, once. In process, where there is no connection that could be refused before, this counts
    /// refusals too.
    pub fn admit(&self, intent: Intent) -> Admission {
        let (admission, awoke) = {
            let mut book = self.book();
            book.counters.requests += 1;
            let awoke = book.layers.iter_mut().fold(false, |awoke, layer| awoke | layer.hears_request());
            (self.receive(&mut book, intent), awoke)
        };
        self.changed(awoke);
        admission
    }

    /// Asks for a request and waits as the link says, behind a black hole until it is none.
    pub async fn enter(&self, intent: Intent) -> Result<(), Shut> {
        let mut admission = self.admit(intent);
        loop {
            match admission {
                Admission::Pass { delay } => {
                    self.wait(delay).await;
                    return Ok(());
                }
                Admission::Shut(shut) => return Err(shut),
                Admission::Hang => self.released().await,
            }
            admission = self.receive(&mut self.book(), intent);
        }
    }

    /// Counts a connection that the operating system refused in the region's name; its client tells.
    pub fn count_refused(&self) {
        let mut book = self.book();
        book.counters.requests += 1;
        let refusing = book.layers.iter_mut().find(|layer| layer.is_awake() && layer.state == LinkState::Refused);
        if let Some(layer) = refusing {
            layer.struck.refused += 1;
        }
        book.counters.refused += 1;
    }

    fn receive(&self, book: &mut Book, intent: Intent) -> Admission {
        let (now, mut waits) = (self.clock.now(), Duration::ZERO);
        let stopped = book.ask(|layer| match layer.receive(intent, now) {
            Admission::Pass { delay } => {
                waits += delay;
                None
            }
            stopped => Some(stopped),
        });
        stopped.unwrap_or(Admission::Pass { delay: waits })
    }

    /// Asks for a whole body of an object, before its first piece: where it will end, if that is too early.
    pub fn body(&self, way: Intent, size: u64) -> Option<Break> {
        self.book().ask(|layer| layer.spoil(way, size))
    }

    /// Counts a body that ended too early.
    pub fn broke(&self, broken: Break) {
        let mut book = self.book();
        if let Some(layer) = book.layers.iter_mut().find(|layer| layer.id == broken.layer) {
            layer.struck.cut += 1;
        }
        book.counters.cut += 1;
    }

    /// Asks for a piece of a body that is read from the region.
    pub fn pass(&self, bytes: u64) -> Pass {
        let (passed, awoke) = {
            let mut book = self.book();
            let awoke = book.layers.iter_mut().fold(false, |awoke, layer| awoke | layer.hears_bytes(bytes));
            let passed = self.judge(&mut book, bytes, Intent::Read);
            if matches!(passed, Pass::Go { .. }) {
                book.counters.bytes_out += bytes;
            }
            (passed, awoke)
        };
        self.changed(awoke);
        passed
    }

    /// Asks for a piece of a body that is written to the region.
    pub fn pass_in(&self, bytes: u64) -> Pass {
        let mut book = self.book();
        let passed = self.judge(&mut book, bytes, Intent::Write);
        if matches!(passed, Pass::Go { .. }) {
            book.counters.bytes_in += bytes;
        }
        passed
    }

    /// How many bytes of a body to send at once: few enough that a slow link trickles instead of falling silent, and
    /// that a condition begins at its byte.
    pub fn piece(&self) -> usize {
        let (book, scale) = (self.book(), self.clock.scale());
        let rates = book.layers.iter().filter(|layer| layer.is_awake()).filter_map(|layer| match layer.state {
            LinkState::Slow { bytes_per_second, .. } => Some(modelled(bytes_per_second, scale) / 20),
            _ => None,
        });
        let most = rates.min().map_or(PIECE as u64 / scale, |rate| rate.min(PIECE as u64)).max(1);
        let left = book.layers.iter().filter_map(|layer| match layer.begins {
            Begins::AfterBytes(left) if left > 0 => Some(left),
            _ => None,
        });
        usize::try_from(left.min().map_or(most, |left| most.min(left))).unwrap_or(PIECE)
    }

    /// Sends a piece of a body that is read from the region, and waits as the link says.
    pub async fn carry(&self, bytes: u64) -> Result<(), Shut> {
        self.through(|| self.pass(bytes)).await
    }

    /// Takes a piece of a body that is written to the region, and waits as the link says.
    pub async fn carry_in(&self, bytes: u64) -> Result<(), Shut> {
        self.through(|| self.pass_in(bytes)).await
    }

    async fn through(&self, ask: impl Fn() -> Pass) -> Result<(), Shut> {
        loop {
            match ask() {
                Pass::Go { delay } => {
                    self.wait(delay).await;
                    return Ok(());
                }
                Pass::Cut(shut) => return Err(shut),
                Pass::Hang => self.released().await,
            }
        }
    }

    /// Waits that long, or until the link changes.
    async fn wait(&self, delay: Duration) {
        if delay > Duration::ZERO {
            let mut changes = self.changes.subscribe();
            tokio::select! {
                biased;
                () = self.clock.sleep(delay) => {}
                _ = changes.changed() => {}
            }
        }
    }

    /// What it has done so far.
    pub fn counters(&self) -> LinkCounters {
        self.book().counters
    }

    /// Waits until the link is no black hole: at once where it is none.
    pub async fn released(&self) {
        self.until(|book| !book.has(LinkState::BlackHole)).await;
    }

    /// Waits until connections are refused, or until they are not.
    pub async fn until_refused(&self, refused: bool) {
        self.until(|book| book.has(LinkState::Refused) == refused).await;
    }

    /// Waits until its name does not resolve.
    pub async fn until_nameless(&self) {
        self.until(|book| book.has(LinkState::Nameless)).await;
    }

    async fn until(&self, wanted: impl Fn(&Book) -> bool) {
        // The sender lives as long as the link, so the only error (no sender) cannot come.
        let _ = self.changes.subscribe().wait_for(|_| wanted(&self.book())).await;
    }

    fn judge(&self, book: &mut Book, bytes: u64, way: Intent) -> Pass {
        let elapsed = self.since.elapsed().total_ms().saturating_mul(1000);
        let piece = Piece { bytes, way, elapsed, scale: self.clock.scale() };
        let (now, mut waits) = (self.clock.now(), Duration::ZERO);
        let stopped = book.ask(|layer| match layer.judge(&piece, now) {
            Pass::Go { delay } => {
                waits = waits.max(delay);
                None
            }
            stopped => Some(stopped),
        });
        stopped.unwrap_or(Pass::Go { delay: waits })
    }

    /// Tells those who wait. Never with the book in hand: those who wait look into it.
    fn changed(&self, really: bool) {
        if really {
            self.changes.send_modify(|changes| *changes += 1);
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A rate in the bytes of a world whose sizes are modelled.
fn modelled(bytes_per_second: u64, scale: u64) -> u64 {
    (bytes_per_second / scale).max(1)
}

#[cfg(test)]
mod tests;
