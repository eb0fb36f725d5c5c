//! Whether a drill passed: its reasons not to, sorted by what they weigh. What is proven wrong beats that it was
//! stopped; stopped beats not playable; a drill that shows nothing beats a failed expectation, which may only follow
//! from it.

use std::collections::BTreeSet;

use super::{
    Part,
    objectives::together,
    outcome::{self, Ending},
    story::{BrokeOff, Story},
};
use crate::model::{
    event::{AlarmKind, SteadyWhen, What},
    outcome::{DrillResult, Outcome, Verdict},
    plan::Plan,
    record::{Cleanup, FaultRecord, Judged, ObjectiveKind, RestoreBlock, ResultBlock},
    scenario::{ExpectedPoint, Scenario},
    time::Elapsed,
    units::Span,
    words,
};

/// What is known of a drill when it is judged.
#[derive(Debug)]
pub(super) struct Case<'a> {
    /// All that happened.
    pub(super) story: &'a Story<'a>,
    /// The services.
    pub(super) parts: &'a [Part<'a>],
    /// How they ended together.
    pub(super) ending: &'a Ending,
    pub(super) objectives: &'a [Judged],
    pub(super) faults: &'a [FaultRecord],
    pub(super) cleanup: &'a Cleanup,
    pub(super) plan: &'a Plan,
    pub(super) scenario: &'a Scenario,
}

impl Case<'_> {
    /// `files: `, where several services are drilled.
    fn of(&self, part: &Part<'_>) -> String {
        if self.parts.len() > 1 { format!("{}: ", part.record.service) } else { String::new() }
    }
}

/// Judges a drill.
pub(super) fn result(case: &Case<'_>) -> ResultBlock {
    let wrong = wrong_data(case);
    let (stopped, not_played) = broke_off(case);
    let mut reasons = [&wrong[..], &stopped, &not_played].concat();
    let mut result = match () {
        () if !wrong.is_empty() => Some(DrillResult::Fail),
        () if !stopped.is_empty() => Some(DrillResult::Interrupted),
        () if !not_played.is_empty() => Some(DrillResult::NotExecuted),
        () => None,
    };
    // What a broken-off drill did not do needs no reason of its own, what it left behind does.
    if stopped.is_empty() && not_played.is_empty() {
        let unclear = unclear(case);
        // Of a drill that was not played nothing can be expected.
        let unexpected = if case.story.disaster.is_some() { unexpected(case) } else { Vec::new() };
        result = result.or(match (unclear.is_empty(), unexpected.is_empty()) {
            (false, _) => Some(DrillResult::Inconclusive),
            (true, false) => Some(DrillResult::Fail),
            (true, true) => None,
        });
        reasons.extend(unclear);
        reasons.extend(unexpected);
    }
    let to_the_end = stopped.is_empty() && not_played.is_empty() && case.story.disaster.is_some();
    let left = left_behind(case, to_the_end);
    if !left.is_empty() {
        result = result.or(Some(DrillResult::Fail));
    }
    reasons.extend(left);
    ResultBlock {
        result: result.unwrap_or(DrillResult::Pass),
        outcome: case.ending.outcome,
        why: case.ending.why.clone(),
        verdict: together(case.objectives),
        reasons,
    }
}

fn wrong_data(case: &Case<'_>) -> Vec<String> {
    let expected = case.scenario.expect.outcome;
    let instead = match expected {
        Outcome::SilentlyWrong => "which always fails".into(),
        _ => format!("expected {}", expected.words()),
    };
    let proven = case.parts.iter().filter(|part| outcome::proven_wrong(&part.story, &part.ending));
    let silent = proven.map(|part| format!("silently wrong ({instead}): {}{}", case.of(part), part.ending.why));
    // That somebody was told makes it loud, and not green.
    let told = case.parts.iter().flat_map(|part| part.story.told_checks().into_iter().map(move |one| (part, one)));
    let told = told.map(|(part, one)| {
        format!("{}check {} failed, and somebody was told: {}", case.of(part), one.check, one.detail)
    });
    silent.chain(told).collect()
}

/// Reasons why the drill was stopped, and why it could not be played.
fn broke_off(case: &Case<'_>) -> (Vec<String>, Vec<String>) {
    let story = case.story;
    if let Some(BrokeOff::Interrupted) = story.broke_off {
        return (vec!["it was stopped before its end".into()], Vec::new());
    }
    let mut reasons = Vec::new();
    if story.disaster.is_none() && story.broke_off.is_none() && undrillable(story).next().is_some() {
        // Not played, because it would show nothing: inconclusive.
        return (Vec::new(), Vec::new());
    }
    if let Some(BrokeOff::Aborted(why)) = story.broke_off {
        reasons.push(format!("it could not go on: {why}"));
    }
    for event in &story.events {
        if let What::SteadyState { when: SteadyWhen::Before, held: false, detail } = &event.what {
            reasons.push(format!("the steady state did not hold before the history: {detail}"));
        }
    }
    let level = case.scenario.level;
    for service in case.scenario.service.names().iter().filter(|name| !case.plan.services.contains_key(*name)) {
        reasons.push(format!("the plan has no service {service} to judge the drill by"));
    }
    if !case.plan.levels.contains_key(&level.to_string()) {
        reasons.push(format!("the plan has no level {level} to judge the drill by"));
    }
    if story.disaster.is_none() && reasons.is_empty() {
        reasons.push("the disaster never came".into());
    }
    (Vec::new(), reasons)
}

/// What the storage did not do that the drill needs.
fn undrillable<'s>(story: &'s Story<'_>) -> impl Iterator<Item = &'s str> {
    story.events.iter().filter_map(|event| match &event.what {
        What::Undrillable { why } => Some(why.as_str()),
        _ => None,
    })
}

/// Reasons why the drill shows nothing.
fn unclear(case: &Case<'_>) -> Vec<String> {
    let mut reasons: Vec<String> =
        undrillable(case.story).map(|why| format!("it cannot be drilled on this storage: {why}")).collect();
    if !reasons.is_empty() && case.story.disaster.is_none() {
        return reasons;
    }
    for fault in case.faults {
        let name = format!("fault {}", fault.name());
        match (&fault.impossible, &fault.proof) {
            (Some(why), _) => reasons.push(format!("{name} could not be injected: {why}")),
            (None, Some(proof)) if proof.bit => {}
            (None, Some(proof)) => reasons.push(format!("{name} did not bite: {}", proof.evidence)),
            (None, None) if fault.detail.is_none() => reasons.push(format!("{name} was never injected")),
            (None, None) => reasons.push(format!("{name} left no proof that it bit")),
        }
    }
    for part in case.parts {
        for unrun in part.story.unrun_checks() {
            reasons.push(format!("{}check {} could not run: {}", case.of(part), unrun.check, unrun.detail));
        }
    }
    if case.ending.outcome.is_none() && reasons.is_empty() {
        reasons.push(format!("it has no outcome: {}", case.ending.why));
    }
    let before = |e: &What| matches!(e, What::SteadyState { when: SteadyWhen::Before, .. });
    if !case.story.events.iter().any(|e| before(&e.what)) {
        reasons.push("the steady state was not checked before the history".into());
    }
    reasons
}

/// Where the drill went another way than its scenario says.
fn unexpected(case: &Case<'_>) -> Vec<String> {
    let expect = &case.scenario.expect;
    // Silently wrong has a reason of its own already.
    let mismatch = outcome::mismatch(expect.outcome, case.ending);
    let is_wrong = |part: &Part<'_>| outcome::proven_wrong(&part.story, &part.ending);
    let mut reasons: Vec<String> = mismatch.into_iter().filter(|_| !case.parts.iter().any(is_wrong)).collect();
    for part in case.parts {
        let wanted = expect.of(&part.record.service, case.parts.len() == 1);
        let mismatch = wanted.outcome.and_then(|outcome| outcome::mismatch(outcome, &part.ending));
        reasons.extend(mismatch.filter(|_| !is_wrong(part)).map(|said| format!("{}{said}", case.of(part))));
        let point = wanted.recovery_point.and_then(|point| unexpected_point(&point, &part.record.restore));
        reasons.extend(point.map(|said| format!("{}{said}", case.of(part))));
        let whose = if case.parts.len() == 1 { "the service" } else { &*part.record.service };
        unexpected_verdicts(&part.objectives, whose, [wanted.rto, wanted.rpo], &mut reasons);
        if let (Some(most), 1) = (expect.loses_at_most, case.parts.len()) {
            reasons.extend(lost_too_much(most, part.record.exposure.rpa));
        }
    }
    if case.parts.len() > 1 {
        let level: Vec<Judged> = case.objectives.iter().filter(|j| j.whose.starts_with("level ")).cloned().collect();
        unexpected_verdicts(&level, "the level", [expect.rto, expect.rpo], &mut reasons);
    }
    reasons.extend(unexpected_alarms(case));
    reasons
}

/// Verdicts on objectives of one owner that are others than wanted: of RTO and RPO.
fn unexpected_verdicts(judged: &[Judged], whose: &str, wanted: [Option<Verdict>; 2], reasons: &mut Vec<String>) {
    for (kind, wanted) in [ObjectiveKind::Rto, ObjectiveKind::Rpo].into_iter().zip(wanted) {
        let judged = judged.iter().find(|judged| judged.objective == kind);
        if let (Some(wanted), Some(judged)) = (wanted, judged)
            && judged.verdict != wanted
        {
            let unsaid = judged.why.as_ref().filter(|why| !reasons.iter().any(|said| said.contains(*why)));
            let why = unsaid.map_or(String::new(), |why| format!(": {why}"));
            let (name, is) = (kind.words(), judged.verdict.words());
            reasons.push(format!("expected {whose}'s {name} to be {}, it is {is}{why}", wanted.words()));
        }
    }
}

fn lost_too_much(most: Span, rpa: Option<Elapsed>) -> Option<String> {
    match rpa {
        Some(rpa) if rpa.total_ms() <= most.millis() => None,
        Some(rpa) => Some(format!("expected to lose {most} at the most, {rpa} are lost")),
        None => Some(format!("expected to lose {most} at the most, and nothing says what is lost")),
    }
}

fn unexpected_point(wanted: &ExpectedPoint, restore: &RestoreBlock) -> Option<String> {
    let region = wanted.region.as_ref().map_or(String::new(), |region| format!(" from {region}"));
    let wanted_words = format!("expected the recovery point of day {}{region}", wanted.day);
    let Some(chosen) = &restore.chosen else { return Some(format!("{wanted_words}, none was restored")) };
    let same_region = wanted.region.as_ref().is_none_or(|region| *region == chosen.region);
    if restore.chosen_day == Some(wanted.day) && same_region {
        return None;
    }
    let day = restore.chosen_day.map_or("of no backup of the history".into(), |day| format!("of day {day}"));
    Some(format!("{wanted_words}, restored the one {day} from {} ({})", chosen.region, chosen.point))
}

fn unexpected_alarms(case: &Case<'_>) -> Vec<String> {
    let expected: BTreeSet<AlarmKind> = case.scenario.expect.alarms.iter().copied().collect();
    // An alarm that reached nobody is as good as none.
    let justified = || case.story.alarms().map(|(_, alarm)| alarm).filter(|alarm| alarm.justified && alarm.heard);
    let raised: BTreeSet<AlarmKind> = justified().map(|alarm| alarm.kind).collect();
    let mut reasons = Vec::new();
    for missing in expected.difference(&raised) {
        reasons.push(format!("expected an alarm `{}`, none was raised with reason", missing.words()));
    }
    for surplus in raised.difference(&expected) {
        let first = justified().find(|alarm| alarm.kind == *surplus);
        let detail = first.map_or("", |alarm| alarm.detail.as_str());
        let times = words::count(justified().filter(|alarm| alarm.kind == *surplus).count() as u64, "time");
        reasons.push(format!("an alarm `{}` was raised {times} and not expected: {detail}", surplus.words()));
    }
    reasons
}

/// Where the world is not as it was. `to_the_end`: the drill was played to its end, so that it must say.
fn left_behind(case: &Case<'_>, to_the_end: bool) -> Vec<String> {
    let mut reasons = Vec::new();
    for fault in case.faults.iter().filter(|f| !f.healed) {
        reasons.push(format!("fault {} was not healed", fault.name()));
    }
    match case.cleanup.steady_after {
        Some(true) => {}
        Some(false) => reasons.push("the steady state did not hold after healing".into()),
        None if to_the_end => reasons.push("the steady state was not checked after healing".into()),
        None => {}
    }
    if !case.cleanup.removed {
        reasons.push(format!("not everything that the drill made was removed: {}", case.cleanup.detail));
    }
    reasons
}

#[cfg(test)]
mod tests {
    use crate::{
        measure::{record, testing::Drill},
        model::{
            event::{AlarmKind, What},
            outcome::{DrillResult, Outcome, Verdict},
            record::ResultBlock,
            units::Span,
        },
    };

    fn judged(drill: &Drill) -> ResultBlock {
        record(drill.inputs()).result
    }

    #[test]
    fn a_drill_that_went_as_its_scenario_says_passes_also_where_objectives_are_missed() {
        for drill in [Drill::control(), Drill::corrupt_latest(), Drill::refused(true), Drill::late(), Drill::hung()] {
            let result = judged(&drill);
            assert_eq!((result.result, &result.reasons[..]), (DrillResult::Pass, &[][..]), "{}", drill.scenario.title);
        }
        assert_eq!(judged(&Drill::corrupt_latest()).verdict, Verdict::Missed);
    }

    #[test]
    fn a_scenario_may_allow_less_loss_than_the_rpo() {
        let allowing = |most: Span| {
            let mut drill = Drill::control();
            drill.scenario.expect.loses_at_most = Some(most);
            judged(&drill)
        };
        assert_eq!(allowing(Span::hours(24)).result, DrillResult::Pass);
        let held = allowing(Span::minutes(1));
        assert_eq!(held.result, DrillResult::Fail);
        assert!(held.reasons[0].starts_with("expected to lose 1 min at the most"), "{:?}", held.reasons);
    }

    #[test]
    fn silently_wrong_always_fails() {
        for mut drill in [Drill::silently_wrong(), Drill::refused(false), Drill::control().without_comparison()] {
            drill.scenario.expect.outcome = Outcome::SilentlyWrong;
            assert_eq!(judged(&drill).result, DrillResult::Fail);
            drill.say(What::Interrupted);
            let stopped = judged(&drill);
            let proven = stopped.reasons[0].starts_with("silently wrong");
            assert_eq!(stopped.result, if proven { DrillResult::Fail } else { DrillResult::Interrupted });
        }
    }

    #[test]
    fn what_shows_nothing_is_inconclusive() {
        let unproven = Drill::corrupt_latest().without(|e| matches!(e, What::FaultProven { .. }));
        let impossible = Drill::corrupt_latest()
            .without(|e| matches!(e, What::FaultProven { .. } | What::FaultInjected { .. }))
            .and(What::FaultImpossible { fault: 0, why: "no dump to cut".into() });
        let unchecked = Drill::control().check("health", None);
        for drill in [Drill::toothless(), unproven, impossible, unchecked, Drill::control().without_check_phase()] {
            let result = judged(&drill);
            assert_eq!(result.result, DrillResult::Inconclusive, "{:?}", result.reasons);
        }
    }

    #[test]
    fn what_the_storage_cannot_do_is_inconclusive_played_or_not_and_never_hides_wrong_data() {
        let undrillable = || What::Undrillable { why: "it has no object lock".into() };
        let played = judged(&Drill::control().and(undrillable()));
        let unplayed = judged(&Drill::control().without(|e| !matches!(e, What::CleanedUp { .. })).and(undrillable()));
        for result in [played, unplayed] {
            assert_eq!(result.result, DrillResult::Inconclusive);
            assert_eq!(result.reasons, ["it cannot be drilled on this storage: it has no object lock"]);
        }
        assert_eq!(judged(&Drill::silently_wrong().and(undrillable())).result, DrillResult::Fail);
    }

    #[test]
    fn each_reason_is_told_in_words() {
        let mut elsewhere = Drill::corrupt_latest();
        elsewhere.scenario.expect = Drill::control().scenario.expect;
        let drills = [
            Drill::toothless(),
            Drill::silently_wrong(),
            Drill::refused(false),
            Drill::interrupted(),
            Drill::never_steady(),
            elsewhere,
            Drill::corrupt_latest().alarm(AlarmKind::Unreadable, "us-east-1", true),
            Drill::refused(true).without(|e| matches!(e, What::Alarm(_))),
            Drill::control().without(|e| matches!(e, What::CleanedUp { .. } | What::SteadyState { .. })),
            Drill::corrupt_latest().without(|e| matches!(e, What::FaultHealed { .. })),
        ];
        let told = drills.map(|drill| {
            let result = judged(&drill);
            format!("{}\n  {}", result.result.words(), result.reasons.join("\n  "))
        });
        insta::assert_snapshot!(told.join("\n"));
    }

    #[test]
    fn a_false_alarm_fails_nothing_and_an_expected_alarm_must_come_with_reason() {
        assert_eq!(judged(&Drill::control().false_alarms(3)).result, DrillResult::Pass);
        assert_eq!(judged(&Drill::corrupt_latest().seen_by_monitor()).result, DrillResult::Pass);
        let mut unjustified = Drill::corrupt_latest().alarm(AlarmKind::TooOld, "us-east-1", false);
        unjustified.scenario.expect.alarms.push(AlarmKind::TooOld);
        assert_eq!(judged(&unjustified).result, DrillResult::Fail);
    }
}
