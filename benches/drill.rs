//! One whole drill at 4 MiB, real and simulated: four days of backups into three regions, the restore, the comparison.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

#[path = "../tests/kit/mod.rs"]
mod kit;

use std::hint::black_box;

use backdraft::model::record::Way;
use criterion::{Criterion, criterion_group, criterion_main};

fn whole_drill(c: &mut Criterion) {
    let (plan, mut scenario) = (kit::plan(), kit::scenario("database/control"));
    scenario.history.size = "4 MiB".parse().unwrap();
    let mut group = c.benchmark_group("whole drill, 4 MiB");
    group.sample_size(10);
    for (name, way) in [("real", Way::Real), ("simulated", Way::Simulated)] {
        group.bench_function(name, |b| b.iter(|| black_box(kit::play("control", &plan, &scenario, 42, way, vec![]))));
    }
    group.finish();
}

criterion_group!(benches, whole_drill);
criterion_main!(benches);
