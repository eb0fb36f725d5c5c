//! A baseline: how long each service's backups and recovery took when somebody said that this is how long they may
//! take. Later runs are held against it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{event::Phase, record::Way, time::Elapsed};

/// Version of the baseline format that this build writes.
pub const BASELINE_FORMAT: &str = "backdraft.baseline/1";

/// Most plays of one scenario that are compared.
pub const MOST_PLAYS: usize = 50;

/// Durations of one set of drills, each played once or more often.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// `backdraft.baseline/1`.
    pub format: String,
    /// Version of backdraft.
    pub tool_version: String,
    /// Where it was measured.
    pub machine: Machine,
    /// `real` or `simulated`.
    pub way: Way,
    /// Root of all randomness.
    pub seed: u64,
    /// Drills by the name of their scenario.
    pub drills: BTreeMap<String, DrillTimes>,
}

/// What of a machine decides how fast it is, as far as a program can tell without measuring.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// Operating system: `linux`.
    pub os: String,
    /// Architecture: `x86_64`.
    pub arch: String,
    /// Processors that backdraft may use.
    pub cpus: usize,
    /// How backdraft was built: `release`, or `debug`, which is many times slower.
    pub build: String,
}

impl std::fmt::Display for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Machine { os, arch, cpus, build } = self;
        write!(f, "{os} {arch}, {}, {build} build", super::words::count(*cpus as u64, "processor"))
    }
}

/// Durations of one scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DrillTimes {
    /// SHA-256 of the plan file, lower-case hex.
    pub plan_sha256: String,
    /// SHA-256 of the scenario file, lower-case hex.
    pub scenario_sha256: String,
    /// How often it was played.
    pub plays: usize,
    /// Its services by name.
    pub services: BTreeMap<String, ServiceTimes>,
}

/// Durations of one service in a scenario, one of each play in which it was taken.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceTimes {
    /// All backups of the history together.
    pub backups: Vec<Elapsed>,
    /// Each phase of the recovery; all its attempts together.
    pub phases: BTreeMap<Phase, Vec<Elapsed>>,
    /// From the disaster to the checks that passed: t0 to t5.
    pub recovery: Vec<Elapsed>,
}

impl ServiceTimes {
    /// Everything that was timed, by name.
    pub fn stretches(&self) -> BTreeMap<&'static str, &[Elapsed]> {
        let phases = self.phases.iter().map(|(phase, took)| (phase.words(), &took[..]));
        let whole = [("backups", &self.backups[..]), ("t0 to t5", &self.recovery[..])];
        phases.chain(whole).filter(|(_, took)| !took.is_empty()).collect()
    }
}
