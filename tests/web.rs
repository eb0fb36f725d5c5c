//! The web application: what the emulated provider keeps to over HTTP and in process, and that no runbook, however
//! careless, is believed.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod kit;

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use backdraft::{
    assembly::{self, Parts, assemble},
    emulator::hosting::{Hosting, face::Server},
    engine::{self, Drill, Stage},
    measure,
    model::{
        event::{BackupMade, Claim, Event, Position, What},
        outcome::Outcome,
        record::{Identity, Record, Way},
        scenario::Scenario,
        units::Span,
    },
    pipeline::{BackupError, Pipeline, RestoreEnd},
    provider::{Change, Provider, ProviderErrorKind, Wire, direct::DirectWire, http::HttpWire},
    sim::{clock::Clock, seed::Seed},
};
use tokio::sync::watch;

const TOKEN: &str = "emulated-hosting-only";

fn hosting(way: Way) -> (Arc<Hosting>, Clock) {
    let clock = Clock::new(way, "2026-11-01T00:00:00Z".parse().unwrap());
    (Arc::new(Hosting::new("web", TOKEN, Span::minutes(5), Span::hours(7 * 24), &clock)), clock)
}

fn commit(hosting: &Hosting, text: &'static str) -> String {
    hosting.repository().commit(vec![Change { path: "/".into(), content: Some(text.into()) }])
}

fn direct(hosting: &Arc<Hosting>, clock: &Clock) -> Provider {
    Provider::new(Arc::new(DirectWire::new(Arc::clone(hosting), clock)), TOKEN, hosting.domain())
}

/// What a rollback does, step by step, as users and the management API show it.
async fn rollback_story(hosting: &Hosting, provider: &Provider, wrong_token: &Provider) -> Vec<String> {
    let mut said = Vec::new();
    let (one, two) = (commit(hosting, "one"), commit(hosting, "two"));
    let first = provider.deploy("web", &one, true).await.unwrap();
    provider.deploy("web", &two, true).await.unwrap();
    let home = || async { String::from_utf8_lossy(&provider.get("/").await.unwrap().body).into_owned() };
    said.push(format!("deployed: users get {}", home().await));
    let after = provider.rollback("web", &first.id).await.unwrap();
    said.push(format!("rolled back: users get {}, new ones go live: {}", home().await, after.auto_promote));
    let three = commit(hosting, "three");
    let third = provider.deploy("web", &three, true).await.unwrap();
    said.push(format!("deployed after a rollback: users get {}", home().await));
    let preview = provider.get_at(&third.address, "/").await.unwrap();
    said.push(format!("its own address shows {}", String::from_utf8_lossy(&preview.body)));
    let after = provider.promote("web", &third.id).await.unwrap();
    said.push(format!("promoted: users get {}, new ones go live: {}", home().await, after.auto_promote));
    let failed = [
        wrong_token.project("web").await.unwrap_err(),
        provider.project("elsewhere").await.unwrap_err(),
        provider.rollback("web", "dpl_9999").await.unwrap_err(),
        provider.deploy("web", "no such commit", true).await.unwrap_err(),
        provider.create_project("No Name").await.unwrap_err(),
        provider.create_project("web").await.unwrap_err(),
    ];
    said.extend(failed.map(|error| format!("{:?}: {error}", error.kind)));
    let order: Vec<String> = provider.deployments("web").await.unwrap().into_iter().map(|one| one.id).collect();
    said.push(order.join(", "));
    said
}

#[tokio::test]
async fn over_http_and_in_process_the_provider_is_the_same_and_a_rollback_holds_until_a_promotion() {
    let (there, clock) = hosting(Way::Real);
    let server = Server::start(Arc::clone(&there)).await.unwrap();
    let wire: Arc<dyn Wire> = Arc::new(HttpWire::new(server.address()).unwrap());
    let client = |token| Provider::new(Arc::clone(&wire), token, there.domain());
    let over_http = rollback_story(&there, &client(TOKEN), &client("guessed")).await;
    let (here, _) = hosting(Way::Real);
    let wrong = Provider::new(Arc::new(DirectWire::new(Arc::clone(&here), &clock)), "guessed", here.domain());
    let in_process = rollback_story(&here, &direct(&here, &clock), &wrong).await;
    assert_eq!(over_http, in_process);
    insta::assert_snapshot!(over_http.join("\n"));
    server.shutdown().await;
    let gone = client(TOKEN).project("web").await.unwrap_err();
    assert_eq!(gone.kind, ProviderErrorKind::Unavailable, "nobody listens any more");
}

#[tokio::test(start_paused = true)]
async fn resolvers_hold_an_old_record_for_the_whole_of_its_time_to_live() {
    let (hosting, clock) = hosting(Way::Simulated);
    let provider = direct(&hosting, &clock);
    let made = provider.create_project("web-2").await.unwrap();
    let old = provider.resolve().await.unwrap().0;
    provider.point(&made.address).await.unwrap();
    clock.assume(Span::minutes(4));
    assert_eq!(provider.resolve().await.unwrap(), (old, Span::minutes(1)));
    clock.assume(Span::minutes(1));
    assert_eq!(provider.resolve().await.unwrap().0, made.address);
}

#[tokio::test(start_paused = true)]
async fn what_the_provider_kept_long_enough_is_gone_and_production_never_is() {
    let (hosting, clock) = hosting(Way::Simulated);
    let provider = direct(&hosting, &clock);
    let (one, two) = (commit(&hosting, "one"), commit(&hosting, "two"));
    let first = provider.deploy("web", &one, true).await.unwrap();
    let second = provider.deploy("web", &two, true).await.unwrap();
    provider.rollback("web", &first.id).await.unwrap();
    clock.assume(Span::hours(8 * 24));
    let third = provider.deploy("web", &two, true).await.unwrap();
    let left: Vec<String> = provider.deployments("web").await.unwrap().into_iter().map(|one| one.id).collect();
    assert_eq!(left, [third.id, first.id], "{} was kept for 7 days", second.id);
}

/// Runbooks that people have written.
#[derive(Debug, Clone, Copy)]
enum Careless {
    /// Asks the health check, and goes back to bed.
    BelievesHealth,
    /// Goes back to the first deployment that there is, and calls it the last.
    AnyRollback,
    /// Rolls back, and never looks at DNS.
    ForgetsDns,
}

struct Runbook {
    how: Careless,
    hosting: Arc<Hosting>,
    provider: Provider,
}

#[async_trait]
impl Pipeline for Runbook {
    async fn backup(&self, _: u32) -> Result<BackupMade, BackupError> {
        Err(BackupError("none".into()))
    }

    async fn restore(&self) -> RestoreEnd {
        let newest = self.hosting.repository().releases().remove(0);
        let deployments = self.provider.deployments("web").await.unwrap();
        let target = match self.how {
            Careless::BelievesHealth => None,
            Careless::AnyRollback => deployments.last(),
            Careless::ForgetsDns => deployments.iter().find(|one| one.commit == newest.commit),
        };
        match target {
            Some(target) => drop(self.provider.rollback("web", &target.id).await.unwrap()),
            None => assert_eq!(self.provider.get("/api/health").await.unwrap().status, 200),
        }
        let position = Position { seq: newest.number, committed_at: newest.at };
        RestoreEnd::Restored(Claim { point: "latest".into(), region: "web".into(), position })
    }
}

async fn play(scenario: &Scenario, how: Careless) -> Record {
    let (plan, scratch) = (kit::plan(), tempfile::tempdir().unwrap());
    let (seed, way) = (Seed(42), Way::Simulated);
    let parts = Parts::of(&plan, scenario, seed, way, scratch.path());
    let mut stage: Stage = assemble(parts).await.unwrap();
    let hosting = Arc::clone(&stage.world.hosting["web"]);
    let provider = direct(&hosting, &stage.clock);
    stage.services[0].pipeline = Arc::new(Runbook { how, hosting, provider });
    let recorder = stage.recorder.clone();
    let (_keep, stop) = watch::channel(false);
    let time_limit = assembly::time_limit(&plan, scenario, way);
    let drill = Drill { plan: Arc::new(plan.clone()), scenario: Arc::new(scenario.clone()), time_limit, stop };
    engine::play(&drill, stage).await;
    let mut events = recorder.events();
    let what = What::CleanedUp { complete: true, kept: false, detail: "gone".into() };
    events.push(Event { at: None, since_t0: None, service: None, what });
    let identity = Identity {
        storage: None,
        scenario: "careless".into(),
        seed: 42,
        way,
        tool_version: String::new(),
        plan_sha256: String::new(),
        scenario_sha256: String::new(),
        run_at: None,
    };
    measure::record(measure::Inputs { identity, plan, scenario: scenario.clone(), events })
}

#[tokio::test(start_paused = true)]
async fn a_careless_runbook_is_found_out_whatever_the_health_check_says() {
    let stories = [
        ("level-1/bad-deploy-wrong-content", Careless::BelievesHealth),
        ("level-1/health-check-lies", Careless::BelievesHealth),
        ("level-1/bad-deploy-rollback", Careless::AnyRollback),
        ("level-1/dns-still-old", Careless::ForgetsDns),
    ];
    for (id, how) in stories {
        let record = play(&kit::scenario(id), how).await;
        assert_eq!(record.result.outcome, Some(Outcome::SilentlyWrong), "{id}, {how:?}: {:?}", record.result.reasons);
        let health = record.services[0].checks.iter().find(|check| check.check == "health").unwrap();
        assert!(health.detail.starts_with("/api/health says ok, and lies: "), "{id}, {how:?}: {}", health.detail);
    }
}

/// Every combination of what can go wrong at the provider, one mode of each fault or none.
fn combinations() -> Vec<Vec<String>> {
    let choices: [(&str, &[&str]); 6] = [
        ("bad-deploy", &["broken-build", "wrong-content", "half-rolled-out"]),
        ("rollback-target-gone", &["deployment-deleted", "all-expired", "commit-lost", "all-lost"]),
        ("hosting-api-down", &["unavailable", "rate-limited\",\"with\":{\"lasts\":\"9 min\"},\"x\":\""]),
        (
            "api-outage",
            &["endpoint-moved", "upstream-down", "upstream-down\",\"with\":{\"lasts\":\"12 min\"},\"x\":\""],
        ),
        ("dns-stale", &["old-home"]),
        ("lying-health-check", &["always-ok"]),
    ];
    choices.into_iter().fold(vec![vec![]], |all, (fault, modes)| {
        let with = |rest: &Vec<String>, mode: &&str| {
            let entry = format!("{{\"fault\":\"{fault}\",\"mode\":\"{mode}\",\"when\":\"at-disaster\"}}");
            [rest.clone(), vec![entry.replace(",\"x\":\"\"", "")]].concat()
        };
        let more = all.iter().flat_map(|rest| modes.iter().map(move |mode| with(rest, mode)));
        let more: Vec<_> = more.collect();
        all.into_iter().chain(more).collect()
    })
}

#[test]
fn whatever_goes_wrong_together_nothing_is_called_back_that_users_do_not_get() {
    let (plan, mut scenario) = (kit::plan(), kit::scenario("level-1/web-control"));
    scenario.history.size = "64 KiB".parse().unwrap();
    scenario.history.days = 1;
    scenario.disaster.at.day = 1;
    let mut seen = BTreeSet::new();
    for faults in combinations() {
        scenario.faults = faults.iter().map(|entry| serde_json::from_str(entry).unwrap()).collect();
        let record = kit::play("together", &plan, &scenario, 1, Way::Simulated, vec![]);
        let claimed = record.events.iter().any(|event| matches!(event.what, What::Restored(_)));
        let confirmed = record.services[0].comparison.as_ref().is_some_and(|found| found.as_claimed);
        assert!(!claimed || confirmed, "{faults:?}: {:?}", record.services[0].comparison);
        let outcome = record.result.outcome;
        assert!(outcome.is_some_and(|outcome| outcome != Outcome::SilentlyWrong), "{faults:?}: {outcome:?}");
        seen.extend(outcome.map(|outcome| outcome.words()));
    }
    assert_eq!(
        seen.into_iter().collect::<Vec<_>>(),
        ["recovered", "recovered behind", "recovered late", "refused loudly"]
    );
}
