//! What the drills of a period show of a plan. Only real drills are evidence; a drill of another plan file than this one
//! shows that an objective was missed, and never that it is met; what was not tested is grey, and counts.

mod cadence;
mod controls;
mod coverage;
mod findings;
mod objectives;
#[cfg(test)]
mod tests;

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::model::{
    compliance::{Action, COMPLIANCE_FORMAT, Completeness, Compliance, Known, Period, Playable, Played, Source},
    history::{Head, Summary},
    outcome::{DrillResult, Outcome},
    plan::Plan,
    record::Way,
    status::Colour,
    words,
};

/// All that a report is made from.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// The plan as it is now.
    pub plan: &'a Plan,
    /// SHA-256 of its file.
    pub plan_sha256: &'a str,
    /// Version of backdraft.
    pub tool_version: &'a str,
    /// The first day.
    pub from: Date,
    /// The first day that is no part of the period.
    pub to: Date,
    /// When the report is made.
    pub made_at: Timestamp,
    /// All drills that are known, in the order in which they were kept; those before the period, too: what they found
    /// may be open still.
    pub known: &'a [Known],
    /// How many of them could not be held against their own events.
    pub unchecked: u64,
    /// The scenarios that there are.
    pub playable: &'a [Playable],
    /// What is done about findings.
    pub actions: &'a [Action],
    /// End of the history.
    pub head: Option<&'a Head>,
    /// What else is known of where the drills come from.
    pub source: Source,
}

/// A drill with its date.
#[derive(Debug, Clone, Copy)]
struct Dated<'a> {
    at: Timestamp,
    known: &'a Known,
}

impl<'a> Dated<'a> {
    fn summary(&self) -> &'a Summary {
        &self.known.summary
    }

    /// A restore test of its services: real, as expected, and compared with the ledger after the restore.
    fn is_restore_test(&self) -> bool {
        let restored = matches!(
            self.summary().outcome,
            Some(Outcome::Recovered | Outcome::RecoveredLate | Outcome::RecoveredBehind)
        );
        self.is_real() && self.summary().result == DrillResult::Pass && restored
    }

    fn is_real(&self) -> bool {
        self.summary().way == Way::Real
    }

    /// Whether it came to a result that says something of what was drilled.
    fn is_conclusive(&self) -> bool {
        matches!(self.summary().result, DrillResult::Pass | DrillResult::Fail) && self.summary().outcome.is_some()
    }
}

/// The period, and what is known of it.
struct Case<'a> {
    inputs: &'a Inputs<'a>,
    zone: TimeZone,
    /// Drills of the period, by their date.
    drills: Vec<Dated<'a>>,
    /// Those before it.
    earlier: Vec<Dated<'a>>,
}

impl<'a> Case<'a> {
    fn of(inputs: &'a Inputs<'a>) -> Self {
        let zone = TimeZone::get(&inputs.plan.time_zone).unwrap_or(TimeZone::UTC);
        let dated = |known: &'a Known| Some(Dated { at: known.summary.run_at?, known });
        let mut all: Vec<Dated<'a>> = inputs.known.iter().filter_map(dated).collect();
        all.sort_by_key(|drill| drill.at);
        let day = |at: Timestamp| zone.to_datetime(at).date();
        let drills = all.iter().copied().filter(|one| day(one.at) >= inputs.from && day(one.at) < inputs.to).collect();
        let earlier = all.into_iter().filter(|one| day(one.at) < inputs.from).collect();
        Case { inputs, zone, drills, earlier }
    }

    /// The real drills of the period.
    fn evidence(&self) -> impl Iterator<Item = &Dated<'a>> {
        self.drills.iter().filter(|drill| drill.is_real())
    }

    /// The day on which the history began.
    fn began(&self) -> Option<Date> {
        self.inputs.source.began.map(|at| self.zone.to_datetime(at).date())
    }

    fn is_of_this_plan(&self, drill: &Dated<'_>) -> bool {
        drill.summary().plan_sha256 == self.inputs.plan_sha256
    }
}

/// Makes the report. Never fails: what the drills do not show is grey.
pub fn compliance(inputs: &Inputs<'_>) -> Compliance {
    let case = Case::of(inputs);
    let objectives = objectives::objectives(&case);
    let cadence = cadence::cadence(&case);
    let findings = findings::findings(&case);
    let standings = objectives.iter().map(|one| one.standing).chain(cadence.iter().map(|one| one.standing));
    Compliance {
        format: COMPLIANCE_FORMAT.to_owned(),
        platform: inputs.plan.platform.clone(),
        plan_sha256: inputs.plan_sha256.to_owned(),
        tool_version: inputs.tool_version.to_owned(),
        period: Period { from: inputs.from, to: inputs.to, time_zone: inputs.plan.time_zone.clone() },
        made_at: inputs.made_at,
        standing: standings.max().unwrap_or(Colour::Grey),
        completeness: completeness(&case),
        coverage: coverage::coverage(&case, &objectives),
        controls: controls::controls(&case, &objectives, &findings),
        idle_actions: findings::idle(inputs.actions, &findings),
        objectives,
        cadence,
        findings,
        drills: case.drills.iter().map(|drill| played(&case, drill)).collect(),
        head: inputs.head.cloned(),
        beside: inputs.source.beside,
        limits: limits(&case),
    }
}

fn completeness(case: &Case<'_>) -> Completeness {
    let count = |wanted: &dyn Fn(&Dated<'_>) -> bool| case.drills.iter().filter(|drill| wanted(drill)).count() as u64;
    let ended = |result: DrillResult| count(&|drill| drill.summary().result == result);
    Completeness {
        drills: case.drills.len() as u64,
        passed: ended(DrillResult::Pass),
        failed: ended(DrillResult::Fail),
        inconclusive: ended(DrillResult::Inconclusive),
        interrupted: ended(DrillResult::Interrupted),
        not_executed: ended(DrillResult::NotExecuted),
        simulated: count(&|drill| !drill.is_real()),
        of_another_plan: count(&|drill| !case.is_of_this_plan(drill)),
        undated: case.inputs.known.iter().filter(|known| known.summary.run_at.is_none()).count() as u64,
    }
}

fn played(case: &Case<'_>, drill: &Dated<'_>) -> Played {
    let summary = drill.summary();
    Played {
        at: drill.at,
        sequence: drill.known.sequence,
        record_sha256: drill.known.record_sha256.clone(),
        scenario: summary.scenario.clone(),
        services: summary.services.clone(),
        level: summary.level,
        way: summary.way,
        result: summary.result,
        outcome: summary.outcome,
        verdict: summary.verdict,
        of_this_plan: case.is_of_this_plan(drill),
    }
}

fn limits(case: &Case<'_>) -> Vec<String> {
    let mut said = vec![
        "Drills run against emulated storage on one machine: they show what the pipeline does, not what a provider does."
            .to_owned(),
        "Times that people take are assumed by the plan; none was measured.".to_owned(),
        "RTA and RPA are this project's definitions: t0 to the last passed check, and t0 to the last write of the unbroken \
         prefix found after the restore, by the ledger."
            .to_owned(),
        "A control is met or not by the judgement of an auditor; this report says what the evidence supports.".to_owned(),
    ];
    if case.inputs.head.is_none() {
        said.push("It was made from records without a history: neither that none was left out nor that their dates are true can be shown.".to_owned());
    }
    if let Some(began) = case.began().filter(|began| *began > case.inputs.from) {
        said.push(format!(
            "The history begins on {began}: restore tests before that day are not known, and count as not tested."
        ));
    }
    if case.inputs.source.waiting > 0 {
        let drills = words::count(case.inputs.source.waiting, "drill");
        said.push(format!("{drills} of killed runs not in the history yet: not counted."));
    }
    if case.inputs.unchecked > 0 {
        let records = words::count(case.inputs.unchecked, "record");
        said.push(format!("{records} of another version of backdraft: not held against their own events."));
    }
    let simulated = case.drills.iter().filter(|drill| !drill.is_real()).count() as u64;
    if simulated > 0 {
        let drills = words::count(simulated, "drill");
        said.push(format!("{drills} in virtual time: listed, and no evidence of anything here."));
    }
    said
}
