//! Alerts: told once while an alarm stands, told when it ends, tried again where that helps, and never lost in silence.

use std::{fs, time::Duration};

use backdraft::{
    model::{plan::AlertForm, record::Way},
    monitor::webhook::{Persistence, Sender, Webhook},
    sim::clock::{self, Clock},
};
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{method, path},
};

use crate::rig::{PLAN, Rig, last_due};
use backdraft::model::plan::DumpFormat;

const SECRET: &str = "/services/T0/B0/s3cr3t-t0ken";

fn hasty() -> Persistence {
    Persistence { attempts: 3, attempt_ms: 300, backoff_ms: 10 }
}

fn sender() -> Sender {
    Sender::new(&Clock::new(Way::Real, clock::wall_now()), hasty()).unwrap()
}

/// What a webhook answers and how often, how sending ends, and how many tries there are.
type Case<'c> = (&'c [(ResponseTemplate, u64)], Result<(), &'c str>, usize);

async fn server(answers: &[(ResponseTemplate, u64)]) -> MockServer {
    let server = MockServer::start().await;
    for (answer, times) in answers {
        let mock = Mock::given(method("POST")).and(path(SECRET)).respond_with(answer.clone());
        mock.up_to_n_times(*times).mount(&server).await;
    }
    server
}

fn hook(server: &MockServer) -> Webhook {
    Webhook::new(&format!("{}{SECRET}", server.uri()), AlertForm::Json).unwrap()
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_what_will_not_is_not() {
    let status = ResponseTemplate::new;
    let slow = status(200).set_delay(Duration::from_secs(2));
    let cases: [Case<'_>; 6] = [
        (&[(status(200), 9)], Ok(()), 1),
        (&[(status(500), 1), (status(429).insert_header("retry-after", "0"), 1), (status(200), 9)], Ok(()), 3),
        (&[(status(500), 9)], Err("answered 500 (3 tries)"), 3),
        (&[(status(404), 9)], Err("answered 404 (1 try)"), 1),
        (&[(status(302).insert_header("location", "http://127.0.0.1:1/"), 9)], Err("answered 302 (1 try)"), 1),
        (&[(slow, 9)], Err("no answer in 300ms (3 tries)"), 3),
    ];
    for (answers, end, tries) in cases {
        let server = server(answers).await;
        let sent = sender().send(&hook(&server), &json!({"a": 1})).await;
        assert_eq!(sent, end.map_err(str::to_owned));
        assert_eq!(server.received_requests().await.unwrap().len(), tries, "{end:?}");
    }
}

#[tokio::test]
async fn a_webhook_that_is_down_or_speaks_no_tls_is_said_to_be_so_without_its_address() {
    let server = MockServer::start().await;
    let port = server.address().port();
    let wrong_protocol = Webhook::new(&format!("https://127.0.0.1:{port}{SECRET}"), AlertForm::Slack).unwrap();
    let down = Webhook::new(&format!("http://127.0.0.1:1{SECRET}?key=s3cr3t"), AlertForm::Slack).unwrap();
    for webhook in [wrong_protocol, down] {
        let lost = sender().send(&webhook, &json!({})).await.unwrap_err();
        assert_eq!(lost, "no connection (3 tries)");
        for told in [format!("{webhook}"), format!("{webhook:?}"), webhook.id(), webhook.host().to_owned()] {
            assert!(!told.contains("s3cr3t"), "{told}");
        }
    }
    for bad in ["s3cr3t", "ftp://host/s3cr3t", "https://"] {
        assert!(!Webhook::new(bad, AlertForm::Json).unwrap_err().contains("s3cr3t"));
    }
}

/// What a webhook was told, each as its JSON.
fn told(rig: &Rig, server: &MockServer) -> Vec<Value> {
    let requests = rig.runtime.block_on(server.received_requests()).unwrap();
    requests.iter().map(|request| serde_json::from_slice(&request.body).unwrap()).collect()
}

#[test]
fn an_alarm_is_told_once_while_it_stands_and_so_is_its_end() {
    let rig = Rig::new(2, DumpFormat::JsonlGz);
    let json = rig.runtime.block_on(server(&[(ResponseTemplate::new(200), 99)]));
    let slack = rig.runtime.block_on(server(&[(ResponseTemplate::new(200), 99)]));
    let state = rig.bench.path("state.json").display().to_string();
    let plan = PLAN.replace("\nresponse:", "\nalerts: [{ url_env: BACKUP_SLACK, form: slack }]\nresponse:");
    let look = |code: i32| {
        let (address, prometheus) = (format!("{}{SECRET}", json.uri()), rig.bench.path("backdraft.prom"));
        let prometheus = prometheus.display().to_string();
        let verb = ["monitor", "--webhook", &address, "--state", &state, "--prometheus", &prometheus];
        let mut command = rig.command(&verb, &plan);
        let ended = rig.bench.ended(&command.env("BACKUP_SLACK", format!("{}{SECRET}", slack.uri())).output().unwrap());
        assert_eq!((ended.code, ended.err.as_str()), (Some(code), ""), "{}", ended.out);
        let said = [ended.out, fs::read_to_string(&prometheus).unwrap(), fs::read_to_string(&state).unwrap()];
        said.iter().for_each(|text| assert!(!text.contains("s3cr3t"), "{text}"));
        said
    };
    look(0);
    let newest = rig.newest_dump(1);
    let kept = rig.bytes(1, &newest);
    rig.remove(1, &newest);
    look(1);
    let [_, figures, _] = look(1);
    for line in [
        "backdraft_backup_ok{service=\"database\",region=\"us-east-1\"} 1",
        "backdraft_backup_ok{service=\"database\",region=\"eu-west-1\"} 0",
        "backdraft_backup_alarm{service=\"database\",region=\"eu-west-1\",kind=\"replica_behind\"} 1",
        "backdraft_alerts_sent_total{webhook=\"1\",host=\"127.0.0.1\"} 1",
        "backdraft_alerts_lost_total{webhook=\"2\",host=\"127.0.0.1\"} 0",
    ] {
        assert!(figures.lines().any(|found| found == line), "{line} is not in\n{figures}");
    }
    // The replica catches up.
    rig.regions[1]
        .objects()
        .restore_key(
            "backup-eu-west-1",
            &newest,
            &rig.regions[0].objects().key_state("backup-us-east-1", &newest).unwrap(),
        )
        .unwrap();
    assert_eq!(rig.bytes(1, &newest), kept);
    look(0);
    look(0);
    let news = told(&rig, &json);
    assert_eq!(news.len(), 2, "{news:#?}");
    let about = json!([{"service": "database", "region": "eu-west-1", "kind": "replica-behind"}]);
    let named = |list: &Value| {
        let alarm = &list[0];
        json!([{"service": alarm["service"], "region": alarm["region"], "kind": alarm["kind"]}])
    };
    assert_eq!((&news[0]["format"], named(&news[0]["alarms"])), (&json!("backdraft.alert/1"), about.clone()));
    assert_eq!((news[0]["recovered"].clone(), news[1]["alarms"].clone()), (json!([]), json!([])));
    assert_eq!(named(&news[1]["recovered"]), about);
    let texts: Vec<String> = told(&rig, &slack).iter().map(|one| one["text"].as_str().unwrap().to_owned()).collect();
    assert!(
        texts[0].starts_with(
            "Backups of HookLabs Elite: 1 alarm\n:rotating_light: *database* in eu-west-1: replica behind (has"
        ),
        "{texts:?}"
    );
    assert!(
        texts[1].starts_with(
            "Backups of HookLabs Elite: recovered\n:white_check_mark: *database* in eu-west-1: no longer replica behind"
        ),
        "{texts:?}"
    );
}

#[test]
fn a_lost_alert_is_a_finding_that_fails_the_look_and_is_told_again() {
    let rig = Rig::new(1, DumpFormat::JsonlGz);
    // Down for the first look (a redirect is not followed and not tried again), there for the second.
    let server = rig.runtime.block_on(server(&[(ResponseTemplate::new(410), 1), (ResponseTemplate::new(200), 9)]));
    let state = rig.bench.path("state.json").display().to_string();
    let prometheus = rig.bench.path("backdraft.prom").display().to_string();
    let (address, newest) = (format!("{}{SECRET}", server.uri()), rig.newest_dump(2));
    rig.remove(2, &newest);
    let verb = ["monitor", "--slack-webhook", &address, "--state", &state, "--prometheus", &prometheus];
    let first = rig.run(&verb, PLAN);
    assert_eq!(first.code, Some(1));
    let lost = "LOST   alert to http://127.0.0.1/…: answered 410 (1 try); it would have told of 1 change\n";
    assert!(first.out.ends_with(lost), "{}", first.out);
    let figures = fs::read_to_string(&prometheus).unwrap();
    assert!(figures.contains("\nbackdraft_alerts_lost_total{webhook=\"1\",host=\"127.0.0.1\"} 1\n"), "{figures}");
    assert!(!rig.run(&verb, PLAN).out.contains("LOST"));
    assert!(!rig.run(&verb, PLAN).out.contains("LOST"));
    assert_eq!(told(&rig, &server).len(), 2, "told again once, and then known");
}

#[test]
fn a_region_that_falls_silent_ends_no_alarm() {
    let rig = Rig::new(2, DumpFormat::JsonlGz);
    let server = rig.runtime.block_on(server(&[(ResponseTemplate::new(200), 9)]));
    let state = rig.bench.path("state.json").display().to_string();
    let (address, newest) = (format!("{}{SECRET}", server.uri()), rig.newest_dump(1));
    let look = || rig.run(&["monitor", "--webhook", &address, "--state", &state], PLAN).code;
    rig.remove(1, &newest);
    assert_eq!(look(), Some(1));
    // Without the primary nobody can say that the replica is behind; it still is.
    rig.regions[0]
        .link()
        .set(backdraft::emulator::link::LinkState::Status(backdraft::emulator::link::StatusFault::Denied403));
    assert_eq!(look(), Some(1));
    let news = told(&rig, &server);
    assert_eq!(news.len(), 2);
    assert_eq!((&news[1]["alarms"][0]["kind"], &news[1]["recovered"]), (&json!("unreachable"), &json!([])));
}

#[test]
fn no_secret_reaches_a_webhook_a_file_or_a_sheet_whoever_named_things_by_it() {
    let rig = Rig::new(1, DumpFormat::JsonlGz);
    let core = "4KQ9ZTW2BX7MRV1L";
    let secret = ["AK", "IA", core].concat();
    let plan = PLAN.replace("HookLabs Elite", &format!("HookLabs {secret}"));
    let watches = "min_size: 10 KiB, watches: [missing, too-old, replica-behind] }";
    let plan = plan.replace("min_size: 10 KiB }", watches);
    // The newest backup of the primary is called by a key, and no replica has it.
    let sound = rig.bytes(0, &rig.newest_dump(0));
    (0..3).for_each(|region| rig.keys(region).iter().for_each(|key| rig.remove(region, key)));
    rig.put(0, &format!("convex/daily/dump {secret}.jsonl.gz"), &sound, last_due());
    let server = rig.runtime.block_on(server(&[(ResponseTemplate::new(200), 99)]));
    let address = format!("{}{SECRET}", server.uri());
    let (state, prometheus) = (rig.bench.path("out/state.json"), rig.bench.path("out/backdraft.prom"));
    fs::create_dir(rig.bench.path("out")).unwrap();
    let (state, prometheus) = (state.display().to_string(), prometheus.display().to_string());
    // Another address is another webhook.
    let slack = format!("{address}?slack");
    let told_to = ["--webhook", &address, "--slack-webhook", &slack];
    let monitor = [&["monitor", "--json", "--state", &state, "--prometheus", &prometheus][..], &told_to].concat();
    let file = rig.bench.file(&format!("{secret}.jsonl.gz"), sound);
    let said = [
        rig.run(&monitor, &plan),
        rig.run(&["checklist", "daily", "--out", "{out}/sheets"], &plan),
        rig.bench.run(&["verify", &file, "--json"]),
    ];
    for (ended, code) in said.iter().zip([1, 1, 0]) {
        assert_eq!(ended.code, Some(code), "{}{}", ended.out, ended.err);
        assert!(!ended.out.contains(core) && !ended.err.contains(core), "{}{}", ended.out, ended.err);
    }
    for json in [&said[0].out, &said[2].out] {
        serde_json::from_str::<Value>(json).unwrap_or_else(|e| panic!("{e}: {json}"));
    }
    let news = told(&rig, &server);
    assert_eq!(news.len(), 2);
    let mark = "[REDACTED: an AWS access key]";
    let mut written: Vec<(String, String)> = news.iter().map(|one| ("webhook".into(), one.to_string())).collect();
    assert!(written.iter().all(|(_, body)| body.matches(mark).count() > 1), "platform and name: {written:#?}");
    written.extend(rig.bench.written());
    assert!(written.len() >= 6, "{written:#?}");
    for (name, text) in written {
        assert!(!text.contains(core), "{name}: {text}");
    }
}
