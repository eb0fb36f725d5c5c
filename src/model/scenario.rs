//! A scenario: one story against a plan. History, faults with their moment, the disaster, and what should come of it.

use std::collections::BTreeMap;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use super::injection::{FaultSpec, Generations, Moment};
use super::{
    copies::Copies,
    event::AlarmKind,
    outcome::{Outcome, Verdict},
    plan::{DumpFormat, LockPlan, MonitorPlan, Plan},
    units::{ByteSize, DayTime, Span},
};

/// One story; one YAML file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What happens, in a few words.
    pub title: String,
    /// What a pass of this drill shows.
    pub proves: String,
    /// The plan's service that is drilled, or a list of those that are lost together.
    pub service: Services,
    /// The plan's level of severity, 1 to 3.
    pub level: u8,
    /// What happened before the disaster.
    pub history: History,
    /// What is broken, each at its moment.
    #[serde(default)]
    pub faults: Vec<FaultSpec>,
    /// The loss of the source.
    pub disaster: Disaster,
    /// Times that people take, where they differ from the plan's.
    #[serde(default, skip_serializing_if = "People::is_default")]
    pub people: People,
    /// What should come of it.
    pub expect: Expectation,
}

/// The days before the disaster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// The date of day 1, which begins at 00:00 UTC.
    #[serde(default = "first_day")]
    #[schemars(with = "String", extend("format" = "date", "examples" = ["2026-11-01"]))]
    pub from: Date,
    /// Days of history; the plan's backups and monitor looks run in each.
    pub days: u32,
    /// Writes (insert, update, delete) that an application makes a day: to a database, to files.
    #[serde(default)]
    #[schemars(range(max = 10_000_000))]
    pub writes_per_day: u32,
    /// Changes that people make a day: of the configuration, releases of a web application.
    #[serde(default = "changes", skip_serializing_if = "is_default_changes")]
    pub changes_per_day: u32,
    /// Size of the source's data at the start: rows as uncompressed JSON, files as they are.
    #[serde(default = "size")]
    pub size: ByteSize,
    /// Form of the dump, where it differs from the plan's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<DumpFormat>,
    /// Object lock of the backup buckets, where it differs from the plan's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<LockPlan>,
    /// The backup monitor, where it differs from the plan's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monitor: Option<MonitorPlan>,
    /// Time between two pieces of the change stream, where it differs from the plan's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<Span>,
    /// For files: copies made by rule instead of the reference pipeline's generations. `as-planned`, or a list of rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sync: Option<Copies>,
}

impl History {
    /// So many days in which nothing is said of anything else.
    pub fn of_days(days: u32) -> Self {
        History {
            from: first_day(),
            days,
            writes_per_day: 0,
            changes_per_day: changes(),
            size: size(),
            format: None,
            lock: None,
            monitor: None,
            stream: None,
            sync: None,
        }
    }
}

impl Scenario {
    /// The monitor of its drill: its own, or the plan's.
    pub fn monitor<'s>(&'s self, plan: &'s Plan) -> &'s MonitorPlan {
        self.history.monitor.as_ref().unwrap_or(&plan.monitor)
    }
}

fn changes() -> u32 {
    2
}

fn is_default_changes(given: &u32) -> bool {
    *given == changes()
}

fn size() -> ByteSize {
    ByteSize(4 << 20)
}

fn first_day() -> Date {
    jiff::civil::date(2026, 11, 1)
}

/// The loss of the source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Disaster {
    /// When: t0.
    pub at: DayTime,
    /// What was lost and why, for the report.
    pub cause: String,
    /// Recovery target time, for files: what was written from then on is damaged, so a point from before it is wanted.
    /// The newest point where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_time: Option<DayTime>,
}

/// Times that people take, in the drill. Each is assumed, and marked so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct People {
    /// t0 to t1: until the disaster is noticed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detect: Option<Span>,
    /// t1 to t2: until recovery is decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declare: Option<Span>,
}

impl People {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// What should come of the drill.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// How it should end.
    pub outcome: Outcome,
    /// The recovery point that should be restored, where one service is drilled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_point: Option<ExpectedPoint>,
    /// The verdict on the service's RTO; on the level's, where several services are drilled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rto: Option<Verdict>,
    /// The verdict on the service's RPO; on the level's, where several services are drilled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rpo: Option<Verdict>,
    /// The most that may be lost of the one service that is drilled, from the last write that is back to the disaster. Where
    /// the RPO allows more than the pipeline promises.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loses_at_most: Option<Span>,
    /// What should come of each service, where several are drilled.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<String, ServiceExpectation>,
    /// Alarms that must be raised and heard, each at least once. Any other justified alarm that is heard is unexpected.
    #[serde(default)]
    pub alarms: Vec<AlarmKind>,
}

/// A recovery point by the day of its backup and, where it matters, its region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectedPoint {
    /// Day of the history on which its data was exported.
    pub day: u32,
    /// Region it is fetched from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// What should come of one of several services.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceExpectation {
    /// How it should end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// The recovery point that should be restored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_point: Option<ExpectedPoint>,
    /// The verdict on its RTO.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rto: Option<Verdict>,
    /// The verdict on its RPO.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rpo: Option<Verdict>,
}

impl Expectation {
    /// That outcome, and nothing said of anything else.
    pub fn that(outcome: Outcome) -> Self {
        Expectation {
            outcome,
            recovery_point: None,
            rto: None,
            rpo: None,
            loses_at_most: None,
            services: BTreeMap::new(),
            alarms: Vec::new(),
        }
    }

    /// What is expected of a service of this scenario, with what is said of the drill where it is the only one.
    pub fn of(&self, service: &str, is_only: bool) -> ServiceExpectation {
        if is_only {
            let recovery_point = self.recovery_point.clone();
            return ServiceExpectation { outcome: None, recovery_point, rto: self.rto, rpo: self.rpo };
        }
        self.services.get(service).cloned().unwrap_or_default()
    }
}

/// One service, or several that are lost together. Written as a name, or as a list of names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Services(pub Vec<String>);

impl Services {
    /// Their names, in the order of the file.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// Whether there is one alone.
    pub fn is_single(&self) -> bool {
        self.0.len() == 1
    }

    /// Whether that one is among them.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|one| one == name)
    }
}

impl std::fmt::Display for Services {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

impl Serialize for Services {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0[..] {
            [one] => one.serialize(serializer),
            several => several.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Services {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> serde::de::Visitor<'de> for Names {
            type Value = Services;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("the name of a service, or a list of names")
            }
            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Services, E> {
                Ok(Services(vec![name.to_owned()]))
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut names: A) -> Result<Services, A::Error> {
                let mut all = Vec::new();
                while let Some(name) = names.next_element()? {
                    all.push(name);
                }
                Ok(Services(all))
            }
        }
        deserializer.deserialize_any(Names)
    }
}

impl JsonSchema for Services {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Services".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let name = serde_json::json!({"type": "string"});
        schemars::json_schema!({"oneOf": [name, {"type": "array", "items": name, "minItems": 1, "uniqueItems": true}]})
    }
}
