//! The reference pipeline for files, looked at in the regions: what it stores once, what it stores again, and what its
//! retention leaves; and what the drills' monitor sees of copies by rule.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod kit;

use std::{collections::BTreeSet, io::Read, path::Path};

use backdraft::{
    assembly::{Parts, assemble},
    emulator::Site,
    engine::Stage,
    model::{
        event::AlarmKind,
        record::{Record, Way},
        scenario::Scenario,
    },
    sim::seed::Seed,
};
use jiff::SignedDuration;

async fn stage(scratch: &Path) -> Stage {
    let (plan, scenario) = (kit::plan(), kit::scenario("files/control"));
    let (seed, way) = (Seed(7), Way::Simulated);
    assemble(Parts::of(&plan, &scenario, seed, way, scratch)).await.unwrap()
}

/// A day of the application, and its backup at 03:00.
async fn day(stage: &Stage, day: u32, writes: u32) {
    let midnight = kit::scenario("files/control").history.from.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp();
    let at = midnight + SignedDuration::from_hours(24 * i64::from(day) - 21);
    stage.clock.set(at - SignedDuration::from_hours(1));
    stage.services[0].service.write(at - SignedDuration::from_hours(1), writes).await.unwrap();
    stage.clock.set(at);
    stage.services[0].pipeline.backup(day).await.unwrap();
}

fn keys(site: &Site, prefix: &str) -> BTreeSet<String> {
    site.region.objects().keys(&site.bucket, prefix).unwrap().into_iter().map(|object| object.key).collect()
}

/// Keys of the contents that the lists in a region name.
fn named(site: &Site) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for key in keys(site, "files/backup-").iter().filter(|key| key.ends_with(".jsonl.gz")) {
        let list = site.region.objects().read_all(&site.bucket, key).unwrap();
        let mut text = String::new();
        flate2::read::MultiGzDecoder::new(&list[..]).read_to_string(&mut text).unwrap();
        for line in text.lines() {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            if let Some(digest) = row["sha256"].as_str() {
                named.insert(format!("files/objects/{}/{digest}", &digest[..2]));
            }
        }
    }
    named
}

#[tokio::test(start_paused = true)]
async fn a_content_is_stored_once_and_again_only_where_a_region_has_lost_it() {
    let scratch = tempfile::tempdir().unwrap();
    let stage = stage(scratch.path()).await;
    let site = &stage.world.sites[1];
    let received = || site.region.link().counters().bytes_in;
    day(&stage, 1, 30).await;
    let (first, stored) = (received(), keys(site, "files/objects/"));
    assert_eq!(stored, named(site));
    day(&stage, 2, 0).await;
    let second = received() - first;
    assert!(second * 5 < first, "without writes a list and a manifest arrive, and no file: {second} of {first} bytes");
    let lost = stored.first().unwrap();
    site.region.objects().remove_key(&site.bucket, lost).unwrap();
    day(&stage, 3, 0).await;
    assert_eq!(keys(site, "files/objects/"), stored);
}

#[tokio::test(start_paused = true)]
async fn retention_leaves_the_contents_that_kept_lists_name_and_no_other() {
    let scratch = tempfile::tempdir().unwrap();
    let stage = stage(scratch.path()).await;
    day(&stage, 1, 30).await;
    let first = named(&stage.world.sites[0]);
    for n in 2..=10 {
        day(&stage, n, 30).await;
    }
    for site in &stage.world.sites {
        assert_eq!(keys(site, "files/backup-").len(), 2 * 8, "seven days, and the one of today");
        assert_eq!(keys(site, "files/objects/"), named(site), "{}", site.region.name());
    }
    assert!(!first.is_subset(&named(&stage.world.sites[0])), "something of the first day is no longer needed");
}

#[tokio::test(start_paused = true)]
async fn where_a_kept_list_cannot_be_read_no_content_is_removed() {
    let scratch = tempfile::tempdir().unwrap();
    let stage = stage(scratch.path()).await;
    for n in 1..=5 {
        day(&stage, n, 30).await;
    }
    let site = &stage.world.sites[0];
    let list =
        keys(site, "files/backup-").into_iter().find(|key| key.contains("-05T") && key.ends_with(".gz")).unwrap();
    let rubbish = site.region.objects().body(b"rubbish").unwrap();
    site.region.objects().replace_body(&site.bucket, &list, rubbish).unwrap();
    let before = keys(site, "files/objects/");
    for n in 6..=11 {
        day(&stage, n, 30).await;
    }
    assert!(before.is_subset(&keys(site, "files/objects/")), "what the unreadable list may need is still there");
}

/// A drill of copies by rule, of four days, with a monitor whose limits fit the schedule.
fn of_copies(sync: &str, faults: &str, way: Way) -> Record {
    let scenario: Scenario = serde_json::from_value(serde_json::json!({
        "title": "Copies by rule",
        "proves": "What the test says.",
        "service": "files",
        "level": 3,
        "history": {
            "days": 4, "writes_per_day": 24, "size": "6 MiB", "sync": serde_json::from_str::<serde_json::Value>(sync).unwrap(),
            "monitor": {"check_every": "1 h", "max_age": "26 h", "min_size": "1 MiB"},
        },
        "faults": serde_json::from_str::<serde_json::Value>(faults).unwrap(),
        "disaster": {"at": "day 4 15:00", "cause": "The media bucket is deleted"},
        "expect": {"outcome": "recovered"},
    }))
    .unwrap();
    kit::play("copies", &kit::plan(), &scenario, 42, way, vec![])
}

const DATED: &str = r#""as-planned""#;
const KEPT_UP_TO_DATE: &str = r#"[{"into": "full/", "class": "STANDARD_IA", "delete": true}]"#;
const ARCHIVED: &str = r#"[{"into": "a/", "class": "GLACIER", "dated": true}, {"into": "b/", "delete": true}]"#;

#[test]
fn a_monitor_over_copies_by_rule_is_silent_while_nothing_is_wrong() {
    for sync in [DATED, KEPT_UP_TO_DATE, ARCHIVED] {
        for way in [Way::Simulated, Way::Real] {
            let record = of_copies(sync, "[]", way);
            assert_eq!(record.alarms, [], "{sync}");
            assert!(record.services[0].comparison.is_some(), "{sync}");
        }
    }
}

/// What monitoring knew of the first fault, and every alarm with its reason.
fn seen(record: &Record) -> String {
    let raised =
        record.alarms.iter().map(|told| &told.alarm).filter(|alarm| alarm.kind != AlarmKind::NothingRestorable);
    let raised: BTreeSet<String> = raised
        .map(|alarm| {
            let (kind, region) = (alarm.kind.words(), alarm.region.as_deref().unwrap_or("-"));
            format!("  {kind} in {region}, {}: {}", if alarm.justified { "rightly" } else { "WRONGLY" }, alarm.detail)
        })
        .collect();
    let fault = &record.faults[0];
    format!("{}: {:?}\n{}", fault.name(), fault.seen, raised.into_iter().collect::<Vec<_>>().join("\n"))
}

#[test]
fn a_monitor_over_copies_by_rule_sees_what_becomes_of_them_and_is_credited_for_it() {
    let at = r#""when": {"at": "day 3 10:00"}"#;
    let emptied = format!(r#"[{{"fault": "region-emptied", "regions": ["us-east-1"], {at}}}]"#);
    // Before that the next sync fills it again.
    let emptied_late = emptied.replace("day 3", "day 4");
    let out = format!(r#"[{{"fault": "region-outage", "mode": "refused", "regions": ["us-east-1"], {at}}}]"#);
    let stopped = r#"[{"fault": "stale-dump", "mode": "schedule-stopped", "when": {"before-backup-of-day": 4}}]"#;
    let deleted = format!(r#"[{{"fault": "mistaken-deletion", "mode": "everything", {at}}}]"#);
    let mut said = String::new();
    for (sync, faults) in [
        (DATED, emptied.as_str()),
        (DATED, &out),
        (DATED, stopped),
        (KEPT_UP_TO_DATE, &emptied_late),
        (KEPT_UP_TO_DATE, stopped),
        (KEPT_UP_TO_DATE, &deleted),
    ] {
        said += &format!("{sync}\n{}\n\n", seen(&of_copies(sync, faults, Way::Simulated)));
    }
    insta::assert_snapshot!(said);
}
