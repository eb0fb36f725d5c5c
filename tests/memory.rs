//! Memory stays bounded: a 2 GiB export is backed up and restored in less than 256 MiB of resident memory. Ignored by
//! default (it takes minutes and 15 GiB of disk): `cargo test --release --test memory -- --ignored --nocapture`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::{fs, process::Command, time::Duration};

const LIMIT_KIB: u64 = 256 * 1024;

const SCENARIO: &str = "\
title: A large database
proves: Memory stays bounded whatever the size of the data.
service: database
level: 2
history: { days: 1, writes_per_day: 1000, size: 2 GiB }
disaster: { at: day 1 15:00, cause: The deployment is lost }
expect: { outcome: recovered, rto: met, rpo: met }
";

#[test]
#[ignore = "takes minutes and 15 GiB of disk; docs/performance.md has its figure"]
fn a_restore_of_2_gib_stays_under_256_mib_of_resident_memory() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = folder.path().join("large.yaml");
    fs::write(&scenario, SCENARIO).unwrap();
    let mut run = Command::new(env!("CARGO_BIN_EXE_backdraft"))
        .args(["run", "--no-history", "--out"])
        .arg(folder.path().join("out"))
        .arg(&scenario)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", run.id());
    let mut peak_kib = 0;
    let ended = loop {
        if let Some(ended) = run.try_wait().unwrap() {
            break ended;
        }
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok());
        peak_kib = peak_kib.max(kib.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(50));
    };
    println!("peak resident memory: {} MiB (emulated regions, gateway and pipeline together)", peak_kib / 1024);
    assert!(ended.success(), "the drill passes");
    assert!(peak_kib > 0 && peak_kib < LIMIT_KIB, "{peak_kib} KiB of resident memory");
}
