//! What was tested of what there is: objectives, services in each level, scenarios. What never was is named, and counts.

use super::{Case, Dated};
use crate::model::compliance::{Coverage, Objective, Share, Untested};

/// Counted over the real drills of the period that came to a result.
pub(super) fn coverage(case: &Case<'_>, objectives: &[Objective]) -> Coverage {
    let mut untested = Vec::new();
    let judged = objectives.iter().map(|one| {
        let name = format!("{} {}", one.whose, one.objective.words());
        let why = match one {
            _ if one.met + one.missed > 0 => None,
            Objective { stale: 1.., .. } => Some("drilled with an earlier plan alone"),
            Objective { unmeasured: 1.., .. } => Some("drilled, and not measured"),
            _ => Some("no drill in the period"),
        };
        ("objective", name, why)
    });
    let pairs = case.inputs.plan.services.keys().flat_map(|service| {
        let levels = case.inputs.plan.levels.keys();
        levels.map(move |level| {
            let of = |drill: &Dated<'_>| {
                drill.summary().level.to_string() == *level && drill.summary().services.contains(service)
            };
            ("level", format!("service {service} in level {level}"), why(case, of, |drill| case.is_of_this_plan(drill)))
        })
    });
    let scenarios = case.inputs.playable.iter().map(|one| {
        let of = |drill: &Dated<'_>| drill.summary().scenario == one.id;
        let current = |drill: &Dated<'_>| drill.summary().scenario_sha256 == one.sha256 && case.is_of_this_plan(drill);
        ("scenario", one.id.clone(), why(case, of, current))
    });
    let mut count = |all: &mut dyn Iterator<Item = (&str, String, Option<&str>)>| {
        let mut share = Share::default();
        for (kind, name, why) in all {
            share.of += 1;
            match why {
                None => share.tested += 1,
                Some(why) => untested.push(Untested { kind: kind.into(), name, why: why.into() }),
            }
        }
        share
    };
    let (objectives, levels, scenarios) = (count(&mut { judged }), count(&mut { pairs }), count(&mut { scenarios }));
    let parts = [objectives, levels, scenarios];
    let whole =
        Share { tested: parts.iter().map(|part| part.tested).sum(), of: parts.iter().map(|part| part.of).sum() };
    Coverage { objectives, levels, scenarios, whole, untested }
}

/// Why something counts as untested; `None` where a drill tested it as it is now.
fn why(case: &Case<'_>, of: impl Fn(&Dated<'_>) -> bool, current: impl Fn(&Dated<'_>) -> bool) -> Option<&'static str> {
    let drills: Vec<&Dated<'_>> = case.drills.iter().filter(|drill| of(drill)).collect();
    let real = || drills.iter().filter(|drill| drill.is_real());
    match () {
        () if real().any(|drill| drill.is_conclusive() && current(drill)) => None,
        () if real().any(|drill| drill.is_conclusive()) => Some("drilled as an earlier file had it"),
        () if real().next().is_some() => Some("drilled without a result"),
        () if !drills.is_empty() => Some("drilled in virtual time alone"),
        () => Some("no drill in the period"),
    }
}
