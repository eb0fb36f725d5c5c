//! The steps of a verification, and what became of each.

use serde::Serialize;

/// Steps, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// It is there.
    Exists,
    /// It is the file that was made.
    Digest,
    /// Its compression and framing are whole.
    Archive,
    /// Every line is one JSON object.
    Json,
    /// Its tables are those that were dumped; fields keep their types, rows their names.
    Schema,
    /// It can be written into a target, and read back the same.
    TestRestore,
    /// The target answers.
    Queries,
    /// Nothing is left.
    CleanUp,
}

impl Step {
    /// All steps.
    pub const ALL: [Step; 8] = [
        Step::Exists,
        Step::Digest,
        Step::Archive,
        Step::Json,
        Step::Schema,
        Step::TestRestore,
        Step::Queries,
        Step::CleanUp,
    ];

    /// As people read it.
    pub const fn words(self) -> &'static str {
        match self {
            Step::Exists => "exists",
            Step::Digest => "digest",
            Step::Archive => "archive",
            Step::Json => "JSON lines",
            Step::Schema => "schema",
            Step::TestRestore => "test restore",
            Step::Queries => "queries",
            Step::CleanUp => "clean-up",
        }
    }
}

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It holds.
    Ok,
    /// It does not: the backup is at fault.
    Failed,
    /// It was not asked, and why is said.
    Skipped,
    /// It could not be carried out: this machine or the way to the backup is at fault.
    NotExecuted,
}

impl Status {
    /// As people read it.
    pub const fn words(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Failed => "FAILED",
            Status::Skipped => "skipped",
            Status::NotExecuted => "NOT EXECUTED",
        }
    }
}

/// A step that was taken, or was not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepDone {
    /// Which.
    pub step: Step,
    /// What became of it.
    pub status: Status,
    /// What was seen, or why it was not looked at.
    pub detail: String,
}

/// What is said of the backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every step that could be asked holds.
    Passed,
    /// One does not.
    Failed,
    /// One could not be carried out, and none failed.
    NotExecuted,
}

/// The verdict of these steps.
pub(super) fn verdict(steps: &[StepDone]) -> Verdict {
    let any = |status| steps.iter().any(|done| done.status == status);
    match (any(Status::Failed), any(Status::NotExecuted)) {
        (true, _) => Verdict::Failed,
        (false, true) => Verdict::NotExecuted,
        (false, false) => Verdict::Passed,
    }
}

/// Steps as they are taken.
#[derive(Debug, Default)]
pub(super) struct Steps(Vec<StepDone>);

impl Steps {
    pub(super) fn ok(&mut self, step: Step, detail: String) {
        self.set(step, Status::Ok, detail);
    }

    pub(super) fn failed(&mut self, step: Step, why: String) {
        self.set(step, Status::Failed, why);
    }

    pub(super) fn skipped(&mut self, step: Step, why: String) {
        self.set(step, Status::Skipped, why);
    }

    pub(super) fn impossible(&mut self, step: Step, why: String) {
        self.set(step, Status::NotExecuted, why);
    }

    /// A later word on a step counts: a schema may hold row by row and fail as a whole.
    fn set(&mut self, step: Step, status: Status, detail: String) {
        self.0.retain(|done| done.step != step);
        self.0.push(StepDone { step, status, detail });
    }

    /// All steps in their order; those not reached say so.
    pub(super) fn finish(mut self) -> Vec<StepDone> {
        let stopped = self.0.iter().filter(|done| matches!(done.status, Status::Failed | Status::NotExecuted));
        let stopped = stopped.map(|done| done.step).min();
        for step in Step::ALL {
            if !self.0.iter().any(|done| done.step == step) {
                let after = stopped.map_or("an earlier step", Step::words);
                let why = match step {
                    Step::CleanUp => "nothing was made that would have to go".to_owned(),
                    _ => format!("not reached: {after} comes first"),
                };
                self.skipped(step, why);
            }
        }
        self.0.sort_by_key(|done| done.step);
        self.0
    }
}
