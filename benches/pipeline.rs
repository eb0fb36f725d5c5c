//! The reference pipeline at 64 MiB through the real gateway, in MB/s of JSON; and S3 put and get through the gateway
//! beside a plain copy of a file, in one run.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

#[path = "../tests/kit/mod.rs"]
mod kit;

use std::{fs, hint::black_box, path::Path};

use backdraft::{
    assembly::{Parts, assemble},
    engine::Stage,
    model::{record::Way, units::ByteSize},
    pipeline::RestoreEnd,
    service::{contract::Platform, database::Database},
    sim::seed::Seed,
};
use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures_util::StreamExt;
use tokio::runtime::Runtime;

const SIZE: u64 = 64 << 20;

async fn stage(scratch: &Path) -> Stage {
    let plan = kit::plan();
    let mut scenario = kit::scenario("database/control");
    scenario.history.size = "64 MiB".parse().unwrap();
    let parts = Parts::of(&plan, &scenario, Seed(42), Way::Real, scratch);
    assemble(parts).await.unwrap()
}

async fn export(database: &Database) -> u64 {
    let mut rows = database.source().export().await.unwrap().contents.rows;
    let mut bytes = 0;
    while let Some(chunk) = rows.next().await {
        bytes += chunk.unwrap().lines.len() as u64;
    }
    bytes
}

fn pipeline(c: &mut Criterion) {
    let (runtime, scratch) = (Runtime::new().unwrap(), tempfile::tempdir().unwrap());
    let stage = runtime.block_on(stage(scratch.path()));
    let (clock, seed) = (stage.clock.clone(), Seed(42).child("database"));
    let database = Database::seed(ByteSize(SIZE), seed, clock.now(), scratch.path(), &stage.lanes).unwrap();
    let mut group = c.benchmark_group("reference pipeline, 64 MiB");
    group.sample_size(10).throughput(Throughput::Bytes(SIZE));
    group.bench_function("export", |b| b.iter(|| black_box(runtime.block_on(export(&database)))));
    group.bench_function("backup to three regions", |b| {
        b.iter(|| runtime.block_on(stage.services[0].pipeline.backup(1)).unwrap());
    });
    group.bench_function("restore", |b| {
        b.iter(|| {
            let end = runtime.block_on(stage.services[0].pipeline.restore());
            assert!(matches!(end, RestoreEnd::Restored(_)), "{end:?}");
        });
    });
    group.finish();
    runtime.block_on(stage.close);
}

fn through_the_gateway(c: &mut Criterion) {
    let (runtime, scratch) = (Runtime::new().unwrap(), tempfile::tempdir().unwrap());
    let stage = runtime.block_on(stage(scratch.path()));
    let store = &stage.stores[0];
    let body = Bytes::from(vec![7; 1 << 20]);
    let mut group = c.benchmark_group("S3 through the gateway, 64 MiB");
    group.sample_size(10).throughput(Throughput::Bytes(SIZE));
    group.bench_function("put", |b| {
        b.iter(|| {
            let pieces = futures_util::stream::iter((0..SIZE >> 20).map(|_| Ok(body.clone())).collect::<Vec<_>>());
            runtime.block_on(store.put("bench", pieces.boxed())).unwrap()
        });
    });
    group.bench_function("get", |b| {
        b.iter(|| {
            runtime.block_on(async {
                let (_, mut body) = store.get("bench").await.unwrap();
                while let Some(piece) = body.next().await {
                    black_box(piece.unwrap());
                }
            });
        });
    });
    let (from, to) = (scratch.path().join("from"), scratch.path().join("to"));
    fs::write(&from, vec![7; SIZE as usize]).unwrap();
    group.bench_function("plain copy of a file", |b| b.iter(|| fs::copy(&from, &to).unwrap()));
    group.finish();
    runtime.block_on(stage.close);
}

criterion_group!(benches, pipeline, through_the_gateway);
criterion_main!(benches);
