//! How long it takes to verify a history: every entry against the one before it, every record against its entry.
//! `cargo bench --bench history`; BACKDRAFT_BENCH_ENTRIES chooses how many (100,000).

#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../tests/kit/mod.rs"]
mod kit;

use std::{fs, hint::black_box, path::Path};

use backdraft::{
    history::{Folder, History, pack},
    model::{
        history::{Entry, HISTORY_FORMAT, Head, Summary},
        record::Way,
    },
    sim::clock,
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// Writes a history of so many drills, as `run` would, without waiting for the disk each time.
fn write(dir: &Path, entries: u64) -> u64 {
    let (id, plan) = ("database/control", kit::plan());
    let record = kit::play(id, &plan, &kit::scenario(id), 1, Way::Simulated, Vec::new());
    let packed = pack(&record, "mark").unwrap();
    let record_sha256 = HEXLOWER.encode(&Sha256::digest(&packed));
    let (mut chain, mut previous_sha256) = (Vec::new(), "0".repeat(64));
    for sequence in 1..=entries {
        let folder = dir.join(format!("records/{:06}", sequence / 1_000));
        if sequence == 1 || sequence % 1_000 == 0 {
            fs::create_dir_all(&folder).unwrap();
        }
        fs::write(folder.join(format!("{sequence:09}.json.gz")), &packed).unwrap();
        let entry = Entry {
            format: HISTORY_FORMAT.into(),
            sequence,
            previous_sha256,
            appended_at: clock::wall_now(),
            record_sha256: record_sha256.clone(),
            summary: Summary::of(&record),
        };
        let line = serde_json::to_vec(&entry).unwrap();
        previous_sha256 = HEXLOWER.encode(&Sha256::digest(&line));
        chain.extend_from_slice(&line);
        chain.push(b'\n');
    }
    let head = Head { sequence: entries, sha256: previous_sha256 };
    fs::write(dir.join("head.json"), serde_json::to_string(&head).unwrap()).unwrap();
    let bytes = chain.len() as u64 + entries * packed.len() as u64;
    fs::write(dir.join("chain.jsonl"), chain).unwrap();
    bytes
}

fn verify(c: &mut Criterion) {
    let entries = std::env::var("BACKDRAFT_BENCH_ENTRIES").map_or(100_000, |text| text.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let bytes = write(dir.path(), entries);
    println!("{entries} entries, {} MiB with their records", bytes >> 20);
    let history = History::new(Box::new(Folder::new(dir.path())), &dir.path().join("marks"));
    let mut group = c.benchmark_group("history");
    group.sample_size(10).throughput(Throughput::Elements(entries));
    group.bench_function("verify", |b| {
        b.iter(|| {
            let verified = black_box(history.verify(None).unwrap());
            assert_eq!((verified.entries, verified.flaws.len()), (entries, 0));
        });
    });
    group.bench_function("read every entry", |b| b.iter(|| black_box(history.entries().unwrap().len())));
    group.finish();
}

criterion_group!(benches, verify);
criterion_main!(benches);
