//! The figures of a run as OpenMetrics text, <https://prometheus.io/docs/specs/om/open_metrics_spec/>: for a node
//! exporter's text file collector, or a push gateway. Times are seconds; what was not measured has no sample.

use std::{collections::BTreeSet, fmt::Write};

use super::{
    Options, Report, Run,
    text::{cut, plain},
};
use crate::model::{
    event::Comparison,
    outcome::{DrillResult, Outcome, Verdict},
    record::{Record, ServiceRecord},
    time::{Basis, Elapsed},
    words,
};

/// Figures for a monitoring system.
#[derive(Debug)]
pub(super) struct OpenMetrics;

impl Report for OpenMetrics {
    fn name(&self) -> &'static str {
        "openmetrics"
    }

    fn summary(&self) -> &'static str {
        "OpenMetrics text: results, RTA, RPA, objectives, losses and phases, for a monitoring system"
    }

    fn file(&self) -> &'static str {
        "metrics.txt"
    }

    fn is_read(&self) -> bool {
        false
    }

    fn render(&self, run: &Run<'_>, _: &Options) -> String {
        let mut page = Page::default();
        run_and_results(&mut page, run.records);
        times(&mut page, run.records);
        objectives(&mut page, run.records);
        losses(&mut page, run.records);
        page.text + "# EOF\n"
    }
}

type Labels = Vec<(&'static str, String)>;

fn run_and_results(page: &mut Page, records: &[Record]) {
    page.family("backdraft_run", "info", "", "What was run.");
    for record in records {
        let identity = &record.identity;
        let labels = vec![
            ("version", identity.tool_version.clone()),
            ("plan_sha256", identity.plan_sha256.clone()),
            ("seed", identity.seed.to_string()),
            ("way", identity.way.words().to_owned()),
        ];
        page.sample("_info", &labels, 1);
    }
    page.family("backdraft_drill_result", "stateset", "", "Whether the drill went as its scenario expects.");
    let results = [
        DrillResult::Pass,
        DrillResult::Fail,
        DrillResult::Inconclusive,
        DrillResult::Interrupted,
        DrillResult::NotExecuted,
    ];
    for record in records {
        page.states(of_drill(record), results.map(|result| (result.words(), result == record.result.result)));
    }
    page.family("backdraft_drill_outcome", "stateset", "", "How the service's recovery ended.");
    for (record, one) in services(records) {
        // A service without an outcome is in none of the states.
        let outcomes = OUTCOMES.map(|outcome| (outcome.words(), Some(outcome) == one.outcome));
        page.states(of_service(record, one), outcomes);
    }
    page.family("backdraft_drill_run_timestamp_seconds", "gauge", "seconds", "When the drill was run, since 1970.");
    for record in records {
        if let Some(at) = record.identity.run_at {
            page.sample("", &of_drill(record), at.as_second());
        }
    }
}

const OUTCOMES: [Outcome; 6] = [
    Outcome::Recovered,
    Outcome::RecoveredLate,
    Outcome::RecoveredBehind,
    Outcome::RefusedLoudly,
    Outcome::Hung,
    Outcome::SilentlyWrong,
];

fn times(page: &mut Page, records: &[Record]) {
    page.family(
        "backdraft_drill_rta_seconds",
        "gauge",
        "seconds",
        "Disaster to the last passed check, by how each part is known; the RTA is their sum.",
    );
    for (record, one) in services(records) {
        page.elapsed(&of_service(record, one), one.timeline.t5);
    }
    page.family(
        "backdraft_drill_rpa_seconds",
        "gauge",
        "seconds",
        "Last write of the unbroken prefix that came back to the disaster, by the ledger.",
    );
    for (record, one) in services(records) {
        page.elapsed(&of_service(record, one), one.exposure.rpa);
    }
    page.family(
        "backdraft_drill_phase_seconds",
        "gauge",
        "seconds",
        "All attempts of a phase of the recovery together; phases overlap.",
    );
    for (record, one) in services(records) {
        let phases: BTreeSet<_> = one.phases.iter().map(|timed| timed.phase).collect();
        for phase in phases {
            // A phase that did not end has no duration.
            let mut took = one.phases.iter().filter(|timed| timed.phase == phase).map(|timed| timed.took);
            let took = took.try_fold(Elapsed::default(), |sum, took| Some(sum.plus(took?)));
            let phase = [("phase", phase.words().to_owned())];
            page.elapsed(&[of_service(record, one), phase.into()].concat(), took);
        }
    }
}

fn objectives(page: &mut Page, records: &[Record]) {
    let all = || records.iter().flat_map(|record| record.objectives.iter().map(move |judged| (record, judged)));
    let labels = |(record, judged): (&Record, &crate::model::record::Judged)| {
        let of = [("whose", judged.whose.clone()), ("objective", judged.objective.words().to_owned())];
        [of_drill(record), of.into()].concat()
    };
    page.family("backdraft_drill_objective_seconds", "gauge", "seconds", "What the plan promises.");
    for (record, judged) in all() {
        page.sample("", &labels((record, judged)), seconds(judged.limit.millis()));
    }
    page.family("backdraft_drill_objective_met", "gauge", "", "Whether it is kept; no sample where that is not known.");
    for (record, judged) in all().filter(|(_, judged)| judged.verdict != Verdict::Inconclusive) {
        page.sample("", &labels((record, judged)), u8::from(judged.verdict == Verdict::Met));
    }
}

fn losses(page: &mut Page, records: &[Record]) {
    page.family("backdraft_drill_writes_lost", "gauge", "", "Acknowledged writes that did not come back.");
    for (record, one, found) in comparisons(records) {
        page.sample("", &of_service(record, one), found.writes_lost);
    }
    page.family("backdraft_drill_rows_wrong", "gauge", "", "Rows that the ledger contradicts, by what is wrong.");
    for (record, one, found) in comparisons(records) {
        let wrong = [("altered", found.altered), ("extra", found.extra), ("resurrected", found.resurrected)];
        for (kind, rows) in wrong {
            let kind = [("kind", kind.to_owned())];
            page.sample("", &[of_service(record, one), kind.into()].concat(), rows);
        }
    }
}

fn services(records: &[Record]) -> impl Iterator<Item = (&Record, &ServiceRecord)> {
    records.iter().flat_map(|record| record.services.iter().map(move |one| (record, one)))
}

fn comparisons(records: &[Record]) -> impl Iterator<Item = (&Record, &ServiceRecord, &Comparison)> {
    services(records).filter_map(|(record, one)| Some((record, one, one.comparison.as_ref()?)))
}

fn of_drill(record: &Record) -> Labels {
    vec![("scenario", record.identity.scenario.clone())]
}

fn of_service(record: &Record, one: &ServiceRecord) -> Labels {
    [of_drill(record), vec![("service", one.service.clone())]].concat()
}

/// Metrics with their samples; a metric without a sample is left out.
#[derive(Default)]
struct Page {
    text: String,
    name: &'static str,
    head: String,
    /// Samples of this metric so far: one may not stand there twice, so the first one counts.
    seen: BTreeSet<String>,
}

impl Page {
    fn family(&mut self, name: &'static str, kind: &str, unit: &str, help: &str) {
        self.name = name;
        self.seen.clear();
        let unit = if unit.is_empty() { String::new() } else { format!("# UNIT {name} {unit}\n") };
        self.head = format!("# TYPE {name} {kind}\n{unit}# HELP {name} {help}\n");
    }

    fn sample(&mut self, suffix: &str, labels: &[(&'static str, String)], value: impl std::fmt::Display) {
        let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let labels = labels.join(",");
        if self.seen.insert(labels.clone()) {
            self.text.push_str(&std::mem::take(&mut self.head));
            // Writing into a string cannot fail.
            let _ = writeln!(self.text, "{}{suffix}{{{labels}}} {value}", self.name);
        }
    }

    /// A state set: one sample a state, in a label of the metric's own name.
    fn states<const N: usize>(&mut self, labels: Labels, states: [(&'static str, bool); N]) {
        for (state, is) in states {
            let state = [(self.name, state.to_lowercase())];
            self.sample("", &[&labels[..], &state].concat(), u8::from(is));
        }
    }

    /// One sample for each way in which a part of it is known; none where it is not known.
    fn elapsed(&mut self, labels: &[(&'static str, String)], elapsed: Option<Elapsed>) {
        let Some(elapsed) = elapsed else { return };
        let mut parts: Vec<_> = elapsed.parts().collect();
        if parts.is_empty() {
            // No time at all was assumed for it.
            parts.push((Basis::Assumed, crate::model::time::Measured::Millis(0)));
        }
        for (basis, part) in parts {
            if let Some(millis) = part.millis() {
                let basis = [("basis", if basis == Basis::Scenario { "scenario" } else { basis.words() }.to_owned())];
                self.sample("", &[labels, &basis].concat(), seconds(millis));
            }
        }
    }
}

/// Exact to the millisecond, whatever its size.
fn seconds(millis: u64) -> String {
    format!("{}.{:03}", millis / 1_000, millis % 1_000)
}

/// Longest label, in columns: more is no name.
const LONGEST: usize = 200;

fn escaped(value: &str) -> String {
    words::label(&cut(&plain(value), LONGEST))
}
