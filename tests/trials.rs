//! Every fault on what is backed up, on what is there and on how old it is, tried on the reference pipeline in simulated
//! time: it bites, and the pipeline comes out of it well. Some of these faults can only bite in a whole drill.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::{collections::BTreeMap, path::Path};

use backdraft::{
    archive::{Form, Manifest},
    assembly::{Parts, assemble},
    engine::Stage,
    fault::{self, Fault, Ground, Onset, Trial},
    model::{
        event::{AlarmKind, What},
        family::Family,
        outcome::Outcome,
        plan::{DumpFormat, Plan, ServiceKind},
        record::{Record, Way},
        scenario::{FaultSpec, Moment, Scenario},
        units::ByteSize,
    },
    sim::seed::Seed,
    verify::{self, Expected, Means, Options, Status, StoredObject, Verdict},
};

mod kit;

/// The drill that every trial changes, by kind of service.
const HOMES: [(ServiceKind, &str); 3] = [
    (ServiceKind::Database, "database/control"),
    (ServiceKind::Files, "files/control"),
    (ServiceKind::Config, "config/control"),
];

fn scenario_of(home: &str, days: u32, trial: Trial) -> Scenario {
    let mut scenario = kit::scenario(home);
    let Trial { faults, stream, target_time, format } = trial;
    scenario.faults = faults;
    scenario.history.days = days;
    scenario.history.size = ByteSize(1 << 20);
    scenario.history.stream = stream;
    scenario.history.format = format;
    scenario.disaster.at = format!("day {days} 15:00").parse().unwrap();
    scenario.disaster.target_time = target_time;
    scenario
}

/// One mode of a fault, on one kind of service.
struct Case {
    fault: &'static dyn Fault,
    mode: &'static str,
    kind: ServiceKind,
    home: &'static str,
}

impl Case {
    fn name(&self) -> String {
        format!("{} {} / {}", self.home, self.fault.name(), self.mode)
    }

    fn play(&self, plan: &Plan, way: Way) -> Record {
        let replicas: Vec<String> = plan.regions.iter().skip(1).map(|region| region.name.clone()).collect();
        let ground = Ground { primary: &plan.regions[0].name, replicas: &replicas, kind: self.kind };
        let scenario = scenario_of(self.home, ground.days(), self.fault.trial(self.mode, &ground));
        kit::play(&self.name(), plan, &scenario, 7, way, Vec::new())
    }
}

/// Faults of the families that this test is for, with the kinds of services that they are for.
fn ours() -> impl Iterator<Item = Case> {
    let families = [Family::Artefact, Family::Presence, Family::Age];
    let faults = fault::all().filter(move |fault| families.contains(&fault::family_of(fault.name()).unwrap()));
    let modes = faults.flat_map(|fault| fault.modes().iter().map(move |mode| (fault, mode.name)));
    modes.flat_map(|(fault, mode)| {
        let homes = HOMES.iter().filter(move |(kind, _)| fault.is_for(*kind) && fault.mode_is_for(mode, *kind));
        homes.map(move |(kind, home)| Case { fault, mode, kind: *kind, home })
    })
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

/// What became of a trial, in one line.
fn told(record: &Record) -> String {
    let mut alarms: BTreeMap<&str, usize> = BTreeMap::new();
    for alarm in record.alarms.iter().filter(|alarm| alarm.alarm.justified) {
        *alarms.entry(alarm.alarm.kind.words()).or_default() += 1;
    }
    let alarms: Vec<String> = alarms.into_iter().map(|(kind, count)| format!("{kind} ×{count}")).collect();
    let chosen = record.services[0].restore.chosen.as_ref();
    let from = chosen.map_or_else(String::new, |claim| format!(" {} from {}", claim.point, claim.region));
    let outcome = record.result.outcome.map_or("none", Outcome::words);
    format!("{outcome}{from} · {}", alarms.join(", "))
}

#[test]
#[ignore = "prints every trial; TRIAL=name plays one fault, WAY=real plays it for real"]
fn all_trials_are_shown() {
    let plan = kit::plan();
    let (only, real) = (std::env::var("TRIAL").ok(), std::env::var("WAY").is_ok_and(|way| way == "real"));
    let way = if real { Way::Real } else { Way::Simulated };
    for case in ours().filter(|case| only.as_deref().is_none_or(|name| name == case.fault.name())) {
        let record = case.play(&plan, way);
        println!("{}: {}", case.name(), told(&record));
        if let Some(wrong) = wrong(&record) {
            println!("    WRONG: {wrong}");
        }
        for tried in &record.services[0].restore.refused {
            println!("    {} {} {:?}: {}", tried.point, tried.region, tried.phase, tried.why);
        }
    }
}

#[test]
fn each_of_these_bites_in_a_drill_and_the_pipeline_comes_out_of_it_well() {
    // Those that only a drill can show, and those that the pipeline had to be mended for.
    let names = ["clock-skew", "time-zone-mistaken", "future-date", "manifest-altered", "delete-marker", "listing-cut"];
    let plan = kit::plan();
    let mut missed = Vec::new();
    for case in ours().filter(|case| names.contains(&case.fault.name())) {
        let record = case.play(&plan, Way::Simulated);
        missed.extend(wrong(&record).map(|why| format!("{}: {why}", case.name())));
        let expected = match case.fault.name() {
            "clock-skew" | "time-zone-mistaken" | "future-date" => AlarmKind::ClockSkew,
            "manifest-altered" => AlarmKind::Contradicted,
            _ => AlarmKind::Missing,
        };
        if alarms(&record, expected) == 0 {
            missed.push(format!("{}: no alarm `{}`", case.name(), expected.words()));
        }
        // A clock that is weeks ahead takes every backup for expired.
        if record.events.iter().any(|event| matches!(event.what, What::Pruned { .. }))
            && case.kind != ServiceKind::Config
        {
            missed.push(format!("{}: something was pruned, and nothing is old enough", case.name()));
        }
        let last = if case.kind == ServiceKind::Config { 8 } else { 4 };
        if record.services[0].restore.chosen_day != Some(last) {
            missed.push(format!("{}: restored day {:?}", case.name(), record.services[0].restore.chosen_day));
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
    let parts = Parts { plan: &plan, scenario: &scenario, seed: Seed(7), way: Way::Simulated, scratch, listener: None };
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
