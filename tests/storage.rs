//! Drills whose objects lie in a storage that is not ours: they end as on emulated regions, whatever acts through the S3
//! API; what does not is inconclusive; and nothing is left there, not even by a run that is killed.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

#[allow(dead_code, reason = "each test uses its part")]
#[path = "cli/bench.rs"]
mod bench;
#[path = "kit/storages.rs"]
mod storages;

use std::time::Duration;

use backdraft::{
    emulator::s3::foreign::Storage,
    model::{outcome::DrillResult, record::Way},
    sim::clock::{Clock, wall_now},
};
use bench::Bench;
use storages::Running;

/// Stories that between them change, remove, hide, rename and destroy objects, date them, and break the way to them.
const STORIES: [&str; 9] = [
    "database/control",
    "database/corrupt-bracket-lost",
    "database/missing-latest",
    "database/missing-wrong-name",
    "database/hidden-behind-delete-markers",
    "database/stale-looks-fresh",
    "database/outage-during-fetch",
    "files/listing-ends-early",
    "level-3/ransomware-without-lock",
];

fn arguments<'a>(stories: &'a [String], storage: &'a str) -> Vec<&'a str> {
    let fixed = ["--storage", storage, "--out", "{out}", "--quiet"];
    ["run"].into_iter().chain(stories.iter().map(String::as_str)).chain(fixed).collect()
}

fn file(id: &str) -> String {
    format!("scenarios/{id}.yaml")
}

/// How many buckets drills have there; they are removed.
async fn left(running: &Running) -> usize {
    Storage::at(&running.endpoint()).unwrap().remove("bd-").await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drills_end_as_they_must_and_leave_nothing() {
    let running = storages::any().await;
    let (bench, storage) = (Bench::new(), format!("endpoint:{}", running.url));
    let stories = STORIES.map(file);
    let mut command = bench.command(&arguments(&stories, &storage));
    command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
    let ended = bench.ended(&command.output().unwrap());
    for id in STORIES {
        let record = bench.record(id);
        assert_eq!(record.result.result, DrillResult::Pass, "{id}: {:?}", record.result.reasons);
        assert_eq!(record.identity.storage.as_deref(), Some(storage.as_str()));
        assert!(record.limits[0].contains(&storage), "{}", record.limits[0]);
        assert!(record.cleanup.removed && record.cleanup.healed, "{id}: {}", record.cleanup.detail);
    }
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert_eq!((left(&running).await, bench.left_behind()), (0, Vec::new()));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_foreign_storage_cannot_play_is_inconclusive_and_says_why() {
    let running = storages::any().await;
    let (bench, storage) = (Bench::new(), format!("endpoint:{}", running.url));
    let stories = ["level-3/ransomware-lock-holds", "files/sync-archive-wait"];
    let mut command = bench.command(&arguments(&stories.map(file), &storage));
    command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
    let ended = bench.ended(&command.output().unwrap());
    assert_eq!(ended.code, Some(3), "{}{}", ended.out, ended.err);
    for (id, why) in stories.into_iter().zip(["locked for days of the scenario", "how long that takes to come back"]) {
        let record = bench.record(id);
        assert_eq!(record.result.result, DrillResult::Inconclusive, "{id}: {:?}", record.result.reasons);
        assert!(record.result.reasons[0].contains(why), "{id}: {:?}", record.result.reasons);
    }
    assert_eq!(left(&running).await, 0);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_run_left_is_removed_by_the_next_start() {
    let running = storages::any().await;
    let (bench, storage) = (Bench::new(), format!("endpoint:{}", running.url));
    let story = [file("database/control")];
    let start = || {
        let mut command = bench.command(&arguments(&story, &storage));
        command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
        command
    };
    let clock = Clock::new(Way::Real, wall_now());
    let (mut killed, since) = (start().spawn().unwrap(), clock.stopwatch());
    while !has_buckets(&running).await {
        assert!(since.elapsed().total_ms() < 60_000, "no bucket was ever made");
        clock.sleep(Duration::from_millis(5)).await;
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(has_buckets(&running).await && !bench.left_behind().is_empty(), "it was killed too late");
    let ended = bench.ended(&start().output().unwrap());
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert_eq!((has_buckets(&running).await, bench.left_behind()), (false, Vec::new()));
    running.stop().await;
}

async fn has_buckets(running: &Running) -> bool {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version_latest()
        .region(aws_sdk_s3::config::Region::new("us-east-1"))
        .endpoint_url(&running.url)
        .force_path_style(true)
        .credentials_provider(aws_sdk_s3::config::Credentials::new("test", "test", None, None, "test"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    let all = aws_sdk_s3::Client::from_conf(config).list_buckets().send().await.unwrap();
    all.buckets().iter().any(|bucket| bucket.name().is_some_and(|name| name.starts_with("bd-")))
}

#[cfg(feature = "containers")]
#[test]
fn a_container_is_started_for_a_run_and_gone_after_it() {
    let containers = || {
        let mut docker = std::process::Command::new("docker");
        let listed = docker.args(["ps", "--all", "--quiet", "--filter", "ancestor=localstack/localstack:4.5"]).output();
        listed.map(|listed| String::from_utf8(listed.stdout).unwrap()).unwrap_or_default()
    };
    let (bench, before) = (Bench::new(), containers());
    let ended = bench.run(&arguments(&[file("database/control")], "localstack"));
    if ended.code == Some(2) && ended.err.contains("cannot be started") {
        assert!(ended.err.contains("help: start a Docker-compatible engine"), "{}", ended.err);
        return storages::skipped("localstack", &ended.err);
    }
    assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
    assert_eq!(bench.record("database/control").identity.storage.as_deref(), Some("localstack"));
    assert_eq!((containers(), bench.left_behind()), (before, Vec::new()));
}
