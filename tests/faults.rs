//! The contract of every fault in the catalogue: it bites with proof, it does not claim to have bitten when nothing met
//! it, and after healing the world is what it was.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::{collections::BTreeMap, path::Path};

use backdraft::{
    assembly::{Parts, assemble},
    engine::Stage,
    fault::{self, Onset},
    input::load::{load_plan, load_scenario},
    model::{
        plan::ServiceKind,
        record::Way,
        scenario::{FaultSpec, Moment},
    },
    sim::seed::Seed,
};
use futures_util::StreamExt;

/// A stage with three days of backups of a database, in virtual time.
async fn stage(scratch: &Path) -> Stage {
    stage_of("database", scratch).await
}

/// The same with a service that the fault can strike.
async fn stage_for(fault: &dyn fault::Fault, scratch: &Path) -> Stage {
    let files = fault.strikes_only() == Some(ServiceKind::Files);
    stage_of(if files { "files" } else { "database" }, scratch).await
}

async fn stage_of(service: &str, scratch: &Path) -> Stage {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let plan = load_plan(root.join("fixtures/hooklabs/plan.yaml")).unwrap().value;
    let mut scenario = load_scenario(root.join(format!("scenarios/{service}/control.yaml"))).unwrap().value;
    scenario.history.size = "256 KiB".parse().unwrap();
    let parts = Parts { plan: &plan, scenario: &scenario, seed: Seed(7), way: Way::Simulated, scratch, listener: None };
    let stage = assemble(parts).await.unwrap();
    let start = stage.clock.now();
    for day in 0..3 {
        let at = start + jiff::SignedDuration::from_hours(24 * day + 3);
        stage.services[0].service.write(at - jiff::SignedDuration::from_hours(1), 20).await.unwrap();
        stage.clock.set(at);
        stage.services[0].pipeline.backup(day as u32 + 1).await.unwrap();
    }
    stage
}

/// All that a pipeline would do that night: start a backup, look everywhere, read everything.
async fn use_the_world(stage: &Stage) {
    for backups in stage.world.backups.values() {
        backups.schedule.starts();
    }
    for store in &stage.stores {
        for object in store.list("").await.unwrap_or_default() {
            if let Ok((_, mut body)) = store.get(&object.key).await {
                while let Some(Ok(_)) = body.next().await {}
            }
        }
    }
}

/// Every object of every region, as a listing and a digest of its bytes would show it; and how the links are.
fn picture(stage: &Stage) -> BTreeMap<String, String> {
    let mut seen = BTreeMap::new();
    for site in stage.world.sites.iter().chain(stage.world.sources.values()) {
        let name = site.region.name();
        seen.insert(format!("{name} link"), format!("{:?}", site.region.link().state()));
        for object in site.region.objects().keys(&site.bucket, "").unwrap() {
            seen.insert(
                format!("{name}/{}", object.key),
                format!("{} {} {}", object.size, object.etag, object.modified),
            );
        }
    }
    seen
}

fn spec(fault: &dyn fault::Fault, mode: &str, when: Moment) -> FaultSpec {
    let yaml = format!("{{\"fault\":\"{}\",\"mode\":\"{mode}\",\"regions\":[\"us-east-1\"]}}", fault.name());
    FaultSpec { when, ..serde_json::from_str(&yaml).unwrap() }
}

#[tokio::test(start_paused = true)]
async fn every_fault_bites_with_proof_and_heals_without_a_trace() {
    for fault in fault::CATALOGUE {
        for mode in fault.modes() {
            let scratch = tempfile::tempdir().unwrap();
            let stage = stage_for(*fault, scratch.path()).await;
            let what = format!("{} / {}", fault.name(), mode.name);
            let before = picture(&stage);
            let mut injection = fault::prepare(&spec(*fault, mode.name, Moment::BeforeBackupOfDay(3))).unwrap();
            let detail = injection.inject(&stage.world, Onset::Now).unwrap_or_else(|why| panic!("{what}: {why}"));
            assert!(!detail.is_empty(), "{what} says what it changed");
            use_the_world(&stage).await;
            let proof = injection.proof(&stage.world);
            assert!(proof.bit, "{what} bites: {}", proof.evidence);
            assert!(injection.heal(&stage.world), "{what} heals");
            assert_eq!(picture(&stage), before, "{what} leaves nothing behind");
            let mut schedules = stage.world.backups.values().map(|backups| &backups.schedule);
            assert!(schedules.all(backdraft::emulator::Schedule::starts), "{what} leaves the schedule running");
            use_the_world(&stage).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_nothing_met_says_that_it_did_not_bite() {
    let scratch = tempfile::tempdir().unwrap();
    let stage = stage(scratch.path()).await;
    let outage = fault::find("region-outage").unwrap();
    for mode in outage.modes() {
        let mut injection = fault::prepare(&spec(outage, mode.name, Moment::BeforeBackupOfDay(3))).unwrap();
        injection.inject(&stage.world, Onset::Now).unwrap();
        assert!(!injection.proof(&stage.world).bit, "{}", mode.name);
        injection.heal(&stage.world);
    }
    let mut stopped =
        fault::prepare(&spec(fault::find("stale-dump").unwrap(), "schedule-stopped", Moment::BeforeBackupOfDay(3)))
            .unwrap();
    stopped.inject(&stage.world, Onset::Now).unwrap();
    assert!(!stopped.proof(&stage.world).bit);
}

#[test]
fn every_example_of_the_catalogue_is_an_entry_that_can_be_prepared() {
    for fault in fault::CATALOGUE {
        let read: Vec<FaultSpec> =
            serde_saphyr::from_str(fault.example()).unwrap_or_else(|e| panic!("{}: {e}", fault.name()));
        for spec in &read {
            fault::prepare(spec).unwrap_or_else(|why| panic!("{}: {why}", fault.name()));
        }
    }
}

#[test]
fn a_wrong_mode_or_parameter_is_refused_in_words() {
    let wrong = [
        r#"{"fault":"corrupt-json","mode":"truncated","with":{"keep":"60"}}"#,
        r#"{"fault":"corrupt-json","mode":"truncated","with":{"keep":"100%"}}"#,
        r#"{"fault":"corrupt-json","mode":"truncated","with":{"kept":"60%"}}"#,
        r#"{"fault":"corrupt-json","mode":"melted"}"#,
        r#"{"fault":"region-outage","mode":"slow-link","with":{"rate":"0 B/s"}}"#,
        r#"{"fault":"stale-dump","mode":"replica-behind"}"#,
        r#"{"fault":"earthquake","mode":"any"}"#,
    ];
    let said: Vec<String> = wrong
        .iter()
        .map(|spec| fault::prepare(&serde_json::from_str(spec).unwrap()).err().unwrap_or_else(|| "accepted".into()))
        .collect();
    insta::assert_snapshot!(said.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn a_fault_whose_damage_another_undid_says_that_it_did_not_bite() {
    let scratch = tempfile::tempdir().unwrap();
    let stage = stage(scratch.path()).await;
    let flip = spec(fault::find("corrupt-json").unwrap(), "bit-flip", Moment::AfterLastBackup);
    let (mut first, mut second) = (fault::prepare(&flip).unwrap(), fault::prepare(&flip).unwrap());
    first.inject(&stage.world, Onset::Now).unwrap();
    assert!(first.proof(&stage.world).bit);
    second.inject(&stage.world, Onset::Now).unwrap();
    assert!(!first.proof(&stage.world).bit, "the second flip undid the first");
}
