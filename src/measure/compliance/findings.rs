//! Findings from drill to drill, with what is done about them. A finding is open until a later drill of the same scenario
//! is without it; what somebody says of it closes nothing.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Case, Dated};
use crate::model::{
    compliance::{Action, ActionStatus, Tracked},
    finding::{Finding, Severity},
    outcome::DrillResult,
};

/// One finding in one scenario.
struct One<'a> {
    finding: &'a Finding,
    scenario: &'a str,
    services: &'a [String],
    since: Timestamp,
    closed_at: Option<Timestamp>,
}

/// What was open in the period: found in it, or before it and not closed when it began.
pub(super) fn findings(case: &Case<'_>) -> Vec<Tracked> {
    let known = follow(case.earlier.iter().chain(&case.drills).filter(|drill| drill.is_real()));
    let earlier = |at: Timestamp| case.zone.to_datetime(at).date() < case.inputs.from;
    let relevant = known.into_iter().filter(|one| one.closed_at.is_none_or(|at| !earlier(at)));
    let mut groups: BTreeMap<(&str, Option<usize>, bool), Vec<One<'_>>> = BTreeMap::new();
    for one in relevant {
        let action = case.inputs.actions.iter().position(|action| fits(action, &one));
        groups.entry((one.finding.title.as_str(), action, one.closed_at.is_some())).or_default().push(one);
    }
    let mut all: Vec<Tracked> = groups.into_iter().map(|((_, action, _), ones)| tracked(case, action, &ones)).collect();
    all.sort_by(|a, b| {
        let key = |one: &Tracked| (one.closed_at.is_some(), one.severity, !one.overdue, one.since);
        key(a).cmp(&key(b)).then_with(|| a.title.cmp(&b.title))
    });
    all
}

/// Plays the drills in order: what each found opens, and what it no longer finds closes, where it came to a pass.
fn follow<'a, 'd: 'a>(drills: impl Iterator<Item = &'a Dated<'d>>) -> Vec<One<'d>> {
    let mut open: BTreeMap<(&str, &str), One<'d>> = BTreeMap::new();
    let mut closed = Vec::new();
    for drill in drills {
        let summary = drill.summary();
        if summary.result == DrillResult::Pass && summary.outcome.is_some() {
            let gone: Vec<_> = open
                .keys()
                .filter(|(scenario, title)| {
                    *scenario == summary.scenario && !summary.findings.iter().any(|found| found.title == *title)
                })
                .copied()
                .collect();
            for key in gone {
                closed.extend(open.remove(&key).map(|one| One { closed_at: Some(drill.at), ..one }));
            }
        }
        for finding in &summary.findings {
            let one = open.entry((summary.scenario.as_str(), finding.title.as_str())).or_insert(One {
                finding,
                scenario: &summary.scenario,
                services: &summary.services,
                since: drill.at,
                closed_at: None,
            });
            // As it was found last, and as bad as it ever was.
            if finding.severity <= one.finding.severity {
                one.finding = finding;
            }
        }
    }
    closed.into_iter().chain(open.into_values()).collect()
}

fn fits(action: &Action, one: &One<'_>) -> bool {
    action.finding == one.finding.title
        && action.service.as_ref().is_none_or(|service| one.services.contains(service))
        && action.scenario.as_ref().is_none_or(|scenario| scenario == one.scenario)
}

/// Ones of the same title, action and state, together.
fn tracked(case: &Case<'_>, action: Option<usize>, ones: &[One<'_>]) -> Tracked {
    let worst = ones.iter().map(|one| one.finding).min_by_key(|finding| finding.severity);
    let since = ones.iter().map(|one| one.since).min().unwrap_or(case.inputs.made_at);
    let action = action.and_then(|index| case.inputs.actions.get(index)).cloned();
    let closed_at = ones.iter().map(|one| one.closed_at).max().flatten();
    let day = |at| case.zone.to_datetime(at).date();
    // A report of a period that is over says what was overdue when it ended; one of a running period, what is today.
    let today = day(case.inputs.made_at);
    let overdue = |action: &Action| {
        action.status == ActionStatus::Open && action.due < today && action.due < case.inputs.to && closed_at.is_none()
    };
    let mut scenarios: Vec<String> = ones.iter().map(|one| one.scenario.to_owned()).collect();
    scenarios.sort();
    scenarios.dedup();
    Tracked {
        severity: worst.map_or(Severity::Low, |finding| finding.severity),
        title: worst.map(|finding| finding.title.clone()).unwrap_or_default(),
        remedy: worst.map(|finding| finding.remedy.clone()).unwrap_or_default(),
        scenarios,
        since,
        carried_over: day(since) < case.inputs.from,
        closed_at,
        overdue: action.as_ref().is_some_and(overdue),
        action,
    }
}

/// Actions for which no finding is open or was closed in the period.
pub(super) fn idle(actions: &[Action], findings: &[Tracked]) -> Vec<String> {
    let used = |action: &&Action| findings.iter().any(|one| one.action.as_ref() == Some(*action));
    actions.iter().filter(|action| !used(action)).map(|action| action.finding.clone()).collect()
}
