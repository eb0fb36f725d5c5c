//! Drills that differ from others in one thing.

use super::*;

impl Drill {
    /// Checks again, with this result.
    pub(crate) fn check(mut self, check: &str, passed: Option<bool>) -> Self {
        self.say(What::Checked(CheckResult {
            check: check.into(),
            passed,
            detail: "no answer".into(),
            places: Vec::new(),
        }));
        self
    }

    /// A restore after whose checks a secret stands in a stored backup of each of these regions, having raised these
    /// alarms before it claimed.
    pub(crate) fn leaked(regions: &[&str], alarms: &[Alarm]) -> Self {
        let mut drill = Drill::to_disaster();
        drill.name = "database/leaked";
        drill.scenario = Drill::control().scenario;
        drill.scenario.expect.alarms = alarms.iter().map(|alarm| alarm.kind).collect();
        drill.called(30);
        for alarm in alarms {
            drill.say(What::Alarm(alarm.clone()));
        }
        drill.restore(4, "us-east-1").checked(4);
        drill.events.pop();
        let place = |region: &&str| Place { region: (*region).into(), object: dump(4) };
        drill.say(What::Checked(CheckResult {
            check: "secrets".into(),
            passed: Some(false),
            detail: "in clear: a key of Stripe".into(),
            places: regions.iter().map(place).collect(),
        }));
        drill.end(Phase::Check, false).healed();
        drill
    }

    /// Inserts a check phase that failed before the one that passed.
    pub(crate) fn fail_first_check(self) -> Self {
        let mut drill = Drill::to_disaster();
        drill.scenario = self.scenario;
        drill.called(30).restore(4, "us-east-1");
        drill.begin(Phase::Check).spend(15);
        let failed =
            CheckResult { check: "health".into(), passed: Some(false), detail: "starting".into(), places: Vec::new() };
        drill.say(What::Checked(failed)).end(Phase::Check, false).checked(4).healed();
        drill
    }

    /// Leaves events out.
    pub(crate) fn without(mut self, dropped: impl Fn(&What) -> bool) -> Self {
        self.events.retain(|e| !dropped(&e.what));
        self
    }

    /// Adds an event at the end.
    pub(crate) fn and(mut self, what: What) -> Self {
        self.say(what);
        self
    }

    pub(crate) fn without_comparison(self) -> Self {
        self.without(|e| matches!(e, What::Compared(_)))
    }

    pub(crate) fn without_check_phase(self) -> Self {
        self.without(|e| {
            matches!(e, What::PhaseStarted { phase: Phase::Check } | What::PhaseEnded { phase: Phase::Check, .. })
        })
    }

    /// Changes what the comparison found.
    pub(crate) fn compared(mut self, change: impl Fn(&mut Comparison)) -> Self {
        for event in &mut self.events {
            if let What::Compared(comparison) = &mut event.what {
                change(comparison);
            }
        }
        self
    }

    /// Claims another restore after all checks.
    pub(crate) fn claim_again(mut self) -> Self {
        self.say(What::Restored(claim(4, "eu-west-1")));
        self
    }

    /// Raises an alarm in the evening before the disaster's day, or right before it.
    pub(crate) fn alarm(mut self, kind: AlarmKind, region: &str, justified: bool) -> Self {
        let before = self.events.iter().position(|e| matches!(e.what, What::Disaster { .. })).unwrap();
        let what = What::Alarm(Alarm {
            kind,
            region: Some(region.into()),
            detail: "seen at the 06:00 look".into(),
            justified,
            heard: true,
        });
        self.events.insert(before, Event { at: Some(moment(4, 6, 0)), since_t0: None, service: None, what });
        self
    }

    /// The same, and nobody heard any of its alarms.
    pub(crate) fn unheard(mut self) -> Self {
        for event in &mut self.events {
            if let What::Alarm(alarm) = &mut event.what {
                alarm.heard = false;
            }
        }
        self
    }

    pub(crate) fn false_alarms(mut self, times: usize) -> Self {
        for _ in 0..times {
            self = self.alarm(AlarmKind::TooOld, "us-east-1", false);
        }
        self
    }

    /// The monitor saw the corrupt dump, as the scenario now expects.
    pub(crate) fn seen_by_monitor(mut self) -> Self {
        self.scenario.expect.alarms.push(AlarmKind::Unreadable);
        self.alarm(AlarmKind::Unreadable, "us-east-1", true)
    }

    /// The same drill on a machine that takes longer.
    pub(crate) fn slower(&self, times: u64) -> Self {
        self.with_measured(|ms| Elapsed::ran(ms * times, false))
    }

    /// The same drill in virtual time.
    pub(crate) fn simulated(&self) -> Self {
        Drill { way: Way::Simulated, ..self.with_measured(|ms| Elapsed::ran(ms, true)) }
    }

    fn with_measured(&self, change: impl Fn(u64) -> Elapsed) -> Self {
        let change = |elapsed: &mut Elapsed| {
            if let Some(Measured::Millis(ms)) = elapsed.measured_ms.take() {
                *elapsed = elapsed.plus(change(ms));
            }
        };
        let mut drill = self.clone();
        for event in &mut drill.events {
            if let Some(since) = &mut event.since_t0 {
                change(since);
            }
            if let What::BackedUp(made) = &mut event.what {
                change(&mut made.took);
            }
        }
        drill
    }
}
