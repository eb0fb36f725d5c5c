//! DNS as users have it: a record with a time to live, and resolvers that hold what they were told. Users never stop
//! asking, so when a record changes, the resolvers' copy of the old one is as young as it can be: it lives for its whole
//! time to live.

use jiff::{SignedDuration, Timestamp};

use super::{
    Hosting, State, json,
    message::{Request, Resolution, ResolvedRecord, Response},
};
use crate::model::units::Span;

/// Where the resolver is reached.
pub(super) const HOST: &str = "resolver.example";

impl Hosting {
    /// `GET /resolve?name=…`.
    pub(super) fn resolve(&self, state: &State, request: &Request, now: Timestamp) -> Response {
        let name = request.path.split_once("name=").map_or("", |(_, name)| name);
        if name != self.domain {
            return json(200, &Resolution { status: 3, answer: Vec::new() });
        }
        let (data, left) = state.resolved(now);
        let answer = ResolvedRecord { name: name.to_owned(), ttl_s: left.millis().div_ceil(1000), data };
        json(200, &Resolution { status: 0, answer: vec![answer] })
    }
}

impl State {
    /// Where resolvers say that the domain points, and for how long they will go on saying so.
    pub(super) fn resolved(&self, now: Timestamp) -> (String, Span) {
        match &self.held {
            Some((old, until)) if *until > now => {
                let left = u64::try_from(until.duration_since(now).as_millis()).unwrap_or(0);
                (old.clone(), Span(left))
            }
            _ => (self.record.target.clone(), self.record.ttl),
        }
    }

    /// Changes the record. What resolvers say until then, they go on saying for the time to live.
    pub(super) fn point(&mut self, target: String, now: Timestamp) {
        if target == self.record.target {
            return;
        }
        let (said, _) = self.resolved(now);
        self.held = Some((said, later(now, self.record.ttl)));
        self.record.target = target;
    }
}

pub(super) fn later(moment: Timestamp, by: Span) -> Timestamp {
    let by = SignedDuration::from_millis(i64::try_from(by.millis()).unwrap_or(i64::MAX));
    moment.checked_add(by).unwrap_or(Timestamp::MAX)
}
