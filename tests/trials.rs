//! Faults on what is backed up, on what is there and on how old it is: what only a whole drill can show, what `verify` says
//! of each damaged dump, and that no cut listing and no wrong clock make a backup remove what is needed.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::path::Path;

use backdraft::{
    archive::{Form, Manifest},
    assembly::{Parts, assemble},
    engine::Stage,
    explore::trials::{self, Tried},
    fault::{self, Onset},
    model::{
        event::{AlarmKind, What},
        family::Family,
        outcome::Outcome,
        plan::{DumpFormat, Plan, ServiceKind},
        record::{Record, Way},
        scenario::{FaultSpec, Moment},
        units::ByteSize,
    },
    sim::seed::Seed,
    verify::{self, Expected, Means, Options, Status, StoredObject, Verdict},
};

mod kit;

/// Trials of the families that this test is for.
fn ours(plan: &Plan, wanted: impl Fn(&str) -> bool) -> Vec<Tried> {
    let families = [Family::Artefact, Family::Presence, Family::Age];
    let all = trials::of_plan(plan, |family, fault, _| families.contains(&family) && wanted(fault.name()));
    all.into_iter().filter(|tried| tried.fault.is_some()).collect()
}

#[test]
fn an_export_that_fails_or_ends_too_soon_is_no_backup_and_somebody_is_told() {
    let plan = kit::plan();
    let exports = trials::of_plan(&plan, |_, fault, _| ["export-fails", "export-cut-short"].contains(&fault.name()));
    let exports: Vec<_> = exports.into_iter().filter(|tried| tried.fault.is_some()).collect();
    assert_eq!(exports.len(), 3);
    for tried in exports {
        let record = play(&tried, &plan);
        assert_eq!(wrong(&record), None, "{}", tried.id);
        assert_eq!(record.services[0].restore.chosen_day, Some(3), "{}", tried.id);
        assert!(alarms(&record, AlarmKind::BackupFailed) > 0, "{}", tried.id);
    }
}

fn play(tried: &Tried, plan: &Plan) -> Record {
    kit::play(&tried.id, plan, &tried.scenario, 7, Way::Simulated, Vec::new())
}

/// What is wrong with how a trial ended.
fn wrong(record: &Record) -> Option<String> {
    let unproven = record.faults.iter().find(|fault| !fault.proof.as_ref().is_some_and(|proof| proof.bit));
    if let Some(fault) = unproven {
        return Some(format!("{} did not bite: {:?} {:?}", fault.fault, fault.impossible, fault.proof));
    }
    let fine = [Outcome::Recovered, Outcome::RecoveredBehind, Outcome::RefusedLoudly];
    match record.result.outcome {
        Some(outcome) if fine.contains(&outcome) => None,
        other => Some(format!("{other:?}: {:?}", record.result.reasons)),
    }
}

fn alarms(record: &Record, kind: AlarmKind) -> usize {
    record.alarms.iter().filter(|one| one.alarm.kind == kind && one.alarm.justified).count()
}

#[test]
fn each_of_these_bites_in_a_drill_and_the_pipeline_comes_out_of_it_well() {
    // Those that only a drill can show, and those that the pipeline had to be mended for.
    let names = ["clock-skew", "time-zone-mistaken", "future-date", "manifest-altered", "delete-marker", "listing-cut"];
    let plan = kit::plan();
    let mut missed = Vec::new();
    for tried in ours(&plan, |name| names.contains(&name)) {
        let record = play(&tried, &plan);
        missed.extend(wrong(&record).map(|why| format!("{}: {why}", tried.id)));
        let expected = match tried.fault.map_or("", |fault| fault.name) {
            "clock-skew" | "time-zone-mistaken" | "future-date" => AlarmKind::ClockSkew,
            "manifest-altered" => AlarmKind::Contradicted,
            _ => AlarmKind::Missing,
        };
        if alarms(&record, expected) == 0 {
            missed.push(format!("{}: no alarm `{}`", tried.id, expected.words()));
        }
        let weekly = tried.service == "config";
        // A clock that is weeks ahead takes every backup for expired; of weekly ones one has.
        if !weekly && record.events.iter().any(|event| matches!(event.what, What::Pruned { .. })) {
            missed.push(format!("{}: something was pruned, and nothing is old enough", tried.id));
        }
        let chosen = record.services[0].restore.chosen_day;
        if chosen != Some(if weekly { 8 } else { 4 }) {
            missed.push(format!("{}: restored day {chosen:?}", tried.id));
        }
    }
    assert!(missed.is_empty(), "\n{}", missed.join("\n"));
}

/// A stage with so many backups, 12 hours apart, in virtual time.
async fn stage(scratch: &Path, home: &str, format: DumpFormat, backups: i64) -> Stage {
    let plan = kit::plan();
    let mut scenario = kit::scenario(home);
    scenario.history.size = ByteSize(256 << 10);
    scenario.history.format = Some(format);
    let parts = Parts::of(&plan, &scenario, Seed(7), Way::Simulated, scratch);
    let stage = assemble(parts).await.unwrap();
    let start = stage.clock.now();
    for number in 0..backups {
        let at = start + jiff::SignedDuration::from_hours(12 * number + 3);
        stage.services[0].service.write(at - jiff::SignedDuration::from_hours(1), 20).await.unwrap();
        stage.clock.set(at);
        stage.services[0].pipeline.backup(number as u32 + 1).await.unwrap();
    }
    stage
}

fn entry(fault: &str, mode: &str) -> FaultSpec {
    let yaml = format!("{{\"fault\":\"{fault}\",\"mode\":\"{mode}\",\"regions\":[\"us-east-1\"]}}");
    FaultSpec { when: Moment::BeforeBackupOfDay(3), ..serde_json::from_str(&yaml).unwrap() }
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_ends_early_makes_no_backup_remove_what_is_needed() {
    let scratch = tempfile::tempdir().unwrap();
    let stage = stage(scratch.path(), "files/control", DumpFormat::JsonlGz, 12).await;
    let site = &stage.world.sites[0];
    let contents = || site.region.objects().keys(&site.bucket, "files/objects/").unwrap().len();
    let before = contents();
    assert!(before > 20, "the folder of contents goes beyond the page: {before}");
    let mut cut = fault::prepare(&entry("listing-cut", "first-page").with("keys", 20)).unwrap();
    cut.inject(&stage.world, Onset::Now).unwrap();
    stage.clock.set(stage.clock.now() + jiff::SignedDuration::from_hours(1));
    stage.services[0].pipeline.backup(13).await.unwrap();
    assert!(cut.proof(&stage.world).bit);
    assert!(contents() >= before, "{} of {before} contents are left", contents());
    // One that is whole again still prunes nothing that is needed.
    cut.heal(&stage.world);
    stage.services[0].pipeline.backup(14).await.unwrap();
    assert!(contents() >= before);
}

#[tokio::test(start_paused = true)]
async fn every_damaged_dump_fails_its_verification_at_the_step_that_is_meant_for_it() {
    let mut told = Vec::new();
    for format in [DumpFormat::JsonlGz, DumpFormat::JsonGz, DumpFormat::ConvexZip] {
        for fault in fault::all().filter(|fault| fault::family_of(fault.name()) == Some(Family::Artefact)) {
            for mode in fault.modes().iter().filter(|_| fault.is_for(ServiceKind::Database)) {
                let scratch = tempfile::tempdir().unwrap();
                let stage = stage(scratch.path(), "database/control", format, 1).await;
                let mut spec = entry(fault.name(), mode.name);
                if fault.parameters().iter().any(|parameter| parameter.name == "resealed") {
                    spec = spec.with("resealed", true);
                }
                if fault.name() == "archive-bomb" {
                    spec = spec.with("inflates_to", "64 MiB");
                }
                let what = format!("{} {} / {}", format.extension(), fault.name(), mode.name);
                let mut injection = fault::prepare(&spec).unwrap();
                if let Err(why) = injection.inject(&stage.world, Onset::Now) {
                    // Of the modes that change the text some are for gzip alone, others for archives.
                    told.push(format!("{what}: cannot be ({})", why.split(": ").next().unwrap_or_default()));
                    continue;
                }
                told.push(format!("{what}: {}", verified(&stage, format, scratch.path()).await));
                injection.heal(&stage.world);
                let healed = verified(&stage, format, scratch.path()).await;
                assert!(healed.starts_with("Passed"), "{what}: {healed}");
            }
        }
    }
    insta::assert_snapshot!(told.join("\n"));
}

/// What verifying the one backup of the first region says.
async fn verified(stage: &Stage, format: DumpFormat, scratch: &Path) -> String {
    let (site, store) = (&stage.world.sites[0], &stage.stores[0]);
    let key = |ending: &str| {
        let keys = site.region.objects().keys(&site.bucket, "convex/daily/backup-").unwrap();
        keys.into_iter().map(|object| object.key).find(|key| key.ends_with(ending)).unwrap()
    };
    let manifest = site.region.objects().read_all(&site.bucket, &key("manifest.json")).unwrap();
    let expected =
        Expected { manifest: Some(Manifest::parse(&manifest)), sha256: None, service: Some("database".into()) };
    let origin = StoredObject::new(store.clone(), key(format.extension()), "the dump");
    let options = Options { id_field: "_id".into(), allow_mixed: true };
    let (clock, lanes) = (stage.clock.clone(), stage.lanes.clone());
    let means = Means { clock, lanes, scratch: scratch.to_owned() };
    let found = verify::verify(&origin, Form::Dump(format), &expected, &options, &means).await;
    let failed = found.steps.iter().find(|step| step.status == Status::Failed);
    match (found.verdict, failed) {
        (Verdict::Failed, Some(step)) => format!("{:?}: {}", step.step, step.detail),
        (verdict, _) => format!("{verdict:?}"),
    }
}

#[test]
fn a_parameter_that_makes_no_sense_is_refused_in_words() {
    let wrong = [
        r#"{"fault":"zeroed-range","with":{"length":"0 B"}}"#,
        r#"{"fault":"rows-dropped","with":{"share":"0%"}}"#,
        r#"{"fault":"rows-dropped","with":{"share":5}}"#,
        r#"{"fault":"table-dropped","with":{"table":7}}"#,
        r#"{"fault":"empty-archive"}"#,
        r#"{"fault":"encrypted-dump","with":{"resealed":true}}"#,
        r#"{"fault":"archive-bomb","mode":"gzip","with":{"inflates_to":"1 MiB"}}"#,
        r#"{"fault":"listing-cut","with":{"keys":0}}"#,
        r#"{"fault":"replica-never-written"}"#,
        r#"{"fault":"retention-prunes-all","with":{"keeps":"forever"}}"#,
        r#"{"fault":"clock-skew","mode":"ahead"}"#,
        r#"{"fault":"clock-skew","mode":"ahead","when":{"before-backup-of-day":2},"with":{"by":"0 min"}}"#,
        r#"{"fault":"time-zone-mistaken","when":{"before-backup-of-day":2},"with":{"offset":"KST"}}"#,
        r#"{"fault":"time-zone-mistaken","when":{"before-backup-of-day":2},"with":{"offset":"+00:00"}}"#,
        r#"{"fault":"future-date","with":{"ahead":"5 min"}}"#,
    ];
    let said = wrong
        .iter()
        .map(|spec| fault::prepare(&serde_json::from_str(spec).unwrap()).err().unwrap_or_else(|| "accepted".into()));
    insta::assert_snapshot!(said.collect::<Vec<_>>().join("\n"));
}
