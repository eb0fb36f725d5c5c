//! The papers of an incident, from hand-written drills: what people read on the night, in both languages; and what no
//! paper may say, whatever the events.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;

use backdraft::{
    incident::{self, Board, status::State},
    measure, model,
};
use model::event::{AlarmKind, Phase, What};
use serde_json::json;

#[path = "../src/measure/testing/mod.rs"]
mod testing;
use testing::Drill;

/// A plan with components and calls: the database is lost, files are not.
fn prepared(mut drill: Drill) -> Drill {
    let components = json!([
        {"name": "Web Application", "name_ko": "웹 애플리케이션", "degraded_without": ["database", "files"]},
        {"name": "Payment System", "name_ko": "결제 시스템", "depends_on": ["database"]},
        {"name": "Media", "depends_on": ["files"]},
    ]);
    let contacts = json!([
        {"name": "CTO", "address": "cto@example.com", "kind": "team", "call": {"after": "1 h"}},
        {"name": "DevOps team", "address": "devops@example.com", "kind": "team", "call": {"after": "0 min"}},
        {"name": "Database support", "address": "https://example.com/support", "kind": "supplier", "call": {"after": "5 min", "for": ["database"]}},
        {"name": "File support", "address": "files@example.com", "kind": "supplier", "call": {"after": "5 min", "for": ["files"]}},
        {"name": "CEO", "address": "ceo@example.com", "kind": "team"},
    ]);
    drill.plan.status_page = Some("https://status.example.com".into());
    drill.plan.components = serde_json::from_value(components).unwrap();
    drill.plan.contacts = serde_json::from_value(contacts).unwrap();
    drill
}

fn papers(drill: Drill) -> BTreeMap<String, String> {
    let record = measure::record(prepared(drill).inputs());
    incident::documents(&record).unwrap().into_iter().map(|paper| (paper.name, paper.text)).collect()
}

/// What the page says of each component, after each event that changes it.
fn course(drill: &Drill) -> Vec<String> {
    let mut board = Board::new(&drill.plan, &drill.scenario);
    let mut said = Vec::new();
    for event in &drill.events {
        if board.hear(event) {
            let status = board.status();
            let states: Vec<_> = status.components.iter().map(|one| one.word.en.clone()).collect();
            let news = status.incident.and_then(|incident| incident.updates.last().map(|news| news.word.en.clone()));
            said.push(format!("{} | {}", states.join(", "), news.unwrap_or_default()));
        }
    }
    said
}

#[test]
fn a_recovery_with_loss_is_told_to_users_callers_and_auditors() {
    for (name, text) in papers(Drill::corrupt_latest()).into_iter().filter(|(name, _)| !name.ends_with(".html")) {
        insta::assert_snapshot!(format!("incident-{name}"), text);
    }
}

#[test]
fn what_was_not_recovered_is_never_announced_as_recovered() {
    for (name, drill) in
        [("refused", Drill::refused(true)), ("wrong", Drill::silently_wrong()), ("hung", Drill::hung())]
    {
        let papers = papers(drill);
        let notices = format!("{}\n---\n\n{}", papers["announcement.en.md"], papers["announcement.ko.md"]);
        assert!(!notices.contains("is back") && !notices.contains("복구 완료"), "{notices}");
        let report = &papers["incident-report.en.md"];
        assert!(report.contains("**not recovered**") && report.contains("did not come back verified"), "{report}");
        assert!(!papers["status.json"].contains("\"over\": true"));
        if name != "hung" {
            insta::assert_snapshot!(format!("incident-{name}-announcement"), notices);
        }
    }
}

#[test]
fn a_component_is_operational_again_only_after_comparison_and_checks() {
    insta::assert_snapshot!(course(&prepared(Drill::corrupt_latest())).join("\n"));
    let last = |drill: Drill| course(&prepared(drill)).pop().unwrap();
    assert_eq!(last(Drill::control()), "Operational, Operational, Operational | Verified");
    for drill in [Drill::control().without_comparison(), Drill::control().without_check_phase()] {
        assert!(last(drill).starts_with("Degraded, Degraded, Operational"));
    }
    for drill in [Drill::silently_wrong(), Drill::control().check("health", Some(false)), Drill::refused(true)] {
        assert!(last(drill).starts_with("Degraded, Outage, Operational"));
    }
    assert!(last(Drill::control().check("health", None)).starts_with("Degraded, Degraded"));
    assert!(last(Drill::control().claim_again()).starts_with("Degraded, Degraded"));
}

#[test]
fn before_the_steady_state_was_seen_nothing_is_called_operational() {
    let drill = prepared(Drill::never_steady());
    let mut board = Board::new(&drill.plan, &drill.scenario);
    for event in &drill.events {
        board.hear(event);
        assert!(board.status().components.iter().all(|one| one.state == State::Unknown));
    }
    assert!(incident::documents(&measure::record(drill.inputs())).is_none());
}

#[test]
fn without_components_in_the_plan_each_service_is_one() {
    let drill = Drill::control();
    let names: Vec<_> =
        incident::status(&measure::record(drill.inputs())).components.into_iter().map(|c| c.name.ko).collect();
    assert_eq!(names, ["database", "files"]);
}

#[test]
fn calls_fall_due_by_the_drills_own_clock() {
    let due = |drill: Drill| {
        let sheet = papers(drill).remove("calls.en.md").unwrap();
        let rows = sheet.lines().filter(|line| line.starts_with("| 2026"));
        rows.map(|row| row.split('|').map(str::trim).nth(6).unwrap().to_owned()).collect::<Vec<_>>().join("; ")
    };
    let no = "no: not lost in this drill";
    assert_eq!(due(Drill::control()), format!("**yes**: always; **yes**: not back by then; {no}; no: back at 21:35"));
    let late = format!("**yes**: always; **yes**: not back by then; {no}; **yes**: not back by then");
    assert_eq!(due(Drill::late()), late);
    assert_eq!(due(Drill::refused(true)), late);
    let unknown = format!("**yes**: always; **yes**: not back by then; {no}; not known: the drill ended before");
    assert_eq!(due(Drill::interrupted()), unknown);
}

#[test]
fn foreign_text_is_harmless_in_every_paper() {
    let evil = "x|y\n## <b>\"'&</script><img src=x onerror=alert(1)>\u{1b}[2J\u{7}\u{202e}`[a](b)";
    let mut drill = prepared(Drill::corrupt_latest().alarm(AlarmKind::Unreadable, evil, true));
    drill.plan.platform = evil.into();
    drill.scenario.title = evil.into();
    drill.scenario.disaster.cause = evil.into();
    drill.plan.components[0].name = evil.into();
    drill.plan.components[0].name_ko = Some(evil.into());
    drill.plan.contacts[0].name = evil.into();
    drill.plan.contacts[0].address = evil.into();
    for event in &mut drill.events {
        if let What::Disaster { cause } = &mut event.what {
            *cause = evil.into();
        }
    }
    let record = measure::record(drill.inputs());
    for paper in incident::documents(&record).unwrap() {
        let text = &paper.text;
        let benign = |c: char| !(c.is_control() && c != '\n') && c != '\u{202e}';
        assert!(text.chars().all(benign), "{}", paper.name);
        if paper.name == "status.json" {
            serde_json::from_str::<incident::status::Status>(text).unwrap();
            continue;
        }
        assert!(!text.contains("<b>") && !text.contains("<img"), "{}:\n{text}", paper.name);
        for table in text.split("\n\n").filter(|block| block.starts_with('|')) {
            let cells = |line: &str| line.replace("\\|", "").matches('|').count();
            let heads = cells(table.lines().next().unwrap());
            assert!(table.lines().all(|line| cells(line) == heads), "{table}");
        }
    }
}

#[test]
fn a_drill_that_broke_off_says_so_and_its_outage_goes_on() {
    let drill = prepared(Drill::interrupted());
    let status = incident::status(&measure::record(drill.inputs()));
    let incident = status.incident.unwrap();
    assert!(!incident.over && status.overall == State::Outage);
    assert_eq!(incident.updates.last().unwrap().word.en, "Stopped");
    assert!(drill.events.iter().any(|event| matches!(event.what, What::PhaseStarted { phase: Phase::Fetch })));
}
