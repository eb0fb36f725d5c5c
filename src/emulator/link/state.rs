//! What a link can be like, and what it says to those who ask.

use std::time::Duration;

use crate::model::units::Percent;

/// How a link behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LinkState {
    /// As it should.
    #[default]
    Up,
    /// Its name does not resolve. A body that is on its way arrives; whoever still holds a connection loses it.
    Nameless,
    /// Connections are refused, open ones break.
    Refused,
    /// Connections are accepted and never answered.
    BlackHole,
    /// Every request is answered with an error, open bodies break off.
    Status(StatusFault),
    /// The first requests are answered with an error, the others are served.
    FirstRejected {
        /// How many.
        requests: u64,
        /// The error.
        fault: StatusFault,
    },
    /// Requests that would change something are answered with an error, the others are served.
    WritesRejected(StatusFault),
    /// In turn every request is answered with an error, and served. It begins with errors.
    Flapping {
        /// When it turns.
        rhythm: Rhythm,
        /// The error.
        fault: StatusFault,
    },
    /// Everything arrives, late.
    Slow {
        /// Of bodies, for all transfers of one direction together.
        bytes_per_second: u64,
        /// Added to every answer.
        latency: Duration,
    },
    /// Bodies of objects do not arrive whole.
    Bodies(BodyFault),
}

/// When a flapping link turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rhythm {
    /// After so many requests.
    Requests {
        /// Answered with an error.
        down: u64,
        /// Served.
        up: u64,
    },
    /// After so much time of the scenario's clock.
    Time {
        /// With errors; bodies break off as well.
        down: Duration,
        /// Without.
        up: Duration,
    },
}

/// How bodies of objects fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyFault {
    /// Those that are read from the region, or those that are written to it.
    pub of: Intent,
    /// How they end.
    pub ending: Ending,
    /// The share of a body that passes before.
    pub at: Percent,
    /// Only so many bodies, the first ones; every one where `None`.
    pub first: Option<u64>,
}

/// How a body ends that is not whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The connection is reset.
    Reset,
    /// The connection is closed, earlier than the length said.
    Short,
    /// The body ends as if it were whole; its length was not said.
    ShortUntold,
}

/// What a request wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// To know something.
    Read,
    /// To change something.
    Write,
}

/// Errors with which a region answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusFault {
    /// 503 `SlowDown`.
    SlowDown503,
    /// 403 `AccessDenied`.
    Denied403,
    /// 500 `InternalError`.
    Internal500,
    /// 400 `ExpiredToken`, as S3 has it.
    Expired400,
    /// 405 `MethodNotAllowed`.
    NotAllowed405,
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It is served, after this wait.
    Pass {
        /// Zero but on a slow link.
        delay: Duration,
    },
    /// It does not get through: the connection is refused, or reset where it is open already.
    Shut(Shut),
    /// There is no answer while the link is as it is; see [`super::Link::released`].
    Hang,
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
    Cut(Shut),
    /// It does not arrive while the link is as it is; see [`super::Link::released`]. Then ask again.
    Hang,
}

/// Why something does not get through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Shut {
    /// The name does not resolve.
    #[error("no such host")]
    Nameless,
    /// The connection is refused, or broken off.
    #[error("the link is down")]
    Refused,
    /// The region answers with an error.
    #[error("the region answers with an error: {0:?}")]
    Rejected(StatusFault),
    /// The connection is reset in the middle of a body.
    #[error("the connection is reset")]
    Reset,
}

/// Where a body will end that does not arrive whole; [`super::Link::broke`] counts it when it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Break {
    /// Bytes of it that pass.
    pub at: u64,
    /// How it ends.
    pub ending: Ending,
    /// What does it.
    pub(super) layer: LayerId,
}

/// One of a link's conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct LayerId(pub(super) u64);

/// When a condition begins to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begins {
    /// At once.
    Now,
    /// Once so many more bytes of bodies have been read from the region: the piece that would exceed them meets it.
    AfterBytes(u64),
    /// Once so many more requests have come.
    AfterRequests(u64),
}

/// What a link, or one of its conditions, has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LinkCounters {
    /// Requests that arrived.
    pub requests: u64,
    /// Requests for which its name did not resolve.
    pub nameless: u64,
    /// Requests that were refused.
    pub refused: u64,
    /// Requests and bodies left without an answer.
    pub hung: u64,
    /// Requests answered with an error.
    pub rejected: u64,
    /// Requests and pieces of bodies that had to wait.
    pub delayed: u64,
    /// Bodies that broke off, or ended too early.
    pub cut: u64,
    /// Bytes of bodies read from the region.
    pub bytes_out: u64,
    /// Bytes of bodies written to the region.
    pub bytes_in: u64,
}

impl LinkCounters {
    /// Adds what was counted between two looks.
    pub(super) fn add(&mut self, now: &Self, before: &Self) {
        self.nameless += now.nameless - before.nameless;
        self.refused += now.refused - before.refused;
        self.hung += now.hung - before.hung;
        self.rejected += now.rejected - before.rejected;
        self.delayed += now.delayed - before.delayed;
        self.cut += now.cut - before.cut;
    }

    /// Whether anything met it but what it served as it should.
    pub fn has_struck(&self) -> bool {
        self.nameless + self.refused + self.hung + self.rejected + self.delayed + self.cut > 0
    }
}
