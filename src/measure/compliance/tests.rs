//! Each judgement of a compliance report, from drills that are told apart by one thing.

use jiff::{Timestamp, civil::date};

use super::{Inputs, compliance};
use crate::{
    measure::{
        record,
        testing::{Drill, plan},
    },
    model::{
        compliance::{Action, ActionStatus, Compliance, Known, Playable, Source, Support, Tracked},
        finding::{Finding, Severity},
        history::Summary,
        outcome::{DrillResult, Outcome, Verdict},
        plan::Plan,
        record::{ObjectiveKind, Way},
        status::{Colour, Status},
        time::Elapsed,
        units::Span,
    },
};

/// A restore test of the database on that day that meets everything.
fn good(day: &str) -> Known {
    let mut summary = Summary::of(&record(Drill::control().inputs()));
    summary.run_at = Some(format!("{day}T03:00:00Z").parse().unwrap());
    summary.outcome = Some(Outcome::Recovered);
    summary.verdict = Verdict::Met;
    summary.findings.clear();
    for judged in &mut summary.objectives {
        judged.verdict = Verdict::Met;
        judged.actual = Some(Elapsed::scenario(judged.limit.millis() / 2));
    }
    Known { sequence: None, record_sha256: "c".repeat(64), summary }
}

fn with(day: &str, change: impl FnOnce(&mut Summary)) -> Known {
    let mut known = good(day);
    change(&mut known.summary);
    known
}

fn finds(day: &str, title: &str) -> Known {
    with(day, |summary| {
        let [what, remedy] = ["what", "remedy"].map(String::from);
        summary.findings = vec![Finding { severity: Severity::High, title: title.into(), what, remedy }];
    })
}

fn monthly() -> Plan {
    let mut plan = plan();
    plan.testing.restore_every = Some("30 days".parse().unwrap());
    plan
}

/// January to March, made in April.
fn report(known: &[Known], actions: &[Action]) -> Compliance {
    report_at("2026-04-10T00:00:00Z", known, actions)
}

fn report_at(made_at: &str, known: &[Known], actions: &[Action]) -> Compliance {
    report_of(Source::default(), made_at, known, actions)
}

fn report_of(source: Source, made_at: &str, known: &[Known], actions: &[Action]) -> Compliance {
    let playable = ["database/control", "database/never"].map(|id| Playable { id: id.into(), sha256: "b".repeat(64) });
    compliance(&Inputs {
        plan: &monthly(),
        plan_sha256: &"a".repeat(64),
        tool_version: "0.1.0",
        from: date(2026, 1, 1),
        to: date(2026, 4, 1),
        made_at: made_at.parse::<Timestamp>().unwrap(),
        known,
        unchecked: 0,
        playable: &playable,
        actions,
        head: None,
        source,
    })
}

/// Met, missed, unmeasured, stale and the standing of the database's RTO.
fn rto(report: &Compliance) -> (u64, u64, u64, u64, Colour) {
    let of = |one: &&crate::model::compliance::Objective| {
        one.whose == "service database" && one.objective == ObjectiveKind::Rto
    };
    let one = report.objectives.iter().find(of).unwrap();
    (one.met, one.missed, one.unmeasured, one.stale, one.standing)
}

fn cadence(report: &Compliance, service: &str) -> Vec<Colour> {
    let kept = report.cadence.iter().find(|kept| kept.service == service).unwrap();
    kept.windows.iter().map(|window| window.standing).collect()
}

#[test]
fn an_objective_is_green_only_where_real_drills_of_this_plan_met_it_with_room() {
    use Colour::{Amber, Green, Grey, Red};
    let day = "2026-02-03";
    let rto_of = |change: &dyn Fn(&mut Summary)| rto(&report(&[with(day, change)], &[]));
    assert_eq!(rto_of(&|_| {}), (1, 0, 0, 0, Green));
    assert_eq!(
        rto_of(&|s| s.objectives[0].actual = Some(Elapsed::scenario(Span::minutes(97).millis()))),
        (1, 0, 0, 0, Amber)
    );
    assert_eq!(rto_of(&|s| s.objectives[0].verdict = Verdict::Missed), (0, 1, 0, 0, Red));
    assert_eq!(rto_of(&|s| s.objectives[0].actual = None), (0, 0, 1, 0, Grey));
    assert_eq!(rto_of(&|s| s.result = DrillResult::Inconclusive), (0, 0, 1, 0, Grey));
    assert_eq!(rto_of(&|s| s.way = Way::Simulated), (0, 0, 0, 0, Grey));
    assert_eq!(rto_of(&|s| s.plan_sha256 = "f".repeat(64)), (0, 0, 0, 1, Grey));
    // A changed plan does not wash a miss away.
    let missed_before = |s: &mut Summary| (s.plan_sha256, s.objectives[0].verdict) = ("f".repeat(64), Verdict::Missed);
    assert_eq!(rto_of(&missed_before), (0, 1, 0, 0, Red));
    assert_eq!(rto(&report(&[], &[])), (0, 0, 0, 0, Grey));
    assert_eq!(report(&[], &[]).standing, Red, "no test in any month");
}

#[test]
fn an_objective_says_its_status_in_the_words_of_every_report() {
    type Change = fn(&mut Summary);
    let of = |known: &[Known]| report(known, &[]).objectives[0].status;
    let one = |change: Change| of(&[with("2026-02-03", change)]);
    assert_eq!((one(|_| {}), of(&[])), (Status::Met, Status::Untested));
    assert_eq!(one(|s| s.objectives[0].verdict = Verdict::Missed), Status::Missed);
    assert_eq!(one(|s| s.result = DrillResult::Inconclusive), Status::Unmeasured);
    assert_eq!(one(|s| s.plan_sha256 = "f".repeat(64)), Status::Stale);
    let redacted: Change = |s| {
        let mut ran = Elapsed::ran(60_000, false);
        ran.redact();
        s.objectives[0].actual = Some(ran);
    };
    assert_eq!(one(redacted), Status::MarginUnknown);
    let unclear = with("2026-02-04", |s| s.result = DrillResult::Inconclusive);
    assert_eq!(of(&[good("2026-02-03"), unclear]), Status::Partial);
    // In time, and wrong: what was met with wrong data was not met.
    let wrong: Change = |s| s.outcome = Some(Outcome::SilentlyWrong);
    assert_eq!(one(wrong), Status::IntegrityFailed);
    let several: Change = |s| {
        s.outcome = Some(Outcome::SilentlyWrong);
        s.services.push("files".into());
    };
    assert_eq!(one(several), Status::Unmeasured, "the summary does not say which of them is wrong");
}

#[test]
fn the_worst_is_a_drill_after_which_nothing_was_back() {
    let bad = with("2026-02-04", |s| {
        (s.scenario, s.objectives[0].verdict, s.objectives[0].actual) = ("database/gone".into(), Verdict::Missed, None);
    });
    let objectives = report(&[good("2026-02-03"), bad], &[]).objectives;
    let one = &objectives[0];
    assert_eq!((one.worst, one.worst_in.as_deref(), one.margin_percent), (None, Some("database/gone"), None));
    let objectives = report(&[good("2026-02-03")], &[]).objectives;
    assert_eq!((objectives[0].worst.map(|e| e.total_ms()), objectives[0].margin_percent), (Some(3_600_000), Some(50)));
}

#[test]
fn a_month_without_a_restore_test_is_missed_and_one_that_is_not_over_is_grey() {
    use Colour::{Green, Grey, Red};
    let tests = [good("2026-01-20"), good("2026-03-02")];
    assert_eq!(cadence(&report(&tests, &[]), "database"), [Green, Red, Green]);
    assert_eq!(cadence(&report(&tests, &[]), "files"), [Red; 3], "no drill was of it");
    let early = report_at("2026-03-01T00:00:00Z", &tests[..1], &[]);
    assert_eq!(cadence(&early, "database"), [Green, Red, Grey]);
    type Change = fn(&mut Summary);
    let none: [Change; 4] = [
        |s| s.way = Way::Simulated,
        |s| s.result = DrillResult::Fail,
        |s| s.outcome = Some(Outcome::RefusedLoudly),
        |s| s.outcome = None,
    ];
    for change in none {
        assert_eq!(cadence(&report(&[with("2026-02-03", change)], &[]), "database")[1], Red);
    }
}

#[test]
fn whether_there_was_a_test_before_the_history_began_is_not_known_and_is_no_miss() {
    use Colour::{Green, Grey, Red};
    let of = |began: &str, tests: &[Known]| {
        let source = Source { began: Some(began.parse().unwrap()), ..Source::default() };
        report_of(source, "2026-04-10T00:00:00Z", tests, &[])
    };
    // On the second day of February in Seoul.
    let (began, march) = ("2026-02-01T20:00:00Z", [good("2026-03-02")]);
    let report = of(began, &march);
    assert_eq!(cadence(&report, "database"), [Grey, Grey, Green]);
    assert_eq!(cadence(&report, "files"), [Grey, Grey, Red]);
    let standing = |report: &Compliance, service: &str| {
        report.cadence.iter().find(|kept| kept.service == service).unwrap().standing
    };
    assert_eq!((standing(&report, "database"), standing(&report, "files")), (Grey, Red), "not green, and not missed");
    let said =
        "The history begins on 2026-02-02: restore tests before that day are not known, and count as not tested.";
    assert!(report.limits.iter().any(|limit| limit == said), "{:?}", report.limits);
    // With the first moment of a month all of it is known; and a test in a part of it is enough.
    assert_eq!(cadence(&of("2026-01-31T15:00:00Z", &march), "database"), [Grey, Red, Green]);
    assert_eq!(cadence(&of(began, &[good("2026-02-20"), good("2026-03-02")]), "database"), [Grey, Green, Green]);
    let all = [good("2026-01-20"), good("2026-02-20"), good("2026-03-02")];
    let whole = of("2025-12-01T00:00:00Z", &all);
    assert_eq!((cadence(&whole, "database"), standing(&whole, "database")), (vec![Green; 3], Green));
    assert!(!whole.limits.iter().any(|limit| limit.starts_with("The history begins")), "{:?}", whole.limits);
}

#[test]
fn days_begin_where_the_plan_is() {
    // 03:00 UTC on 31 December is noon in Seoul; 20:00 is the new year.
    let at = |time: &str| with("2026-01-01", |s| s.run_at = Some(time.parse().unwrap()));
    let drills = |known: Known| report(&[known], &[]).completeness.drills;
    assert_eq!(drills(at("2025-12-31T03:00:00Z")), 0);
    assert_eq!(drills(at("2025-12-31T20:00:00Z")), 1);
    assert_eq!(drills(at("2026-03-31T14:59:59Z")), 1);
    assert_eq!(drills(at("2026-03-31T15:00:00Z")), 0);
}

#[test]
fn what_was_never_tested_counts_and_is_named() {
    let coverage = report(&[good("2026-02-03")], &[]).coverage;
    // Two services and two levels with two objectives each; two services in two levels; two scenarios.
    assert_eq!([coverage.objectives.of, coverage.levels.of, coverage.scenarios.of, coverage.whole.of], [8, 4, 2, 14]);
    let tested = [coverage.objectives, coverage.levels, coverage.scenarios, coverage.whole].map(|share| share.tested);
    assert_eq!((tested, coverage.whole.percent()), ([4, 1, 1, 6], 42));
    let names: Vec<_> = coverage.untested.iter().map(|one| format!("{}: {}", one.name, one.why)).collect();
    assert_eq!(names.len(), 8);
    assert!(names.contains(&"database/never: no drill in the period".to_owned()), "{names:?}");
    let scenario = |change: &dyn Fn(&mut Summary)| {
        let untested = report(&[with("2026-02-03", change)], &[]).coverage.untested;
        untested.into_iter().find(|one| one.name == "database/control").map(|one| one.why)
    };
    assert_eq!(scenario(&|_| {}), None);
    assert_eq!(scenario(&|s| s.scenario_sha256 = "f".repeat(64)).as_deref(), Some("drilled as an earlier file had it"));
    assert_eq!(scenario(&|s| s.result = DrillResult::Inconclusive).as_deref(), Some("drilled without a result"));
    assert_eq!(scenario(&|s| s.way = Way::Simulated).as_deref(), Some("drilled in virtual time alone"));
}

#[test]
fn every_drill_is_counted_by_its_end_and_undated_ones_are_said() {
    let ends = [
        DrillResult::Pass,
        DrillResult::Fail,
        DrillResult::Inconclusive,
        DrillResult::Interrupted,
        DrillResult::NotExecuted,
    ];
    let mut known: Vec<Known> = ends.map(|end| with("2026-02-03", |s| s.result = end)).into();
    known.push(with("2026-02-03", |s| (s.way, s.plan_sha256) = (Way::Simulated, "f".repeat(64))));
    known.push(with("2026-02-03", |s| s.run_at = None));
    known.push(good("2025-02-03"));
    let count = report(&known, &[]).completeness;
    let ended = [count.passed, count.failed, count.inconclusive, count.interrupted, count.not_executed];
    assert_eq!((count.drills, ended), (6, [2, 1, 1, 1, 1]));
    assert_eq!((count.simulated, count.of_another_plan, count.undated), (1, 1, 1));
}

fn action(due: i8, status: ActionStatus) -> Action {
    let [finding, owner] = ["Blind monitor", "DevOps team"].map(String::from);
    Action { finding, service: None, scenario: None, owner, due: date(2026, 2, due), status, note: None }
}

fn only(report: Compliance) -> Tracked {
    let [one] = &report.findings[..] else { panic!("one finding: {:?}", report.findings) };
    one.clone()
}

#[test]
fn a_finding_is_carried_over_until_a_later_drill_of_its_scenario_is_without_it() {
    let found = finds("2025-11-03", "Blind monitor");
    let open = only(report(std::slice::from_ref(&found), &[]));
    assert_eq!((open.carried_over, open.closed_at, open.action.clone()), (true, None, None));
    // Neither what was not played to a pass, nor another scenario, nor a simulated drill is a retest.
    type Change = fn(&mut Summary);
    let none: [Change; 5] = [
        |s| s.result = DrillResult::NotExecuted,
        |s| s.result = DrillResult::Inconclusive,
        |s| s.outcome = None,
        |s| s.scenario = "database/another".into(),
        |s| s.way = Way::Simulated,
    ];
    for change in none {
        let known = [found.clone(), with("2026-02-03", change)];
        assert_eq!(only(report(&known, &[])).closed_at, None);
    }
    let closed = only(report(&[found.clone(), good("2026-02-03")], &[]));
    assert!(closed.closed_at.is_some());
    // What was closed before the period is over and done with; what came back is open again.
    assert!(report(&[found.clone(), good("2025-12-03")], &[]).findings.is_empty());
    let back = report(&[found, good("2025-12-03"), finds("2026-01-05", "Blind monitor")], &[]);
    assert!(!only(back).carried_over);
}

#[test]
fn an_action_is_overdue_while_it_is_open_and_says_nothing_of_the_finding() {
    let known = [finds("2026-01-05", "Blind monitor")];
    let of = |made_at: &str, action: Action| only(report_at(made_at, &known, &[action]));
    let (before, after) = ("2026-02-15T00:00:00Z", "2026-02-16T00:00:00Z");
    assert!(!of(before, action(15, ActionStatus::Open)).overdue);
    assert!(of(after, action(15, ActionStatus::Open)).overdue);
    for status in [ActionStatus::Done, ActionStatus::Accepted] {
        let one = of(after, action(15, status));
        assert_eq!((one.overdue, one.closed_at), (false, None));
    }
    let elsewhere = Action { scenario: Some("database/another".into()), ..action(15, ActionStatus::Open) };
    let report = report(&known, &[elsewhere]);
    assert_eq!((only(report.clone()).action, &report.idle_actions[..]), (None, &["Blind monitor".to_owned()][..]));
}

#[test]
fn a_control_is_supported_only_where_evidence_of_its_kind_exists_and_shows_what_it_asks_for() {
    let control =
        |known: &[Known], id: &str| report(known, &[]).controls.into_iter().find(|control| control.id == id).unwrap();
    let support = |known: &[Known], id: &str| control(known, id).support;
    let refused = with("2026-02-03", |s| s.outcome = Some(Outcome::RefusedLoudly));
    let simulated = with("2026-02-03", |s| s.way = Way::Simulated);
    let wrong = with("2026-02-03", |s| (s.outcome, s.result) = (Some(Outcome::SilentlyWrong), DrillResult::Fail));
    let ids = ["A1.3", "A.8.13", "CP-10", "6.5", "A.5.29"];
    let all = |known: &[Known]| ids.map(|id| support(known, id));
    let (yes, partly, not) = (Some(Support::Supports), Some(Support::Partly), Some(Support::NotReached));
    assert_eq!(all(&[]), [None; 5]);
    assert_eq!(all(&[simulated]), [None; 5]);
    assert_eq!(all(std::slice::from_ref(&refused)), [yes, not, yes, None, partly]);
    assert_eq!(all(&[good("2026-02-03")]), [yes, yes, yes, None, partly]);
    // A drill that fails shows that tests are done, and no more; a good one beside it changes nothing.
    assert_eq!(all(&[good("2026-02-02"), wrong]), [yes, not, not, None, not]);
    // One figure: a drill of two services is a restore test of each, in the table and in the controls.
    let both = with("2026-02-03", |s| s.services = vec!["database".into(), "files".into()]);
    let known = [both, good("2026-02-04"), refused];
    let tests = |known: &[Known]| -> u64 {
        report(known, &[]).cadence.iter().flat_map(|kept| &kept.windows).map(|window| window.tests).sum()
    };
    let evidence = "3 restore tests in 2 drills, compared with the ledger; not back, or wrong, in 1";
    assert_eq!((tests(&known), control(&known, "A.8.13").evidence.as_str()), (3, evidence));
    let said = report(&[], &[]).controls;
    assert!(said.iter().all(|control| control.evidence == "no evidence in this period"));
}
