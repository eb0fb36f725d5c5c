//! What the integration tests share: the plan and scenarios of the repository, and playing one drill in process.

#![allow(dead_code, reason = "each test uses its part")]

use std::{path::Path, sync::Arc};

use backdraft::{
    assembly::{self, Parts, assemble_with, rigging::Rigging},
    engine::{self, Drill},
    fault::Injection,
    input::load::{load_plan, load_scenario},
    measure,
    model::{
        event::{Event, What},
        plan::Plan,
        record::{Identity, Record, Way},
        scenario::Scenario,
    },
    sim::seed::Seed,
};
use tokio::sync::watch;

pub(crate) mod browser;

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Says that a test does without a tool. Where `BACKDRAFT_REQUIRE_TOOLS` names the tool, that is a failure.
pub(crate) fn skip(tool: &str, why: &str) {
    let required = std::env::var("BACKDRAFT_REQUIRE_TOOLS").unwrap_or_default();
    assert!(!required.split(',').any(|name| name == tool), "{tool} is required, and {why}");
    eprintln!("SKIPPED: {why}");
}

/// The HookLabs plan.
pub(crate) fn plan() -> Plan {
    load_plan(root().join("fixtures/hooklabs/plan.yaml")).unwrap().value
}

/// A scenario below scenarios/ by its name.
pub(crate) fn scenario(id: &str) -> Scenario {
    load_scenario(root().join(format!("scenarios/{id}.yaml"))).unwrap().value
}

/// Names of all scenarios of the repository, in order.
pub(crate) fn all_scenarios() -> Vec<String> {
    fn below(folder: &Path, name: &str, ids: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let stem = path.file_stem().unwrap().to_string_lossy();
            let id = if name.is_empty() { stem.into_owned() } else { format!("{name}/{stem}") };
            if path.is_dir() { below(&path, &id, ids) } else { ids.push(id) }
        }
    }
    let mut ids = Vec::new();
    below(&root().join("scenarios"), "", &mut ids);
    ids.sort();
    ids
}

/// Plays a scenario to its record. `replace` puts other injections in the place of the scenario's own.
pub(crate) fn play(
    id: &str,
    plan: &Plan,
    scenario: &Scenario,
    seed: u64,
    way: Way,
    replace: Vec<Box<dyn Injection>>,
) -> Record {
    play_rigged(id, plan, scenario, seed, way, replace, &AsBuilt)
}

/// As the house rigs a drill.
pub(crate) struct AsBuilt;

impl Rigging for AsBuilt {}

/// As [`play`], rigged otherwise.
pub(crate) fn play_rigged(
    id: &str,
    plan: &Plan,
    scenario: &Scenario,
    seed: u64,
    way: Way,
    replace: Vec<Box<dyn Injection>>,
    rigging: &dyn Rigging,
) -> Record {
    let runtime = match way {
        Way::Simulated => tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build(),
        Way::Real => tokio::runtime::Builder::new_multi_thread().enable_all().build(),
    };
    let scratch = tempfile::tempdir().unwrap();
    let mut events = runtime.unwrap().block_on(async {
        let parts = Parts::of(plan, scenario, Seed(seed), way, scratch.path());
        let mut stage = assemble_with(parts, rigging).await.unwrap();
        if !replace.is_empty() {
            stage.faults = replace;
        }
        let recorder = stage.recorder.clone();
        let time_limit = assembly::time_limit(plan, scenario, way);
        let (_keep, stop) = watch::channel(false);
        let drill = Drill { plan: Arc::new(plan.clone()), scenario: Arc::new(scenario.clone()), time_limit, stop };
        engine::play(&drill, stage).await;
        recorder.events()
    });
    // As the command does: the scratch folder is the last thing to go.
    let complete = scratch.close().is_ok();
    let detail = "the scratch folder is gone, nothing listens any more".into();
    events.push(Event {
        at: None,
        since_t0: None,
        service: None,
        what: What::CleanedUp { complete, kept: false, detail },
    });
    let identity = Identity {
        storage: None,
        scenario: id.into(),
        seed,
        way,
        tool_version: env!("CARGO_PKG_VERSION").into(),
        plan_sha256: String::new(),
        scenario_sha256: String::new(),
        run_at: None,
    };
    measure::record(measure::Inputs { identity, plan: plan.clone(), scenario: scenario.clone(), events })
}
