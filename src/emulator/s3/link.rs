//! The state of the way to a region. Whoever serves a region asks it about every request and every piece of a body,
//! over HTTP and in process alike, so that no fault is written twice.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::watch;

use super::body::PIECE;
use crate::sim::clock::{Clock, Stopwatch};

/// How a link behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LinkState {
    /// As it should.
    #[default]
    Up,
    /// Connections are refused, open ones break.
    Refused,
    /// Connections are accepted and never answered.
    BlackHole,
    /// Every request is answered with an error, open bodies break off.
    Status(StatusFault),
    /// Everything arrives, late.
    Slow {
        /// Of bodies, for all transfers of one direction together.
        bytes_per_second: u64,
        /// Added to every answer.
        latency: Duration,
    },
}

/// Errors with which a region answers everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusFault {
    /// 503 `SlowDown`.
    SlowDown503,
    /// 403 `AccessDenied`.
    Denied403,
    /// 500 `InternalError`.
    Internal500,
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It is served, after this wait.
    Pass {
        /// Zero but on a slow link.
        delay: Duration,
    },
    /// The connection is refused, or reset where it is open already.
    Refuse,
    /// There is no answer while the link is as it is; see [`Link::released`].
    Hang,
    /// It is answered with an error.
    Reject(StatusFault),
}

/// What becomes of a piece of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// It goes through, after this wait.
    Go {
        /// Zero but on a slow link.
        delay: Duration,
    },
    /// The connection breaks before it.
    Cut,
    /// It does not arrive while the link is as it is; see [`Link::released`]. Then ask again.
    Hang,
}

/// Why nothing gets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Shut {
    /// The connection is refused, or broken off.
    #[error("the link is down")]
    Refused,
    /// The region answers with an error.
    #[error("the region answers with an error: {0:?}")]
    Rejected(StatusFault),
}

/// What a link has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LinkCounters {
    /// Requests that arrived.
    pub requests: u64,
    /// Of these, refused.
    pub refused: u64,
    /// Requests and bodies left without an answer.
    pub hung: u64,
    /// Requests answered with an error.
    pub rejected: u64,
    /// Requests and pieces of bodies that had to wait.
    pub delayed: u64,
    /// Bodies that broke off.
    pub cut: u64,
    /// Bytes of bodies read from the region.
    pub bytes_out: u64,
    /// Bytes of bodies written to the region.
    pub bytes_in: u64,
}

/// The way to one region.
#[derive(Debug)]
pub struct Link {
    clock: Clock,
    since: Stopwatch,
    state: watch::Sender<LinkState>,
    book: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Book {
    counters: LinkCounters,
    trigger: Option<Trigger>,
    out: Queue,
    into: Queue,
}

#[derive(Debug)]
struct Trigger {
    left: u64,
    then: LinkState,
}

/// When the last byte that was let in will have gone through, in microseconds of the link's stopwatch. One for all
/// transfers: they share the bandwidth, and waits do not add up with the number of pieces.
#[derive(Debug, Default)]
struct Queue {
    free_at: u64,
}

impl Queue {
    fn enter(&mut self, now: u64, bytes: u64, bytes_per_second: u64) -> Duration {
        let takes = u128::from(bytes) * 1_000_000 / u128::from(bytes_per_second.max(1));
        self.free_at = self.free_at.max(now).saturating_add(u64::try_from(takes).unwrap_or(u64::MAX));
        Duration::from_micros(self.free_at - now)
    }
}

impl Link {
    /// A link that is up.
    pub fn new(clock: &Clock) -> Self {
        Link {
            clock: clock.clone(),
            since: clock.stopwatch(),
            state: watch::Sender::new(LinkState::Up),
            book: Mutex::default(),
        }
    }

    /// Changes the state; a queue of delayed bytes is forgotten.
    pub fn set(&self, state: LinkState) {
        let mut book = self.book();
        self.turn(&mut book, state);
    }

    /// How it behaves now.
    pub fn state(&self) -> LinkState {
        *self.state.borrow()
    }

    /// Once `after_bytes` more bytes of bodies have been read from the region, the link changes by itself: the piece
    /// that would exceed them meets the new state.
    pub fn arm(&self, after_bytes: u64, then: LinkState) {
        self.book().trigger = Some(Trigger { left: after_bytes, then });
    }

    /// Forgets what [`Link::arm`] set.
    pub fn disarm(&self) {
        self.book().trigger = None;
    }

    /// Asks for a request, once. In process, where there is no connection that could be refused before, this counts
    /// refusals too.
    pub fn admit(&self) -> Admission {
        let mut book = self.book();
        book.counters.requests += 1;
        self.receive(&mut book.counters)
    }

    /// Asks for a request and waits as the link says, behind a black hole until it is none.
    pub async fn enter(&self) -> Result<(), Shut> {
        let mut admission = self.admit();
        loop {
            match admission {
                Admission::Pass { delay } => {
                    self.wait(delay).await;
                    return Ok(());
                }
                Admission::Refuse => return Err(Shut::Refused),
                Admission::Reject(fault) => return Err(Shut::Rejected(fault)),
                Admission::Hang => self.released().await,
            }
            admission = self.receive(&mut self.book().counters);
        }
    }

    /// Counts a connection that the operating system refused in the region's name; its client tells.
    pub fn count_refused(&self) {
        let mut book = self.book();
        book.counters.requests += 1;
        book.counters.refused += 1;
    }

    fn receive(&self, counters: &mut LinkCounters) -> Admission {
        match self.state() {
            LinkState::Up => Admission::Pass { delay: Duration::ZERO },
            LinkState::Refused => {
                counters.refused += 1;
                Admission::Refuse
            }
            LinkState::BlackHole => {
                counters.hung += 1;
                Admission::Hang
            }
            LinkState::Status(fault) => {
                counters.rejected += 1;
                Admission::Reject(fault)
            }
            LinkState::Slow { latency, .. } => {
                counters.delayed += 1;
                Admission::Pass { delay: latency }
            }
        }
    }

    /// Asks for a piece of a body that is read from the region.
    pub fn pass(&self, bytes: u64) -> Pass {
        let mut book = self.book();
        if let Some(trigger) = &mut book.trigger {
            match trigger.left.checked_sub(bytes) {
                Some(left) => trigger.left = left,
                None => {
                    let then = trigger.then;
                    book.trigger = None;
                    self.turn(&mut book, then);
                }
            }
        }
        let passed = self.judge(&mut book, bytes, |book| &mut book.out);
        if matches!(passed, Pass::Go { .. }) {
            book.counters.bytes_out += bytes;
        }
        passed
    }

    /// How many bytes of a body to send at once: few enough that a slow link trickles instead of falling silent, and
    /// that an armed trigger fires at its byte.
    pub fn piece(&self) -> usize {
        let most = match self.state() {
            LinkState::Slow { bytes_per_second, .. } => (self.modelled(bytes_per_second) / 20).clamp(1, PIECE as u64),
            _ => (PIECE as u64 / self.clock.scale()).max(1),
        };
        let left = self.book().trigger.as_ref().map_or(most, |trigger| trigger.left);
        usize::try_from(if left == 0 { most } else { most.min(left) }).unwrap_or(PIECE)
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
                Pass::Cut => {
                    return Err(match self.state() {
                        LinkState::Status(fault) => Shut::Rejected(fault),
                        _ => Shut::Refused,
                    });
                }
                Pass::Hang => self.released().await,
            }
        }
    }

    /// Waits that long, or until the link changes.
    async fn wait(&self, delay: Duration) {
        if delay > Duration::ZERO {
            let before = self.state();
            tokio::select! {
                biased;
                () = self.clock.sleep(delay) => {}
                () = self.until(|state| state != before) => {}
            }
        }
    }

    /// Asks for a piece of a body that is written to the region.
    pub fn pass_in(&self, bytes: u64) -> Pass {
        let mut book = self.book();
        let passed = self.judge(&mut book, bytes, |book| &mut book.into);
        if matches!(passed, Pass::Go { .. }) {
            book.counters.bytes_in += bytes;
        }
        passed
    }

    /// What it has done so far.
    pub fn counters(&self) -> LinkCounters {
        self.book().counters
    }

    /// Waits until the link is no black hole: at once where it is none.
    pub async fn released(&self) {
        self.until(|state| state != LinkState::BlackHole).await;
    }

    /// Waits until the link is as wanted: at once where it is so.
    pub async fn until(&self, wanted: impl Fn(LinkState) -> bool) {
        // The sender lives as long as the link, so the only error (no sender) cannot come.
        let _ = self.state.subscribe().wait_for(|state| wanted(*state)).await;
    }

    fn judge(&self, book: &mut Book, bytes: u64, queue: impl Fn(&mut Book) -> &mut Queue) -> Pass {
        match self.state() {
            LinkState::Up => Pass::Go { delay: Duration::ZERO },
            LinkState::Refused | LinkState::Status(_) => {
                book.counters.cut += 1;
                Pass::Cut
            }
            LinkState::BlackHole => {
                book.counters.hung += 1;
                Pass::Hang
            }
            LinkState::Slow { bytes_per_second, .. } => {
                book.counters.delayed += 1;
                let now = self.since.elapsed().total_ms().saturating_mul(1000);
                Pass::Go { delay: queue(book).enter(now, bytes, self.modelled(bytes_per_second)) }
            }
        }
    }

    /// A rate in the bytes of a world whose sizes are modelled.
    fn modelled(&self, bytes_per_second: u64) -> u64 {
        (bytes_per_second / self.clock.scale()).max(1)
    }

    fn turn(&self, book: &mut Book, state: LinkState) {
        book.out = Queue::default();
        book.into = Queue::default();
        self.state.send_replace(state);
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::record::Way;

    fn link() -> (Link, Clock) {
        let clock = Clock::new(Way::Simulated, "2026-11-04T03:00:00Z".parse().unwrap());
        (Link::new(&clock), clock)
    }

    #[tokio::test(start_paused = true)]
    async fn every_state_says_what_becomes_of_requests_and_bodies_and_counts_it() {
        let (link, _) = link();
        let slow = LinkState::Slow { bytes_per_second: 1000, latency: Duration::from_millis(70) };
        let mut said = String::new();
        for state in [
            LinkState::Up,
            LinkState::Refused,
            LinkState::BlackHole,
            LinkState::Status(StatusFault::SlowDown503),
            slow,
            LinkState::Up,
        ] {
            link.set(state);
            said += &format!("{state:?}: {:?}, out {:?}, in {:?}\n", link.admit(), link.pass(500), link.pass_in(500));
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
        link.arm(1000, LinkState::Refused);
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
        link.arm(10, LinkState::BlackHole);
        link.disarm();
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
        let request = tokio::spawn(async move { request.enter().await });
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
}
