//! Whether a drill shows a weakness of its plan. A rule reads the plan and says what will not hold; a proof is a record
//! in which it did not, with the record's own figures. What no drill at hand shows has none.

mod copies;

use crate::model::{
    event::{Alarm, AlarmKind, What},
    outcome::{DrillResult, Outcome, Verdict},
    plan::Plan,
    record::{Judged, ObjectiveKind, Record, ServiceRecord},
    units::Span,
    weakness::{Shown, Shows, Weakness},
    words,
};

/// Each weakness with the drill that proves it. Of several the simplest one is taken: with the fewest faults, then with
/// the fewest services. A drill proves nothing unless it passed; but what copies by rule lose in silence is proven by the
/// drills that ended so, which never pass.
pub fn proofs(weaknesses: Vec<Weakness>, records: &[Record]) -> Vec<Shown> {
    let mut simplest: Vec<&Record> = records
        .iter()
        .filter(|record| record.result.result == DrillResult::Pass || copies::is_silent(record))
        .collect();
    simplest.sort_by_key(|record| (record.faults.len(), record.services.len()));
    let shown = |weakness: Weakness| {
        let proof = simplest.iter().find_map(|record| {
            let evidence = evidence(&weakness, record).or_else(|| copies::evidence(&weakness, record))?;
            let evidence = format!("{evidence}{}", contrast(&weakness, record, &simplest).unwrap_or_default());
            let (scenario, title) = (record.identity.scenario.clone(), record.scenario.title.clone());
            Some(Shows { scenario, title, evidence })
        });
        Shown { weakness, proof }
    };
    weaknesses.into_iter().map(shown).collect()
}

/// Drills that ended silently wrong, each with what showed it. No plan's rule foresees them; the ledger found them.
pub fn silent_losses(records: &[Record]) -> Vec<Shows> {
    let silent = records.iter().filter(|record| record.result.outcome == Some(Outcome::SilentlyWrong));
    let shows = |record: &Record| Shows {
        scenario: record.identity.scenario.clone(),
        title: format!("{}. {}", record.scenario.title, record.scenario.proves.trim_end_matches('.')),
        evidence: record.result.reasons.first().cloned().unwrap_or_default(),
    };
    silent.map(shows).collect()
}

fn evidence(weakness: &Weakness, record: &Record) -> Option<String> {
    if record.result.result != DrillResult::Pass {
        return None;
    }
    let subject = weakness.path.split('.').nth(1).unwrap_or_default();
    match weakness.id {
        "rpo-below-interval" | "rpo-one-bad-generation" | "realtime-without-replication" => behind(record, subject),
        "class-promised-more-often" => lost_of_class(record, subject),
        "class-held-nowhere" => left_out(record, subject),
        "retention-of-class" => pruned(record),
        "retention-of-service" => nothing_older(record, subject),
        "service-looser-than-levels" => one_promise_kept(record, subject),
        "monitor-age-below-interval" => false_alarms(record, &weakness.why),
        "content-unread" => slept_through(record),
        "response-eats-rto" => spent_by_people(record, subject),
        "response-slower-than-rto" => late_by_the_plan(record, subject),
        "single-region" => region_out(record),
        "no-lock-holds" => robbed(record),
        _ => None,
    }
}

fn service<'r>(record: &'r Record, name: &str) -> Option<&'r ServiceRecord> {
    record.services.iter().find(|one| one.service == name)
}

fn judged<'r>(record: &'r Record, whose: &str, kind: ObjectiveKind) -> Option<&'r Judged> {
    record.objectives.iter().find(|judged| judged.whose == whose && judged.objective == kind)
}

/// It came back, and more was lost than its RPO allows.
fn behind(record: &Record, name: &str) -> Option<String> {
    let rpo = judged(record, &format!("service {name}"), ObjectiveKind::Rpo)?;
    let (one, rpa) = (service(record, name)?, rpo.actual?);
    let lost = one.comparison.as_ref()?.writes_lost;
    (rpo.verdict == Verdict::Missed && one.outcome == Some(Outcome::RecoveredBehind)).then(|| {
        let lost = words::count(lost, "acknowledged write");
        format!("RPA {rpa} against an RPO of {}; {lost} lost", rpo.limit)
    })
}

/// The service that holds the class lost writes, where the class is promised more than its schedule gives.
fn lost_of_class(record: &Record, class: &str) -> Option<String> {
    let name = record.plan.data_classes.get(class)?.service.as_ref()?;
    let one = service(record, name)?;
    let (lost, rpa) = (one.comparison.as_ref()?.writes_lost, one.exposure.rpa?);
    let backed_up_as_planned = record.scenario.history.stream.is_none();
    (lost > 0 && backed_up_as_planned && one.restore.refused.is_empty()).then(|| {
        format!("with every backup in order, {} of {name} and {rpa} are lost", words::count(lost, "acknowledged write"))
    })
}

/// What the same drill shows once the weakness is mended, where one at hand does.
fn contrast(weakness: &Weakness, with: &Record, records: &[&Record]) -> Option<String> {
    if weakness.id != "class-promised-more-often" {
        return None;
    }
    let name = &with.services.first()?.service;
    let streamed = |record: &&&Record| record.faults.is_empty() && record.scenario.history.stream.is_some();
    let record = records.iter().filter(streamed).find(|record| service(record, name).is_some())?;
    let (every, rpa) = (record.scenario.history.stream?, service(record, name)?.exposure.rpa?);
    Some(format!("; with a change stream every {every} it is {rpa} (`{}`)", record.identity.scenario))
}

/// Everything that the plan can restore was restored, and the class was not among it.
fn left_out(record: &Record, class: &str) -> Option<String> {
    let data = &record.plan.data_classes.get(class)?.data;
    let whole = record.services.len() == record.plan.services.len();
    let named = record.scope.exclusions.iter().any(|out| out.contains(&format!("data class {class}")));
    let count = words::count(record.services.len() as u64, "service");
    (whole && named)
        .then(|| format!("everything was lost and all {count} came back; nothing restored {}", words::list(data)))
}

/// Recovery points that the retention removed.
fn pruned(record: &Record) -> Option<String> {
    let removed = record.events.iter().filter_map(|e| match &e.what {
        What::Pruned { region, points } => Some((region, points)),
        _ => None,
    });
    let (region, mut points) = removed.fold((None, Vec::new()), |(first, mut all), (region, points)| {
        let first = first.or(Some(region));
        if first == Some(region) {
            all.extend(points.iter());
        }
        (first, all)
    });
    points.sort();
    let (region, oldest) = (region?, points.first()?);
    let days = words::count(record.scenario.history.days.into(), "day");
    let gone = words::count(points.len() as u64, "recovery point");
    Some(format!(
        "after {days} {gone} of {region} were pruned, the oldest of them {oldest}; a monthly one would be gone too"
    ))
}

/// The newest generation was bad, and there was none before it.
fn nothing_older(record: &Record, name: &str) -> Option<String> {
    let one = service(record, name)?;
    let generations = one.restore.listed.iter().filter_map(|listed| listed.points).max()?;
    let refused = one.restore.refused.first()?;
    (generations <= 1 && one.restore.chosen.is_none()).then(|| {
        format!(
            "{} was refused ({}), and no region had another generation: nothing was restored",
            refused.point, refused.why
        )
    })
}

/// The service kept its own objective and broke that of the level.
fn one_promise_kept(record: &Record, name: &str) -> Option<String> {
    let level = format!("level {}", record.scenario.level);
    [ObjectiveKind::Rto, ObjectiveKind::Rpo].into_iter().find_map(|kind| {
        let (own, whole) = (judged(record, &format!("service {name}"), kind)?, judged(record, &level, kind)?);
        let (own_actual, actual) = (own.actual?, whole.actual?);
        let split = own.verdict == Verdict::Met && whole.verdict == Verdict::Missed && own_actual == actual;
        let (what, own, whole) = (kind.words(), own.limit, whole.limit);
        split.then(|| {
            format!("{actual}: within the {what} of {own} for {name}, beyond the {what} of {whole} for {level}")
        })
    })
}

/// Nothing was wrong, and the monitor said that it was.
fn false_alarms(record: &Record, why: &str) -> Option<String> {
    let meant = |one: &ServiceRecord| why.contains(&format!("`{}`", one.service));
    if !record.services.iter().all(meant) {
        return None;
    }
    let old = |alarm: &&Alarm| alarm.kind == AlarmKind::TooOld && !alarm.justified;
    let count = record.alarms.iter().map(|told| &told.alarm).filter(old).count();
    let days = words::count(record.scenario.history.days.into(), "day");
    (count > 0 && record.faults.is_empty())
        .then(|| format!("{} in {days} without a fault", words::count(count as u64, "false alarm")))
}

/// What was inside a backup was bad, and no monitor said so before it was needed.
fn slept_through(record: &Record) -> Option<String> {
    let inside = record.faults.iter().find(|fault| fault.fault.starts_with("corrupt"))?;
    let slept = record.findings.iter().find(|finding| finding.title == "Monitoring slept through a fault")?;
    inside.proof.as_ref().filter(|proof| proof.bit).map(|_| slept.what.clone())
}

/// How much of the RTO is gone when recovery begins.
fn spent_by_people(record: &Record, name: &str) -> Option<String> {
    let (one, plan) = (service(record, name)?, record.plan.services.get(name)?);
    let usual = record.scenario.people.detect.is_none() && record.scenario.people.declare.is_none();
    let decided = one.timeline.t2.filter(|t2| usual && t2.assumed_ms > 0)?;
    let left = Span(plan.rto.millis().saturating_sub(decided.total_ms()));
    Some(format!("recovery begins {decided} after the disaster; {left} of the RTO of {} are left", plan.rto))
}

/// People took what the response plan gives them, and the RTO was missed.
fn late_by_the_plan(record: &Record, name: &str) -> Option<String> {
    let (one, Plan { response, .. }) = (service(record, name)?, &record.plan);
    let rto = judged(record, &format!("service {name}"), ObjectiveKind::Rto)?;
    let people = record.scenario.people;
    let allowed = Span(response.initial.millis().saturating_add(response.recovery.millis()));
    let kept = people.declare.is_some_and(|declare| declare <= allowed) && people.detect.is_none();
    (kept && rto.verdict == Verdict::Missed && one.outcome == Some(Outcome::RecoveredLate)).then(|| {
        let rta = rto.actual.map_or_else(String::new, |rta| rta.to_string());
        format!("the response plan was kept, and the service was back after {rta}; its RTO is {}", rto.limit)
    })
}

/// The one region was out, and nothing could be restored.
fn region_out(record: &Record) -> Option<String> {
    let out = record.faults.iter().find(|fault| fault.fault == "region-outage")?;
    let refused = record.result.outcome == Some(Outcome::RefusedLoudly);
    (refused && out.proof.as_ref().is_some_and(|proof| proof.bit)).then(|| "nothing could be restored".to_owned())
}

/// A stolen key destroyed everything, under the locks that the plan has.
fn robbed(record: &Record) -> Option<String> {
    let stolen = record.faults.iter().find(|fault| fault.fault == "compromised-account")?;
    let proof = stolen.proof.as_ref().filter(|proof| proof.bit)?;
    let as_planned = record.scenario.history.lock.is_none();
    (as_planned && record.result.outcome == Some(Outcome::RefusedLoudly))
        .then(|| format!("{}; nothing could be restored", proof.evidence))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        measure::{record, testing::Drill},
        model::record::Severity,
    };

    fn weakness(id: &'static str, path: &str) -> Weakness {
        let text = String::new;
        Weakness {
            id,
            severity: Severity::High,
            path: path.into(),
            place: text(),
            what: text(),
            why: "a healthy backup of `database` is reported as old".into(),
            remedy: text(),
        }
    }

    fn proof(id: &'static str, path: &str, drills: &[Drill]) -> Option<Shows> {
        let records: Vec<Record> = drills.iter().map(|drill| record(drill.inputs())).collect();
        proofs(vec![weakness(id, path)], &records).remove(0).proof
    }

    #[test]
    fn an_rpo_is_proven_broken_by_a_drill_that_came_back_behind_it_and_by_no_other() {
        let rpo = |drills: &[Drill]| proof("rpo-below-interval", "services.database.rpo", drills);
        let shown = rpo(&[Drill::control(), Drill::refused(true), Drill::corrupt_latest()]).unwrap();
        assert_eq!(shown.scenario, "database/corrupt-latest");
        assert_eq!(shown.evidence, "RPA 34 h of scenario time against an RPO of 24 h; 137 acknowledged writes lost");
        assert_eq!(rpo(&[Drill::control(), Drill::refused(true), Drill::late()]), None);
        assert_eq!(proof("rpo-below-interval", "services.files.rpo", &[Drill::corrupt_latest()]), None);
    }

    #[test]
    fn a_drill_that_did_not_pass_proves_nothing() {
        let wrong = Drill::corrupt_latest().compared(|found| found.altered = 1);
        assert_eq!(proof("rpo-below-interval", "services.database.rpo", &[wrong]), None);
        assert_eq!(proof("content-unread", "testing.verify_every", &[Drill::toothless()]), None);
    }

    #[test]
    fn a_monitor_that_saw_the_fault_is_not_proven_blind_and_one_that_slept_is() {
        let unread = |drill| proof("content-unread", "testing.verify_every", &[drill]);
        assert!(unread(Drill::corrupt_latest()).unwrap().evidence.contains("no alarm about it"));
        assert_eq!(unread(Drill::corrupt_latest().seen_by_monitor()), None);
        let cries = |drill| proof("monitor-age-below-interval", "monitor.max_age", &[drill]);
        assert_eq!(
            cries(Drill::control().false_alarms(5)).unwrap().evidence,
            "5 false alarms in 4 days without a fault"
        );
        assert_eq!(cries(Drill::control()), None);
    }
}
