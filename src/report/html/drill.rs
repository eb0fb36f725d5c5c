//! One drill in full: what was to be shown and how it ended, its clock, its services, faults with their proof, findings
//! with their remedy, and what it does not show.

use askama::Template;

use super::{
    chart::{Bar, Line, Scale},
    commands, evidence,
    service::Service,
    table::{Cell, Table, shown},
};
use crate::{
    model::{
        finding::Finding,
        outcome::DrillResult,
        record::{Judged, Record},
        status::Status,
        words,
    },
    report::{
        Options, contract,
        figures::{self, Short},
        status,
    },
};

/// One drill.
#[derive(Debug, Template)]
#[template(path = "report/drill.html")]
pub(super) struct Drill<'r> {
    options: &'r Options,
    /// Its number in the report, from 1: its anchor.
    number: usize,
    record: &'r Record,
    status: Status,
    title: String,
    name: String,
    rta: Option<Short>,
    rpa: Option<Short>,
    story: Vec<(&'static str, String)>,
    objectives: Vec<Objective<'r>>,
    marks: Option<Table>,
    course: Option<Table>,
    services: Vec<Service<'r>>,
    faults: Option<Table>,
    alarms: Option<Table>,
    commands: Option<Table>,
    findings: &'r [Finding],
    provenance: Vec<(&'static str, String)>,
}

/// An objective with the share of it that was used.
#[derive(Debug)]
struct Objective<'r> {
    judged: &'r Judged,
    whose: String,
    limit: String,
    status: Status,
    bars: Vec<Bar>,
    line: Option<Line>,
    actual: String,
    margin: String,
}

/// Longest title in a heading, in columns; the whole stands below it.
const TITLE: usize = 140;

impl<'r> Drill<'r> {
    pub(super) fn of(number: usize, record: &'r Record, options: &'r Options) -> Self {
        Drill {
            options,
            number,
            record,
            status: status::drill(record),
            title: super::brief(&record.scenario.title, TITLE),
            name: super::brief(&record.identity.scenario, TITLE),
            rta: super::short(record.timeline.t5, options),
            rpa: super::short(figures::rpa(record), options),
            story: evidence::story(record, options),
            objectives: record.objectives.iter().map(|judged| Objective::of(record, judged, options)).collect(),
            marks: marks(record, options),
            course: evidence::course(record, options),
            services: record.services.iter().map(|one| Service::of(record, one, options)).collect(),
            faults: evidence::faults(record, options),
            alarms: evidence::alarms(record, options),
            commands: commands::commands(record, options),
            findings: &record.findings,
            provenance: evidence::provenance(record, options),
        }
    }

    /// Whether its title says more than fits the heading.
    fn is_cut(&self) -> bool {
        self.title.ends_with('…')
    }

    fn passed(&self) -> bool {
        self.record.result.result == DrillResult::Pass
    }
}

impl<'r> Objective<'r> {
    fn of(record: &Record, judged: &'r Judged, options: &Options) -> Self {
        let limit = judged.limit.millis();
        let whole = judged.actual.map_or(limit, |actual| actual.total_ms().max(limit));
        let scale = Scale::new(0, whole.saturating_add(whole / 10));
        Objective {
            judged,
            whose: options.say(&super::brief(&judged.whose, 60)).into_owned(),
            limit: options.say(&judged.limit.to_string()).into_owned(),
            status: status::objective(record, judged),
            bars: judged.actual.map(|actual| scale.bars(Default::default(), actual)).unwrap_or_default(),
            line: scale.line(limit, String::new()),
            actual: shown(judged.actual, options),
            margin: figures::margin(judged).map_or("-".into(), |margin| options.say(&margin).into_owned()),
        }
    }
}

/// The drill's clock; t6 and t7 are people's, and no part of a drill.
fn marks(record: &Record, options: &Options) -> Option<Table> {
    let time = &record.timeline;
    let t0 = contract::moment(time.t0?, &record.plan.time_zone);
    let marks = [
        ("t1", "detected", time.t1),
        ("t2", "declared", time.t2),
        ("t3", "restore starts", time.t3),
        ("t4", "data restored", time.t4),
        ("t5", "checks passed", time.t5),
        ("t6", "business acceptance (not part of a drill)", None),
        ("t7", "normal operation (not part of a drill)", None),
    ];
    let cause = format!("{}: {}", options.say("disruption"), record.scenario.disaster.cause);
    let first = vec![Cell::from("t0".to_owned()), cause.into(), t0.into()];
    let row = |(mark, meaning, at): (&str, &str, _)| {
        vec![Cell::from(mark.to_owned()), Cell::said(Some(meaning), options), shown(at, options).into()]
    };
    let mut rows = vec![first];
    rows.extend(marks.map(row));
    if let (Some(t5), Some(t2)) = (time.t5, time.t2) {
        let since =
            vec![Cell::from("t5 − t2".to_owned()), Cell::said(Some("from the declaration to the checks"), options)];
        rows.push(since.into_iter().chain([shown(Some(t5.since(t2)), options).into()]).collect());
    }
    if let (Some(t4), Some(t3)) = (time.t4, time.t3) {
        let since = vec![Cell::from("t4 − t3".to_owned()), Cell::said(Some("the restore alone"), options)];
        rows.push(since.into_iter().chain([shown(Some(t4.since(t3)), options).into()]).collect());
    }
    Table::new(options.say("Timeline").into_owned(), &["Mark", "Meaning", "Since t0"], rows, options)
}

/// What an outcome is called, or that there is none.
pub(super) fn ended(record: &Record) -> &'static str {
    record.result.outcome.map_or("no outcome", |outcome| outcome.words())
}

/// `3 drills`.
pub(super) fn drills(n: usize) -> String {
    words::count(n as u64, "drill")
}
