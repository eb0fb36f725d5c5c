//! Configuration: what its drills must find, and that nothing that leaves a drill tells a secret.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod kit;

use std::{
    collections::BTreeSet,
    io,
    sync::{Arc, Mutex, OnceLock},
};

use backdraft::{
    assembly::{self, Parts, assemble},
    emulator::World,
    engine::{self, Drill},
    environment::{parse, scan},
    input::load::load_scenario,
    measure,
    model::{
        event::{AlarmKind, What},
        outcome::{DrillResult, Outcome},
        record::{Identity, Record, Way},
        scenario::Scenario,
    },
    report,
    sim::{recorder::Listener, seed::Seed},
};
use tokio::sync::watch;

fn as_written(name: &str) -> Scenario {
    load_scenario(kit::root().join(format!("fixtures/hooklabs/as-written/{name}.yaml"))).unwrap().value
}

#[test]
fn a_forgotten_variable_is_called_wrong_though_every_step_of_the_restore_went_well() {
    let (name, why) = ("config-variable-forgotten", "35 rows where 36 should be");
    let record = kit::play(name, &kit::plan(), &as_written(name), 42, Way::Simulated, vec![]);
    assert_eq!((record.result.result, record.result.outcome), (DrillResult::Fail, Some(Outcome::SilentlyWrong)));
    assert!(record.result.reasons.iter().any(|reason| reason.contains(why)), "{name}: {:?}", record.result.reasons);
    let refused = record.events.iter().any(|event| matches!(event.what, What::Refused { .. }));
    assert!(!refused && record.faults.iter().all(|fault| fault.proof.as_ref().is_some_and(|proof| proof.bit)));
    let record = kit::play("x", &kit::plan(), &as_written("config-variable-forgotten"), 42, Way::Simulated, vec![]);
    let variables = record.services[0].checks.iter().find(|check| check.check == "variables").unwrap();
    assert_eq!(variables.detail, "missing: production/NEXT_PUBLIC_SENTRY_DSN");
}

#[test]
fn small_backups_of_configuration_make_the_plan_s_monitor_cry_wolf_and_the_report_says_so() {
    let record = kit::play("x", &kit::plan(), &kit::scenario("config/control"), 42, Way::Simulated, vec![]);
    let small: Vec<_> = record.alarms.iter().filter(|alarm| alarm.alarm.kind == AlarmKind::TooSmall).collect();
    assert!(!small.is_empty() && small.iter().all(|alarm| !alarm.alarm.justified));
    assert!(record.findings.iter().any(|finding| finding.title == "The monitor raises false alarms “too small”"));
}

#[test]
fn a_lock_that_keeps_a_leaked_secret_in_a_backup_is_no_recovery() {
    let mut scenario = kit::scenario("config/secret-commented-out");
    scenario.history.lock = serde_json::from_str(r#"{"mode":"compliance","keep":"14 days"}"#).unwrap();
    let free = kit::play("x", &kit::plan(), &kit::scenario("config/secret-commented-out"), 42, Way::Simulated, vec![]);
    assert_eq!(free.result.result, DrillResult::Pass, "{:?}", free.result.reasons);
    let locked = kit::play("x", &kit::plan(), &scenario, 42, Way::Simulated, vec![]);
    let secrets = locked.services[0].checks.iter().find(|check| check.check == "secrets").unwrap();
    assert_eq!(secrets.passed, Some(false), "{}", secrets.detail);
    assert!(secrets.detail.contains("line 3: a secret key of Clerk or Stripe"), "{}", secrets.detail);
}

/// Where the log goes.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Plays a drill, and notes every secret that the operators' store ever held.
fn play_and_note(id: &str, scenario: &Scenario, way: Way) -> (Record, BTreeSet<String>) {
    let world: Arc<OnceLock<Arc<World>>> = Arc::default();
    let secrets: Arc<Mutex<BTreeSet<String>>> = Arc::default();
    let (seen, noted) = (Arc::clone(&world), Arc::clone(&secrets));
    let listener: Listener = Arc::new(move |_| {
        let file = seen.get().and_then(|world| world.operator.secrets.file()).unwrap_or_default();
        let text = String::from_utf8(file).unwrap();
        noted.lock().unwrap().extend(parse(&text).unwrap().into_iter().map(|variable| variable.value));
    });
    let runtime = match way {
        Way::Simulated => tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build(),
        Way::Real => tokio::runtime::Builder::new_multi_thread().enable_all().build(),
    };
    let (plan, scratch) = (kit::plan(), tempfile::tempdir().unwrap());
    let events = runtime.unwrap().block_on(async {
        let scratch = scratch.path();
        let parts = Parts {
            plan: &plan,
            scenario,
            seed: Seed(42),
            way,
            scratch,
            beside: std::path::Path::new("."),
            listener: Some(listener),
            storage: None,
        };
        let stage = assemble(parts).await.unwrap();
        assert!(world.set(Arc::clone(&stage.world)).is_ok());
        let recorder = stage.recorder.clone();
        let time_limit = assembly::time_limit(&plan, scenario, way);
        let (_keep, stop) = watch::channel(false);
        let drill = Drill { plan: Arc::new(plan.clone()), scenario: Arc::new(scenario.clone()), time_limit, stop };
        engine::play(&drill, stage).await;
        recorder.events()
    });
    let identity = Identity {
        storage: None,
        scenario: id.into(),
        seed: 42,
        way,
        tool_version: String::new(),
        plan_sha256: String::new(),
        scenario_sha256: String::new(),
        run_at: None,
    };
    let record = measure::record(measure::Inputs { identity, plan, scenario: scenario.clone(), events });
    let secrets = secrets.lock().unwrap().clone();
    (record, secrets)
}

#[test]
fn no_record_report_or_log_tells_a_secret_whatever_goes_wrong() {
    let log = Log::default();
    let writer = log.clone();
    let to_log = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone());
    // Whoever was first in this process has the log; alone in it, that is this test.
    let logging = to_log.try_init().is_ok();
    let drills = kit::all_scenarios().into_iter().filter(|id| id.starts_with("config/"));
    let mut drills: Vec<_> = drills.map(|id| (kit::scenario(&id), id)).collect();
    drills.push((as_written("config-variable-forgotten"), "forgotten".into()));
    let mut all_secrets = BTreeSet::new();
    for (scenario, id) in drills {
        // A simulated drill of each, and a real one where something leaks: real stores log what they send.
        let ways: &[Way] = if id.contains("leaked") { &[Way::Simulated, Way::Real] } else { &[Way::Simulated] };
        for way in ways {
            let (record, secrets) = play_and_note(&id, &scenario, *way);
            assert!(secrets.len() >= 4, "{id}: the secrets were seen");
            let mut texts = vec![serde_json::to_string(&record).unwrap()];
            let records = [record];
            texts.extend(
                report::CATALOGUE
                    .iter()
                    .map(|format| format.render(&report::Run::of(&records), &report::Options::default())),
            );
            for (text, secret) in texts.iter().flat_map(|text| secrets.iter().map(move |secret| (text, secret))) {
                assert!(!text.contains(secret.as_str()), "{id}: a secret is told");
            }
            assert!(
                texts.iter().all(|text| scan(text).is_empty()),
                "{id}: {:?}",
                texts.iter().map(|t| scan(t)).collect::<Vec<_>>()
            );
            all_secrets.extend(secrets);
        }
    }
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(!logging || !log.is_empty());
    assert!(all_secrets.iter().all(|secret| !log.contains(secret.as_str())), "a secret is in the log");
}
