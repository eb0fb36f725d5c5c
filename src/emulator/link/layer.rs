//! One condition of a link: a state, when it begins to act, and what it has done. Several lie on one another, and each
//! counts for itself, so that every fault can prove what it alone did.

use std::time::Duration;

use jiff::Timestamp;

use super::state::{
    Admission, Begins, BodyFault, Break, Intent, LayerId, LinkCounters, LinkState, Pass, Rhythm, Shut, StatusFault,
};

/// A condition.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) id: LayerId,
    pub(super) state: LinkState,
    pub(super) begins: Begins,
    pub(super) struck: LinkCounters,
    /// When it was laid, in scenario time.
    since: Timestamp,
    /// Requests or bodies that it was asked about.
    asked: u64,
    out: Queue,
    into: Queue,
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

/// What a piece of a body meets.
pub(super) struct Piece {
    pub(super) bytes: u64,
    pub(super) way: Intent,
    /// Microseconds of the link's stopwatch.
    pub(super) elapsed: u64,
    /// How many bytes one byte stands for.
    pub(super) scale: u64,
}

impl Layer {
    pub(super) fn new(id: LayerId, state: LinkState, begins: Begins, now: Timestamp) -> Self {
        let (struck, asked, out, into) = Default::default();
        Layer { id, state, begins, struck, since: now, asked, out, into }
    }

    /// Whether it acts.
    pub(super) fn is_awake(&self) -> bool {
        self.begins == Begins::Now
    }

    /// How near it lies to those who ask: a name comes before a connection, a connection before an answer.
    pub(super) fn depth(&self) -> u8 {
        match self.state {
            LinkState::Nameless => 0,
            LinkState::Refused => 1,
            LinkState::BlackHole => 2,
            _ => 3,
        }
    }

    /// A request comes. Whether the layer awakes.
    pub(super) fn hears_request(&mut self) -> bool {
        match &mut self.begins {
            Begins::AfterRequests(0) => self.begins = Begins::Now,
            Begins::AfterRequests(left) => {
                *left -= 1;
                return false;
            }
            Begins::Now | Begins::AfterBytes(_) => return false,
        }
        true
    }

    /// So many bytes are to be read from the region. Whether the layer awakes.
    pub(super) fn hears_bytes(&mut self, bytes: u64) -> bool {
        let Begins::AfterBytes(left) = &mut self.begins else { return false };
        match left.checked_sub(bytes) {
            Some(rest) => {
                *left = rest;
                false
            }
            None => {
                self.begins = Begins::Now;
                true
            }
        }
    }

    /// What becomes of a request.
    pub(super) fn receive(&mut self, intent: Intent, now: Timestamp) -> Admission {
        let asked = self.asked;
        self.asked += 1;
        match self.state {
            LinkState::Up | LinkState::Bodies(_) => {
                self.asked = asked; // it counts bodies
                Admission::Pass { delay: Duration::ZERO }
            }
            LinkState::Nameless => {
                self.struck.nameless += 1;
                Admission::Shut(Shut::Nameless)
            }
            LinkState::Refused => {
                self.struck.refused += 1;
                Admission::Shut(Shut::Refused)
            }
            LinkState::BlackHole => {
                self.struck.hung += 1;
                Admission::Hang
            }
            LinkState::Slow { latency, .. } => {
                self.struck.delayed += 1;
                Admission::Pass { delay: latency }
            }
            LinkState::Status(fault) => self.reject(true, fault),
            LinkState::FirstRejected { requests, fault } => self.reject(asked < requests, fault),
            LinkState::WritesRejected(fault) => self.reject(intent == Intent::Write, fault),
            LinkState::Flapping { rhythm, fault } => self.reject(self.is_down(rhythm, asked, now), fault),
        }
    }

    fn reject(&mut self, rejects: bool, fault: StatusFault) -> Admission {
        if !rejects {
            return Admission::Pass { delay: Duration::ZERO };
        }
        self.struck.rejected += 1;
        Admission::Shut(Shut::Rejected(fault))
    }

    fn is_down(&self, rhythm: Rhythm, asked: u64, now: Timestamp) -> bool {
        match rhythm {
            Rhythm::Requests { down, up } => asked % (down + up).max(1) < down,
            Rhythm::Time { down, up } => {
                let gone = u128::try_from(now.duration_since(self.since).as_millis()).unwrap_or(0);
                gone % (down + up).as_millis().max(1) < down.as_millis()
            }
        }
    }

    /// What becomes of a piece of a body.
    pub(super) fn judge(&mut self, piece: &Piece, now: Timestamp) -> Pass {
        let breaks = match self.state {
            LinkState::Refused => Some(Shut::Refused),
            LinkState::Status(fault) => Some(Shut::Rejected(fault)),
            LinkState::Flapping { rhythm: rhythm @ Rhythm::Time { .. }, fault } => {
                self.is_down(rhythm, 0, now).then_some(Shut::Rejected(fault))
            }
            LinkState::BlackHole => {
                self.struck.hung += 1;
                return Pass::Hang;
            }
            LinkState::Slow { bytes_per_second, .. } => {
                self.struck.delayed += 1;
                let queue = if piece.way == Intent::Read { &mut self.out } else { &mut self.into };
                let rate = (bytes_per_second / piece.scale).max(1);
                return Pass::Go { delay: queue.enter(piece.elapsed, piece.bytes, rate) };
            }
            _ => None,
        };
        match breaks {
            Some(shut) => {
                self.struck.cut += 1;
                Pass::Cut(shut)
            }
            None => Pass::Go { delay: Duration::ZERO },
        }
    }

    /// Where a body of that size will end too early, if it will. One without a byte cannot be shorter.
    pub(super) fn spoil(&mut self, way: Intent, size: u64) -> Option<Break> {
        let LinkState::Bodies(BodyFault { of, ending, at, first }) = self.state else { return None };
        if of != way || size == 0 || first.is_some_and(|first| self.asked >= first) {
            return None;
        }
        self.asked += 1;
        Some(Break { at: at.of(size).min(size - 1), ending, layer: self.id })
    }
}
