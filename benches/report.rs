//! A thousand drills as a page and as every other format, in both languages: a page must not keep anybody waiting for two
//! seconds. And what it costs a drill that no secret is told.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]
#![allow(clippy::disallowed_methods, reason = "a bench measures real time")]

#[path = "../tests/kit/mod.rs"]
mod kit;

use std::{hint::black_box, time::Instant};

use backdraft::{
    environment::without_secrets,
    model::record::{Record, Way},
    report::{CATALOGUE, Language, Options, Run},
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
    for language in Language::ALL {
        let options = Options { language, ..Options::default() };
        for format in CATALOGUE.iter().filter(|format| language == Language::English || format.is_read()) {
            group.bench_function(format!("{} {}", format.name(), language.tag()), |b| {
                b.iter(|| black_box(format.render(&Run::of(&records), &options)).len());
            });
        }
    }
    group.finish();
}

/// Pairs of a drill and its redaction.
const PAIRS: usize = 15;

/// Every event of a drill loses its secrets before it is shown or kept: how long that takes, as a share of the drill in
/// virtual time that was played right before. A pair is disturbed by the same load, so the ratio is not.
fn redaction(_: &mut Criterion) {
    let plan = kit::plan();
    for id in SET {
        let scenario = kit::scenario(id);
        let pair = |_| {
            let begun = Instant::now();
            let record = kit::play(id, &plan, &scenario, 42, Way::Simulated, Vec::new());
            let played = begun.elapsed();
            let events = record.events.clone();
            let begun = Instant::now();
            for event in events {
                black_box(without_secrets(event).unwrap());
            }
            begun.elapsed().as_secs_f64() / played.as_secs_f64() * 100.0
        };
        let mut shares: Vec<f64> = (0..PAIRS).map(pair).collect();
        shares.sort_by(f64::total_cmp);
        let (least, median, most) = (shares[0], shares[PAIRS / 2], shares[PAIRS - 1]);
        println!("redaction {id}: {median:.2}% of the drill, median of {PAIRS} pairs ({least:.2}% to {most:.2}%)");
    }
}

criterion_group!(benches, reports, redaction);
criterion_main!(benches);
