//! Stamps events with scenario time and hands them on. Every room that has something to say holds a clone.

use std::sync::{Arc, Mutex, PoisonError};

use super::{clock::Clock, messenger::Messenger};
use crate::model::{
    event::{Alarm, Event, Phase, What},
    units::Span,
};

/// How often people are called, and how far apart. Nobody sleeps for it: the waits are assumed time, in both ways.
const CALLS: u32 = 4;
const PAUSE: Span = Span::minutes(5);

/// Called with each event as it happens; a progress bar, a log.
pub type Listener = Arc<dyn Fn(&Event) + Send + Sync>;

/// Collects the events of one drill.
#[derive(Clone)]
pub struct Recorder {
    clock: Clock,
    service: Option<String>,
    events: Arc<Mutex<Vec<Event>>>,
    listener: Option<Listener>,
    messenger: Arc<Messenger>,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}

impl Recorder {
    /// An empty recorder.
    pub fn new(clock: &Clock, listener: Option<Listener>) -> Self {
        let messenger = Arc::default();
        Recorder { clock: clock.clone(), service: None, events: Arc::default(), listener, messenger }
    }

    /// A recorder into the same list, for what happens to one service.
    #[must_use]
    pub fn of_service(&self, name: &str) -> Self {
        Recorder { service: Some(name.to_owned()), ..self.clone() }
    }

    /// What carries the alarms among the events to people.
    pub fn messenger(&self) -> &Arc<Messenger> {
        &self.messenger
    }

    /// Raises an alarm that must not be missed: again after a while where nobody heard it, a few times.
    pub async fn call(&self, alarm: Alarm) {
        self.call_all(vec![alarm]).await;
    }

    /// The same for several at once: the waits are shared.
    pub async fn call_all(&self, mut alarms: Vec<Alarm>) {
        for call in 1..=CALLS {
            alarms.retain(|alarm| {
                let heard = self.messenger.deliver();
                self.say(What::Alarm(Alarm { heard, ..alarm.clone() }));
                !heard
            });
            if alarms.is_empty() {
                return;
            }
            if call < CALLS {
                self.clock.let_pass(PAUSE).await;
            }
        }
    }

    /// Says that something happened now. An alarm is heard by people where the messenger carries it.
    pub fn emit(&self, mut what: What) {
        if let What::Alarm(alarm) = &mut what {
            alarm.heard = self.messenger.deliver();
        }
        self.say(what);
    }

    fn say(&self, what: What) {
        let since_t0 = self.clock.since_t0().filter(|_| !matches!(what, What::Disaster { .. }));
        let at = if since_t0.is_none() { Some(self.clock.now()) } else { None };
        let event = Event { at, since_t0, service: self.service.clone(), what };
        if let Some(listener) = &self.listener {
            listener(&event);
        }
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }

    /// A phase begins.
    pub fn begin(&self, phase: Phase) {
        self.emit(What::PhaseStarted { phase });
    }

    /// A phase ends.
    pub fn end(&self, phase: Phase, ok: bool) {
        self.emit(What::PhaseEnded { phase, ok });
    }

    /// The events so far.
    pub fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
