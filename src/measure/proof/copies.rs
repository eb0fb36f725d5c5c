//! What drills show of copies made by rule. A rule is proven by a drill that played it; where its dated folders hide what
//! it does, by one that kept its folder up to date.

use super::{judged, service};
use crate::model::{
    outcome::{DrillResult, Outcome, Verdict},
    plan::SyncRule,
    record::{ObjectiveKind, Record, ServiceRecord},
    weakness::Weakness,
    words,
};

/// Whether a drill of copies ended as no drill may: the restore called itself complete, and the ledger found it wrong.
pub(super) fn is_silent(record: &Record) -> bool {
    record.result.outcome == Some(Outcome::SilentlyWrong) && record.scenario.history.sync.is_some()
}

/// The part of a record that proves a weakness of copies.
pub(super) fn evidence(weakness: &Weakness, record: &Record) -> Option<String> {
    let (name, rule) = subject(&weakness.path)?;
    let plan = record.plan.services.get(name)?;
    let (played, planned) = (record.scenario.copies(plan), rule.and_then(|rule| plan.backup.sync.get(rule)));
    let one = service(record, name).filter(|_| !played.is_empty())?;
    if weakness.id == "copies-in-one-region" {
        return nothing_elsewhere(record, one, played == plan.backup.sync);
    }
    let planned = planned?;
    match weakness.id {
        "copies-by-size" => {
            let alone = |rule: &SyncRule| rule.size_only && rule.include.is_empty();
            kept_up_to_date(played, alone).filter(|_| record.faults.is_empty())?;
            Some(format!("{}{}", undated(planned), lost_in_silence(record, one)?))
        }
        "copies-follow-deletions" => {
            kept_up_to_date(played, |rule| rule.delete && rule.include.is_empty())?;
            let deleted = record.faults.iter().find(|fault| fault.fault == "mistaken-deletion")?;
            let proof = deleted.proof.as_ref().filter(|proof| proof.bit && record.faults.len() == 1)?;
            Some(format!("{}{}; {}", undated(planned), proof.evidence, lost_in_silence(record, one)?))
        }
        "copies-leave-types-out" => {
            let alone = played == [planned.clone()] && record.faults.is_empty();
            lost_in_silence(record, one).filter(|_| alone)
        }
        "copies-slower-than-rto" => waited(record, one, played, planned),
        "copies-dated-in-full" => copied_again(one, played.first()? == planned),
        _ => None,
    }
}

/// The service and the number of the rule that a path speaks of: `services.files.backup.sync[1].class`.
fn subject(path: &str) -> Option<(&str, Option<usize>)> {
    let (name, rule) = path.strip_prefix("services.")?.split_once(".backup.sync")?;
    let number = rule.strip_prefix('[').and_then(|rule| rule.split_once(']')?.0.parse().ok());
    Some((name, number))
}

/// The one rule of a drill, where its folder is kept up to date.
fn kept_up_to_date(played: &[SyncRule], has: impl Fn(&SyncRule) -> bool) -> Option<&SyncRule> {
    let [rule] = played else { return None };
    (!rule.dated && has(rule)).then_some(rule)
}

/// Says that the drill played one folder where the plan has dated ones.
fn undated(planned: &SyncRule) -> &'static str {
    if planned.dated { "in one folder that is kept up to date: " } else { "" }
}

/// What the ledger found in a restore that called itself complete.
fn lost_in_silence(record: &Record, one: &ServiceRecord) -> Option<String> {
    let found = one.comparison.as_ref().filter(|_| is_silent(record))?;
    let rows = match found.rows_expected == found.rows_found {
        true => String::new(),
        false => format!(", {} files where {} should be", found.rows_found, found.rows_expected),
    };
    let holes = words::count(found.holes, "acknowledged write");
    (found.holes > 0)
        .then(|| format!("the restore called itself complete, and {holes} before the last copy are not in it{rows}"))
}

/// The archive's wait broke the RTO. Any rule of the same class and retrieval shows it.
fn waited(record: &Record, one: &ServiceRecord, played: &[SyncRule], planned: &SyncRule) -> Option<String> {
    let same = |rule: &SyncRule| rule.class == planned.class && rule.retrieval == planned.retrieval;
    let rto = judged(record, &format!("service {}", one.service), ObjectiveKind::Rto)?;
    let archived = played.iter().all(same) && rto.verdict == Verdict::Missed && record.faults.is_empty();
    let late = one.outcome == Some(Outcome::RecoveredLate) && record.result.result == DrillResult::Pass;
    let wait = planned.class.retrieval_time(planned.retrieval)?;
    (archived && late).then(|| {
        let rta = rto.actual.map_or_else(String::new, |rta| rta.to_string());
        format!("RTA {rta} against an RTO of {}; {wait} of it is the wait for {}", rto.limit, planned.class.name())
    })
}

/// Each backup made a folder of its own, and copied everything into it.
fn copied_again(one: &ServiceRecord, is_played: bool) -> Option<String> {
    let backups = &one.backups;
    let folders: std::collections::BTreeSet<&str> = backups.iter().map(|made| made.point.as_str()).collect();
    let (first, last) = (backups.first()?, backups.last()?);
    let bytes: u64 = backups.iter().map(|made| made.stored_bytes).sum();
    (is_played && backups.len() > 1 && folders.len() == backups.len()).then(|| {
        let files: u64 = backups.iter().map(|made| made.rows).sum();
        let writes = words::count(last.position.seq.saturating_sub(first.position.seq), "write");
        format!(
            "{} of {} files each time made {} folders with {files} files and {} together; between the first and the last \
             of them there were {writes}",
            words::count(backups.len() as u64, "backup"),
            spread(backups.iter().map(|made| made.rows)),
            folders.len(),
            words::bytes(bytes),
        )
    })
}

fn spread(counts: impl Iterator<Item = u64> + Clone) -> String {
    let (least, most) = (counts.clone().min().unwrap_or_default(), counts.max().unwrap_or_default());
    if least == most { least.to_string() } else { format!("{least} to {most}") }
}

/// The one region with copies was out, and others were not.
fn nothing_elsewhere(record: &Record, one: &ServiceRecord, as_planned: bool) -> Option<String> {
    let [out] = record.faults.as_slice() else { return None };
    let struck = &record.scenario.faults.first()?.regions;
    let primary = record.plan.regions.first()?;
    let alone = out.fault == "region-outage" && *struck == [primary.name.clone()];
    let bit = out.proof.as_ref().is_some_and(|proof| proof.bit);
    let refused = one.outcome == Some(Outcome::RefusedLoudly) && record.result.result == DrillResult::Pass;
    (as_planned && alone && bit && refused).then(|| {
        let others = record.plan.regions.len() - 1;
        let others = words::count(others as u64, "other region");
        format!("{} did not answer, and the rules copy nothing into the {others}: nothing was restored", primary.name)
    })
}
