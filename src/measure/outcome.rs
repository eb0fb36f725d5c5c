//! How a drill ended. Between a claim and green stand the ledger, every check and t5; loud beats late beats silent.

use super::{
    Part,
    objectives::of_service,
    rpo,
    story::{End, Story},
};
use crate::model::{
    outcome::{Outcome, Verdict},
    record::{Judged, ObjectiveKind},
};

/// An outcome and what shows it.
#[derive(Debug)]
pub(super) struct Ending {
    /// `None` where the drill did not get that far, or could not tell.
    pub(super) outcome: Option<Outcome>,
    /// What shows it, in words.
    pub(super) why: String,
}

/// Classifies the end of a drill.
pub(super) fn ending(story: &Story<'_>, objectives: &[Judged]) -> Ending {
    let (outcome, why) = match story.end {
        None => (None, "the restore came to no end".into()),
        Some(End::Restored(_)) => restored(story, objectives),
        Some(end @ End::TimeLimit(_)) => match story.data_wrong() {
            Some(wrong) => (Some(Outcome::SilentlyWrong), format!("the restored data is wrong: {wrong}")),
            None => (Some(Outcome::Hung), end.words()),
        },
        Some(end @ End::Refused(_)) if story.gave_alarm() => {
            (Some(Outcome::RefusedLoudly), format!("{}; an alarm was raised", end.words()))
        }
        // The alarm may have been on its way.
        Some(End::Refused(_)) if story.broke_off.is_some() => (None, "the drill broke off".into()),
        Some(end @ End::Refused(_)) => {
            let said = if story.alarm_was_lost() { "its alarm reached nobody" } else { "raised no alarm" };
            (Some(Outcome::SilentlyWrong), format!("{}, and {said}", end.words()))
        }
    };
    Ending { outcome, why }
}

fn restored(story: &Story<'_>, objectives: &[Judged]) -> (Option<Outcome>, String) {
    let silently_wrong =
        |why: String| (Some(Outcome::SilentlyWrong), format!("the pipeline claims a recovery, but {why}"));
    if let Some(wrong) = story.data_wrong() {
        return silently_wrong(format!("the ledger says: {wrong}"));
    }
    if let Some(failed) = story.failed_checks().first() {
        return silently_wrong(format!("check {} failed: {}", failed.check, failed.detail));
    }
    if let Some(unrun) = story.unrun_checks().first() {
        return (None, format!("check {} could not run: {}", unrun.check, unrun.detail));
    }
    if story.broke_off.is_some() && (story.comparison.is_none() || story.check_phase().is_none()) {
        return (None, "the drill broke off before the recovery was checked".into());
    }
    if story.comparison.is_none() {
        return silently_wrong("nothing was compared with the ledger".into());
    }
    match story.check_phase() {
        Some((_, true)) => {
            let (outcome, why) = recovered(story, objectives);
            let told = story.told_checks().first().map(|one| format!("; check {} failed, and was told of", one.check));
            (outcome, why + &told.unwrap_or_default())
        }
        Some((_, false)) => silently_wrong("its checks did not end well".into()),
        None => (None, "the checks did not end".into()),
    }
}

fn recovered(story: &Story<'_>, objectives: &[Judged]) -> (Option<Outcome>, String) {
    let of = |kind| of_service(objectives, kind);
    let (Some(rto), Some(rpo)) = (of(ObjectiveKind::Rto), of(ObjectiveKind::Rpo)) else {
        return (None, "the plan states no objectives for the service".into());
    };
    let why = |judged: &Judged| judged.why.clone().unwrap_or_default();
    match (rto.verdict, rpo.verdict) {
        (Verdict::Inconclusive, _) => (None, why(rto)),
        (_, Verdict::Inconclusive) => (None, why(rpo)),
        (_, Verdict::Missed) => (Some(Outcome::RecoveredBehind), why(rpo)),
        (Verdict::Missed, _) => (Some(Outcome::RecoveredLate), why(rto)),
        (Verdict::Met, Verdict::Met) => {
            let loss = rpo::loss(story).unwrap_or_default();
            let back = format!("{loss}, within the RPO of {}; back within the RTO of {}", rpo.limit, rto.limit);
            (Some(Outcome::Recovered), back)
        }
    }
}

/// How the services ended together: as badly as the worst, and unknown where one is, unless another is wrong. Several
/// that are lost together are held to the level's objectives as a whole: each may keep its own, and the whole be late or
/// behind.
pub(super) fn together(parts: &[Part<'_>], level: &[Judged]) -> Ending {
    let ending = worst(parts);
    let missed = |kind| level.iter().find(|judged| judged.objective == kind && judged.verdict == Verdict::Missed);
    let whole = match ending.outcome {
        Some(Outcome::Recovered) if parts.len() > 1 => missed(ObjectiveKind::Rpo)
            .map(|rpo| (Outcome::RecoveredBehind, rpo))
            .or_else(|| missed(ObjectiveKind::Rto).map(|rto| (Outcome::RecoveredLate, rto))),
        Some(Outcome::RecoveredLate) if parts.len() > 1 => {
            missed(ObjectiveKind::Rpo).map(|rpo| (Outcome::RecoveredBehind, rpo))
        }
        _ => None,
    };
    let Some((outcome, judged)) = whole else { return ending };
    let why = judged.why.as_deref().unwrap_or("it is missed");
    let (whose, kind, limit) = (&judged.whose, judged.objective.words(), judged.limit);
    Ending { outcome: Some(outcome), why: format!("the {kind} of {limit} for {whose}: {why}") }
}

fn worst(parts: &[Part<'_>]) -> Ending {
    let wrong = parts.iter().find(|part| part.ending.outcome == Some(Outcome::SilentlyWrong));
    let unknown = parts.iter().find(|part| part.ending.outcome.is_none());
    let worst = parts.iter().rev().max_by_key(|part| part.ending.outcome);
    let Some(part) = wrong.or(unknown).or(worst) else {
        return Ending { outcome: None, why: "no service was drilled".into() };
    };
    let Ending { outcome, why } = &part.ending;
    let name = &part.record.service;
    Ending { outcome: *outcome, why: if parts.len() > 1 { format!("{name}: {why}") } else { why.clone() } }
}

/// What is proven to be wrong, whatever became of the drill afterwards.
pub(super) fn proven_wrong(story: &Story<'_>, ending: &Ending) -> bool {
    let compared = story.data_wrong().is_some() || !story.failed_checks().is_empty();
    ending.outcome == Some(Outcome::SilentlyWrong) && (compared || story.broke_off.is_none())
}

/// What should have come and what came, in one sentence.
pub(super) fn mismatch(expected: Outcome, ending: &Ending) -> Option<String> {
    let actual = ending.outcome.filter(|actual| *actual != expected)?;
    Some(format!("expected to end {}, ended {}: {}", expected.words(), actual.words(), ending.why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        measure::{record, testing::Drill},
        model::event::What,
    };

    fn outcome(drill: &Drill) -> Option<Outcome> {
        record(drill.inputs()).result.outcome
    }

    #[test]
    fn every_ending_has_its_name() {
        assert_eq!(outcome(&Drill::control()), Some(Outcome::Recovered));
        assert_eq!(outcome(&Drill::late()), Some(Outcome::RecoveredLate));
        assert_eq!(outcome(&Drill::corrupt_latest()), Some(Outcome::RecoveredBehind));
        assert_eq!(outcome(&Drill::refused(true)), Some(Outcome::RefusedLoudly));
        assert_eq!(outcome(&Drill::hung()), Some(Outcome::Hung));
        assert_eq!(outcome(&Drill::silently_wrong()), Some(Outcome::SilentlyWrong));
        assert_eq!(outcome(&Drill::refused(false)), Some(Outcome::SilentlyWrong));
        assert_eq!(
            outcome(&Drill::refused(true).unheard()),
            Some(Outcome::SilentlyWrong),
            "an alarm that nobody heard"
        );
    }

    #[test]
    fn a_claim_is_not_green_without_ledger_checks_and_t5() {
        assert_eq!(outcome(&Drill::control().without_comparison()), Some(Outcome::SilentlyWrong));
        assert_eq!(outcome(&Drill::control().check("health", Some(false))), Some(Outcome::SilentlyWrong));
        assert_eq!(outcome(&Drill::control().check("health", None)), None);
        assert_eq!(outcome(&Drill::control().without_comparison().check("ledger", None)), None);
        assert_eq!(outcome(&Drill::control().without_check_phase()), None);
    }

    #[test]
    fn a_comparison_whose_counts_contradict_it_is_not_believed() {
        let drill = Drill::control().compared(|c| c.resurrected = 1);
        assert_eq!(outcome(&drill), Some(Outcome::SilentlyWrong));
    }

    #[test]
    fn a_comparison_of_an_earlier_claim_or_of_none_says_nothing() {
        let unclaimed = record(Drill::control().without(|e| matches!(e, What::Restored(_))).inputs());
        assert_eq!((&unclaimed.services[0].comparison, unclaimed.services[0].exposure.rpa), (&None, None));
        assert_eq!(outcome(&Drill::control().claim_again()), Some(Outcome::SilentlyWrong));
    }
}
