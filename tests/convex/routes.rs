//! Exports, the streaming export, keys, and what goes wrong with them.

use std::{collections::BTreeMap, time::Duration};

use backdraft::emulator::{
    convex::{
        condition::{Condition, Cut},
        values,
    },
    link::{LinkState, StatusFault},
};
use backdraft::model::units::Percent;
use backdraft::service::contract::{Platform, Service};
use jiff::ToSpan;
use reqwest::Method;
use serde_json::{Value, json};

use super::world::{Api, World};

const ROUTES: [(&str, &str); 9] = [
    ("POST", "/api/export/request/zip?includeStorage=false"),
    ("GET", "/api/export/zip/1"),
    ("POST", "/api/query"),
    ("POST", "/api/function"),
    ("POST", "/api/import/start_upload"),
    ("POST", "/api/import/finish_upload"),
    ("POST", "/api/perform_import"),
    ("GET", "/api/list_snapshot"),
    ("POST", "/api/document_deltas"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_refuses_a_wrong_key_and_all_keys_while_they_are_rejected() {
    let world = World::new().await;
    let api = world.source_api();
    for (method, path) in ROUTES {
        let answer = api.with_key("wrong", method.parse::<Method>().unwrap(), path, vec![]).await;
        assert_eq!(answer.status(), 401, "{path}");
        let told: Value = answer.json().await.unwrap();
        assert_eq!(told["code"], "BadAdminKey", "{path}");
    }
    assert_eq!(api.get("/api/list_snapshot").await.status(), 200);
    let deployment = world.source_deployment();
    deployment.set_condition(Condition { rejects_keys: true, ..Condition::default() });
    assert_eq!(api.get("/api/list_snapshot").await.status(), 401);
    assert_eq!(deployment.struck().keys_rejected, 1, "a wrong key does not count");
    deployment.set_condition(Condition::default());
    assert_eq!(api.get("/api/list_snapshot").await.status(), 200);
    world.hosted.shutdown().await;
}

/// Exports, and downloads what came of it.
async fn export(api: &Api, world: &World) -> reqwest::Response {
    api.post("/api/export/request/zip?includeStorage=true", json!({})).await.error_for_status().unwrap();
    let state = api.until("_system/cli/exports:getLatest", json!({}), &["completed", "failed"], &world.clock).await;
    assert_eq!(state["state"], "completed");
    let mut stored = Vec::new();
    values::store(state["start_ts"].to_string().as_bytes(), &mut stored).unwrap();
    api.get(&format!("/api/export/zip/{}", String::from_utf8(stored).unwrap())).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_is_an_archive_of_what_the_source_holds_in_the_order_of_a_snapshot() {
    let world = World::new().await;
    let answer = export(&world.source_api(), &world).await;
    let name = answer.headers()["content-disposition"].to_str().unwrap().to_owned();
    assert!(name.starts_with("attachment; filename=snapshot_hooklabs-production_17"), "{name}");
    let length: usize = answer.headers()["content-length"].to_str().unwrap().parse().unwrap();
    let bytes = answer.bytes().await.unwrap();
    assert_eq!(bytes.len(), length);
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let names: Vec<String> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
    assert_eq!(names[..2], ["README.md", "_tables/documents.jsonl"]);
    assert_eq!(names[2..4], ["auditLogs/documents.jsonl", "auditLogs/generated_schema.jsonl"], "small to large");
    assert_eq!(names.last().unwrap(), "_storage/documents.jsonl");
    for (table, rows) in world.source().await {
        let file = archive.by_name(&format!("{table}/documents.jsonl")).unwrap();
        assert_eq!(std::io::read_to_string(file).unwrap().lines().collect::<Vec<_>>(), rows, "{table}");
    }
    let missing = world.source_api().get("/api/export/zip/17").await;
    assert_eq!(missing.status(), 404);
    assert_eq!(missing.json::<Value>().await.unwrap()["code"], "ExportNotFound");
    world.hosted.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stuck_export_keeps_others_out_until_it_is_released() {
    let world = World::new().await;
    let (api, deployment) = (world.source_api(), world.source_deployment());
    deployment.set_condition(Condition { export_stuck: true, ..Condition::default() });
    api.post("/api/export/request/zip", json!({})).await.error_for_status().unwrap();
    let again = api.post("/api/export/request/zip", json!({})).await;
    assert_eq!(again.status(), 400);
    assert_eq!(again.json::<Value>().await.unwrap()["code"], "ExportInProgress");
    assert_eq!(deployment.struck().exports_stuck, 1);
    deployment.set_condition(Condition::default());
    assert_eq!(api.query("_system/cli/exports:getLatest", json!({})).await["state"], "failed");
    export(&api, &world).await.error_for_status().unwrap();
    world.hosted.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_that_fails_says_so_and_so_does_a_page() {
    let world = World::new().await;
    let (api, deployment) = (world.source_api(), world.source_deployment());
    deployment.set_condition(Condition { export_fails: true, ..Condition::default() });
    api.post("/api/export/request/zip", json!({})).await.error_for_status().unwrap();
    api.until("_system/cli/exports:getLatest", json!({}), &["failed"], &world.clock).await;
    assert_eq!(api.get("/api/list_snapshot").await.status(), 500);
    assert_eq!(deployment.struck().exports_failed, 2);
    deployment.set_condition(Condition::default());
    export(&api, &world).await.error_for_status().unwrap();
    world.hosted.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_download_breaks_where_its_length_was_told_and_looks_whole_where_not() {
    let world = World::new().await;
    let (api, deployment) = (world.source_api(), world.source_deployment());
    let whole = export(&api, &world).await.bytes().await.unwrap();
    let cut = |length_told| {
        let download_cut = Some(Cut { after: Percent(40), length_told });
        deployment.set_condition(Condition { download_cut, ..Condition::default() });
    };
    cut(true);
    assert!(export(&api, &world).await.bytes().await.is_err());
    cut(false);
    let answer = export(&api, &world).await;
    assert!(!answer.headers().contains_key("content-length"));
    assert_eq!(answer.bytes().await.unwrap(), whole[..whole.len() * 40 / 100]);
    assert_eq!(deployment.struck().downloads_cut, 2);

    let page = async || api.get("/api/list_snapshot").await.bytes().await;
    assert!(serde_json::from_slice::<Value>(&page().await.unwrap()).is_err(), "a page that ends too soon is no JSON");
    cut(true);
    assert!(page().await.is_err());
    assert_eq!(deployment.struck().downloads_cut, 4);
    world.hosted.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deployment_that_is_down_refuses_connections_and_one_in_trouble_says_so() {
    let world = World::new().await;
    let deployment = world.source_deployment();
    let source = world.hosted.source();
    deployment.link().set(LinkState::Status(StatusFault::Internal500));
    let told = source.export().await.err().unwrap().to_string();
    assert!(told.contains("500") && told.contains("InternalServerError"), "{told}");
    deployment.link().set(LinkState::Refused);
    let broke = source.export().await.err().unwrap().to_string();
    assert!(
        broke.starts_with("the deployment refuses") || broke == "the connection to the deployment broke",
        "{broke}"
    );
    assert!(deployment.link().counters().refused > 0, "whoever was refused is counted");
    deployment.link().set(LinkState::Up);
    let back = async {
        loop {
            match source.export().await {
                Ok(export) => break export.position,
                Err(_) => world.clock.sleep(Duration::from_millis(10)).await, // the port opens again
            }
        }
    };
    let position = world.clock.limit(Duration::from_secs(20), back).await.unwrap();
    assert_eq!(position, world.database.ledger().last());
    world.database.lose().await.unwrap();
    assert_eq!(source.export().await.err().unwrap().to_string(), "the source is lost");
    world.hosted.shutdown().await;
}

/// Reads a snapshot page by page: by id, each document with its table; and the timestamp.
async fn snapshot(api: &Api, between: impl AsyncFn()) -> (i64, BTreeMap<String, (String, Value)>) {
    let (mut found, mut timestamp, mut cursor) = (BTreeMap::new(), None, Value::Null);
    loop {
        let asked = json!({ "snapshot": timestamp, "cursor": cursor, "format": "convex_encoded_json" });
        let page = api.json("/api/list_snapshot", asked).await;
        let values = page["values"].as_array().unwrap();
        assert!(values.len() <= 1024);
        take(&mut found, values);
        timestamp = page["snapshot"].as_i64();
        cursor = page["cursor"].clone();
        between().await;
        if page["hasMore"] == false {
            return (timestamp.unwrap(), found);
        }
    }
}

fn take(found: &mut BTreeMap<String, (String, Value)>, values: &[Value]) {
    for value in values {
        let mut value = value.clone();
        let fields = value.as_object_mut().unwrap();
        let id = fields["_id"].as_str().unwrap().to_owned();
        let table = fields.shift_remove("_table").unwrap().as_str().unwrap().to_owned();
        fields.shift_remove("_ts").unwrap();
        match fields.get("_deleted") {
            Some(_) => _ = found.remove(&id),
            None => _ = found.insert(id, (table, value)),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_stands_while_writes_go_on_and_the_changes_lead_to_the_newest() {
    let world = World::new().await;
    let api = world.source_api();
    let before = world.source().await;
    let later = world.clock.now() + 2.hours();
    let writes = async || world.database.write(later, 40).await.unwrap();
    let (timestamp, mut found) = snapshot(&api, writes).await;
    assert_eq!(found.len(), before.values().map(Vec::len).sum::<usize>());
    let first: Value = serde_json::from_str(&before["users"][0]).unwrap();
    let (table, shown) = &found[first["_id"].as_str().unwrap()];
    assert_eq!(table, "users");
    let mut stored = Vec::new();
    values::store(shown.to_string().as_bytes(), &mut stored).unwrap();
    assert_eq!(String::from_utf8(stored).unwrap(), before["users"][0]);

    let (mut cursor, mut pages) = (timestamp, 0);
    loop {
        let path = format!("/api/document_deltas?cursor={cursor}&format=convex_encoded_json");
        let page: Value = api.get(&path).await.json().await.unwrap();
        let values = page["values"].as_array().unwrap();
        assert!(values.len() <= 128);
        take(&mut found, values);
        cursor = page["cursor"].as_i64().unwrap();
        pages += 1;
        if page["hasMore"] == false {
            break;
        }
    }
    assert!(pages > 1, "more than one page of changes");
    let (newest, expected) = snapshot(&api, async || {}).await;
    assert_eq!((cursor, found.len()), (newest, expected.len()));
    assert!(found == expected, "the changes lead to the newest state");
    let clean: Value = api.get("/api/list_snapshot?tableName=users").await.json().await.unwrap();
    assert!(clean["values"][0]["revision"].is_string(), "integers are text for tools that know none of 64 bits");
    let bad = api.get("/api/list_snapshot?snapshot=5").await;
    assert_eq!(
        (bad.status().as_u16(), bad.json::<Value>().await.unwrap()["code"].as_str()),
        (400, Some("SnapshotTooOld"))
    );
    world.hosted.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pipelines_changes_over_http_are_those_of_the_source() {
    let world = World::new().await;
    let since = world.database.ledger().last();
    world.database.write(world.clock.now() + 3.hours(), 400).await.unwrap();
    let [remote, local] = [world.hosted.source(), world.database.source()];
    let mut found = Vec::new();
    for source in [remote, local] {
        let changes = source.changes(since).await.unwrap();
        let mut lines = BTreeMap::new();
        let mut rows = changes.rows;
        while let Some(chunk) = futures_util::StreamExt::next(&mut rows).await {
            let chunk = chunk.unwrap();
            for line in String::from_utf8(chunk.lines.to_vec()).unwrap().lines() {
                let id = serde_json::from_str::<Value>(line).unwrap()["_id"].to_string();
                assert_eq!(lines.insert(id, (chunk.table.clone(), line.to_owned())), None, "a line a row");
            }
        }
        found.push((changes.from, changes.to, lines));
    }
    assert_eq!(found[0], found[1]);
    world.hosted.shutdown().await;
}
