//! RTA, the actual of the RTO: t5 − t0, from the disaster to the checks that passed. Never a command's duration.

use super::{
    objectives::Judgement,
    story::{End, Story},
};
use crate::model::{record::ObjectiveKind, time::Elapsed, units::Span, words};

/// What the drill shows about an RTO.
pub(super) fn judge(story: &Story<'_>, rta: Option<Elapsed>, limit: Span) -> Judgement {
    if let Some(rta) = rta {
        return Judgement::against(ObjectiveKind::Rto, rta, limit);
    }
    if let Some(wrong) = story.data_wrong() {
        return Judgement::missed(None, format!("the service is back with wrong data: {wrong}"));
    }
    let failed: Vec<&str> = story.failed_checks().iter().map(|c| c.check.as_str()).collect();
    let unrun: Vec<&str> = story.unrun_checks().iter().map(|c| c.check.as_str()).collect();
    match story.end {
        Some(End::Restored(_)) if !failed.is_empty() => {
            Judgement::missed(None, format!("the service never passed {}: {}", checks(&failed), words::list(&failed)))
        }
        Some(End::Restored(_)) if story.comparison.is_none() => {
            Judgement::unknown("what was restored was not compared with the ledger, so t5 was not reached")
        }
        Some(End::Restored(_)) if !unrun.is_empty() => {
            Judgement::unknown(format!("{} could not run: {}", checks(&unrun), words::list(&unrun)))
        }
        Some(End::Restored(_)) if story.check_phase().is_some_and(|(_, ok)| !ok) => {
            Judgement::missed(None, "the checks did not end well, so t5 was not reached".into())
        }
        Some(End::Restored(_)) => Judgement::unknown("the checks did not end, so t5 was not reached"),
        Some(end) if story.broke_off.is_none() => {
            Judgement::missed(None, format!("the service stays unavailable: {}", end.words()))
        }
        _ => Judgement::unknown("the drill did not get to a restored service"),
    }
}

fn checks(names: &[&str]) -> &'static str {
    if names.len() == 1 { "its check" } else { "its checks" }
}
