//! JUnit XML, twice: `junit` has every objective and check as a test, and a missed objective is red in it whatever the
//! scenario expects; `junit-gate` has one test a drill, which passes exactly where the exit code says so.
//! docs/decisions/0023 says why there are two.

mod cases;

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report as Document, TestCase, TestCaseStatus, TestSuite, XmlString};

use super::{
    Options, Report, Run,
    text::{cut, plain},
};
use crate::model::{
    gate::{Gate, GateVerdict, Pace},
    outcome::DrillResult,
    record::{ObjectiveKind, Record},
    time::{Basis, Elapsed},
};

/// Every objective and check of every drill.
#[derive(Debug)]
pub(super) struct Junit;

/// One test a drill: whether it went as its scenario expects.
#[derive(Debug)]
pub(super) struct JunitGate;

impl Report for Junit {
    fn name(&self) -> &'static str {
        "junit"
    }

    fn summary(&self) -> &'static str {
        "JUnit XML, a suite for each service of each scenario; a missed objective is a failure, expected or not"
    }

    fn file(&self) -> &'static str {
        "junit.xml"
    }

    fn is_read(&self) -> bool {
        false
    }

    fn render(&self, run: &Run<'_>, _: &Options) -> String {
        let mut document = Document::new("backdraft");
        for record in run.records {
            for service in record.scenario.service.names() {
                document.add_test_suite(of_service(record, service));
            }
            document.add_test_suite(of_drill(record));
        }
        document.add_test_suites(run.gate.map(of_gate));
        written(&document)
    }
}

impl Report for JunitGate {
    fn name(&self) -> &'static str {
        "junit-gate"
    }

    fn summary(&self) -> &'static str {
        "JUnit XML, one test a drill: whether it went as its scenario expects, as the exit code says"
    }

    fn file(&self) -> &'static str {
        "junit-gate.xml"
    }

    fn is_read(&self) -> bool {
        false
    }

    fn render(&self, run: &Run<'_>, _: &Options) -> String {
        let mut document = Document::new("backdraft");
        document.add_test_suites(run.records.iter().map(|record| {
            let mut suite = suite(record, &record.identity.scenario);
            suite.add_test_case(case(record, "as expected", cases::as_expected(record)));
            suite
        }));
        document.add_test_suites(run.gate.map(of_gate));
        written(&document)
    }
}

/// How a test ended, and what is said of it.
enum End {
    Passed(String),
    Failed(String),
    Unclear(String),
    Skipped(String),
}

fn of_service(record: &Record, service: &str) -> TestSuite {
    let mut suite = suite(record, &format!("{} / {service}", record.identity.scenario));
    let whose = format!("service {service}");
    let one = record.services.iter().find(|one| one.service == service);
    let took = one.and_then(|one| measured(one.timeline.t5?));
    suite.time = took;
    let cases = [
        ("RTO", cases::objective(record, &whose, ObjectiveKind::Rto)),
        ("RPO", cases::objective(record, &whose, ObjectiveKind::Rpo)),
        ("integrity", cases::integrity(record, one)),
        ("function", cases::function(record, one)),
        ("cleanup", cases::cleanup(record)),
    ];
    let mut cases = cases.map(|(name, end)| case(record, name, end));
    cases[0].time = took;
    suite.add_test_cases(cases);
    suite
}

/// What this machine took for it; what was assumed or simulated is no time that a test took.
fn measured(elapsed: Elapsed) -> Option<Duration> {
    let (_, part) = elapsed.parts().find(|(basis, _)| *basis == Basis::Measured)?;
    part.millis().map(Duration::from_millis)
}

/// What is of the drill and of no service: whether it went as expected, and the objectives of its level.
fn of_drill(record: &Record) -> TestSuite {
    let mut suite = suite(record, &format!("{} / whole drill", record.identity.scenario));
    let level = format!("level {}", record.scenario.level);
    let cases = [
        ("as expected".to_owned(), cases::as_expected(record)),
        (format!("RTO of {level}"), cases::objective(record, &level, ObjectiveKind::Rto)),
        (format!("RPO of {level}"), cases::objective(record, &level, ObjectiveKind::Rpo)),
    ];
    suite.add_test_cases(cases.map(|(name, end)| case(record, &name, end)));
    suite
}

/// A test for each duration that is slower, or might be; one for all others.
fn of_gate(gate: &Gate) -> TestSuite {
    let mut suite = TestSuite::new("regression gate");
    let mut add = |name: &str, end: End| {
        let mut case = TestCase::new(text(name), status(&end));
        case.set_classname("regression gate");
        if let End::Passed(said) = end {
            case.set_system_out(text(&said));
        }
        suite.add_test_case(case);
    };
    for one in gate.of(Pace::Slower) {
        add(&one.place(), End::Failed(format!("slower than allowed: {}", one.figures())));
    }
    for one in gate.of(Pace::TooFew) {
        add(&one.place(), End::Unclear(format!("played too seldom: {} plays a side are needed", gate.plays_needed)));
    }
    for one in &gate.not_comparable {
        add(one.drill.as_deref().unwrap_or("this run"), End::Unclear(format!("not comparable: {}", one.why)));
    }
    for one in gate.of(Pace::MaybeSlower) {
        add(&one.place(), End::Passed(format!("may be slower than allowed, not sure: {}", one.figures())));
    }
    let held = gate.of(Pace::Held).chain(gate.of(Pace::Changed)).count();
    match held {
        0 if gate.verdict() == GateVerdict::Inconclusive => add("others", End::Unclear("nothing was compared".into())),
        _ => add("others", End::Passed(format!("{held} durations are not shown to be slower than allowed"))),
    }
    suite
}

fn suite(record: &Record, name: &str) -> TestSuite {
    let mut suite = TestSuite::new(text(name));
    let identity = &record.identity;
    if let Some(at) = identity.run_at {
        // To the second: readers differ in what fractions they take.
        suite.extra.insert("timestamp".into(), XmlString::new(at.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()));
    }
    let properties = [
        ("seed", identity.seed.to_string()),
        ("way", identity.way.words().to_owned()),
        ("title", record.scenario.title.clone()),
        ("outcome", record.result.outcome.map_or("-", |outcome| outcome.words()).to_owned()),
        ("tool_version", identity.tool_version.clone()),
        ("plan_sha256", identity.plan_sha256.clone()),
        ("scenario_sha256", identity.scenario_sha256.clone()),
    ];
    suite.add_properties(properties.map(|(name, value)| (XmlString::new(name), text(&value))));
    suite
}

fn case(record: &Record, name: &str, end: End) -> TestCase {
    let mut case = TestCase::new(text(name), status(&end));
    case.set_classname(text(&record.identity.scenario));
    if let End::Passed(said) = end {
        case.set_system_out(text(&said));
    }
    case
}

fn status(end: &End) -> TestCaseStatus {
    let (mut status, said) = match end {
        End::Passed(_) => return TestCaseStatus::success(),
        End::Failed(said) => (TestCaseStatus::non_success(NonSuccessKind::Failure), said),
        End::Unclear(said) => (TestCaseStatus::non_success(NonSuccessKind::Error), said),
        End::Skipped(said) => (TestCaseStatus::skipped(), said),
    };
    status.set_message(text(said));
    match end {
        End::Failed(_) => status.set_type("missed"),
        End::Unclear(_) => status.set_type("not measured"),
        _ => &mut status,
    };
    status
}

/// Longest text that a viewer is asked to show, in columns.
const LONGEST: usize = 2_000;

/// Foreign text, harmless and bounded.
fn text(foreign: &str) -> XmlString {
    XmlString::new(cut(&plain(foreign), LONGEST))
}

fn written(document: &Document) -> String {
    // Writing into memory cannot fail; if it ever does, no reader takes this for a run that passed.
    let written = document.to_string();
    let text = written.unwrap_or_else(|failed| format!("<!-- this report could not be written: {failed} -->\n"));
    // The schema of Jenkins (junit-10.xsd) knows it of a suite and not of them all, whose tag is the first.
    text.replacen(&format!(" skipped=\"{}\"", document.skipped), "", 1)
}

/// Whether a drill came as far as its disaster.
fn began(record: &Record) -> bool {
    record.timeline.t0.is_some() && record.result.result != DrillResult::NotExecuted
}
