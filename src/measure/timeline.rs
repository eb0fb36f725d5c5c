//! t0 to t5 and the phases of a recovery. Definitions: t1 is the end of detection, t2 of declaration, t3 the start of
//! the choice of a recovery point, t4 the end of the cut over that succeeded (of the import where nothing is cut over),
//! t5 the end of the checks that passed. A failed check never stops the clock.

use super::story::{End, Story};
use crate::model::{
    event::{Event, Phase, What},
    record::{PhaseTimed, Timeline},
    time::Elapsed,
};

/// The clock of a recovery; what was not reached is `None`.
pub(super) fn timeline(story: &Story<'_>) -> Timeline {
    let end_of = |wanted: Phase| {
        let ended = |e: &&&Event| matches!(e.what, What::PhaseEnded { phase, ok: true } if phase == wanted);
        story.events.iter().find(ended).and_then(|e| e.since_t0)
    };
    let started = |e: &&&Event| matches!(e.what, What::PhaseStarted { phase: Phase::Choose });
    Timeline {
        t0: story.t0,
        t1: end_of(Phase::Detect),
        t2: end_of(Phase::Declare),
        t3: story.events.iter().find(started).and_then(|e| e.since_t0),
        t4: restored_at(story),
        t5: checked_at(story),
    }
}

/// The clock of several services together: from the first restore to the last checks.
pub(super) fn together(clocks: &[&Timeline]) -> Timeline {
    let last = |mark: fn(&Timeline) -> Option<Elapsed>| {
        let marks: Option<Vec<Elapsed>> = clocks.iter().map(|clock| mark(clock)).collect();
        marks?.into_iter().max_by_key(Elapsed::total_ms)
    };
    Timeline {
        t0: clocks.iter().find_map(|clock| clock.t0),
        t1: clocks.iter().find_map(|clock| clock.t1),
        t2: clocks.iter().find_map(|clock| clock.t2),
        t3: clocks.iter().filter_map(|clock| clock.t3).min_by_key(Elapsed::total_ms),
        t4: last(|clock| clock.t4),
        t5: last(|clock| clock.t5),
    }
}

/// The phases of the recovery in the order in which they began. An end belongs to the latest open beginning.
pub(super) fn phases(events: &[&Event]) -> Vec<PhaseTimed> {
    let mut phases: Vec<PhaseTimed> = Vec::new();
    for event in events {
        let Some(now) = event.since_t0 else { continue };
        match event.what {
            What::PhaseStarted { phase } => phases.push(PhaseTimed { phase, from: now, took: None, ok: false }),
            What::PhaseEnded { phase, ok } => {
                let open = phases.iter_mut().rev().find(|p| p.phase == phase && p.took.is_none());
                if let Some(open) = open {
                    open.took = Some(now.since(open.from));
                    open.ok = ok;
                }
            }
            _ => {}
        }
    }
    phases
}

fn restored_at(story: &Story<'_>) -> Option<Elapsed> {
    let Some(End::Restored(_)) = story.end else { return None };
    let cuts_over = story.events.iter().any(|e| matches!(e.what, What::PhaseStarted { phase: Phase::CutOver }));
    let wanted = if cuts_over { Phase::CutOver } else { Phase::Import };
    let ended = |e: &&&Event| matches!(e.what, What::PhaseEnded { phase, ok: true } if phase == wanted);
    story.events.iter().rev().find(ended).and_then(|e| e.since_t0)
}

/// t5: only where the data was compared and nothing speaks against it; a phase that calls itself well is not enough.
fn checked_at(story: &Story<'_>) -> Option<Elapsed> {
    let Some(End::Restored(_)) = story.end else { return None };
    let (event, true) = story.check_phase()? else { return None };
    let compared = story.comparison.is_some() && story.data_wrong().is_none();
    // What is wrong with stored backups, and was told, does not keep the service from being back.
    let passed = story.failed_checks().is_empty() && story.unrun_checks().is_empty();
    event.since_t0.filter(|_| compared && passed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        measure::{record, testing::Drill},
        model::{time::Measured, units::Span},
    };

    #[test]
    fn the_clock_runs_from_the_disaster_to_the_passed_checks() {
        let record = record(Drill::control().inputs());
        let t = &record.timeline;
        assert_eq!(
            t.t1,
            Some(Elapsed { measured_ms: Some(Measured::Millis(0)), ..Elapsed::assumed(Span::minutes(5)) })
        );
        let marks = [t.t1, t.t2, t.t3, t.t4, t.t5].map(|mark| mark.unwrap().total_ms());
        assert!(marks.is_sorted(), "{marks:?}");
        assert_eq!(t.t5.unwrap().assumed_ms, Span::minutes(35).millis());
        assert!(record.services[0].phases.iter().all(|p| p.ok && p.took.is_some()));
    }

    #[test]
    fn a_check_that_failed_first_and_passed_later_stops_the_clock_later() {
        let first = record(Drill::control().inputs()).timeline;
        let again = Drill::control().fail_first_check();
        let later = record(again.inputs()).timeline;
        assert!(later.t5.unwrap().total_ms() > first.t5.unwrap().total_ms());
        let never = record(Drill::control().check("health", Some(false)).inputs()).timeline;
        assert_eq!((never.t5, never.t4), (None, first.t4));
    }

    #[test]
    fn a_phase_that_was_tried_again_is_there_again_and_one_that_never_ended_took_no_time() {
        let mut drill = Drill::to_disaster();
        drill.begin(Phase::Fetch).spend(10).end(Phase::Fetch, false).begin(Phase::Fetch).spend(7);
        let events = drill.inputs().events;
        let phases = phases(&events.iter().collect::<Vec<_>>());
        let took: Vec<_> = phases.iter().map(|p| (p.took.map(|t| t.total_ms()), p.ok)).collect();
        assert_eq!(took, [(Some(10), false), (None, false)]);
    }
}
