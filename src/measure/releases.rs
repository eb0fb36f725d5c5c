//! What to act on where a web application was drilled: its recovery points are releases, kept by the hosting provider as
//! deployments and by the repository as commits.

use super::{
    Part,
    findings::{finding, is_blocked, sentence, truth},
};
use crate::model::{
    event::AlarmKind,
    outcome::Outcome,
    record::{Finding, Severity},
};

/// Findings of one web application.
pub(super) fn findings(part: &Part<'_>) -> Vec<Finding> {
    let mut all = Vec::new();
    all.extend(lost(part));
    all.extend(unusable(part));
    all.extend(silent_provider(part));
    all.extend(lying(part));
    all
}

/// Nothing came back, or the wrong thing.
fn lost(part: &Part<'_>) -> Option<Finding> {
    let found = truth(part)?;
    Some(match (part.ending.outcome, &part.record.restore.chosen) {
        (Some(Outcome::SilentlyWrong), Some(_)) => Finding {
            remedy:
                "Ask for every page and a call of the API as users do, and compare with what was released; believe \
                     no health check."
                    .into(),
            ..found
        },
        (Some(Outcome::RefusedLoudly), _) if !is_blocked(&part.record) => Finding {
            what: sentence(&part.ending.why),
            remedy: "Keep a second way to production: commits outside one repository, builds outside one provider."
                .into(),
            ..found
        },
        _ => found,
    })
}

/// Releases that could not be used as they were kept.
fn unusable(part: &Part<'_>) -> Option<Finding> {
    let refused = &part.record.restore.refused;
    let first = refused.first()?;
    let rest = refused.len() - 1;
    let more = if rest == 0 { String::new() } else { format!(" ({rest} more refused after it)") };
    Some(finding(
        Severity::Medium,
        "A release could not be rolled back to",
        format!("{} in {} was refused in {}: {}{more}", first.point, first.region, first.phase.words(), first.why),
        "Roll back to the newest release for a test after each release, and keep its commit where it can be built again.",
    ))
}

/// The provider did not answer when it was needed.
fn silent_provider(part: &Part<'_>) -> Option<Finding> {
    let silent = part.record.restore.listed.iter().find(|listed| listed.points.is_none())?;
    let why = silent.why.as_deref().unwrap_or("no reason given");
    Some(finding(
        Severity::High,
        "The way to production depends on one management API",
        format!("{} did not answer: {why}", silent.region),
        "Have a way to production that does not need this API, and rehearse it: another provider, a static copy.",
    ))
}

/// Users were failed behind a green health check.
fn lying(part: &Part<'_>) -> Option<Finding> {
    let (_, alarm) = part.story.alarms().find(|(_, alarm)| alarm.kind == AlarmKind::HealthCheckLies)?;
    Some(finding(
        Severity::High,
        "The health check is green while users are failed",
        sentence(&alarm.detail),
        "Let the health check ask what users ask: a page by its digest, a call of the API, the address in DNS.",
    ))
}
