//! Drills written by hand, event by event, for tests of measures and reports: four days of daily backups at 03:00,
//! disaster on day 4 at 12:00. tests/reports.rs reads this file too.
#![allow(dead_code, clippy::unwrap_used, reason = "each of the two places that read it uses a part; a test may panic")]

use jiff::{Timestamp, ToSpan, civil::date, tz::TimeZone};
use serde_json::json;

use crate::{
    measure::Inputs,
    model::{
        event::{
            Alarm, AlarmKind, BackupMade, CheckResult, Claim, Comparison, Event, Phase, Place, PointTried, Position,
            Proof, SteadyWhen, What,
        },
        plan::Plan,
        record::{Identity, Way},
        scenario::Scenario,
        time::{Elapsed, Measured},
        units::Span,
    },
};

mod stories;
mod variations;

/// A drill in the making.
#[derive(Debug, Clone)]
pub(crate) struct Drill {
    way: Way,
    name: &'static str,
    pub(crate) plan: Plan,
    pub(crate) scenario: Scenario,
    pub(crate) events: Vec<Event>,
    since_t0: Option<Elapsed>,
}

const REGIONS: [&str; 2] = ["us-east-1", "eu-west-1"];

fn moment(day: u32, hour: i8, minute: i8) -> Timestamp {
    let start = date(2026, 11, 1).at(hour, minute, 0, 0).to_zoned(TimeZone::UTC).unwrap();
    start.checked_add((i64::from(day) - 1).days()).unwrap().timestamp()
}

/// The position that the backup of that day holds: its last write is an hour old.
fn position(day: u32) -> Position {
    Position { seq: u64::from(day) * 100, committed_at: moment(day, 2, 0) }
}

fn dump(day: u32) -> String {
    format!("2026-11-{day:02}.jsonl.gz")
}

fn claim(day: u32, region: &str) -> Claim {
    Claim { point: dump(day), region: region.into(), position: position(day) }
}

fn comparison(day: u32) -> Comparison {
    let last = Position { seq: 437, committed_at: moment(4, 11, 55) };
    Comparison {
        as_claimed: true,
        prefix: position(day),
        last,
        rows_expected: 1_000 + u64::from(day),
        rows_found: 1_000 + u64::from(day),
        writes_lost: last.seq - position(day).seq,
        holes: 0,
        writes_ahead: 0,
        altered: 0,
        extra: 0,
        resurrected: 0,
        examples: Vec::new(),
    }
}

/// The plan of every drill here: a database (2 h, 24 h, daily) and a level 2 (4 h, 1 h).
pub(crate) fn plan() -> Plan {
    let level =
        |name: &str, rto: &str, rpo: &str| json!({"name": name, "causes": [], "rto": rto, "rpo": rpo, "response": []});
    let service = |kind: &str, rto: &str| json!({"kind": kind, "rto": rto, "rpo": "24 h", "backup": {"every": "daily", "at": "03:00"}});
    serde_json::from_value(json!({
        "format": "backdraft.plan/1",
        "platform": "Test platform",
        "time_zone": "Asia/Seoul",
        "data_classes": {},
        "services": {"database": service("database", "2 h"), "files": service("files", "4 h")},
        "levels": {"1": level("total", "24 h", "24 h"), "2": level("partial", "4 h", "1 h")},
        "retention": "7 days",
        "regions": REGIONS.map(|name| json!({"name": name, "bucket": format!("backup-{name}")})),
        "monitor": {"check_every": "6 h", "max_age": "12 h", "min_size": "1 MiB"},
        "response": {"detect": "5 min", "initial": "30 min", "recovery": "4 h", "aftermath": "24 h"},
    }))
    .unwrap()
}

fn scenario(title: &str, faults: serde_json::Value, expect: serde_json::Value) -> Scenario {
    serde_json::from_value(json!({
        "title": title,
        "proves": "What the test says.",
        "service": "database",
        "level": 2,
        "history": {"days": 4, "writes_per_day": 110, "size": "4 MiB"},
        "faults": faults,
        "disaster": {"at": "day 4 12:00", "cause": "The deployment was deleted."},
        "expect": expect,
    }))
    .unwrap()
}

impl Drill {
    /// What [`crate::measure::record`] wants.
    pub(crate) fn inputs(&self) -> Inputs {
        Inputs {
            identity: Identity {
                storage: None,
                scenario: self.name.into(),
                seed: 7,
                way: self.way,
                tool_version: "0.1.0".into(),
                plan_sha256: "a".repeat(64),
                scenario_sha256: "b".repeat(64),
                run_at: (self.way == Way::Real).then(|| moment(22, 9, 30)),
            },
            plan: self.plan.clone(),
            scenario: self.scenario.clone(),
            events: self.events.clone(),
        }
    }

    fn new(name: &'static str, scenario: Scenario) -> Self {
        Drill { way: Way::Real, name, plan: plan(), scenario, events: Vec::new(), since_t0: None }
    }

    // ---- the parts of a story ----

    fn say_at(&mut self, at: Timestamp, what: What) -> &mut Self {
        self.events.push(Event { at: Some(at), since_t0: None, service: None, what });
        self
    }

    pub(crate) fn say(&mut self, what: What) -> &mut Self {
        self.events.push(Event { at: None, since_t0: self.since_t0, service: None, what });
        self
    }

    fn history(&mut self) -> &mut Self {
        self.say_at(moment(1, 0, 0), What::Seeded { rows: 1_000, bytes: 4 << 20, scale: 1 });
        self.steady(SteadyWhen::Before, true);
        for day in 1..=4 {
            self.say_at(
                moment(day, 3, 0),
                What::BackedUp(BackupMade {
                    day,
                    point: dump(day),
                    position: position(day),
                    rows: 1_000 + u64::from(day),
                    raw_bytes: 4 << 20,
                    stored_bytes: 1 << 20,
                    regions: REGIONS.map(String::from).into(),
                    missing_in: Vec::new(),
                    took: Elapsed::ran(200 * u64::from(day), false),
                }),
            );
        }
        self
    }

    fn steady(&mut self, when: SteadyWhen, held: bool) -> &mut Self {
        let detail = if held { "source answers, 2 regions answer" } else { "eu-west-1 does not answer" };
        let what = What::SteadyState { when, held, detail: detail.into() };
        match self.since_t0 {
            None => self.say_at(moment(1, 0, 0), what),
            Some(_) => self.say(what),
        }
    }

    fn disaster(&mut self) -> &mut Self {
        self.say_at(moment(4, 12, 0), What::Disaster { cause: "The deployment was deleted.".into() });
        self.since_t0 = Some(Elapsed::ran(0, false));
        self
    }

    pub(crate) fn begin(&mut self, phase: Phase) -> &mut Self {
        self.say(What::PhaseStarted { phase })
    }

    pub(crate) fn end(&mut self, phase: Phase, ok: bool) -> &mut Self {
        self.say(What::PhaseEnded { phase, ok })
    }

    pub(crate) fn spend(&mut self, millis: u64) -> &mut Self {
        self.since_t0 = self.since_t0.map(|t| t.plus(Elapsed::ran(millis, false)));
        self
    }

    fn assume(&mut self, phase: Phase, minutes: u64) -> &mut Self {
        self.begin(phase);
        self.since_t0 = self.since_t0.map(|t| t.plus(Elapsed::assumed(Span::minutes(minutes))));
        self.end(phase, true)
    }

    fn called(&mut self, declare_minutes: u64) -> &mut Self {
        self.assume(Phase::Detect, 5).assume(Phase::Declare, declare_minutes);
        self.begin(Phase::Choose).spend(12);
        for region in REGIONS {
            self.say(What::Listed { region: region.into(), points: Some(4), why: None });
        }
        self.end(Phase::Choose, true)
    }

    fn refuse(&mut self, day: u32, region: &str) -> &mut Self {
        self.begin(Phase::Fetch).spend(20).end(Phase::Fetch, true);
        self.begin(Phase::Verify).spend(8).end(Phase::Verify, false);
        let why = "gzip member 3 is cut short at byte 917504".into();
        self.say(What::PointRefused(PointTried { point: dump(day), region: region.into(), phase: Phase::Verify, why }))
    }

    fn restore(&mut self, day: u32, region: &str) -> &mut Self {
        for (phase, millis) in [
            (Phase::Provision, 3),
            (Phase::Fetch, 40),
            (Phase::Verify, 25),
            (Phase::Import, 60),
            (Phase::Compare, 30),
            (Phase::CutOver, 2),
        ] {
            self.begin(phase).spend(millis).end(phase, true);
        }
        self.say(What::Restored(claim(day, region)))
    }

    fn checked(&mut self, day: u32) -> &mut Self {
        self.begin(Phase::Check).spend(15);
        self.say(What::Compared(comparison(day)));
        for (check, detail) in [("ledger", "as claimed"), ("health", "answers within 2 s")] {
            self.say(What::Checked(CheckResult {
                check: check.into(),
                passed: Some(true),
                detail: detail.into(),
                places: Vec::new(),
            }));
        }
        self.end(Phase::Check, true)
    }

    fn fault(&mut self, bit: bool) -> &mut Self {
        let at = moment(4, 4, 0);
        self.say_at(
            at,
            What::FaultInjected { fault: 0, detail: "cut 2026-11-04.jsonl.gz from 1048576 to 917504 bytes".into() },
        );
        let evidence = if bit { "131072 bytes are gone" } else { "the object is as it was" };
        self.say_at(at, What::FaultProven { fault: 0, proof: Proof { bit, evidence: evidence.into() } })
    }

    fn healed(&mut self) -> &mut Self {
        for fault in 0..self.scenario.faults.len() {
            self.say(What::FaultHealed { fault, complete: true });
        }
        self.steady(SteadyWhen::After, true);
        self.say(What::CleanedUp { complete: true, kept: false, detail: "nothing is left".into() })
    }
}
