//! One drill in full: its clock, objectives, losses, faults, points, alarms, findings and limits.

use super::{Page, commands, none, service, shown};
use crate::{
    model::{
        event::Alarm,
        outcome::{DrillResult, Verdict},
        plan::ServiceKind,
        record::{AlarmRecord, FaultRecord, Finding, Judged, Record, Way},
        scenario::FaultSpec,
        words,
    },
    report::{figures, text::markdown},
};

/// Adds a drill to the page.
pub(super) fn drill(page: &mut Page, record: &Record) {
    let result = &record.result;
    page.in_zone(&record.plan.time_zone);
    page.heading(2, &page.say(&format!("{}: {}", record.identity.scenario, result.result.words())));
    page.paragraph(&format!("**{}.** {}", markdown(&record.scenario.title), markdown(&record.scenario.proves)));
    let outcome = result.outcome.map_or("no outcome", |outcome| outcome.words());
    let expected = record.scenario.expect.outcome.words();
    let met = record.objectives.iter().filter(|judged| judged.verdict == Verdict::Met).count();
    let objectives_met = format!("{met} of {} met", record.objectives.len());
    page.paragraph(&page.say(&format!("Ended: {outcome} (expected: {expected}). Objectives: {objectives_met}.")));
    if result.result != DrillResult::Pass {
        bullets(page, "Why it is no pass", &result.reasons);
    }
    story(page, record);
    objectives(page, record);
    timeline(page, record);
    for one in &record.services {
        let of = if record.services.len() > 1 { format!("{}: ", one.service) } else { String::new() };
        service::service(page, one, record.plan.kind(&one.service), &of);
    }
    faults(page, record);
    alarms(page, record);
    commands::commands(page, record);
    findings(page, record);
    bullets(page, "What this drill does not show", &record.limits);
    provenance(page, record);
}

fn bullets(page: &mut Page, head: &str, texts: &[String]) {
    if !texts.is_empty() {
        page.heading(3, &page.say(head));
        page.bullets(&texts.iter().map(|text| page.say(text)).collect::<Vec<_>>());
    }
}

pub(super) fn table(page: &mut Page, head: &str, heads: &[&str], rows: Vec<Vec<String>>) {
    if !rows.is_empty() {
        page.heading(3, &page.say(head));
        page.table(heads, &rows);
    }
}

pub(super) fn maybe(text: Option<&str>) -> String {
    text.map_or(none(), markdown)
}

pub(super) fn yes(page: &Page, held: bool) -> String {
    page.say(if held { "yes" } else { "NO" })
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
    page.heading(3, &page.say("Scenario"));
    page.bullets(&[
        page.say(&format!("Level {}{level}", scenario.level)),
        page.say(&format!(
            "History: {} with {} a day",
            words::count(scenario.history.days.into(), "day"),
            rate(record)
        )),
        page.say(&format!("Faults: {}", if faults.is_empty() { "none".to_owned() } else { words::list(&faults) })),
        page.say(&format!("Expected: {}", success.join("; "))),
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
    let row = |judged: &Judged| {
        vec![
            format!("{} {}", page.say(&judged.whose), judged.objective.words()),
            page.say(&judged.limit.to_string()),
            shown(page, judged.actual),
            figures::margin(judged).map_or_else(none, |margin| page.say(&margin)),
            page.say(judged.verdict.words()),
            judged.why.as_deref().map_or_else(none, |why| page.say(why)),
        ]
    };
    let rows = record.objectives.iter().map(row).collect();
    let heads = ["Objective", "Limit", "Actual", "Margin", "Verdict", "Why"];
    table(page, "Objectives against actuals", &heads, rows);
}

fn timeline(page: &mut Page, record: &Record) {
    let time = &record.timeline;
    let Some(t0) = time.t0 else { return };
    let cause = page.say(&format!("disruption: {}", record.scenario.disaster.cause));
    let mut rows = vec![vec!["t0".into(), cause, page.moment(t0)]];
    let marks = [
        ("t1", "detected", time.t1),
        ("t2", "declared", time.t2),
        ("t3", "restore starts", time.t3),
        ("t4", "data restored", time.t4),
        ("t5", "checks passed", time.t5),
    ];
    rows.extend(marks.map(|(mark, meaning, at)| vec![mark.into(), page.say(meaning), shown(page, at)]));
    table(page, "Timeline", &["Mark", "Meaning", "Since t0"], rows);
}

fn faults(page: &mut Page, record: &Record) {
    let row = |fault: &FaultRecord| {
        let bit = fault.proof.as_ref().map_or(page.say("no proof"), |proof| yes(page, proof.bit));
        let proof = fault.proof.as_ref().map(|proof| proof.evidence.as_str());
        vec![
            markdown(&fault.name()),
            maybe(fault.impossible.as_deref().or(fault.detail.as_deref())),
            bit,
            maybe(proof),
            fault.seen.as_ref().map_or(none(), |seen| page.say(&figures::seen(seen))),
            yes(page, fault.healed),
        ]
    };
    let rows = record.faults.iter().map(row).collect();
    let heads = ["Fault", "What it changed", "Bit", "Proof", "Seen by monitoring", "Healed"];
    table(page, "Faults", &heads, rows);
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
    let row = |(first, times): (&AlarmRecord, u64)| {
        let when = match (first.at, first.since_t0) {
            (Some(at), _) => page.moment(at),
            (None, since) => since.map_or(none(), |since| page.say(&format!("t0 + {since}"))),
        };
        let alarm = &first.alarm;
        vec![
            page.say(alarm.kind.words()),
            maybe(alarm.region.as_deref()),
            page.say(match (alarm.justified, alarm.heard) {
                (true, true) => "justified",
                (true, false) => "justified, HEARD BY NOBODY",
                (false, true) => "FALSE ALARM",
                (false, false) => "FALSE ALARM, heard by nobody",
            }),
            page.say(&words::count(times, "time")),
            when,
            markdown(&alarm.detail),
        ]
    };
    let rows = sorts.into_iter().map(row).collect();
    let heads = ["Alarm", "Region", "Reason", "Raised", "First", "Detail of the first"];
    table(page, "Alarms", &heads, rows);
}

fn findings(page: &mut Page, record: &Record) {
    let row = |finding: &Finding| {
        vec![page.say(finding.severity.words()), page.say(&finding.what), page.say(&finding.remedy)]
    };
    let rows = record.findings.iter().map(row).collect();
    table(page, "Findings", &["Severity", "What was found", "What to do"], rows);
}

fn provenance(page: &mut Page, record: &Record) {
    let (identity, cleanup, scope) = (&record.identity, &record.cleanup, &record.scope);
    let run_at = match (identity.way, identity.run_at) {
        (_, Some(at)) => page.moment(at),
        (Way::Simulated, None) => "in virtual time".into(),
        (Way::Real, None) => "[measured]".into(),
    };
    let way = identity.way.words();
    let word = |held: bool| if held { "yes" } else { "NO" };
    let steady = cleanup.steady_after.map_or("not checked", word);
    let rows = scope.rows.map_or(none(), |n| words::count(n, "row"));
    let size = scope.bytes.map_or(none(), |bytes| words::bytes(bytes.0));
    page.heading(3, &page.say("Scope, clean-up and provenance"));
    page.bullets(&[
        page.say(&format!(
            "Drilled: {}, service {}, level {}; {rows}, {size} at the start",
            scope.platform,
            words::list(&scope.services),
            scope.level
        )),
        page.say(&format!(
            "Faults healed: {}; steady state after: {steady}; removed: {} ({})",
            word(cleanup.healed),
            if cleanup.kept { "all but what was to be kept" } else { word(cleanup.removed) },
            cleanup.detail
        )),
        page.say(&format!("Run: {run_at}; {way}; seed {}; backdraft {}", identity.seed, identity.tool_version)),
        format!("{}: {}", page.say("SHA-256 of the plan"), markdown(&identity.plan_sha256)),
        format!("{}: {}", page.say("SHA-256 of the scenario"), markdown(&identity.scenario_sha256)),
        page.say(&format!("Record format: {}; {}", record.format, words::count(record.events.len() as u64, "event"))),
    ]);
}
