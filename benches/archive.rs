//! How fast dumps are packed and verified, in MB of JSON a second, and how that compares with `gunzip -c F | jq empty`
//! in the same run. `cargo bench --bench archive`
#![allow(clippy::unwrap_used, missing_docs)]
#![allow(clippy::disallowed_methods, reason = "a comparison with another program is timed by the wall clock")]

use std::{
    fs::File,
    io::Read,
    path::Path,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use backdraft::{
    archive::{InputError, Limits, Summary, pack, unpack},
    model::{plan::DumpFormat, record::Way},
    service::contract::{Contents, RowChunk, ServiceError},
    sim::{clock::Clock, lanes::Lanes, seed::Seed},
};
use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures_util::{StreamExt, stream};
use rand::RngExt;
use tokio::runtime::Runtime;

const RAW_BYTES: usize = 64 << 20;
const FORMATS: [DumpFormat; 3] = [DumpFormat::JsonlGz, DumpFormat::JsonGz, DumpFormat::ConvexZip];
const WORDS: &[&str] = &[
    "backup",
    "restore",
    "region",
    "오늘",
    "마케팅",
    "분석",
    "campaign",
    "subscription",
    "게시물",
    "예약",
    "channel",
    "growth",
    "고객",
    "analytics",
    "결제",
    "draft",
    "publish",
    "인스타그램",
    "timeline",
    "audience",
    "report",
    "무료",
    "plan",
    "webhook",
];

fn criterion_benches(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let lanes = runtime.block_on(async { Lanes::new(&Clock::new(Way::Real, jiff::Timestamp::UNIX_EPOCH)) });
    let scratch = tempfile::tempdir().unwrap();
    let chunks = rows();
    let raw: u64 = chunks.iter().map(|chunk| chunk.lines.len() as u64).sum();
    let mut group = criterion.benchmark_group("archive");
    group.throughput(Throughput::Bytes(raw)).sample_size(10);
    for format in FORMATS {
        let name = format.extension();
        group.bench_function(format!("pack/{name}"), |bench| {
            bench.iter(|| runtime.block_on(pack_all(format, &chunks, &lanes, scratch.path())));
        });
        let (archive, packed) = runtime.block_on(pack_all(format, &chunks, &lanes, scratch.path()));
        let path = scratch.path().join(name);
        std::fs::write(&path, archive.concat()).unwrap();
        group.bench_function(format!("verify/{name}"), |bench| {
            bench.iter(|| {
                let read = runtime.block_on(verify(format, &path, &lanes, scratch.path()));
                assert_eq!(read, packed);
            });
        });
    }
    group.finish();
    beside_jq(&runtime, &lanes, scratch.path(), raw);
}

/// Medians of interleaved runs over the same file.
fn beside_jq(runtime: &Runtime, lanes: &Lanes, scratch: &Path, raw: u64) {
    if Command::new("jq").arg("--version").output().is_err() {
        println!("skipped: jq is not installed, so nothing is compared with `gunzip -c F | jq empty`");
        return;
    }
    let format = DumpFormat::JsonlGz;
    let path = scratch.join(format.extension());
    let shell = format!("gunzip -c {} | jq empty", path.display());
    let mut times = [vec![], vec![]];
    for _ in 0..5 {
        times[0].push(timed(|| assert!(Command::new("sh").args(["-c", &shell]).status().unwrap().success())));
        times[1].push(timed(|| drop(runtime.block_on(verify(format, &path, lanes, scratch)))));
    }
    let [jq, ours] = times.map(|mut times| {
        times.sort();
        times[times.len() / 2].as_secs_f64()
    });
    let rate = |seconds: f64| raw as f64 / 1e6 / seconds;
    println!("\nverify {:.0} MB of JSON, medians of 5 interleaved runs on {} lanes:", raw as f64 / 1e6, lanes.width());
    println!("  gunzip -c F | jq empty    {jq:7.3} s  {:7.0} MB/s", rate(jq));
    println!("  backdraft                 {ours:7.3} s  {:7.0} MB/s  {:.1} times as fast", rate(ours), jq / ours);
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

async fn pack_all(format: DumpFormat, chunks: &[RowChunk], lanes: &Lanes, scratch: &Path) -> (Vec<Bytes>, Summary) {
    let mut tables: Vec<Arc<str>> = chunks.iter().map(|chunk| chunk.table.clone()).collect();
    tables.dedup();
    let rows = stream::iter(chunks.to_vec()).map(Ok::<_, ServiceError>).boxed();
    let mut packed = pack(format, Contents { tables, rows }, lanes, scratch);
    let mut archive = Vec::new();
    while let Some(piece) = packed.bytes.next().await {
        archive.push(piece.unwrap());
    }
    (archive, packed.summary.get().unwrap())
}

async fn verify(format: DumpFormat, path: &Path, lanes: &Lanes, scratch: &Path) -> Summary {
    let mut file = File::open(path).unwrap();
    let pieces = std::iter::from_fn(move || {
        let mut piece = vec![0; 256 << 10];
        let read = file.read(&mut piece).unwrap();
        piece.truncate(read);
        (read > 0).then(|| Ok::<_, InputError>(Bytes::from(piece)))
    });
    let limits = Limits { raw_bytes: 2 * RAW_BYTES as u64 };
    let mut unpacked = unpack(format, stream::iter(pieces).boxed(), limits, lanes, scratch);
    while let Some(chunk) = unpacked.rows.next().await {
        chunk.unwrap();
    }
    unpacked.summary.get().unwrap()
}

/// Nested documents with Korean and English text, in chunks of about 1 MiB.
fn rows() -> Vec<RowChunk> {
    let mut rng = Seed(2).child("archive bench").rng();
    let mut chunks = Vec::new();
    for (table, share) in [("users", 10), ("posts", 60), ("analytics", 30)] {
        let (mut lines, mut count, mut total) = (String::new(), 0, 0);
        while total < RAW_BYTES / 100 * share {
            let before = lines.len();
            push_row(&mut lines, &mut rng);
            (count, total) = (count + 1, total + lines.len() - before);
            if lines.len() >= 1 << 20 {
                let lines = std::mem::take(&mut lines).into();
                chunks.push(RowChunk { table: table.into(), rows: std::mem::take(&mut count), lines });
            }
        }
        chunks.push(RowChunk { table: table.into(), rows: count, lines: lines.into() });
    }
    chunks
}

fn push_row(lines: &mut String, rng: &mut backdraft::sim::seed::Rng) {
    let words = |rng: &mut backdraft::sim::seed::Rng, count: usize| {
        let words: Vec<&str> = (0..count).map(|_| WORDS[rng.random_range(0..WORDS.len())]).collect();
        words.join(" ")
    };
    let (id, owner) = (rng.random::<u128>(), rng.random::<u64>());
    let (title, text) = (words(rng, 6), words(rng, 60));
    let (likes, rate): (u32, f64) = (rng.random_range(0..100_000), rng.random());
    let created = 1_767_225_600_000u64 + rng.random_range(0..31_536_000_000u64);
    lines.push_str(&format!(
        r#"{{"_id":"{id:032x}","_creationTime":{created}.0,"owner":{{"id":{owner},"plan":"pro","tags":["{}","{}"]}},"#,
        words(rng, 1),
        words(rng, 1)
    ));
    lines.push_str(&format!(
        r#""title":"{title}","text":"{text}","metrics":{{"likes":{likes},"rate":{rate},"byDay":[{},{}]}},"draft":false}}"#,
        likes / 3,
        likes / 5
    ));
    lines.push('\n');
}

criterion_group!(benches, criterion_benches);
criterion_main!(benches);
