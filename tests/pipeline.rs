//! What a careful pipeline does on a bad day, in virtual time: the reference pipeline against regions that fail while it
//! backs up, and its retention.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod kit;

use std::path::Path;

use backdraft::{
    assembly::{Parts, assemble},
    emulator::link::{Begins, LinkState},
    engine::Stage,
    model::{
        event::{AlarmKind, What},
        record::Way,
    },
    sim::seed::Seed,
};
use jiff::SignedDuration;

async fn stage(scratch: &Path) -> Stage {
    let (plan, mut scenario) = (kit::plan(), kit::scenario("database/control"));
    scenario.history.size = "128 KiB".parse().unwrap();
    let parts = Parts::of(&plan, &scenario, Seed(7), Way::Simulated, scratch);
    assemble(parts).await.unwrap()
}

/// Makes the backup of a day, at 03:00.
async fn backup(stage: &Stage, day: u32) -> Result<Vec<String>, String> {
    let start: jiff::Timestamp = "2026-11-01T03:00:00Z".parse().unwrap();
    stage.clock.set(start + SignedDuration::from_hours(24 * i64::from(day - 1)));
    stage.services[0].service.write(stage.clock.now(), 10).await.unwrap();
    let made = stage.services[0].pipeline.backup(day).await;
    made.map(|made| made.regions).map_err(|e| e.to_string())
}

fn dumps(stage: &Stage, site: usize) -> Vec<String> {
    let site = &stage.world.sites[site];
    let keys = site.region.objects().keys(&site.bucket, "").unwrap();
    keys.into_iter().map(|object| object.key).filter(|key| !key.ends_with(".json")).collect()
}

fn alarms(stage: &Stage) -> Vec<(AlarmKind, Option<String>)> {
    let alarm = |event: backdraft::model::event::Event| match event.what {
        What::Alarm(alarm) => Some((alarm.kind, alarm.region)),
        _ => None,
    };
    stage.recorder.events().into_iter().filter_map(alarm).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_older_than_the_retention_is_pruned_where_the_newest_is_good_and_nowhere_else() {
    let scratch = tempfile::tempdir().unwrap();
    let stage = stage(scratch.path()).await;
    for day in 1..=7 {
        backup(&stage, day).await.unwrap();
    }
    stage.world.sites[2].region.link().set(LinkState::Refused);
    for day in 8..=12 {
        backup(&stage, day).await.unwrap();
    }
    let kept = dumps(&stage, 0);
    assert_eq!(kept.len(), 8, "seven days and the newest: {kept:?}");
    assert!(kept[0].contains("2026-11-05") && kept[7].contains("2026-11-12"), "{kept:?}");
    assert_eq!(dumps(&stage, 2).len(), 7, "the region without a new good one keeps all it has");
}

#[tokio::test(start_paused = true)]
async fn a_backup_goes_to_the_first_region_that_takes_it_and_says_where_it_is_not() {
    let scratch = tempfile::tempdir().unwrap();
    let stage = stage(scratch.path()).await;
    stage.world.sites[0].region.link().set(LinkState::BlackHole);
    assert_eq!(backup(&stage, 1).await.unwrap(), ["eu-west-1", "ap-northeast-1"]);
    assert_eq!(alarms(&stage), [(AlarmKind::BackupFailed, Some("us-east-1".into()))]);
}

#[tokio::test(start_paused = true)]
async fn a_backup_that_no_region_takes_is_an_error_and_an_alarm() {
    let scratch = tempfile::tempdir().unwrap();
    let stage = stage(scratch.path()).await;
    for site in &stage.world.sites {
        site.region.link().set(LinkState::Refused);
    }
    insta::assert_snapshot!(backup(&stage, 1).await.unwrap_err());
    assert_eq!(alarms(&stage), [(AlarmKind::BackupFailed, None)]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_source_leaves_no_backup_behind_that_could_be_taken_for_one() {
    let scratch = tempfile::tempdir().unwrap();
    let stage = stage(scratch.path()).await;
    stage.services[0].service.lose().await.unwrap();
    let made = stage.services[0].pipeline.backup(1).await;
    insta::assert_snapshot!(made.unwrap_err());
    assert!((0..3).all(|site| dumps(&stage, site).is_empty()));
}

#[tokio::test(start_paused = true)]
async fn a_break_in_the_middle_of_an_upload_leaves_nothing_under_the_dump_s_name() {
    let scratch = tempfile::tempdir().unwrap();
    let stage = stage(scratch.path()).await;
    // The read-back of the first region breaks: the dump there is not believed, and the next region gets it.
    stage.world.sites[0].region.link().lay(LinkState::Refused, Begins::AfterBytes(2_000));
    assert_eq!(backup(&stage, 1).await.unwrap(), ["eu-west-1", "ap-northeast-1"]);
    let site = &stage.world.sites[0];
    let manifests = site.region.objects().keys(&site.bucket, "").unwrap();
    assert!(manifests.iter().all(|object| !object.key.ends_with(".manifest.json")), "no manifest vouches for it");
}
