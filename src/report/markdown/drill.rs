//! One drill in full: its clock, objectives, losses, faults, points, alarms, findings and limits.

use super::{Page, none, service, shown};
use crate::{
    model::{
        event::Alarm,
        outcome::{DrillResult, Verdict},
        plan::ServiceKind,
        record::{AlarmRecord, Record, Way},
        scenario::FaultSpec,
        words,
    },
    report::{figures, text::markdown},
};

/// Adds a drill to the page.
pub(super) fn drill(page: &mut Page, record: &Record) {
    let result = &record.result;
    page.heading(2, &format!("{}: {}", markdown(&record.identity.scenario), result.result.words()));
    page.paragraph(&format!("**{}.** {}", markdown(&record.scenario.title), markdown(&record.scenario.proves)));
    let outcome = result.outcome.map_or("no outcome", |outcome| outcome.words());
    let expected = record.scenario.expect.outcome.words();
    let met = record.objectives.iter().filter(|judged| judged.verdict == Verdict::Met).count();
    let objectives_met = format!("{met} of {} met", record.objectives.len());
    page.paragraph(&format!("Ended: {outcome} (expected: {expected}). Objectives: {objectives_met}."));
    if result.result != DrillResult::Pass {
        bullets(page, "Why it is no pass", &result.reasons);
    }
    story(page, record);
    objectives(page, record);
    timeline(page, record);
    for one in &record.services {
        let of = if record.services.len() > 1 { format!("{}: ", markdown(&one.service)) } else { String::new() };
        service::service(page, one, record.plan.kind(&one.service), &of);
    }
    faults(page, record);
    alarms(page, record);
    findings(page, record);
    bullets(page, "What this drill does not show", &record.limits);
    provenance(page, record);
}

fn bullets(page: &mut Page, head: &str, texts: &[String]) {
    if !texts.is_empty() {
        page.heading(3, head);
        page.bullets(&texts.iter().map(|text| markdown(text)).collect::<Vec<_>>());
    }
}

pub(super) fn table(page: &mut Page, head: &str, heads: &[&str], rows: Vec<Vec<String>>) {
    if !rows.is_empty() {
        page.heading(3, head);
        page.table(heads, &rows);
    }
}

pub(super) fn maybe(text: Option<&str>) -> String {
    text.map_or(none(), markdown)
}

pub(super) fn yes(held: bool) -> String {
    if held { "yes" } else { "NO" }.to_owned()
}

/// What was to be played, what was assumed, and what counts as success.
fn story(page: &mut Page, record: &Record) {
    let (scenario, plan) = (&record.scenario, &record.plan);
    let level = plan.levels.get(&scenario.level.to_string()).map_or(String::new(), |level| format!(", {}", level.name));
    let fault = |f: &FaultSpec| {
        let name = f.name();
        match &f.regions[..] {
            [] if plan.are_all(ServiceKind::WebApplication, scenario.service.names()) => name,
            [] => format!("{name} in every region"),
            regions => format!("{name} in {}", words::list(regions)),
        }
    };
    let faults: Vec<String> = scenario.faults.iter().map(fault).collect();
    let expect = &scenario.expect;
    let mut success = vec![expect.outcome.words().to_owned()];
    success.extend(expect.recovery_point.as_ref().map(|point| match &point.region {
        Some(region) => format!("from the backup of day {} in {region}", point.day),
        None => format!("from the backup of day {}", point.day),
    }));
    success.extend(expect.rto.map(|verdict| format!("RTO {}", verdict.words())));
    success.extend(expect.rpo.map(|verdict| format!("RPO {}", verdict.words())));
    success.extend(expect.alarms.iter().map(|alarm| format!("alarm “{}”", alarm.words())));
    page.heading(3, "Scenario");
    page.bullets(&[
        markdown(&format!("Level {}{level}", scenario.level)),
        markdown(&format!(
            "History: {} with {} a day",
            words::count(scenario.history.days.into(), "day"),
            rate(record)
        )),
        markdown(&format!("Faults: {}", if faults.is_empty() { "none".to_owned() } else { words::list(&faults) })),
        markdown(&format!("Expected: {}", success.join("; "))),
    ]);
}

/// What was written a day, in the words of the services drilled.
fn rate(record: &Record) -> String {
    let (history, kind) = (&record.scenario.history, |name: &String| record.plan.kind(name));
    let kinds: Vec<_> = record.scenario.service.names().iter().filter_map(kind).collect();
    let any = |wanted: &[ServiceKind]| kinds.iter().any(|kind| wanted.contains(kind));
    let writes = words::count(history.writes_per_day.into(), "write");
    let changes = |noun| words::count(history.changes_per_day.into(), noun);
    let mut said = Vec::new();
    said.extend((any(&[ServiceKind::Database, ServiceKind::Files]) || kinds.is_empty()).then_some(writes));
    said.extend(any(&[ServiceKind::Config]).then(|| changes("change")));
    said.extend(any(&[ServiceKind::WebApplication]).then(|| changes("release")));
    words::list(&said)
}

fn objectives(page: &mut Page, record: &Record) {
    let rows = record.objectives.iter().map(|judged| {
        vec![
            format!("{} {}", markdown(&judged.whose), judged.objective.words()),
            judged.limit.to_string(),
            shown(judged.actual),
            figures::margin(judged).unwrap_or_else(none),
            judged.verdict.words().to_owned(),
            maybe(judged.why.as_deref()),
        ]
    });
    let heads = ["Objective", "Limit", "Actual", "Margin", "Verdict", "Why"];
    table(page, "Objectives against actuals", &heads, rows.collect());
}

fn timeline(page: &mut Page, record: &Record) {
    let time = &record.timeline;
    let Some(t0) = time.t0 else { return };
    let cause = markdown(&record.scenario.disaster.cause);
    let mut rows = vec![vec!["t0".into(), format!("disruption: {cause}"), t0.to_string()]];
    let marks = [
        ("t1", "detected", time.t1),
        ("t2", "declared", time.t2),
        ("t3", "restore starts", time.t3),
        ("t4", "data restored", time.t4),
        ("t5", "checks passed", time.t5),
    ];
    rows.extend(marks.map(|(mark, meaning, at)| vec![mark.into(), meaning.into(), shown(at)]));
    table(page, "Timeline", &["Mark", "Meaning", "Since t0"], rows);
}

fn faults(page: &mut Page, record: &Record) {
    let rows = record.faults.iter().map(|fault| {
        let bit = fault.proof.as_ref().map_or("no proof".to_owned(), |proof| yes(proof.bit));
        let proof = fault.proof.as_ref().map(|proof| proof.evidence.as_str());
        vec![
            markdown(&fault.name()),
            maybe(fault.impossible.as_deref().or(fault.detail.as_deref())),
            bit,
            maybe(proof),
            fault.seen.as_ref().map_or(none(), |seen| markdown(&figures::seen(seen))),
            yes(fault.healed),
        ]
    });
    let heads = ["Fault", "What it changed", "Bit", "Proof", "Seen by monitoring", "Healed"];
    table(page, "Faults", &heads, rows.collect());
}

/// Alarms of one sort about one region are one row: a monitor repeats itself at each look.
fn alarms(page: &mut Page, record: &Record) {
    let mut sorts: Vec<(&AlarmRecord, u64)> = Vec::new();
    for raised in &record.alarms {
        let key = |raised: &AlarmRecord| {
            let Alarm { kind, region, justified, heard, .. } = &raised.alarm;
            (*kind, region.clone(), *justified, *heard)
        };
        match sorts.iter_mut().find(|(first, _)| key(first) == key(raised)) {
            Some((_, times)) => *times += 1,
            None => sorts.push((raised, 1)),
        }
    }
    let rows = sorts.into_iter().map(|(first, times)| {
        let when = match (first.at, first.since_t0) {
            (Some(at), _) => at.to_string(),
            (None, since) => since.map_or(none(), |since| format!("t0 + {since}")),
        };
        let alarm = &first.alarm;
        vec![
            alarm.kind.words().to_owned(),
            maybe(alarm.region.as_deref()),
            match (alarm.justified, alarm.heard) {
                (true, true) => "justified",
                (true, false) => "justified, HEARD BY NOBODY",
                (false, true) => "FALSE ALARM",
                (false, false) => "FALSE ALARM, heard by nobody",
            }
            .to_owned(),
            words::count(times, "time"),
            when,
            markdown(&alarm.detail),
        ]
    });
    let heads = ["Alarm", "Region", "Reason", "Raised", "First", "Detail of the first"];
    table(page, "Alarms", &heads, rows.collect());
}

fn findings(page: &mut Page, record: &Record) {
    let rows = record
        .findings
        .iter()
        .map(|finding| vec![finding.severity.words().to_owned(), markdown(&finding.what), markdown(&finding.remedy)]);
    table(page, "Findings", &["Severity", "What was found", "What to do"], rows.collect());
}

fn provenance(page: &mut Page, record: &Record) {
    let (identity, cleanup, scope) = (&record.identity, &record.cleanup, &record.scope);
    let run_at = match (identity.way, identity.run_at) {
        (_, Some(at)) => at.to_string(),
        (Way::Simulated, None) => "in virtual time".into(),
        (Way::Real, None) => "[measured]".into(),
    };
    let way = match identity.way {
        Way::Real => "real",
        Way::Simulated => "simulated",
    };
    let steady = cleanup.steady_after.map_or("not checked".to_owned(), yes);
    let rows = scope.rows.map_or(none(), |n| words::count(n, "row"));
    let size = scope.bytes.map_or(none(), |bytes| words::bytes(bytes.0));
    page.heading(3, "Scope, clean-up and provenance");
    page.bullets(&[
        format!(
            "Drilled: {}, service {}, level {}; {rows}, {size} at the start",
            markdown(&scope.platform),
            markdown(&words::list(&scope.services)),
            scope.level
        ),
        format!(
            "Faults healed: {}; steady state after: {steady}; removed: {} ({})",
            yes(cleanup.healed),
            if cleanup.kept { "all but what was to be kept".to_owned() } else { yes(cleanup.removed) },
            markdown(&cleanup.detail)
        ),
        format!("Run: {run_at}; {way}; seed {}; backdraft {}", identity.seed, markdown(&identity.tool_version)),
        format!("SHA-256 of the plan: {}", markdown(&identity.plan_sha256)),
        format!("SHA-256 of the scenario: {}", markdown(&identity.scenario_sha256)),
        format!("Record format: {}; {}", markdown(&record.format), words::count(record.events.len() as u64, "event")),
    ]);
}
