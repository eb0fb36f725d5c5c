//! The tools that people back up with, unmodified, against the emulated regions. `tests/s3_tools.sh` holds what each
//! of them must be able to do; a tool that is not installed is skipped and says so. `BACKDRAFT_REQUIRE_TOOLS` names
//! tools, separated by commas, for which a skip is a failure.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::{path::Path, process::Stdio};

use backdraft::{
    emulator::s3::{
        Region,
        gateway::{Credentials, Gateway, Key},
        rights::Principal,
    },
    model::record::Way,
    sim::clock::Clock,
};

const REGIONS: [&str; 3] = ["us-east-1", "eu-west-1", "ap-northeast-1"];

/// Sets the scenario clock to what the script writes to the file `clock`, and removes the file.
async fn set_the_clock(clock: &Clock, home: &Path) {
    let file = home.join("clock");
    loop {
        clock.sleep(std::time::Duration::from_millis(20)).await;
        let Ok(moment) = std::fs::read_to_string(&file) else { continue };
        clock.set(moment.trim().parse().unwrap());
        std::fs::remove_file(&file).unwrap();
    }
}

/// Runs the script's part for a tool against regions of its own.
async fn prove(tool: &str) {
    let scratch = tempfile::tempdir().unwrap();
    // The regions' clock stands months away from the tools' clocks, as it does in a drill.
    let clock = Clock::new(Way::Real, "2026-03-01T03:00:00Z".parse().unwrap());
    let regions = REGIONS.map(|name| Region::new(name, &clock, &scratch.path().join("regions")).unwrap());
    let keys = Principal::ALL.map(|principal| Key {
        principal,
        credentials: Credentials { access_key: format!("AKID{principal}"), secret_key: "secret/with+signs".to_owned() },
    });
    let gateway = Gateway::start_with_keys(regions.to_vec(), &keys, &clock).unwrap();
    let keys = &keys[0].credentials;
    let home = scratch.path().join("home");
    std::fs::create_dir(&home).unwrap();

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/s3_tools.sh");
    let run = tokio::process::Command::new("bash")
        .arg(script)
        .arg(tool)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", &home)
        .env("LC_ALL", "C.UTF-8")
        .env("ENDPOINT", gateway.url())
        .env("ENDPOINT_EU", gateway.region_url("eu-west-1").unwrap())
        .env("AWS_ACCESS_KEY_ID", &keys.access_key)
        .env("AWS_SECRET_ACCESS_KEY", &keys.secret_key)
        .current_dir(&home)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let limit = std::time::Duration::from_secs(600);
    let run = async {
        tokio::select! {
            output = run => output,
            () = set_the_clock(&clock, &home) => unreachable!("it never ends"),
        }
    };
    let output = clock.limit(limit, run).await.expect("the script hangs").unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("{said}");
    gateway.shutdown().await;

    assert!(output.status.success(), "{tool} failed against the emulated regions:\n{said}");
    let skipped = said.lines().any(|line| line.starts_with("SKIPPED"));
    let required = std::env::var("BACKDRAFT_REQUIRE_TOOLS").unwrap_or_default();
    assert!(!(skipped && required.split(',').any(|name| name == tool)), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn aws_cli_works_unmodified() {
    prove("aws").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn boto3_works_unmodified() {
    prove("boto3").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rclone_works_unmodified() {
    prove("rclone").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restic_works_unmodified() {
    prove("restic").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s5cmd_works_unmodified() {
    prove("s5cmd").await;
}
