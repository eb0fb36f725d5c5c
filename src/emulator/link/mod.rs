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
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{record::Way, units::Percent};

    fn link() -> (Link, Clock) {
        let clock = Clock::new(Way::Simulated, "2026-11-04T03:00:00Z".parse().unwrap());
        (Link::new(&clock), clock)
    }

    #[tokio::test(start_paused = true)]
    async fn every_state_says_what_becomes_of_requests_and_bodies_and_counts_it() {
        let (link, _) = link();
        let slow = LinkState::Slow { bytes_per_second: 1000, latency: Duration::from_millis(70) };
        let minutes = Rhythm::Time { down: Duration::from_secs(60), up: Duration::from_secs(60) };
        let mut said = String::new();
        for state in [
            LinkState::Up,
            LinkState::Refused,
            LinkState::BlackHole,
            LinkState::Status(StatusFault::SlowDown503),
            slow,
            LinkState::Nameless,
            LinkState::WritesRejected(StatusFault::Denied403),
            LinkState::FirstRejected { requests: 1, fault: StatusFault::Internal500 },
            LinkState::Flapping { rhythm: minutes, fault: StatusFault::Internal500 },
            LinkState::Up,
        ] {
            link.set(state);
            said += &format!(
                "{state:?}: {:?}, out {:?}, in {:?}\n",
                link.admit(Intent::Read),
                link.pass(500),
                link.pass_in(500)
            );
        }
        insta::assert_snapshot!(format!("{said}{:?}", link.counters()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_link_gives_its_bandwidth_to_all_transfers_together_whatever_their_pieces() {
        for (transfers, pieces) in [(1, 1), (1, 400), (2, 200), (4, 1)] {
            let (link, clock) = link();
            link.set(LinkState::Slow { bytes_per_second: 64 << 10, latency: Duration::ZERO });
            let link = Arc::new(link);
            let watch = clock.stopwatch();
            let each = (640 << 10) / transfers / pieces;
            let all = (0..transfers).map(|_| {
                let link = link.clone();
                tokio::spawn(async move {
                    for _ in 0..pieces {
                        link.carry(each).await.unwrap();
                    }
                })
            });
            for transfer in all.collect::<Vec<_>>() {
                transfer.await.unwrap();
            }
            let took = watch.elapsed().total_ms();
            assert!((9_900..=10_400).contains(&took), "{transfers} transfers of {pieces} pieces: {took} ms");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_armed_link_changes_at_its_byte_and_disarmed_it_does_not() {
        let (link, _) = link();
        link.lay(LinkState::Refused, Begins::AfterBytes(1000));
        let mut sent = 0;
        while link.piece() > 0 {
            let piece = link.piece().min(300) as u64;
            if link.carry(piece).await.is_err() {
                break;
            }
            sent += piece;
        }
        assert_eq!((sent, link.state(), link.counters().cut), (1000, LinkState::Refused, 1));

        link.set(LinkState::Up);
        assert!(matches!(link.pass(1 << 20), Pass::Go { .. }), "it fires once");
        let armed = link.lay(LinkState::BlackHole, Begins::AfterBytes(10));
        link.lift(armed);
        assert!(matches!(link.pass(1 << 20), Pass::Go { .. }));
    }

    #[test]
    fn a_slow_link_trickles_and_is_never_silent_for_long() {
        let (link, _) = link();
        for rate in [1_000, 64 << 10, 1 << 20, 1 << 30] {
            link.set(LinkState::Slow { bytes_per_second: rate, latency: Duration::ZERO });
            let silence_ms = link.piece() as u64 * 1000 / rate;
            assert!(silence_ms <= 100, "{silence_ms} ms between two pieces at {rate} B/s");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_hangs_goes_on_as_the_link_says_once_it_is_healed() {
        let (link, clock) = link();
        let link = Arc::new(link);
        link.set(LinkState::BlackHole);
        let (request, body) = (link.clone(), link.clone());
        let request = tokio::spawn(async move { request.enter(Intent::Read).await });
        let body = tokio::spawn(async move { body.carry(1).await });
        clock.sleep(Duration::from_secs(3600)).await;
        assert!(!request.is_finished() && !body.is_finished());
        link.set(LinkState::Status(StatusFault::Denied403));
        let shut = Err(Shut::Rejected(StatusFault::Denied403));
        assert_eq!((request.await.unwrap(), body.await.unwrap()), (shut, shut));
        assert_eq!(link.counters().requests, 1, "one request, however long it took");
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_on_a_slow_link_ends_with_the_slowness() {
        let (link, clock) = link();
        let link = Arc::new(link);
        link.set(LinkState::Slow { bytes_per_second: 1, latency: Duration::ZERO });
        let waiting = link.clone();
        let body = tokio::spawn(async move { waiting.carry(1 << 20).await });
        let watch = clock.stopwatch();
        clock.sleep(Duration::from_secs(1)).await;
        link.set(LinkState::Up);
        body.await.unwrap().unwrap();
        assert!(watch.elapsed().total_ms() < 2_000);
    }

    #[tokio::test(start_paused = true)]
    async fn conditions_lie_on_one_another_and_each_counts_for_itself() {
        let (link, _) = link();
        let slow =
            link.lay(LinkState::Slow { bytes_per_second: u64::MAX, latency: Duration::from_millis(5) }, Begins::Now);
        let first = LinkState::FirstRejected { requests: 1, fault: StatusFault::Internal500 };
        let first = link.lay(first, Begins::Now);
        let slower = link.lay(
            LinkState::Slow { bytes_per_second: u64::MAX, latency: Duration::from_millis(7) },
            Begins::AfterRequests(2),
        );
        let rejected = Admission::Shut(Shut::Rejected(StatusFault::Internal500));
        let delayed = |ms| Admission::Pass { delay: Duration::from_millis(ms) };
        let asked: Vec<_> = (0..3).map(|_| link.admit(Intent::Read)).collect();
        assert_eq!(asked, [rejected, delayed(5), delayed(12)], "waits add up");
        let refused = link.lay(LinkState::Refused, Begins::Now);
        assert_eq!(link.admit(Intent::Read), Admission::Shut(Shut::Refused));
        let of = |id| (link.struck(id).rejected, link.struck(id).delayed, link.struck(id).refused);
        assert_eq!([of(slow), of(first), of(slower), of(refused)], [(0, 2, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]);
        let all = link.counters();
        assert_eq!((all.requests, all.rejected, all.delayed, all.refused), (4, 1, 3, 1));
        link.lift(refused);
        link.lift(slow);
        assert_eq!((link.admit(Intent::Read), link.layers()), (delayed(7), 2));
        assert!(!link.struck(slow).has_struck(), "what was taken away counts no more");
    }

    #[test]
    fn a_body_breaks_before_its_last_byte_and_only_as_many_as_are_meant() {
        let (link, _) = link();
        let fault = BodyFault { of: Intent::Read, ending: Ending::Short, at: Percent(100), first: Some(2) };
        let id = link.lay(LinkState::Bodies(fault), Begins::Now);
        assert_eq!((link.body(Intent::Write, 10), link.body(Intent::Read, 0)), (None, None));
        let at: Vec<_> = [1, 10, 10].map(|size| link.body(Intent::Read, size).map(|broken| broken.at)).to_vec();
        assert_eq!(at, [Some(0), Some(9), None]);
        assert!(!link.struck(id).has_struck(), "nobody has read so far yet");
    }
}
