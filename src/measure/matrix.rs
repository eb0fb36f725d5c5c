//! From the record of a trial to its cell of the matrix: where the fault was caught, and what shows it.

use std::collections::{BTreeMap, BTreeSet};

use super::{monitoring, story::Story};
use crate::{
    exit,
    model::{
        event::{Alarm, AlarmKind, Event, Phase, What},
        family::Family,
        matrix::{Caught, Cell, Control, FamilyScore, MATRIX_FORMAT, Matrix, Score, Subject, TriedFault},
        outcome::{DrillResult, Outcome},
        record::{Record, ServiceRecord},
        words,
    },
};

/// The matrix of these trials, controls first: each with the fault that it tries (`None` for a control) and its record,
/// whose scenario names the service first.
pub fn matrix<'r>(of: Subject, trials: impl Iterator<Item = (Option<TriedFault>, &'r Record)>) -> Matrix {
    let (mut controls, mut cells) = (Vec::new(), Vec::new());
    let mut noise: BTreeMap<&str, Noise> = BTreeMap::new();
    for (tried, record) in trials {
        let service = service_of(record);
        let Some(TriedFault { family, name, mode, number }) = tried else {
            controls.push(control(record));
            noise.insert(service, Noise::of(record));
            continue;
        };
        let (caught, evidence) = caught(record, number, noise.entry(service).or_default());
        let (fault, mode, service) = (name.to_owned(), mode.to_owned(), service.to_owned());
        cells.push(Cell { family, fault, mode, service, caught, outcome: record.result.outcome, evidence });
    }
    let scored = |family: Family| Score::of(cells.iter().filter(move |cell: &&Cell| cell.family == family));
    let tried = Family::ALL.into_iter().filter(|family| cells.iter().any(|cell| cell.family == *family));
    let families = tried.map(|family| FamilyScore { family, score: scored(family) }).collect();
    let (format, score) = (MATRIX_FORMAT.to_owned(), Score::of(cells.iter()));
    Matrix { format, of, controls, cells, families, score }
}

fn service_of(record: &Record) -> &str {
    record.scenario.service.names().first().map_or("", String::as_str)
}

/// The exit code of a matrix: 1 where anything is silently wrong or a control is not green, then 3 where a fault did not
/// bite, then 0. Late is no failure: it is what the score tells.
pub fn exit_code(matrix: &Matrix) -> u8 {
    let Score { silently_wrong, did_not_bite, .. } = matrix.score;
    match (silently_wrong, did_not_bite) {
        _ if matrix.controls.iter().any(|control| !control.green) => exit::FAILED,
        (1.., _) => exit::FAILED,
        (0, 1..) => exit::INCONCLUSIVE,
        (0, 0) => exit::PASS,
    }
}

/// Where that fault of a drill was caught, with what shows it; an alarm that is `noise` is no catch. A drill that could not
/// be judged shows nothing, so that counts as a fault that did not bite; what is silently wrong is so whatever else
/// happened.
pub fn caught(record: &Record, fault: usize, noise: &Noise) -> (Caught, String) {
    let why = || record.result.why.clone();
    if record.result.outcome == Some(Outcome::SilentlyWrong) {
        return (Caught::SilentlyWrong, why());
    }
    if let Some(unclear) = unclear(record, fault) {
        return (Caught::DidNotBite, unclear);
    }
    if let Some(found) = before_disaster(record, fault, noise) {
        return found;
    }
    match record.result.outcome {
        Some(Outcome::RefusedLoudly) => (Caught::RefusedLoudly, why()),
        Some(Outcome::Hung | Outcome::RecoveredLate) => (Caught::Late, why()),
        _ => in_the_restore(record),
    }
}

/// Why a drill shows nothing of a fault.
fn unclear(record: &Record, fault: usize) -> Option<String> {
    let Some(fault) = record.faults.get(fault) else { return Some("the drill had no such fault".into()) };
    if let Some(why) = &fault.impossible {
        return Some(format!("it could not be injected: {why}"));
    }
    match (&fault.proof, record.result.outcome) {
        (Some(proof), _) if !proof.bit => Some(proof.evidence.clone()),
        (None, _) | (_, None) => Some(format!("the drill could not be judged: {}", record.result.reasons.join("; "))),
        (Some(_), Some(_)) => matches!(record.result.result, DrillResult::Interrupted | DrillResult::NotExecuted)
            .then(|| record.result.reasons.join("; ")),
    }
}

/// Alarms that sound in a drill without any fault, too: they tell nobody anything.
#[derive(Debug, Clone, Default)]
pub struct Noise(BTreeSet<(AlarmKind, Option<String>)>);

impl Noise {
    /// The alarms of a control, with reason or without.
    pub fn of(control: &Record) -> Self {
        Noise(control.alarms.iter().map(|raised| (raised.alarm.kind, raised.alarm.region.clone())).collect())
    }

    fn has(&self, alarm: &Alarm) -> bool {
        self.0.contains(&(alarm.kind, alarm.region.clone()))
    }
}

/// Who spoke of it in time.
fn before_disaster(record: &Record, fault: usize, noise: &Noise) -> Option<(Caught, String)> {
    record.faults.get(fault)?.seen.as_ref()?;
    let story = Story::of(&record.events, None);
    let about = monitoring::about(&story, fault, record.scenario.faults.get(fault)?, &record.plan);
    let (index, alarm) = about.into_iter().find(|(_, alarm)| !noise.has(alarm))?;
    let injected = story.events.iter().find(|event| is_injection(&event.what, fault))?.at?;
    let by = if is_at_backup(&story.events, index) { Caught::AtBackup } else { Caught::ByMonitor };
    let place = alarm.region.as_ref().map_or(String::new(), |region| format!(" in {region}"));
    let after = match u64::try_from(story.events[index].at?.duration_since(injected).as_millis()) {
        Ok(0) | Err(_) => "at once".to_owned(),
        Ok(ms) => format!("{} later", words::duration(ms)),
    };
    Some((by, format!("alarm `{}`{place}, {after}: {}", alarm.kind.words(), alarm.detail)))
}

fn is_injection(what: &What, fault: usize) -> bool {
    matches!(what, What::FaultInjected { fault: number, .. } if *number == fault)
}

/// What a backup job says comes before its backup's end, at the same moment; a monitor looks after it.
fn is_at_backup(events: &[&Event], alarm: usize) -> bool {
    let (at, service) = (&events[alarm].at, &events[alarm].service);
    let same = events[alarm..].iter().take_while(|event| event.at == *at);
    same.filter(|event| event.service == *service)
        .any(|event| matches!(event.what, What::BackedUp(_) | What::BackupFailed { .. }))
}

/// It recovered: what of the fault showed in the restore.
fn in_the_restore(record: &Record) -> (Caught, String) {
    let refused = record.services.iter().flat_map(|one| &one.restore.refused).next();
    let silent = record.services.iter().flat_map(|one| &one.restore.listed).find(|region| region.points.is_none());
    let ended = record.services.last().map_or(String::new(), |one| restored(one, record));
    match (refused, silent) {
        (Some(tried), _) => {
            let place = match tried.phase {
                Phase::Choose | Phase::Fetch | Phase::Verify => Caught::AtVerify,
                _ => Caught::AtRestore,
            };
            (place, format!("{} in {} refused ({}); {ended}", tried.point, tried.region, tried.why))
        }
        (None, Some(region)) => {
            let why = region.why.as_deref().unwrap_or("it did not answer");
            (Caught::AtRestore, format!("{} shows no recovery points ({why}); {ended}", region.region))
        }
        (None, None) => match (sign(record), record.result.outcome) {
            (Some(sign), _) => (Caught::AtRestore, format!("{sign}; {ended}")),
            // Nobody noticed, and more was lost than is allowed.
            (None, Some(Outcome::RecoveredBehind)) => (Caught::Late, format!("nobody noticed; {}", record.result.why)),
            (None, _) => (Caught::AtRestore, format!("nothing had to be refused; {ended}")),
        },
    }
}

/// The first thing that went otherwise than in a drill without a fault, after the disaster.
fn sign(record: &Record) -> Option<String> {
    record.events.iter().filter(|event| event.since_t0.is_some()).find_map(|event| match &event.what {
        What::Alarm(alarm) if alarm.justified => Some(format!("alarm `{}`: {}", alarm.kind.words(), alarm.detail)),
        What::StreamBroken { after, why } => Some(format!("the change stream ends after write {}: {why}", after.seq)),
        What::RestoreKilled { .. } => Some("the restore was killed and started again".to_owned()),
        What::PhaseEnded { phase, ok: false } => Some(format!("{} failed and was tried again", phase.words())),
        _ => None,
    })
}

fn restored(one: &ServiceRecord, record: &Record) -> String {
    let outcome = record.result.outcome.map_or("ended unclear", |outcome| outcome.words());
    match &one.restore.chosen {
        Some(claim) if !claim.region.is_empty() => format!("{outcome} from {} in {}", claim.point, claim.region),
        Some(claim) => format!("{outcome} from {}", claim.point),
        None => outcome.to_owned(),
    }
}

/// A drill without a fault: green where it recovered, nothing is against it, and nobody was called with reason.
pub fn control(record: &Record) -> Control {
    let with_reason = record.alarms.iter().find(|raised| raised.alarm.justified);
    let green = record.result.outcome == Some(Outcome::Recovered)
        && record.result.result == DrillResult::Pass
        && with_reason.is_none();
    let evidence = match (green, with_reason, &record.result.reasons[..]) {
        (true, ..) | (false, None, []) => record.result.why.clone(),
        (false, Some(raised), []) => format!("alarm `{}`: {}", raised.alarm.kind.words(), raised.alarm.detail),
        (false, _, reasons) => reasons.join("; "),
    };
    Control { service: service_of(record).to_owned(), green, evidence }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{record, testing::Drill};

    fn of(drill: Drill) -> (Caught, String) {
        caught(&record(drill.inputs()), 0, &Noise::default())
    }

    #[test]
    fn each_place_is_told_from_the_record_with_its_evidence() {
        let said = [
            of(Drill::corrupt_latest()),
            of(Drill::corrupt_latest().seen_by_monitor()),
            of(Drill::silently_wrong()),
            of(Drill::toothless()),
            of(Drill::refused(false)),
        ]
        .map(|(caught, evidence)| format!("{}: {evidence}", caught.words()));
        insta::assert_snapshot!(said.join("\n"));
    }

    #[test]
    fn a_fault_that_a_drill_did_not_have_is_never_caught() {
        assert_eq!(caught(&record(Drill::control().inputs()), 0, &Noise::default()).0, Caught::DidNotBite);
        assert_eq!(caught(&record(Drill::never_steady().inputs()), 0, &Noise::default()).0, Caught::DidNotBite);
    }

    #[test]
    fn an_alarm_that_sounds_without_a_fault_too_is_no_catch() {
        let seen = record(Drill::corrupt_latest().seen_by_monitor().inputs());
        assert_eq!(caught(&seen, 0, &Noise::default()).0, Caught::ByMonitor);
        assert_eq!(caught(&seen, 0, &Noise::of(&seen)).0, Caught::AtVerify);
    }

    #[test]
    fn a_control_is_green_only_where_nothing_is_against_it() {
        assert!(control(&record(Drill::control().inputs())).green);
        for bad in [Drill::late(), Drill::silently_wrong(), Drill::control().without_comparison()] {
            assert!(!control(&record(bad.inputs())).green);
        }
    }
}
