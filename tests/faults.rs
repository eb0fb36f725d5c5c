//! The contract of every fault in the catalogue: it bites with proof, it does not claim to have bitten when nothing met
//! it, and after healing the world is what it was.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::{collections::BTreeMap, path::Path};

use backdraft::{
    assembly::{Parts, assemble},
    emulator::{
        Backups,
        convex::condition::Condition,
        hosting::{
            Quality,
            message::{Method, Request},
        },
        link::LinkState,
        restorer::Fate,
        targets::Load,
    },
    engine::Stage,
    fault::{self, Fault, Onset},
    input::load::{load_plan, load_scenario},
    model::{
        event::{Alarm, AlarmKind, What},
        family::Family,
        plan::ServiceKind,
        record::Way,
        scenario::{FaultSpec, Moment},
        units::Percent,
    },
    sim::seed::Seed,
};
use futures_util::StreamExt;

/// Faults that only show in backups made after them: tests/trials.rs plays a whole drill with each.
const IN_A_DRILL_ALONE: [&str; 4] = ["clock-skew", "time-zone-mistaken", "export-fails", "export-cut-short"];

/// A drill in which a fault can bite.
fn home_of(fault: &dyn fault::Fault, mode: &str) -> &'static str {
    if matches!((fault.name(), mode), ("schema-file-missing" | "climbing-entry", _) | ("archive-bomb", "zip")) {
        return "database/control-convex-zip";
    }
    let homes = [
        (ServiceKind::Database, "database/control"),
        (ServiceKind::Files, "files/control"),
        (ServiceKind::Config, "config/control"),
        (ServiceKind::WebApplication, "level-1/web-control"),
    ];
    homes.iter().find(|(kind, _)| fault.is_for(*kind)).unwrap_or_else(|| panic!("{} has no home", fault.name())).1
}

/// A stage on which that fault can strike something.
async fn stage_for(fault: &dyn Fault, mode: &str, scratch: &Path) -> Stage {
    match home_of(fault, mode) {
        "level-1/web-control" => web(fault, scratch).await,
        home => stage(scratch, home).await,
    }
}

/// A stage with a web application that was released twice, in virtual time.
async fn web(fault: &dyn Fault, scratch: &Path) -> Stage {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let plan = load_plan(root.join("fixtures/hooklabs/plan.yaml")).unwrap().value;
    let scenario = load_scenario(root.join("scenarios/level-1/web-control.yaml")).unwrap().value;
    let parts = Parts::of(&plan, &scenario, Seed(7), Way::Simulated, scratch);
    let stage = assemble(parts).await.unwrap();
    stage.services[0].service.write(stage.clock.now(), 2).await.unwrap();
    if ["rollback-target-gone", "lying-health-check"].contains(&fault.name()) {
        // These show only where production is broken.
        stage.world.hosting["web"].ship(Quality::Broken).unwrap();
    }
    stage
}

/// A stage with three days of backups and, of a database, of a change stream, in virtual time.
async fn stage(scratch: &Path, id: &str) -> Stage {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let plan = load_plan(root.join("fixtures/hooklabs/plan.yaml")).unwrap().value;
    let mut scenario = load_scenario(root.join(format!("scenarios/{id}.yaml"))).unwrap().value;
    scenario.history.size = "256 KiB".parse().unwrap();
    let parts = Parts::of(&plan, &scenario, Seed(7), Way::Simulated, scratch);
    let stage = assemble(parts).await.unwrap();
    let start = stage.clock.now();
    for day in 0..3 {
        let at = start + jiff::SignedDuration::from_hours(24 * day + 3);
        stage.services[0].service.write(at - jiff::SignedDuration::from_hours(1), 20).await.unwrap();
        stage.clock.set(at);
        let made = stage.services[0].pipeline.backup(day as u32 + 1).await.unwrap();
        for targets in stage.world.targets.values() {
            targets.expect(Load { rows: made.rows, bytes: made.raw_bytes / stage.clock.scale() });
        }
        for piece in 1..=3 {
            let at = at + jiff::SignedDuration::from_mins(5 * piece);
            stage.services[0].service.write(at, 2).await.unwrap();
            stage.clock.set(at);
            stage.services[0].pipeline.stream().await;
        }
    }
    stage
}

/// All that would be done that night: start a backup, export, look everywhere, read everything; a service moves.
async fn use_the_world(stage: &Stage) {
    for Backups { schedule, .. } in stage.world.backups.values() {
        schedule.starts();
        schedule.streams();
    }
    let _ = stage.services[0].service.steady().await;
    stage.recorder.emit(What::Alarm(Alarm::new(AlarmKind::Missing, None, "nothing is there")));
    if stage.world.restorer.fate() != Fate::Runs {
        stage.world.restorer.ends().await;
    }
    let is_struck = |targets: &backdraft::emulator::targets::Targets| {
        targets.condition() != Condition::default() || targets.link().state() != LinkState::Up
    };
    if stage.world.targets.values().any(|targets| is_struck(targets)) {
        stage.services[0].pipeline.restore().await;
    }
    let addresses = &stage.world.operator.addresses;
    addresses.publish("NEXT_PUBLIC_CONVEX_URL", "https://restored-elsewhere-1.convex.cloud");
    addresses.told("NEXT_PUBLIC_CONVEX_URL");
    for hosting in stage.world.hosting.values() {
        let (method, host, path) = (Method::Get, "api.hosting.example".into(), "/v1/projects/web".into());
        hosting.answer(&Request { method, host, path, bearer: None, body: Default::default() });
        let view = stage.services[0].service.live().unwrap();
        view.read_back().await.unwrap();
        view.ask("/api/health").await.unwrap();
    }
    for store in &stage.stores {
        // Somebody writes, too; what they leave is no part of the picture.
        let probe = futures_util::stream::iter([Ok(bytes::Bytes::from_static(b"probe"))]).boxed();
        let _ = store.put("probe", probe).await;
        let _ = store.delete("probe").await;
        for object in store.list("").await.unwrap_or_default() {
            if let Ok((_, mut body)) = store.get(&object.key).await {
                while let Some(Ok(_)) = body.next().await {}
            }
        }
    }
}

/// Every object of every region, as a listing and a digest of its bytes would show it; how the links are, and what the
/// operators hold.
fn picture(stage: &Stage) -> BTreeMap<String, String> {
    let mut seen = BTreeMap::new();
    let operator = &stage.world.operator;
    seen.insert("secret store".into(), format!("{:?}", operator.secrets.file()));
    let is_told = |(name, live): (&String, &String)| operator.addresses.told(name).as_ref() == Some(live);
    seen.insert("told the truth".into(), operator.addresses.live().iter().all(is_told).to_string());
    seen.insert("redacts".into(), operator.redaction.covers("PRODUCTION__CLERK_SECRET_KEY").to_string());
    for (name, backups) in &stage.world.backups {
        seen.insert(format!("{name} job clock"), format!("{:?}", backups.schedule.clock));
    }
    seen.insert("restorer".into(), format!("{:?}", stage.world.restorer.fate()));
    seen.insert("messenger".into(), format!("down: {}", stage.world.messenger.is_down()));
    for (name, targets) in &stage.world.targets {
        let (condition, link) = (targets.condition(), targets.link().state());
        seen.insert(format!("{name} targets"), format!("{condition:?} {link:?} {}", targets.gate().is_free()));
    }
    for (name, hosting) in &stage.world.hosting {
        seen.insert(format!("{name} hosting"), hosting.picture());
    }
    for site in stage.world.sites.iter().chain(stage.world.sources.values()) {
        let name = site.region.name();
        seen.insert(format!("{name} listings"), format!("{:?}", site.region.objects().listings_end_after()));
        let link = site.region.link();
        seen.insert(format!("{name} link"), format!("{:?} of {}", link.state(), link.layers()));
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
    let mut spec = FaultSpec { when, ..serde_json::from_str(&yaml).unwrap() };
    if [Some(Family::Target), Some(Family::Process)].contains(&fault::family_of(fault.name())) {
        spec.regions.clear();
    }
    if ["restore-killed", "restore-hangs"].contains(&fault.name()) {
        spec.when = Moment::DuringImport(Percent(50));
    }
    if mode == "expired" {
        // The stage has three days of backups, and none as old as the fault's default.
        spec.with.insert("older_than".into(), "24 h".into());
    }
    if (fault.name(), mode) == ("archive-bomb", "zip") {
        // A ZIP's entry is one stream, which takes its time to pack.
        spec.with.insert("inflates_to".into(), "64 MiB".into());
    }
    spec
}

#[tokio::test(start_paused = true)]
async fn every_fault_bites_with_proof_and_heals_without_a_trace() {
    for fault in fault::all().filter(|fault| !IN_A_DRILL_ALONE.contains(&fault.name())) {
        for mode in fault.modes() {
            let scratch = tempfile::tempdir().unwrap();
            let stage = stage_for(fault, mode.name, scratch.path()).await;
            let what = format!("{} / {}", fault.name(), mode.name);
            let before = picture(&stage);
            let mut injection = fault::prepare(&spec(fault, mode.name, Moment::BeforeBackupOfDay(3))).unwrap();
            let detail = injection.inject(&stage.world, Onset::Now).unwrap_or_else(|why| panic!("{what}: {why}"));
            assert!(!detail.is_empty(), "{what} says what it changed");
            use_the_world(&stage).await;
            let proof = injection.proof(&stage.world);
            assert!(proof.bit, "{what} bites: {}", proof.evidence);
            assert!(injection.heal(&stage.world), "{what} heals");
            assert_eq!(picture(&stage), before, "{what} leaves nothing behind");
            let mut schedules = stage.world.backups.values().map(|backups| &backups.schedule);
            assert!(schedules.all(|s| s.starts() && s.streams()), "{what} leaves the schedule running");
            use_the_world(&stage).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_nothing_met_says_that_it_did_not_bite() {
    let scratch = tempfile::tempdir().unwrap();
    let stage = stage(scratch.path(), "database/control").await;
    let (_, network) = fault::CATALOGUE.iter().find(|(family, _)| *family == Family::Network).unwrap();
    for fault in *network {
        for mode in fault.modes() {
            let mut injection = fault::prepare(&spec(*fault, mode.name, Moment::BeforeBackupOfDay(3))).unwrap();
            injection.inject(&stage.world, Onset::Now).unwrap();
            assert!(!injection.proof(&stage.world).bit, "{} / {}", fault.name(), mode.name);
            injection.heal(&stage.world);
        }
    }
    let mut stopped =
        fault::prepare(&spec(fault::find("stale-dump").unwrap(), "schedule-stopped", Moment::BeforeBackupOfDay(3)))
            .unwrap();
    stopped.inject(&stage.world, Onset::Now).unwrap();
    assert!(!stopped.proof(&stage.world).bit);
    let mut stopped = spec(fault::find("stale-dump").unwrap(), "stream-stopped", Moment::BeforeBackupOfDay(3));
    stopped.regions.clear();
    let mut stopped = fault::prepare(&stopped).unwrap();
    stopped.inject(&stage.world, Onset::Now).unwrap();
    stage.world.backups["database"].schedule.starts();
    assert!(!stopped.proof(&stage.world).bit, "backups are no pieces of the stream");
}

#[tokio::test(start_paused = true)]
async fn a_fault_on_targets_or_on_the_process_that_nobody_met_says_that_it_did_not_bite() {
    let scratch = tempfile::tempdir().unwrap();
    let stage = stage(scratch.path(), "database/control").await;
    let ours =
        |fault: &&dyn Fault| [Some(Family::Target), Some(Family::Process)].contains(&fault::family_of(fault.name()));
    for fault in fault::all().filter(ours) {
        for mode in fault.modes() {
            let is_of_backups = IN_A_DRILL_ALONE.contains(&fault.name());
            let when = if is_of_backups { Moment::BeforeBackupOfDay(3) } else { Moment::AtDisaster };
            let mut injection = fault::prepare(&spec(fault, mode.name, when)).unwrap();
            injection.inject(&stage.world, Onset::Now).unwrap();
            assert!(!injection.proof(&stage.world).bit, "{} / {}", fault.name(), mode.name);
            assert!(injection.heal(&stage.world));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_fault_on_what_operators_hold_says_that_it_did_not_bite_while_nobody_asked() {
    let scratch = tempfile::tempdir().unwrap();
    let stage = stage(scratch.path(), "config/control").await;
    let modes = [
        ("secret-store-lost", "gone"),
        ("secret-store-lost", "emptied"),
        ("variable-missing", "from-secret-store"),
        ("secret-leaked", "redaction-forgotten"),
        ("wrong-url", "old-is-dead"),
    ];
    for (name, mode) in modes {
        let fault = fault::find(name).unwrap();
        let mut injection = fault::prepare(&spec(fault, mode, Moment::BeforeBackupOfDay(3))).unwrap();
        injection.inject(&stage.world, Onset::Now).unwrap();
        assert!(!injection.proof(&stage.world).bit, "{name} / {mode}");
        assert!(injection.heal(&stage.world));
    }
}

#[tokio::test(start_paused = true)]
async fn a_fault_on_configuration_cannot_be_injected_where_none_is_drilled() {
    let scratch = tempfile::tempdir().unwrap();
    let stage = stage(scratch.path(), "database/control").await;
    for fault in fault::all().filter(|fault| !fault.is_for(ServiceKind::Database) && fault.name() != "wrong-url") {
        for mode in fault.modes().iter().filter(|_| fault.is_for(ServiceKind::Config)) {
            let mut injection = fault::prepare(&spec(fault, mode.name, Moment::BeforeBackupOfDay(3))).unwrap();
            let why = injection.inject(&stage.world, Onset::Now).unwrap_err();
            assert!(!why.is_empty(), "{} / {}", fault.name(), mode.name);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_fault_at_the_provider_that_nobody_met_says_that_it_did_not_bite() {
    for fault in fault::all().filter(|fault| fault.is_for(ServiceKind::WebApplication)) {
        // What was taken away is gone whether anybody looks or not.
        for mode in fault.modes().iter().filter(|_| fault.name() != "rollback-target-gone") {
            let scratch = tempfile::tempdir().unwrap();
            let stage = stage_for(fault, mode.name, scratch.path()).await;
            let mut injection = fault::prepare(&spec(fault, mode.name, Moment::AtDisaster)).unwrap();
            injection.inject(&stage.world, Onset::Now).unwrap();
            assert!(!injection.proof(&stage.world).bit, "{} / {}", fault.name(), mode.name);
        }
    }
}

#[test]
fn every_example_of_the_catalogue_is_an_entry_that_can_be_prepared() {
    for fault in fault::all() {
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
        r#"{"fault":"flapping-region","mode":"by-requests","with":{"down":0}}"#,
        r#"{"fault":"flapping-region","mode":"by-time","with":{"down":2}}"#,
        r#"{"fault":"flapping-region","mode":"by-time","with":{"up":"0 s"}}"#,
        r#"{"fault":"flapping-region"}"#,
        r#"{"fault":"first-requests-fail","with":{"requests":0}}"#,
        r#"{"fault":"outage-from-request","with":{"requests":"3"}}"#,
        r#"{"fault":"body-cut-short","mode":"with-length","with":{"after":"100%"}}"#,
        r#"{"fault":"connection-reset","mode":"reading","with":{"bodies":0}}"#,
        r#"{"fault":"slow-first-byte","with":{"latency":"0 s"}}"#,
        r#"{"fault":"name-lookup-fails","with":{"ttl":"1 h"}}"#,
        r#"{"fault":"stale-dump","mode":"replica-behind"}"#,
        r#"{"fault":"stream-gap","mode":"deleted","with":{"pieces":0}}"#,
        r#"{"fault":"earthquake","mode":"any"}"#,
        r#"{"fault":"dns-stale","mode":"old-home","with":{"ttl":"3 days"}}"#,
        r#"{"fault":"api-outage","mode":"endpoint-moved","with":{"lasts":"3 min"}}"#,
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
    let stage = stage(scratch.path(), "database/control").await;
    let flip = spec(fault::find("corrupt-json").unwrap(), "bit-flip", Moment::AfterLastBackup);
    let (mut first, mut second) = (fault::prepare(&flip).unwrap(), fault::prepare(&flip).unwrap());
    first.inject(&stage.world, Onset::Now).unwrap();
    assert!(first.proof(&stage.world).bit);
    second.inject(&stage.world, Onset::Now).unwrap();
    assert!(!first.proof(&stage.world).bit, "the second flip undid the first");
}

/// Whoever asks a region meets the nearest fault first, so one that lies behind it is met once that is healed; and each
/// counts for itself.
#[tokio::test(start_paused = true)]
async fn faults_on_the_same_link_act_together_and_prove_themselves_one_by_one() {
    let scratch = tempfile::tempdir().unwrap();
    let stage = stage(scratch.path(), "database/control").await;
    let lay = |name: &str, mode: &str| {
        let spec = spec(fault::find(name).unwrap(), mode, Moment::AfterLastBackup);
        let mut injection = fault::prepare(&spec).unwrap();
        injection.inject(&stage.world, Onset::Now).unwrap();
        injection
    };
    let before = picture(&stage);
    let mut late = lay("slow-first-byte", "latency");
    let mut expired = lay("expired-credentials", "all");
    let mut refused = lay("region-outage", "refused");
    let bit = |injection: &dyn fault::Injection| injection.proof(&stage.world).bit;
    use_the_world(&stage).await;
    assert!(bit(&*refused) && !bit(&*expired) && !bit(&*late), "nobody gets as far as to an answer");
    assert!(refused.heal(&stage.world));
    use_the_world(&stage).await;
    assert!(bit(&*expired) && !bit(&*late), "the newer one answers");
    assert!(expired.heal(&stage.world) && !bit(&*late));
    use_the_world(&stage).await;
    assert!(bit(&*late));
    assert!(late.heal(&stage.world));
    assert_eq!(picture(&stage), before);
}
