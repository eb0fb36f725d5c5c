//! From events to the states of services and components, event by event: what a status page may say, and no more. A
//! service is well again only after the comparison with the ledger and every check (DESIGN §6); until then its
//! components are out, or degraded from the moment that it claims to answer.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    say,
    status::{ComponentStatus, IncidentStatus, STATUS_FORMAT, Stage, State, Status, Update},
    text::{Text, Zone, later, up_to_the_minute},
};
use crate::{
    model::{
        event::{Comparison, Event, Phase, SteadyWhen, What},
        plan::{Component, Plan, ServiceKind},
        scenario::Scenario,
        units::Span,
    },
    report::text::plain,
};

/// Listens to a drill, and knows at each moment what its status page shows.
#[derive(Debug, Clone)]
pub struct Board {
    platform: String,
    drill: String,
    time_zone: String,
    zone: Zone,
    components: Vec<Shown>,
    services: BTreeMap<String, Service>,
    /// Services of the plan that the drill leaves alone.
    untouched: Vec<String>,
    /// Whether the steady state held, once that was looked at.
    steady: bool,
    /// From the disaster until recovery is expected.
    expected: Span,
    t0: Option<Timestamp>,
    now: Option<Timestamp>,
    updates: Vec<Update>,
}

/// A component with its state.
#[derive(Debug, Clone)]
struct Shown {
    component: Component,
    state: State,
    since: Option<Timestamp>,
}

/// What the events tell of a service. Only what came after the last claim speaks of it.
#[derive(Debug, Clone, Default)]
struct Service {
    kind: Option<ServiceKind>,
    lost: bool,
    restoring: bool,
    end: Option<End>,
    /// Whether the comparison agrees with the claim, and the writes that it found lost.
    compared: Option<bool>,
    loss: Option<Comparison>,
    checks: BTreeMap<String, Option<bool>>,
    checked: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    Claimed,
    GivenUp,
}

/// Where a service stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Up,
    Lost,
    Restoring,
    Claimed,
    Unverified,
    Wrong,
    GivenUp,
    Back,
}

impl Service {
    fn standing(&self) -> Standing {
        let failed = self.compared == Some(false) || self.checks.values().any(|passed| *passed == Some(false));
        let proven = self.compared == Some(true) && self.checks.values().all(|passed| *passed == Some(true));
        match (self.end, self.checked) {
            _ if !self.lost => Standing::Up,
            (None, _) if self.restoring => Standing::Restoring,
            (None, _) => Standing::Lost,
            (Some(End::GivenUp), _) => Standing::GivenUp,
            (Some(End::Claimed), _) if failed => Standing::Wrong,
            (Some(End::Claimed), Some(true)) if proven => Standing::Back,
            (Some(End::Claimed), Some(_)) => Standing::Unverified,
            (Some(End::Claimed), None) => Standing::Claimed,
        }
    }

    fn hear(&mut self, what: &What) {
        let claimed = self.end == Some(End::Claimed);
        match what {
            What::Disaster { .. } => *self = Service { kind: self.kind, lost: true, ..Service::default() },
            What::PhaseStarted { phase: Phase::Choose } => self.restoring = true,
            What::PhaseStarted { phase: Phase::Check } => self.checked = None,
            What::PhaseEnded { phase: Phase::Check, ok } if claimed => self.checked = Some(*ok),
            What::Restored(_) => {
                let (kind, lost) = (self.kind, self.lost);
                *self = Service { kind, lost, end: Some(End::Claimed), ..Service::default() };
            }
            What::Refused { .. } | What::TimeLimit { .. } => self.end = Some(End::GivenUp),
            // Data that was wrong does not become right by itself.
            What::Compared(found) if claimed && self.compared != Some(false) => {
                self.compared = Some(is_sound(found));
                self.loss = Some(found.clone()).filter(|found| found.writes_lost > 0);
            }
            What::Checked(result) if claimed => {
                self.checks.insert(result.check.clone(), result.passed);
            }
            _ => {}
        }
    }
}

/// Whether a comparison shows exactly what was claimed. `as_claimed` is believed only where the counts agree.
fn is_sound(found: &Comparison) -> bool {
    let wrong = found.holes + found.altered + found.extra + found.resurrected;
    found.as_claimed && wrong == 0 && found.rows_found == found.rows_expected
}

impl Board {
    /// Before a drill has begun.
    pub fn new(plan: &Plan, scenario: &Scenario) -> Self {
        let services = scenario.service.names();
        let own = |name: &String| Component {
            name: name.clone(),
            name_ko: None,
            depends_on: vec![name.clone()],
            degraded_without: Vec::new(),
        };
        let components = match plan.components.is_empty() {
            true => plan.services.keys().map(own).collect(),
            false => plan.components.clone(),
        };
        let shown = |component| Shown { component, state: State::Unknown, since: None };
        Board {
            platform: plain(&plan.platform),
            drill: plain(&scenario.title),
            time_zone: plain(&plan.time_zone),
            zone: Zone::of(&plan.time_zone),
            components: components.into_iter().map(shown).collect(),
            services: services
                .iter()
                .map(|name| (name.clone(), Service { kind: plan.kind(name), ..Service::default() }))
                .collect(),
            untouched: plan.services.keys().filter(|name| !services.contains(name)).map(|name| plain(name)).collect(),
            steady: false,
            expected: expected(plan, scenario),
            t0: None,
            now: None,
            updates: Vec::new(),
        }
    }

    /// Takes in what happened. Returns whether the page now shows something else.
    pub fn hear(&mut self, event: &Event) -> bool {
        if let Some(now) = event.at.or_else(|| Some(later(self.t0?, event.since_t0?.total_ms()))) {
            self.now = Some(now);
        }
        let (news, states) = (self.updates.len(), self.states());
        match &event.what {
            What::SteadyState { when: SteadyWhen::Before, held, .. } => self.steady = *held,
            What::Disaster { .. } => {
                self.t0 = self.now;
                self.updates.clear();
            }
            What::PhaseEnded { phase: Phase::Detect, ok: true } => self.tell(Stage::Detected, ""),
            What::PhaseEnded { phase: Phase::Declare, ok: true } => self.tell(Stage::Declared, ""),
            What::Interrupted | What::Aborted { .. } => self.tell(Stage::Stopped, ""),
            _ => {}
        }
        if self.t0.is_some() {
            self.move_services(event);
        }
        self.show_components();
        news != self.updates.len() || states != self.states()
    }

    /// Takes in what somebody saw who looked at each service at that moment, where no drill is played: whether it is well.
    /// Returns whether the page now shows something else.
    pub fn see(&mut self, at: Timestamp, seen: &BTreeMap<String, bool>) -> bool {
        let before = (self.t0, self.states());
        (self.now, self.steady) = (Some(at), true);
        for (name, service) in &mut self.services {
            service.lost = seen.get(name) == Some(&false);
        }
        if seen.values().all(|well| *well) {
            self.t0 = None;
        } else {
            self.t0 = self.t0.or(self.now);
        }
        self.show_components();
        before != (self.t0, self.states())
    }

    fn move_services(&mut self, event: &Event) {
        let mut moved = Vec::new();
        for (name, service) in &mut self.services {
            if event.service.as_ref().is_none_or(|about| about == name) {
                let before = service.standing();
                service.hear(&event.what);
                moved.push((name.clone(), before, service.standing()));
            }
        }
        for (name, before, now) in moved {
            let stage = match now {
                Standing::Up | Standing::Lost => None,
                Standing::Restoring => Some(Stage::Restoring),
                Standing::Claimed => Some(Stage::Restored),
                Standing::Unverified => Some(Stage::Unverified),
                Standing::Wrong => Some(Stage::Wrong),
                Standing::GivenUp => Some(Stage::GivenUp),
                Standing::Back => Some(Stage::Verified),
            };
            if let Some(stage) = stage.filter(|_| before != now) {
                self.tell(stage, &plain(&name));
            }
        }
    }

    /// Adds to the incident's log; there is none before the disaster.
    fn tell(&mut self, stage: Stage, service: &str) {
        let (Some(_), Some(now)) = (self.t0, self.now) else { return };
        let at = self.zone.second(now);
        self.updates.push(Update { at, stage, word: say::stage(stage), text: say::news(stage, service) });
    }

    fn show_components(&mut self) {
        let standing = |name: &String| self.services.get(name).map_or(Standing::Up, Service::standing);
        for shown in &mut self.components {
            let out = |name: &String| {
                !matches!(standing(name), Standing::Up | Standing::Back | Standing::Claimed | Standing::Unverified)
            };
            let well = |name: &String| matches!(standing(name), Standing::Up | Standing::Back);
            let Component { depends_on, degraded_without, .. } = &shown.component;
            let state = match () {
                () if depends_on.iter().any(out) => State::Outage,
                () if !depends_on.iter().chain(degraded_without).all(well) => State::Degraded,
                () if !self.steady => State::Unknown,
                () => State::Operational,
            };
            if state != shown.state {
                (shown.state, shown.since) = (state, self.now);
            }
        }
    }

    fn states(&self) -> Vec<State> {
        self.components.iter().map(|shown| shown.state).collect()
    }

    /// What the page shows now.
    pub fn status(&self) -> Status {
        let overall = self.states().into_iter().max().unwrap_or(State::Unknown);
        let all_out = self.states().iter().all(|state| *state == State::Outage) && overall == State::Outage;
        let over = self.services.values().all(|one| one.standing() == Standing::Back);
        let due = |t0| self.zone.minute(up_to_the_minute(later(t0, self.expected.millis())));
        let began = |t0| IncidentStatus {
            began_at: t0,
            began: say::began(&self.zone.minute(t0)),
            expected: Some(say::expected(&due(t0))).filter(|_| !over),
            over,
            updates: self.updates.clone(),
        };
        Status {
            format: STATUS_FORMAT.to_owned(),
            platform: self.platform.clone(),
            drill: self.drill.clone(),
            time_zone: self.time_zone.clone(),
            updated_at: self.now,
            updated: self.now.map(|now| self.zone.second(now)).unwrap_or_default(),
            overall,
            headline: if all_out { say::all_out() } else { say::headline(overall) },
            components: self.components.iter().map(|shown| self.component(shown)).collect(),
            incident: self.t0.map(began),
            notices: self.loss().into_iter().collect(),
            remark: Some(say::untouched(&self.untouched)).filter(|_| !self.untouched.is_empty()),
        }
    }

    fn component(&self, shown: &Shown) -> ComponentStatus {
        let Component { name, name_ko, .. } = &shown.component;
        // Nobody needs to read since when all is well that never was otherwise.
        let since_at = shown.since.filter(|since| self.t0.is_some_and(|t0| *since >= t0));
        ComponentStatus {
            name: Text::new(plain(name), plain(name_ko.as_ref().unwrap_or(name))),
            state: shown.state,
            word: say::state(shown.state),
            since_at,
            since: since_at.map(|at| say::since(&self.zone.minute(at))),
        }
    }

    /// What is gone of services that are back; before that nobody knows.
    fn loss(&self) -> Option<Text> {
        let back = self.services.values().filter(|one| one.standing() == Standing::Back);
        say::loss(back.filter_map(|one| Some((one.kind, one.loss.as_ref()?))), &self.zone, self.t0?)
    }
}

/// From the disaster until recovery is expected: the RTO of the service that is lost, or of the level where several are.
pub(super) fn expected(plan: &Plan, scenario: &Scenario) -> Span {
    let names = scenario.service.names();
    let level = plan.levels.get(&scenario.level.to_string()).filter(|_| names.len() > 1);
    let longest = || names.iter().filter_map(|name| plan.services.get(name)).map(|service| service.rto).max();
    level.map(|level| level.rto).or_else(longest).unwrap_or_default()
}
