//! Whole drills, each with the end that its name says.

use serde_json::json;

use super::*;

impl Drill {
    /// Up to the disaster and no further.
    pub(crate) fn to_disaster() -> Self {
        let mut drill = Drill::new("database/control", scenario("Control", json!([]), json!({"outcome": "recovered"})));
        drill.history().disaster();
        drill
    }

    /// No fault: all is well.
    pub(crate) fn control() -> Self {
        let mut drill = Drill::to_disaster();
        drill.scenario = scenario(
            "Control",
            json!([]),
            json!({"outcome": "recovered", "recovery_point": {"day": 4, "region": "us-east-1"}, "rto": "met", "rpo": "met"}),
        );
        drill.called(30).restore(4, "us-east-1").checked(4).healed();
        drill
    }

    /// People decide too late.
    pub(crate) fn late() -> Self {
        let mut drill = Drill::to_disaster();
        drill.name = "database/late";
        drill.scenario = scenario("Declared late", json!([]), json!({"outcome": "recovered-late", "rto": "missed"}));
        drill.called(120).restore(4, "us-east-1").checked(4).healed();
        drill
    }

    fn corrupt(bit: bool) -> Self {
        let fault = json!([{"fault": "corrupt-json", "mode": "truncated", "regions": REGIONS}]);
        let expect =
            json!({"outcome": "recovered-behind", "recovery_point": {"day": 3}, "rto": "met", "rpo": "missed"});
        let mut drill = Drill::new("database/corrupt-latest", scenario("Newest dump cut short", fault, expect));
        drill.history().fault(bit).disaster();
        drill
    }

    /// The newest generation is corrupt everywhere, the one before is good.
    pub(crate) fn corrupt_latest() -> Self {
        let mut drill = Drill::corrupt(true);
        drill.called(30).refuse(4, "us-east-1").refuse(4, "eu-west-1").restore(3, "us-east-1").checked(3).healed();
        drill
    }

    /// The newest generation is corrupt, and a change stream goes on from the one before, up to a break.
    pub(crate) fn streamed() -> Self {
        let mut drill = Drill::corrupt(true);
        let (from, to) = (position(3), Position { seq: 430, committed_at: moment(4, 11, 30) });
        drill.called(30).refuse(4, "us-east-1");
        drill.say(What::StreamBroken { after: to, why: "the piece with write 431 is missing".into() });
        drill.say(What::Streamed { pieces: 142, from, to });
        drill.say(What::Restored(Claim { position: to, ..claim(3, "us-east-1") }));
        drill.begin(Phase::Check).spend(15);
        drill.say(What::Compared(Comparison { prefix: to, writes_lost: 7, ..comparison(3) }));
        drill.end(Phase::Check, true).healed();
        drill
    }

    /// The fault did not bite, so that all is well.
    pub(crate) fn toothless() -> Self {
        let mut drill = Drill::corrupt(false);
        drill.called(30).restore(4, "us-east-1").checked(4).healed();
        drill
    }

    /// Every generation is corrupt; the restore gives up, with or without an alarm.
    pub(crate) fn refused(alarm: bool) -> Self {
        let fault = json!([{"fault": "corrupt-json", "mode": "truncated", "generations": "all"}]);
        let expect =
            json!({"outcome": "refused-loudly", "rto": "missed", "rpo": "missed", "alarms": ["nothing-restorable"]});
        let mut drill = Drill::new("database/corrupt-everywhere", scenario("Every dump cut short", fault, expect));
        drill.history().fault(true).disaster().called(30);
        for day in (1..=4).rev() {
            drill.refuse(day, "us-east-1").refuse(day, "eu-west-1");
        }
        if alarm {
            let (kind, detail) = (AlarmKind::NothingRestorable, "8 recovery points tried, none is whole");
            drill.say(What::Alarm(Alarm::new(kind, None, detail)));
        }
        drill.say(What::Refused { why: "none of 8 recovery points passed".into() }).healed();
        drill
    }

    /// The restore never ends by itself.
    pub(crate) fn hung() -> Self {
        let mut drill = Drill::to_disaster();
        drill.name = "database/black-hole";
        drill.scenario = scenario("A region swallows requests", json!([]), json!({"outcome": "hung"}));
        drill.called(30).begin(Phase::Fetch).spend(60_000).say(What::TimeLimit { limit_ms: 60_000 }).healed();
        drill
    }

    /// The pipeline claims what the ledger contradicts.
    pub(crate) fn silently_wrong() -> Self {
        let mut drill = Drill::control().compared(|c| {
            c.as_claimed = false;
            c.altered = 3;
            c.resurrected = 1;
            c.rows_found += 1;
            c.examples = vec!["payments/17: amount is one that was never written".into()];
        });
        drill.name = "database/value-changed";
        drill
    }

    /// The steady state did not hold, so nothing was played.
    pub(crate) fn never_steady() -> Self {
        let mut drill = Drill::control();
        drill.events.clear();
        drill.since_t0 = None;
        drill.name = "database/never-steady";
        drill.steady(SteadyWhen::Before, false);
        drill.say(What::CleanedUp { complete: true, kept: false, detail: "nothing is left".into() });
        drill
    }

    /// Stopped while it fetched.
    pub(crate) fn interrupted() -> Self {
        let mut drill = Drill::to_disaster();
        drill.name = "database/interrupted";
        drill.called(30).begin(Phase::Fetch).spend(9).say(What::Interrupted).healed();
        drill
    }
}
