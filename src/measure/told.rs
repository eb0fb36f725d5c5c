//! Failed checks of which somebody was told. Only what is wrong with stored backups can be told of so that it counts: a
//! service that does not work is not back, whoever knows it.

use super::{
    findings::{finding, sentence},
    story::Story,
};
use crate::model::{
    event::{Alarm, AlarmKind, CheckResult, Place},
    record::{Finding, Severity},
};

/// The check that looks for secrets in what is stored.
const SECRETS: &str = "secrets";

/// The check that looks for backups that should be gone.
const RETENTION: &str = "retention";

/// Whether a check looks at stored backups, and not at what was restored.
pub(super) fn is_of_stored(check: &CheckResult) -> bool {
    [SECRETS, RETENTION].contains(&check.check.as_str())
}

/// Whether the restore told somebody, who heard it, of each object that made a check fail. What was told before the
/// disaster may have been of other objects, and counts for nothing.
pub(super) fn is_told(story: &Story<'_>, check: &CheckResult) -> bool {
    check.check == SECRETS
        && check.passed == Some(false)
        && !check.places.is_empty()
        && check.places.iter().all(|place| alarms(story).any(|alarm| speaks_of(alarm, place)))
}

/// Alarms from the disaster to the last claim.
fn alarms<'s, 'a>(story: &'s Story<'a>) -> impl Iterator<Item = &'a Alarm> + use<'s, 'a> {
    let recovery = story.disaster.unwrap_or(story.events.len())..story.claimed_at;
    let told = story.alarms().filter(move |(index, _)| recovery.contains(index));
    told.map(|(_, alarm)| alarm).filter(|alarm| alarm.justified && alarm.heard)
}

/// A secret is told of by the object's name; that nobody could look, by the region's.
fn speaks_of(alarm: &Alarm, place: &Place) -> bool {
    let of_it = match alarm.kind {
        AlarmKind::SecretExposed => alarm.detail.contains(&place.object),
        AlarmKind::NotLookedThrough => true,
        _ => false,
    };
    of_it && alarm.region.as_deref() == Some(place.region.as_str())
}

/// A secret in a stored backup, whether somebody was told or not.
pub(super) fn leaked(story: &Story<'_>) -> Option<Finding> {
    let is_leak = |check: &&CheckResult| check.check == SECRETS && check.passed == Some(false);
    let check = story.checks.iter().copied().find(is_leak)?;
    let told = if is_told(story, check) { "somebody was told" } else { "nobody was told of all of it" };
    Some(finding(
        Severity::Critical,
        "A secret stands in clear in a stored backup",
        format!("{}; {told}", sentence(&check.detail)),
        "Rotate the secret at once. Then destroy the copy, as soon as its region answers and its lock has run out.",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        measure::{record, testing::Drill},
        model::{
            event::What,
            outcome::{DrillResult, Outcome},
            record::Record,
        },
    };

    const HERE: &str = "us-east-1";
    const THERE: &str = "eu-west-1";
    const DUMP: &str = "2026-11-04.jsonl.gz";

    fn judged(regions: &[&str], alarms: &[Alarm]) -> Record {
        record(Drill::leaked(regions, alarms).inputs())
    }

    fn exposed(region: &str, object: &str) -> Alarm {
        Alarm::new(AlarmKind::SecretExposed, Some(region), format!("{object} holds a secret"))
    }

    fn unseen(region: &str) -> Alarm {
        Alarm::new(AlarmKind::NotLookedThrough, Some(region), "it does not answer")
    }

    fn has_finding(record: &Record) -> bool {
        let critical = |found: &&Finding| found.severity == Severity::Critical;
        record.findings.iter().filter(critical).any(|found| found.title.starts_with("A secret stands in clear"))
    }

    #[test]
    fn a_secret_that_was_told_of_leaves_the_outcome_to_the_data_and_is_never_green() {
        for alarms in [vec![exposed(HERE, DUMP)], vec![unseen(HERE)]] {
            let record = judged(&[HERE], &alarms);
            assert_eq!(record.result.outcome, Some(Outcome::Recovered), "{:?}", record.result);
            assert_eq!(record.result.result, DrillResult::Fail);
            assert_eq!(
                record.result.reasons,
                ["check secrets failed, and somebody was told: in clear: a key of Stripe"]
            );
            assert!(has_finding(&record) && record.timeline.t5.is_some());
        }
        assert!(!has_finding(&record(Drill::control().inputs())));
    }

    #[test]
    fn a_secret_that_nobody_was_told_of_is_silently_wrong() {
        let unheard = Alarm { heard: false, ..exposed(HERE, DUMP) };
        let mistaken = Alarm { justified: false, ..exposed(HERE, DUMP) };
        let other = Alarm::new(AlarmKind::Unreachable, Some(HERE), DUMP);
        for (regions, alarms) in [
            (&[HERE][..], vec![]),
            (&[HERE], vec![unheard]),
            (&[HERE], vec![mistaken]),
            (&[HERE], vec![exposed(HERE, "another.jsonl.gz")]),
            (&[HERE], vec![exposed(THERE, DUMP), unseen(THERE)]),
            (&[HERE], vec![other]),
            (&[HERE, THERE], vec![exposed(HERE, DUMP)]),
            (&[], vec![exposed(HERE, DUMP)]),
        ] {
            let record = judged(regions, &alarms);
            assert_eq!(record.result.outcome, Some(Outcome::SilentlyWrong), "{alarms:?}");
            assert!(record.result.result == DrillResult::Fail && has_finding(&record));
            assert_eq!(record.timeline.t5, None);
        }
    }

    #[test]
    fn what_was_told_before_the_disaster_or_after_the_claim_is_not_counted() {
        let mut early = Drill::leaked(&[HERE], &[exposed(HERE, DUMP)]);
        let at = early.events.iter().position(|event| matches!(event.what, What::Alarm(_))).unwrap();
        let alarm = early.events.remove(at);
        let mut late = early.clone();
        early.events.insert(1, alarm.clone());
        late.events.push(alarm);
        for drill in [early, late] {
            assert_eq!(record(drill.inputs()).result.outcome, Some(Outcome::SilentlyWrong));
        }
    }

    #[test]
    fn no_alarm_excuses_a_service_that_fails_a_check_of_its_own() {
        let drill = Drill::leaked(&[HERE], &[exposed(HERE, DUMP)]).check("health", Some(false));
        assert_eq!(record(drill.inputs()).result.outcome, Some(Outcome::SilentlyWrong));
        let unrun = Drill::leaked(&[HERE], &[exposed(HERE, DUMP)]).check("health", None);
        let record = record(unrun.inputs());
        assert_eq!((record.result.outcome, record.result.result), (None, DrillResult::Fail));
    }
}
