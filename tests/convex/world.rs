//! A database on deployments, with a client that speaks their API by hand.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use backdraft::{
    emulator::{convex::Deployment, targets::Targets},
    model::{record::Way, units::ByteSize},
    service::{
        contract::{Platform, Service, Target, View},
        database::{
            Database,
            hosted::{Address, Hosted},
        },
    },
    sim::{clock::Clock, lanes::Lanes, seed::Seed},
};
use futures_util::StreamExt;
use jiff::{Timestamp, ToSpan};
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

/// Documents by table, as they are stored.
pub(crate) type Tables = BTreeMap<String, Vec<String>>;

pub(crate) struct World {
    pub(crate) database: Arc<Database>,
    pub(crate) hosted: Hosted,
    pub(crate) clock: Clock,
    pub(crate) scratch: tempfile::TempDir,
}

impl World {
    pub(crate) async fn new() -> World {
        let start: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
        let clock = Clock::new(Way::Real, start);
        let scratch = tempfile::tempdir().unwrap();
        let database = Database::seed(ByteSize(1 << 20), Seed(7), start, scratch.path(), &Lanes::new(&clock)).unwrap();
        let database = Arc::new(database);
        database.write(start + 1.hour(), 300).await.unwrap();
        let hosted = Hosted::start(Arc::clone(&database), &Targets::new(&clock), &clock, scratch.path()).unwrap();
        World { database, hosted, clock, scratch }
    }

    /// The source's documents, read in process.
    pub(crate) async fn source(&self) -> Tables {
        let source = self.database.source();
        gather(source.export().await.unwrap().contents).await
    }

    pub(crate) fn source_api(&self) -> Api {
        Api::new(self.hosted.source_address())
    }

    pub(crate) fn source_deployment(&self) -> Arc<Deployment> {
        self.hosted.deployments().remove(0)
    }

    /// A new deployment.
    pub(crate) fn fresh(&self) -> Fresh {
        let (target, address) = self.hosted.provision_at().unwrap();
        let deployment = self.hosted.deployments().pop().unwrap();
        Fresh { api: Api::new(&address), address, target, deployment }
    }
}

/// A deployment to import into.
pub(crate) struct Fresh {
    pub(crate) api: Api,
    pub(crate) address: Address,
    pub(crate) target: Arc<dyn Target>,
    pub(crate) deployment: Arc<Deployment>,
}

impl Fresh {
    /// What it holds.
    pub(crate) async fn tables(&self) -> Tables {
        let view: Arc<dyn View> = Arc::clone(&self.target) as _;
        gather(view.read_back().await.unwrap()).await
    }
}

pub(crate) async fn gather(contents: backdraft::service::contract::Contents) -> Tables {
    let mut found: Tables = contents.tables.iter().map(|table| (table.to_string(), vec![])).collect();
    let mut rows = contents.rows;
    while let Some(chunk) = rows.next().await {
        let chunk = chunk.unwrap();
        let text = String::from_utf8(chunk.lines.to_vec()).unwrap();
        found.get_mut(&*chunk.table).unwrap().extend(text.lines().map(str::to_owned));
    }
    found
}

/// The API by hand.
#[derive(Clone)]
pub(crate) struct Api {
    client: Client,
    address: Address,
}

impl Api {
    pub(crate) fn new(address: &Address) -> Api {
        let _ = rustls::crypto::ring::default_provider().install_default();
        Api { client: Client::builder().no_proxy().build().unwrap(), address: address.clone() }
    }

    pub(crate) async fn with_key(&self, key: &str, method: Method, path: &str, body: Vec<u8>) -> Response {
        let url = format!("{}{path}", self.address.url);
        let asked = self.client.request(method, url).header("authorization", format!("Convex {key}"));
        asked.header("content-type", "application/json").body(body).send().await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.with_key(&self.address.key, Method::GET, path, vec![]).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Response {
        self.post_bytes(path, body.to_string().into_bytes()).await
    }

    pub(crate) async fn post_bytes(&self, path: &str, body: Vec<u8>) -> Response {
        self.with_key(&self.address.key, Method::POST, path, body).await
    }

    pub(crate) async fn json(&self, path: &str, body: Value) -> Value {
        let answer = self.post(path, body).await;
        assert!(answer.status().is_success(), "{path}: {} {}", answer.status(), answer.text().await.unwrap());
        let text = answer.text().await.unwrap();
        if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() }
    }

    pub(crate) async fn query(&self, path: &str, args: Value) -> Value {
        self.json("/api/query", json!({ "path": path, "args": [args] })).await["value"].take()
    }

    /// Asks until the answer's state is one of these.
    pub(crate) async fn until(&self, path: &str, args: Value, states: &[&str], clock: &Clock) -> Value {
        for _ in 0..2_000 {
            let value = self.query(path, args.clone()).await;
            let state = if value["state"].is_object() { value["state"].clone() } else { value };
            if states.contains(&state["state"].as_str().unwrap()) {
                return state;
            }
            clock.sleep(Duration::from_millis(5)).await;
        }
        panic!("{path} never was {states:?}");
    }

    /// Imports and confirms; the last state.
    pub(crate) async fn import(
        &self,
        mode: &str,
        format: &str,
        table: Option<&str>,
        bytes: &[u8],
        clock: &Clock,
    ) -> Value {
        let asked = self.ask_import(mode, format, table, bytes, clock).await;
        let (id, state) = asked;
        if state["state"] == "failed" {
            return state;
        }
        self.json("/api/perform_import", json!({ "importId": id })).await;
        self.until("_system/cli/queryImport", json!({ "importId": id }), &["completed", "failed"], clock).await
    }

    /// Uploads in two parts, the second one first; the id, and the state that waits for a confirmation.
    pub(crate) async fn ask_import(
        &self,
        mode: &str,
        format: &str,
        table: Option<&str>,
        bytes: &[u8],
        clock: &Clock,
    ) -> (String, Value) {
        let token = self.json("/api/import/start_upload", json!({})).await["uploadToken"].as_str().unwrap().to_owned();
        let half = bytes.len() / 2;
        for (number, part) in [(2, &bytes[half..]), (1, &bytes[..half])] {
            let path = format!("/api/import/upload_part?uploadToken={token}&partNumber={number}");
            assert!(self.post_bytes(&path, part.to_vec()).await.status().is_success());
        }
        let mut import = json!({ "mode": mode, "format": format });
        if let Some(table) = table {
            import["tableName"] = table.into();
        }
        let finish = json!({ "import": import, "uploadToken": token, "partTokens": ["", ""] });
        let id = self.json("/api/import/finish_upload", finish).await["importId"].as_str().unwrap().to_owned();
        let asked = json!({ "importId": id });
        let state = self.until("_system/cli/queryImport", asked, &["waiting_for_confirmation", "failed"], clock).await;
        (id, state)
    }
}

/// A snapshot archive with these files.
pub(crate) fn zip(files: &[(&str, &str)]) -> Vec<u8> {
    use std::io::Write;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in files {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}
