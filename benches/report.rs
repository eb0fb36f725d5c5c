//! A thousand drills as a page and as every other format: a page must not keep anybody waiting for two seconds.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

#[path = "../tests/kit/mod.rs"]
mod kit;

use std::hint::black_box;

use backdraft::{
    model::record::{Record, Way},
    report::{CATALOGUE, Options, Run},
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const RECORDS: usize = 1_000;

/// Drills of every kind of service, again and again under names of their own.
const SET: [&str; 5] = [
    "database/control",
    "database/corrupt-truncated-latest",
    "config/one-generation-left",
    "level-1/bad-deploy-rollback",
    "level-3/everything-lost",
];

fn records() -> Vec<Record> {
    let plan = kit::plan();
    let play = |id: &&str| kit::play(id, &plan, &kit::scenario(id), 42, Way::Simulated, Vec::new());
    let played: Vec<Record> = SET.iter().map(play).collect();
    let named = |(number, record): (usize, &Record)| {
        let mut record = record.clone();
        record.identity.scenario = format!("{}-{number}", record.identity.scenario);
        record
    };
    played.iter().cycle().take(RECORDS).enumerate().map(named).collect()
}

fn reports(c: &mut Criterion) {
    let records = records();
    let mut group = c.benchmark_group("1,000 records");
    group.sample_size(10).throughput(Throughput::Elements(RECORDS as u64));
    for format in CATALOGUE {
        group.bench_function(format.name(), |b| {
            b.iter(|| black_box(format.render(&Run::of(&records), &Options::default())).len());
        });
    }
    group.finish();
}

criterion_group!(benches, reports);
criterion_main!(benches);
