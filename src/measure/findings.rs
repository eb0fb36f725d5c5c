//! What to act on: each finding with its severity and a remedy, worst first.

use std::collections::BTreeMap;

use super::{Part, exposure, monitoring, releases, rpo, story::Story, told, unheard::unheard};
use crate::model::{
    event::{Alarm, AlarmKind, BackupMade, Phase, PointTried, What},
    outcome::{Outcome, Verdict},
    plan::ServiceKind,
    record::{Finding, ObjectiveKind, Record, Seen, ServiceRecord, Severity},
    time::Elapsed,
    words,
};

/// All findings of a drill; `record` is complete but for findings, limits and events.
pub(super) fn findings(record: &Record, parts: &[Part<'_>]) -> Vec<Finding> {
    let mut all = Vec::new();
    all.extend(missed(record, parts, ObjectiveKind::Rto));
    all.extend(missed(record, parts, ObjectiveKind::Rpo));
    all.extend(slept_through(record));
    all.extend(cried_wolf(record));
    all.extend(unheard(record));
    for part in parts {
        let of_part = of_service(record, part).into_iter().map(|found| match parts.len() {
            1 => found,
            _ => Finding { what: format!("{}: {}", part.record.service, found.what), ..found },
        });
        all.extend(of_part);
    }
    all.sort_by_key(|finding| (finding.severity, order(&finding.title)));
    all
}

/// Where a finding stands among those of its severity: what became of the data, then objectives, then the rest.
fn order(title: &str) -> u8 {
    match title {
        "RTO missed" | "RPO missed" => 1,
        _ if title.starts_with("The monitor raises false alarms") => 3,
        _ => 2,
    }
}

fn of_service(record: &Record, part: &Part<'_>) -> Vec<Finding> {
    let mut all = Vec::new();
    if record.plan.kind(&part.record.service) == Some(ServiceKind::WebApplication) {
        return releases::findings(part);
    }
    all.extend(truth(part));
    all.extend(told::leaked(&part.story));
    all.extend(exposed(record, &part.record));
    all.extend(refused(&part.record, &part.story));
    all.extend(broken_stream(&part.story));
    all.extend(failed_backups(&part.story));
    all.extend(incomplete_copies(record, &part.record));
    all.extend(silent_regions(&part.record));
    all
}

/// `title` is the same in every drill: reports count by it, so figures belong into `what`.
pub(super) fn finding(
    severity: Severity,
    title: impl Into<String>,
    what: String,
    remedy: impl Into<String>,
) -> Finding {
    Finding { severity, title: title.into(), what, remedy: remedy.into() }
}

/// Data or truth is lost.
pub(super) fn truth(part: &Part<'_>) -> Option<Finding> {
    let (title, remedy) = match (part.ending.outcome?, &part.record.restore.chosen) {
        (Outcome::SilentlyWrong, Some(_)) => untrue(&part.story),
        (Outcome::SilentlyWrong, None) if part.story.alarm_was_lost() => (
            "The restore gave up, and its alarm reached nobody",
            "Find out whether an alarm arrived, and raise it by another way where it did not.",
        ),
        (Outcome::SilentlyWrong, None) => (
            "The restore gave up without an alarm",
            "Raise an alarm wherever the restore gives up; an exit code is not read at night.",
        ),
        (Outcome::RefusedLoudly, _) if is_blocked(&part.record) => (
            "What it depends on was not back, so it could not be restored",
            "Bring back what it depends on first; or let it start without, and say so in the plan.",
        ),
        (Outcome::RefusedLoudly, _) => (
            "Nothing could be restored",
            "Keep a copy that this failure cannot reach: another account, object lock, more regions.",
        ),
        (Outcome::Hung, _) => (
            "The restore did not end",
            "Give each step of the restore a time limit, and go on to the next region or generation.",
        ),
        _ => return None,
    };
    Some(finding(Severity::Critical, title, sentence(&part.ending.why), remedy))
}

/// What is wrong with a recovery that was claimed, and what to do: the data, the service, or what is stored.
fn untrue(story: &Story<'_>) -> (&'static str, &'static str) {
    let failed = story.failed_checks();
    match () {
        () if story.data_wrong().is_some() => (
            "Wrong data was restored, and nothing said so",
            "Compare the target with the backup's manifest before the cut over, and refuse what differs.",
        ),
        () if failed.is_empty() => (
            "A recovery was claimed that nothing shows",
            "Compare what was restored before the cut over, and claim a recovery only where that ended well.",
        ),
        () if failed.iter().all(|check| told::is_of_stored(check)) => (
            "A stored backup is not as it must be, and nothing said so",
            "Look through what is stored on a schedule, as this check does, and raise an alarm for what it finds.",
        ),
        () => (
            "What was restored does not work, and nothing said so",
            "Try the restored service before the cut over, as this check does, and refuse what fails.",
        ),
    }
}

/// Whether its restore never began, for want of another service.
pub(super) fn is_blocked(one: &ServiceRecord) -> bool {
    // What people did comes before any restore; a restore that began has at least looked for what to restore.
    one.restore.refusal.is_some() && one.phases.iter().all(|timed| timed.phase <= Phase::Declare)
}

/// One finding for all objectives of a kind that are missed.
fn missed(record: &Record, parts: &[Part<'_>], kind: ObjectiveKind) -> Option<Finding> {
    let missed: Vec<_> =
        record.objectives.iter().filter(|j| j.objective == kind && j.verdict == Verdict::Missed).collect();
    let names: Vec<String> = missed.iter().map(|j| format!("{} ({})", j.whose, j.limit)).collect();
    let mut whys: Vec<&str> = missed.iter().filter_map(|j| j.why.as_deref()).collect();
    whys.dedup();
    let mut what = format!("{} missed for {}: {}", kind.words(), words::list(&names), whys.join("; "));
    let actual = missed.first()?.actual;
    if let (ObjectiveKind::Rpo, [only]) = (kind, parts)
        && let Some(loss) = rpo::loss(&only.story)
    {
        what = format!("{what}; {loss}");
    }
    let remedy = match (kind, actual) {
        (ObjectiveKind::Rto, Some(rta))
            if record.plan.are_all(ServiceKind::Files, &record.scope.services)
                && waited_ms(record, rta) > rta.total_ms() / 2 =>
        {
            "Most of it is the wait for an archive: keep one copy in a class that is read at once, or have it retrieved \
             faster."
        }
        (ObjectiveKind::Rto, Some(rta)) if record.timeline.t2.unwrap_or_default().assumed_ms > rta.total_ms() / 2 => {
            "People take most of it: notice and decide faster, or let the restore start by itself."
        }
        (ObjectiveKind::Rto, Some(_)) => "Shorten the longest phase, or state an RTO that can be held.",
        (ObjectiveKind::Rpo, Some(_)) if record.plan.are_all(ServiceKind::WebApplication, &record.scope.services) => {
            "Keep what the newest healthy release needs: its deployment at the provider, or its commit in the repository."
        }
        (ObjectiveKind::Rpo, Some(_)) if parts.iter().all(|part| part.story.data_wrong().is_none()) => {
            "Back up more often, and notice a bad backup before the next one is due; or state an RPO that can be held."
        }
        _ => "Remove what kept the restore from a good end, then drill again.",
    };
    Some(finding(Severity::High, format!("{} missed", kind.words()), what, remedy))
}

/// What was assumed after people had decided: the wait for an archive.
fn waited_ms(record: &Record, rta: Elapsed) -> u64 {
    record.timeline.t2.map_or(0, |decided| rta.since(decided).assumed_ms)
}

/// Faults that struck before the disaster and of which no monitor spoke.
fn slept_through(record: &Record) -> Vec<Finding> {
    let every = record.scenario.monitor(&record.plan).check_every;
    let told = record.faults.iter().zip(&record.scenario.faults).filter_map(|(fault, spec)| {
        let regions = words::list(&monitoring::struck(spec, &record.plan));
        let name = format!("{} in {regions}", fault.name());
        Some(match fault.seen.as_ref()? {
            Seen::ByAlarm { .. } => return None,
            Seen::DidNotLook => finding(
                Severity::Medium,
                "The monitor did not look between the fault and the disaster",
                format!("Nobody looked between the fault {name} and the disaster: the monitor looks every {every}"),
                "Let the monitor look more often, and right after each backup.",
            ),
            Seen::SleptThrough { looks } => finding(
                Severity::High,
                "Monitoring slept through a fault",
                format!(
                    "Monitoring slept through the fault {name}: {} before the disaster, no alarm about it",
                    words::count(*looks, "look")
                ),
                "Let the monitor read what it watches: manifest, digest and content of the newest backup in each region.",
            ),
        })
    });
    told.collect()
}

/// The schedule itself, without any fault.
fn exposed(record: &Record, one: &ServiceRecord) -> Option<Finding> {
    let service = record.plan.services.get(&one.service)?;
    let worst = one.exposure.worst_case?;
    let interval = exposure::interval(&record.plan, &record.scenario, &one.service)?;
    if worst.total_ms() <= service.rpo.millis() {
        return None;
    }
    let what = format!(
        "The schedule cannot hold the RPO of {}: worst-case exposure is {worst} (interval and longest backup), and one bad \
         generation adds {interval}",
        service.rpo
    );
    Some(finding(
        Severity::Medium,
        format!("The schedule cannot hold the RPO of {}", service.rpo),
        what,
        format!(
            "Back up at least twice in each {}, or state an RPO above {interval} and the time a backup takes.",
            service.rpo
        ),
    ))
}

/// Recovery points that the restore refused: of each region the first tried, which is its newest; one finding for
/// regions with the same damage.
fn refused(record: &ServiceRecord, story: &Story<'_>) -> Vec<Finding> {
    let mut by_region: Vec<(&str, Vec<&PointTried>)> = Vec::new();
    for tried in &record.restore.refused {
        match by_region.iter_mut().find(|(region, _)| *region == tried.region) {
            Some((_, points)) => points.push(tried),
            None => by_region.push((&tried.region, vec![tried])),
        }
    }
    let mut same: Vec<(&PointTried, String, &str, Vec<&str>)> = Vec::new();
    for (region, points) in by_region {
        let Some(newest) = points.first() else { continue };
        let (more, remedy) = refusal(record, story, &points);
        match same
            .iter_mut()
            .find(|(p, m, r, _)| (&p.point, &p.why, &*more, remedy) == (&newest.point, &newest.why, m, *r))
        {
            Some((.., regions)) => regions.push(region),
            None => same.push((newest, more, remedy, vec![region])),
        }
    }
    let told = |(newest, more, remedy, regions): (&PointTried, String, &str, Vec<&str>)| {
        let (point, phase, regions) = (&newest.point, newest.phase.words(), words::list(&regions));
        let what = format!("{point} was refused in {phase} in {regions}: {}{more}", newest.why);
        finding(Severity::Medium, "A stored backup was found bad only when it was needed", what, remedy)
    };
    same.into_iter().map(told).collect()
}

/// What else is to be said of the points that one region was refused for, and what to do.
fn refusal(record: &ServiceRecord, story: &Story<'_>, points: &[&PointTried]) -> (String, &'static str) {
    let [newest, older @ ..] = points else { return (String::new(), "") };
    let more = match older.len() as u64 {
        0 => String::new(),
        n => format!(" ({} there refused as well)", words::count(n, "older one")),
    };
    if let Some(Alarm { kind, detail, .. }) = monitoring::saw(story, 0, &[&newest.region]).first() {
        let more = format!("{more}; monitoring had raised “{}”: {detail}", kind.words());
        return (more, "Act on the alarm: make a good backup at once, and know that the newest is not one.");
    }
    // A backup is called made where it was read back whole from its region: then it was damaged later.
    let made = |b: &BackupMade| b.point == newest.point && b.regions.contains(&newest.region);
    let remedy = match record.backups.iter().any(made) {
        true => "Verify stored backups on a schedule, not only when they are made.",
        false => "Verify each backup in each region when it is made, not when it is needed.",
    };
    (format!("{more}; monitoring had not said so"), remedy)
}

/// Where a change stream could not be read on. Only the last break is told: it is the one that what was restored ends at.
fn broken_stream(story: &Story<'_>) -> Option<Finding> {
    let (after, why) = story.events.iter().rev().find_map(|event| match &event.what {
        What::StreamBroken { after, why } => Some((after, why)),
        _ => None,
    })?;
    let is_told =
        |alarm: &Alarm| alarm.justified && matches!(alarm.kind, AlarmKind::StreamGap | AlarmKind::StreamOverdue);
    let until = story.disaster.unwrap_or(story.events.len());
    let (title, remedy) = match story.alarms().any(|(index, alarm)| index < until && is_told(alarm)) {
        true => (
            "The change stream was broken, and nobody acted on the alarm",
            "Make a backup at once: it closes the hole.",
        ),
        false => (
            "The change stream is broken, and nobody knew until it was needed",
            "Read the stored pieces on a schedule, from end to end; after a break make a backup at once.",
        ),
    };
    let what = format!("It is whole up to write {} of {}, and no further: {why}", after.seq, after.committed_at);
    Some(finding(Severity::High, title, what, remedy))
}

/// Scheduled backups that did not come about.
fn failed_backups(story: &Story<'_>) -> Vec<Finding> {
    let mut by_fate: BTreeMap<&str, (Vec<String>, &str)> = BTreeMap::new();
    for event in &story.events {
        let (fate, day, why) = match &event.what {
            What::BackupFailed { day, why } => ("failed", day, why),
            What::BackupSkipped { day, why } => ("did not start", day, why),
            _ => continue,
        };
        by_fate.entry(fate).or_insert((Vec::new(), why)).0.push(day.to_string());
    }
    let of_fate = |(fate, (days, why)): (&str, (Vec<String>, &str))| {
        let backups = words::count(days.len() as u64, "scheduled backup");
        let day = if days.len() == 1 { "day" } else { "days" };
        let what = format!("{backups} {fate} ({day} {}): {why}", words::list(&days));
        finding(
            Severity::Medium,
            format!("Scheduled backups {fate}"),
            what,
            "Try again within the hour, and raise an alarm while the source still lives.",
        )
    };
    by_fate.into_iter().map(of_fate).collect()
}

/// Regions that lack the newest backup.
fn incomplete_copies(record: &Record, one: &ServiceRecord) -> Option<Finding> {
    let newest = one.backups.last()?;
    let lacking: Vec<&str> =
        record.plan.region_names().into_iter().filter(|name| !newest.regions.iter().any(|r| r == name)).collect();
    if lacking.is_empty() {
        return None;
    }
    let lacks = if newest.missing_in.is_empty() { words::list(&lacking) } else { newest.missing_in.join("; ") };
    let what = format!("The newest backup {} is missing in {lacks}", newest.point);
    Some(finding(
        Severity::Medium,
        "The newest backup is not in every region",
        what,
        "Copy again until each region holds it, and raise an alarm until then.",
    ))
}

/// Regions that showed nothing when the restore asked, or less than others; regions of which the same is said together.
fn silent_regions(record: &ServiceRecord) -> Vec<Finding> {
    let most = record.restore.listed.iter().filter_map(|l| l.points).max().unwrap_or(0);
    let mut same: Vec<(&str, String, Vec<&str>)> = Vec::new();
    for listed in &record.restore.listed {
        let why = listed.why.as_deref().unwrap_or("no reason given");
        let (title, said) = match listed.points {
            Some(n) if n == most => continue,
            Some(n) => (
                "A region shows fewer recovery points than another",
                format!("{} where another region has {most}", words::count(n, "recovery point")),
            ),
            None => (
                "A region did not show its recovery points",
                format!("no answer when asked for recovery points: {why}"),
            ),
        };
        match same.iter_mut().find(|(_, s, _)| *s == said) {
            Some((.., regions)) if regions.contains(&listed.region.as_str()) => {}
            Some((.., regions)) => regions.push(&listed.region),
            None => same.push((title, said, vec![&listed.region])),
        }
    }
    let told = |(title, said, regions): (&str, String, Vec<&str>)| {
        let what = format!("{}: {said}", words::list(&regions));
        finding(Severity::Low, title, what, "Keep each generation in more regions than can fail at once.")
    };
    same.into_iter().map(told).collect()
}

/// False alarms, counted.
fn cried_wolf(record: &Record) -> Vec<Finding> {
    let mut by_kind: BTreeMap<AlarmKind, (u64, &str)> = BTreeMap::new();
    for Alarm { kind, detail, .. } in record.alarms.iter().map(|a| &a.alarm).filter(|alarm| !alarm.justified) {
        by_kind.entry(*kind).or_insert((0, detail)).0 += 1;
    }
    let intervals = record.services.iter().filter_map(|one| record.plan.services.get(&one.service));
    let interval = intervals.map(|service| service.backup.every.interval()).max();
    let of_kind = |(kind, (times, detail)): (AlarmKind, (u64, &str))| {
        let limit = record.scenario.monitor(&record.plan).max_age;
        let (because, remedy) = match (kind, interval) {
            (AlarmKind::TooOld, Some(interval)) if limit < interval => (
                format!("limit {limit} against an interval of {interval}"),
                format!("Set the age limit above {interval} and the time a backup takes, or back up every {limit}."),
            ),
            (AlarmKind::TooSmall, _) => (
                format!("{detail}, and it is whole"),
                "Give each service a size limit of its own, from the sizes that its backups have.".into(),
            ),
            _ => (detail.to_owned(), "Find out what the monitor mistook, and correct its limit.".into()),
        };
        let what = format!("{} (“{}”): {because}", words::count(times, "false alarm"), kind.words());
        finding(Severity::Medium, format!("The monitor raises false alarms “{}”", kind.words()), what, remedy)
    };
    by_kind.into_iter().map(of_kind).collect()
}

pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use crate::{
        measure::{record, testing::Drill},
        model::{event::What, units::Span},
    };

    fn shown(drill: &Drill) -> String {
        let record = record(drill.inputs());
        let lines = record
            .findings
            .iter()
            .map(|f| format!("{}: {}\n  {}\n  {}", f.severity.words(), f.title, f.what, f.remedy));
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_change_stream_counts_to_its_break_and_the_break_is_told() {
        let record = record(Drill::streamed().inputs());
        let one = &record.services[0];
        let streamed = one.restore.streamed.unwrap();
        assert_eq!((one.restore.chosen_day, streamed.pieces, streamed.to.seq), (Some(3), 142, 430));
        assert_eq!(one.exposure.rpa.unwrap().scenario_ms, Some(Span::minutes(30).millis()));
        let told = record.findings.iter().find(|finding| finding.title.starts_with("The change stream is broken"));
        insta::assert_snapshot!(told.unwrap().what, @"It is whole up to write 430 of 2026-11-04T11:30:00Z, and no further: the piece with write 431 is missing");
    }

    #[test]
    fn a_claim_that_is_not_true_is_named_by_what_is_wrong_with_it() {
        let title = |drill: Drill| record(drill.inputs()).findings.into_iter().next().map(|found| found.title);
        let failing = |check: &str| title(Drill::control().check(check, Some(false)));
        let stored = "A stored backup is not as it must be, and nothing said so";
        assert_eq!(failing("secrets").as_deref(), Some(stored));
        assert_eq!(failing("retention").as_deref(), Some(stored));
        let broken = "What was restored does not work, and nothing said so";
        assert_eq!(failing("health").as_deref(), Some(broken));
        let both = Drill::control().check("secrets", Some(false)).check("query", Some(false));
        assert_eq!(title(both).as_deref(), Some(broken));
        let wrong = title(Drill::silently_wrong());
        assert_eq!(wrong.as_deref(), Some("Wrong data was restored, and nothing said so"));
        let mut unshown = Drill::control();
        unshown.events.retain(|event| !matches!(event.what, What::Compared(_)));
        assert_eq!(title(unshown).as_deref(), Some("A recovery was claimed that nothing shows"));
    }

    #[test]
    fn a_bad_newest_backup_is_told_with_what_monitoring_knew() {
        insta::assert_snapshot!(shown(&Drill::corrupt_latest()));
    }

    #[test]
    fn false_alarms_are_counted_and_explained() {
        insta::assert_snapshot!(shown(&Drill::control().false_alarms(5)));
    }

    #[test]
    fn a_restore_that_found_nothing_says_what_each_region_lacked() {
        insta::assert_snapshot!(shown(&Drill::refused(true)));
    }

    #[test]
    fn a_fault_that_no_monitor_saw_is_a_finding_and_one_that_was_seen_is_none() {
        let slept = |drill: &Drill| shown(drill).contains("slept through");
        assert!(slept(&Drill::corrupt_latest()));
        assert!(!slept(&Drill::corrupt_latest().seen_by_monitor()));
    }
}
