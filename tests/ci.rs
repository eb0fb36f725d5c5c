//! What machines read of a run: JUnit, OpenMetrics, GitHub's summary and annotations, and the regression gate in them.
//! Hand-written drills, as in tests/reports.rs; published parsers read the results where python3 has them.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::process::Command;

use backdraft::{measure, model, report};

use measure::{record, regression};
use model::{
    baseline::Machine,
    event::{AlarmKind, What},
    gate::{Gate, GateVerdict},
    origin::{Origin, Origins},
    record::Record,
};
use report::{Options, Run, by_name, github};

#[path = "../src/measure/testing/mod.rs"]
mod testing;
use testing::Drill;

fn drills() -> Vec<Drill> {
    vec![
        Drill::control(),
        Drill::corrupt_latest(),
        Drill::refused(true),
        Drill::silently_wrong(),
        Drill::late(),
        Drill::toothless(),
        Drill::hung(),
        Drill::never_steady(),
        Drill::interrupted(),
        Drill::control().without_comparison(),
        Drill::control().check("health", None),
        Drill::control().check("health", Some(false)),
        Drill::streamed(),
    ]
}

fn of(drill: &Drill) -> Record {
    record(drill.inputs())
}

/// One of each kind of ending, as they were measured.
fn shared_set() -> Vec<Record> {
    let ended = [
        Drill::control(),
        Drill::corrupt_latest(),
        Drill::refused(true),
        Drill::silently_wrong(),
        Drill::toothless(),
        Drill::never_steady(),
    ];
    ended.iter().map(of).collect()
}

fn render(name: &str, run: &Run<'_>) -> String {
    by_name(name).unwrap().render(run, &Options::default())
}

/// Five plays of the control before, and five that are so many times slower now.
fn gate(slower: u64) -> Gate {
    let machine = Machine { os: "linux".into(), arch: "x86_64".into(), cpus: 2, build: "release".into() };
    let before = regression::baseline(&vec![of(&Drill::control()); 5], machine.clone()).unwrap();
    regression::gate(&before, &vec![of(&Drill::control().slower(slower)); 5], machine, 20)
}

fn origins() -> Origins {
    let lines = [("title", 1), ("faults", 9), ("faults[0]", 10), ("expect", 20), ("expect.outcome", 21)];
    let lines = lines.map(|(path, line)| (path.to_owned(), line));
    let of = |record: &Record| {
        let file = format!("scenarios/{}.yaml", record.identity.scenario);
        (record.identity.scenario.clone(), Origin { file, lines: lines.clone().into() })
    };
    shared_set().iter().map(of).collect()
}

#[test]
fn junit_has_a_suite_a_service_and_missed_unmeasured_and_not_attempted_are_three_things() {
    insta::assert_snapshot!(render("junit", &Run::of(&shared_set())));
}

fn red(name: &str, records: &[Record]) -> usize {
    let read = quick_junit::Report::deserialize_from_str(&render(name, &Run::of(records))).unwrap();
    read.failures + read.errors
}

#[test]
fn the_junit_gate_is_red_exactly_where_the_exit_code_is_and_junit_wherever_strict_is() {
    for records in drills().iter().map(|drill| [of(drill)]) {
        let said = &records[0].result;
        assert_eq!(red("junit-gate", &records) == 0, measure::exit_code(&records, false) == 0, "{said:?}");
        assert!(red("junit", &records) > 0 || measure::exit_code(&records, true) == 0, "{said:?}");
    }
    assert_eq!(red("junit-gate", &[of(&Drill::late())]), 0, "a miss that the scenario expects passes as a test");
    // The test plan's level promises an RPO of 1 h, which no daily backup keeps.
    assert_eq!(red("junit", &[of(&Drill::late())]), 2, "and is red as an objective");
}

#[test]
fn a_regression_is_red_in_junit_and_says_which_phase_by_how_much_and_how_sure() {
    let (records, slower, held) = ([of(&Drill::control())], gate(3), gate(1));
    assert_eq!((slower.verdict(), held.verdict()), (GateVerdict::Regression, GateVerdict::Held));
    let run = |gate| Run { gate: Some(gate), ..Run::of(&records) };
    let suite = |xml: String| xml[xml.find("<testsuite name=\"regression gate\"").unwrap()..].to_owned();
    let shown = [&slower, &held].map(|gate| suite(render("junit-gate", &run(gate))));
    let screen = render("terminal", &run(&slower));
    let block = &screen[screen.find("Regression gate").unwrap()..];
    insta::assert_snapshot!(format!("{}\n{}\n{block}", shown[0], shown[1]));
}

#[test]
fn openmetrics_has_no_sample_of_what_was_not_measured() {
    let records = [Drill::corrupt_latest(), Drill::refused(true), Drill::control().simulated()].map(|drill| of(&drill));
    let text = render("openmetrics", &Run::of(&records));
    insta::assert_snapshot!(text);
    let refused = |name: &str| text.lines().any(|line| line.starts_with(name) && line.contains("corrupt-everywhere"));
    assert!(!refused("backdraft_drill_rta_seconds") && !refused("backdraft_drill_writes_lost"));
    assert!(refused("backdraft_drill_objective_met"));
    let mut redacted = records[0].clone();
    redacted.redact_measured();
    assert!(!render("openmetrics", &Run::of(&[redacted])).contains("basis=\"measured\""));
}

#[test]
fn the_summary_of_a_step_shows_what_did_not_pass_first_and_annotations_stand_at_the_line_of_the_scenario() {
    let (records, gate, origins) = (shared_set(), gate(3), origins());
    let run = Run { gate: Some(&gate), origins: Some(&origins), ..Run::of(&records) };
    insta::assert_snapshot!(format!("{}\n---\n{}", render("github", &run), github::annotations(&run)));
}

#[test]
fn a_summary_stays_below_the_size_that_github_takes_and_annotations_below_their_number() {
    let mut record = of(&Drill::silently_wrong());
    record.findings = Vec::new();
    let many: Vec<Record> = (0..6_000)
        .map(|number| {
            let mut one = record.clone();
            one.identity.scenario = format!("{number}/{}", "x".repeat(10_000));
            one.events = Vec::new();
            one
        })
        .collect();
    let run = Run::of(&many);
    let summary = render("github", &run);
    assert!(summary.len() < 1 << 20 && summary.contains(" more are in report.md."), "{}", summary.len());
    let said = github::annotations(&run);
    let of = |kind: &str| said.lines().filter(|line| line.starts_with(kind)).count();
    assert_eq!([of("::error"), of("::warning"), of("::notice")], [10, 10, 0]);
    assert!(said.contains("(and 5990 more, in the summary of this step)"));
}

/// Everything that a format might take for its own: markup, commands, formulas, escapes, directions, length.
const EVIL: &str = "]]></failure><script>alert(1)</script>\r\n::set-output name=x::y\n  ::error::z\n##[add-path]p\n\
                    \u{1b}[2J\u{7}\u{0}\u{202e}\u{2028}|x|`[a](b) {a=\"1\"} # EOF\n=1+1\\\"%0A::warning::,: - a: !!x\u{fffe}";

fn hostile() -> Vec<Record> {
    let evil = format!("{EVIL}{}", "e".repeat(10_000));
    let mut drill = Drill::corrupt_latest().alarm(AlarmKind::Unreadable, &evil, true).check(&evil, Some(false));
    drill.plan.platform = evil.clone();
    drill.scenario.title = evil.clone();
    let mut aborted = drill.clone();
    aborted.say(What::Aborted { why: evil.clone() });
    let mut records = [of(&drill), of(&aborted), of(&Drill::silently_wrong()), of(&Drill::refused(true))];
    for (number, record) in records.iter_mut().enumerate() {
        record.identity.scenario = format!("{number}{evil}");
        record.result.reasons.push(evil.clone());
        for one in &mut record.services {
            one.restore.refusal = one.restore.refusal.take().map(|_| evil.clone());
        }
        for judged in &mut record.objectives {
            judged.why = Some(evil.clone());
        }
        for finding in &mut record.findings {
            finding.what = evil.clone();
        }
    }
    records.into()
}

#[test]
fn foreign_text_is_text_in_every_format_that_machines_read() {
    let records = hostile();
    let mut gate = gate(3);
    gate.compared.iter_mut().for_each(|one| one.drill = EVIL.into());
    let origin = Origin { file: format!("a,b::c{EVIL}"), lines: [].into() };
    let origins: Origins = records.iter().map(|one| (one.identity.scenario.clone(), origin.clone())).collect();
    let run = Run { gate: Some(&gate), origins: Some(&origins), ..Run::of(&records) };
    for format in ["junit", "junit-gate", "openmetrics", "github", "markdown", "terminal"] {
        let text = render(format, &run);
        let benign = |c: char| c == '\n' || !(c.is_control() || matches!(c, '\u{202e}' | '\u{2028}' | '\u{fffe}'));
        assert!(format == "markdown" || format == "terminal" || text.chars().all(benign), "{format}");
        assert!(!text.contains("<script>") || format == "terminal" || format == "openmetrics", "{format}");
        assert!(!text.lines().any(|line| line.starts_with("=1+1")), "{format}");
    }
    for name in ["junit", "junit-gate"] {
        let read = quick_junit::Report::deserialize_from_str(&render(name, &run)).unwrap();
        let longest = read.test_suites.iter().map(|suite| suite.name.len()).max();
        assert!(read.test_suites.len() > 4 && longest < Some(8_100), "{longest:?}");
    }
    let metrics = render("openmetrics", &run);
    assert_eq!(metrics.lines().filter(|line| line.starts_with("# EOF")).count(), 1);
    // A line is an annotation of ours or none at all.
    let known =
        ["::error file=a%2Cb%3A%3Ac", "::warning file=a%2Cb%3A%3Ac", "::notice file=a%2Cb%3A%3Ac", "::error title="];
    for line in github::annotations(&run).lines() {
        assert!(known.iter().any(|known| line.starts_with(known)), "{line}");
        assert!(!line.contains("##["), "{line}");
    }
}

#[test]
fn what_a_runner_of_github_would_take_for_a_command_is_none() {
    let harmless = github::no_command(EVIL);
    for line in harmless.split(['\n', '\r']) {
        assert!(!line.trim_start().starts_with("::") && !line.contains("##["), "{line}");
    }
    assert_eq!(github::no_command("a::b\n# c"), "a::b\n# c");
}

/// Reads the files as other programs do: prometheus_client's parser of OpenMetrics, junitparser, and the elements and
/// attributes that the schema of Jenkins' xUnit plugin (junit-10.xsd) allows.
const READ: &str = r#"
import sys, xml.etree.ElementTree as tree
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from junitparser import JUnitXml
metrics, junit, gate = sys.argv[1:]
families = list(text_string_to_metric_families(open(metrics, newline="").read()))
print(sum(len(family.samples) for family in families), "samples")
allowed = {
    "testsuites": ({"name", "time", "tests", "failures", "errors", "disabled"}, {"testsuite"}),
    "testsuite": ({"name", "tests", "failures", "errors", "skipped", "time", "timestamp"}, {"properties", "testcase"}),
    "properties": (set(), {"property"}),
    "property": ({"name", "value"}, set()),
    "testcase": ({"name", "time", "classname"}, {"skipped", "error", "failure", "system-out"}),
    "skipped": ({"type", "message"}, set()), "error": ({"type", "message"}, set()),
    "failure": ({"type", "message"}, set()), "system-out": (set(), set()),
}
for path in (junit, gate):
    for element in tree.parse(path).getroot().iter():
        attributes, children = allowed[element.tag]
        assert set(element.attrib) <= attributes, (element.tag, element.attrib)
        assert {child.tag for child in element} <= children, element.tag
    read = JUnitXml.fromfile(path)
    print(read.tests, "tests", read.failures, "failures", read.errors, "errors")
"#;

/// Python with both parsers, or the reason why not.
fn python() -> Result<&'static str, String> {
    let named = ["target/tools/bin/python3", "python3"];
    let works = |python: &&str| {
        let mut asked = Command::new(python);
        let asked = asked.args(["-c", "import prometheus_client, junitparser"]).current_dir(env!("CARGO_MANIFEST_DIR"));
        asked.output().is_ok_and(|output| output.status.success())
    };
    named.into_iter().find(works).ok_or_else(|| "no python3 with prometheus_client and junitparser is installed".into())
}

#[test]
fn published_parsers_read_what_was_written_hostile_text_included() {
    let python = match python() {
        Ok(python) => python,
        Err(why) => {
            println!("SKIPPED: {why}");
            let required = std::env::var("BACKDRAFT_REQUIRE_TOOLS").unwrap_or_default();
            assert!(!required.split(',').any(|name| name == "parsers"), "parsers are required: {why}");
            return;
        }
    };
    let gate = gate(3);
    let ended: Vec<Record> = drills().iter().map(of).collect();
    for records in [ended, hostile()] {
        let run = Run { gate: Some(&gate), ..Run::of(&records) };
        let dir = tempfile::tempdir().unwrap();
        let files = ["openmetrics", "junit", "junit-gate"].map(|name| {
            let path = dir.path().join(name);
            std::fs::write(&path, render(name, &run)).unwrap();
            path
        });
        let mut read = Command::new(python);
        let read = read.args(["-c", READ]).args(files).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&read.stdout), String::from_utf8_lossy(&read.stderr));
        assert!(read.status.success(), "{err}");
        assert!(out.contains(" samples") && !out.contains("\n0 tests"), "{out}");
    }
}
