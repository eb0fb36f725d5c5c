//! What is stated: an in-toto Statement v1 with the predicate test-result v0.1, about every file of a folder.
//!
//! The predicate knows three words. PASSED: as its scenario expects, every objective met. WARNED, which it defines as
//! "passed with warnings": as expected, and an objective is missed or could not be judged. FAILED: everything else, for
//! none of it passed: failed, inconclusive, interrupted, not executed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{
    history::Head,
    outcome::{DrillResult, Verdict},
    record::Record,
};

/// Type of a statement.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// Type of its predicate.
pub const PREDICATE_TYPE: &str = "https://in-toto.io/attestation/test-result/v0.1";
/// Name among the configuration of the chain that drills were appended to.
const HISTORY: &str = "history";

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// [`STATEMENT_TYPE`].
    #[serde(rename = "_type")]
    pub statement_type: String,
    /// The files that it is about.
    pub subject: Vec<Resource>,
    /// [`PREDICATE_TYPE`].
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    /// What is stated.
    pub predicate: TestResult,
}

/// Something by its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// A file's name below the folder, `/` between folders.
    pub name: String,
    /// Digest by algorithm, in lower-case hex.
    pub digest: BTreeMap<String, String>,
    /// What else is known of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// The predicate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestResult {
    /// The worst of all.
    pub result: Grade,
    /// What was played: plan, scenarios, and the chain that the records are in.
    pub configuration: Vec<Resource>,
    /// Names of what passed.
    #[serde(default, rename = "passedTests")]
    pub passed: Vec<String>,
    /// Names of what passed with warnings.
    #[serde(default, rename = "warnedTests")]
    pub warned: Vec<String>,
    /// Names of what did not pass.
    #[serde(default, rename = "failedTests")]
    pub failed: Vec<String>,
}

/// A result in the predicate's words, good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Grade {
    /// As expected, every objective met.
    Passed,
    /// As expected, and an objective is missed or was not judged.
    Warned,
    /// Anything else.
    Failed,
}

impl Grade {
    /// As the predicate has it.
    pub const fn words(self) -> &'static str {
        match self {
            Grade::Passed => "PASSED",
            Grade::Warned => "WARNED",
            Grade::Failed => "FAILED",
        }
    }

    /// Of one drill.
    pub fn of(record: &Record) -> Self {
        match (record.result.result, record.result.verdict) {
            (DrillResult::Pass, Verdict::Met) => Grade::Passed,
            (DrillResult::Pass, Verdict::Missed | Verdict::Inconclusive) => Grade::Warned,
            _ => Grade::Failed,
        }
    }
}

impl Resource {
    /// Something by its SHA-256.
    pub fn new(name: impl Into<String>, sha256: impl Into<String>) -> Self {
        let digest = BTreeMap::from([("sha256".to_owned(), sha256.into())]);
        Resource { name: name.into(), digest, annotations: BTreeMap::new() }
    }

    /// With something else that is known of it.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl ToString) -> Self {
        self.annotations.insert(key.to_owned(), value.to_string());
        self
    }

    /// Its SHA-256, where it has one.
    pub fn sha256(&self) -> Option<&str> {
        self.digest.get("sha256").map(String::as_str)
    }
}

impl Statement {
    /// About these drills, and the files (name and SHA-256) that were written of them.
    pub fn of_drills(records: &[Record], files: &[(String, String)], head: Option<&Head>) -> Self {
        let mut configuration: Vec<Resource> = Vec::new();
        let plans = records.iter().map(|record| {
            let plan = Resource::new("plan", &record.identity.plan_sha256);
            plan.with("platform", &record.scope.platform).with("tool_version", &record.identity.tool_version)
        });
        let scenarios = records.iter().map(|record| {
            let identity = &record.identity;
            let scenario = Resource::new(&identity.scenario, &identity.scenario_sha256);
            scenario.with("seed", identity.seed).with("way", identity.way.words())
        });
        for one in plans.chain(scenarios) {
            if !configuration.contains(&one) {
                configuration.push(one);
            }
        }
        let grades = records.iter().map(|record| (record.identity.scenario.clone(), Grade::of(record)));
        Statement::new(files, configuration, head, grades)
    }

    /// About these files: what was judged (name and grade), and on which grounds.
    pub fn new(
        files: &[(String, String)],
        mut configuration: Vec<Resource>,
        head: Option<&Head>,
        judged: impl Iterator<Item = (String, Grade)>,
    ) -> Self {
        configuration.extend(head.map(|head| Resource::new(HISTORY, &head.sha256).with("sequence", head.sequence)));
        // Where nothing was judged, nothing passed.
        let mut predicate = TestResult {
            result: Grade::Failed,
            configuration,
            passed: Vec::new(),
            warned: Vec::new(),
            failed: Vec::new(),
        };
        let mut worst = None;
        for (name, grade) in judged {
            worst = worst.max(Some(grade));
            match grade {
                Grade::Passed => predicate.passed.push(name),
                Grade::Warned => predicate.warned.push(name),
                Grade::Failed => predicate.failed.push(name),
            }
        }
        predicate.result = worst.unwrap_or(Grade::Failed);
        Statement {
            statement_type: STATEMENT_TYPE.to_owned(),
            subject: files.iter().map(|(name, sha256)| Resource::new(name, sha256)).collect(),
            predicate_type: PREDICATE_TYPE.to_owned(),
            predicate,
        }
    }

    /// The chain that the records are in, where they are in one.
    pub fn head(&self) -> Option<Head> {
        let history = self.predicate.configuration.iter().find(|one| one.name == HISTORY)?;
        let sequence = history.annotations.get("sequence")?.parse().ok()?;
        Some(Head { sequence, sha256: history.sha256()?.to_owned() })
    }

    /// The bytes that are written, and signed: JSON with a newline at its end.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Texts alone: this always has a JSON form.
        let mut json = serde_json::to_vec_pretty(self).unwrap_or_default();
        json.push(b'\n');
        json
    }
}
