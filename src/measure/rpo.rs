//! RPA, the actual of the RPO: from the commit of the last write of the unbroken prefix found after the restore to t0,
//! by the ledger. Never a file's age. Where the prefix holds every acknowledged write, nothing was lost and it is zero.

use std::collections::BTreeSet;

use super::{
    exposure::between,
    objectives::Judgement,
    story::{End, Story},
};
use crate::model::{event::What, record::ObjectiveKind, time::Elapsed, units::Span, words};

/// RPA; `None` where nothing was compared.
pub(super) fn actual(story: &Story<'_>) -> Option<Elapsed> {
    let found = story.comparison?;
    let (prefix, t0) = (found.prefix, story.t0?);
    if prefix.seq == found.last.seq {
        return Some(Elapsed::scenario(0));
    }
    between(prefix.committed_at, t0)
}

/// What the drill shows about an RPO.
pub(super) fn judge(story: &Story<'_>, rpa: Option<Elapsed>, limit: Span) -> Judgement {
    if let Some(wrong) = story.data_wrong() {
        return Judgement::missed(rpa, format!("the restored data is wrong: {wrong}"));
    }
    match (rpa, story.end) {
        (Some(rpa), _) => Judgement::against(ObjectiveKind::Rpo, rpa, limit),
        (None, Some(end @ (End::Refused(_) | End::TimeLimit(_)))) if story.broke_off.is_none() => {
            Judgement::missed(None, format!("nothing came back: {}{}", end.words(), may_still_be_there(story)))
        }
        (None, Some(End::Restored(_))) => Judgement::unknown("what was restored was not compared with the ledger"),
        _ => Judgement::unknown("the drill did not get to a restored state"),
    }
}

/// Where somebody did not answer, what is kept there is not lost: it was out of reach.
fn may_still_be_there(story: &Story<'_>) -> String {
    let silent: BTreeSet<&str> = story
        .events
        .iter()
        .filter_map(|event| match &event.what {
            What::Listed { region, points: None, .. } => Some(region.as_str()),
            _ => None,
        })
        .collect();
    match silent.is_empty() {
        true => String::new(),
        false => {
            let silent: Vec<&str> = silent.into_iter().collect();
            format!("; {} did not answer, and what is kept there may still be whole", words::list(&silent))
        }
    }
}

/// What was lost, in numbers; `None` where nothing was compared.
pub(super) fn loss(story: &Story<'_>) -> Option<String> {
    let found = story.comparison?;
    Some(match found.writes_lost {
        0 => "no acknowledged write was lost".into(),
        1 => format!("1 acknowledged write of {} was lost", found.last.seq),
        lost => format!("{lost} acknowledged writes of {} were lost", found.last.seq),
    })
}
