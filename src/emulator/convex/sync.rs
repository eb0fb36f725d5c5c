//! The sync protocol: a client subscribes to functions over a WebSocket, and hears of their new values. One version of
//! its queries follows the other without a gap, or the client gives up.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::extract::ws::{Message, WebSocket};
use data_encoding::BASE64;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Deployment;

/// How often a client hears that the connection stands.
const PING: Duration = Duration::from_secs(15);

/// What a client says.
#[derive(Debug, Deserialize)]
#[serde(tag = "type")]
enum Said {
    Connect,
    #[serde(rename_all = "camelCase")]
    Authenticate {
        base_version: u64,
        token_type: String,
        value: Option<String>,
    },
    #[serde(rename_all = "camelCase")]
    ModifyQuerySet {
        new_version: u64,
        modifications: Vec<Modification>,
    },
    #[serde(rename_all = "camelCase")]
    Mutation {
        request_id: u64,
    },
    #[serde(rename_all = "camelCase")]
    Action {
        request_id: u64,
    },
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type")]
enum Modification {
    #[serde(rename_all = "camelCase")]
    Add {
        query_id: u64,
        udf_path: String,
        #[serde(default)]
        args: Vec<Value>,
    },
    #[serde(rename_all = "camelCase")]
    Remove { query_id: u64 },
}

/// Why a session ends.
struct Over;

/// One client.
struct Session {
    socket: WebSocket,
    deployment: Arc<Deployment>,
    queries: BTreeMap<u64, Query>,
    version: Version,
    is_admin: bool,
}

/// A subscribed function.
struct Query {
    path: String,
    args: Value,
    /// What was sent last.
    shown: Option<Result<Value, String>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Version {
    query_set: u64,
    identity: u64,
    moment: u64,
}

/// Serves a client until it leaves, or the deployment goes down.
pub(super) async fn serve(socket: WebSocket, deployment: Arc<Deployment>) {
    let (link, closing) = (Arc::clone(deployment.link()), Arc::clone(&deployment));
    let session =
        Session { socket, deployment, queries: BTreeMap::new(), version: Version::default(), is_admin: false };
    tokio::select! {
        biased;
        () = closing.closes() => {}
        () = link.until_refused(true) => {}
        _ = session.run() => {}
    }
}

impl Session {
    async fn run(mut self) -> Result<(), Over> {
        let mut happened = self.deployment.happened.subscribe();
        let clock = self.deployment.clock.clone();
        loop {
            tokio::select! {
                message = self.socket.recv() => match message {
                    Some(Ok(Message::Text(text))) => self.hear(&text).await?,
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(Over),
                    Some(Ok(_)) => {}
                },
                changed = happened.changed() => {
                    changed.map_err(|_| Over)?;
                    self.refresh().await?;
                }
                () = clock.sleep(PING) => self.say(json!({ "type": "Ping" })).await?,
            }
        }
    }

    async fn hear(&mut self, text: &str) -> Result<(), Over> {
        let said = match serde_json::from_str(text) {
            Ok(said) => said,
            Err(error) => {
                self.say(json!({ "type": "FatalError", "error": format!("not understood: {error}") })).await?;
                return Err(Over);
            }
        };
        match said {
            Said::Connect | Said::Other => Ok(()),
            Said::Authenticate { base_version, token_type, value } => {
                let key = value.as_deref().filter(|_| token_type == "Admin");
                if !key.is_some_and(|key| self.deployment.accepts(key)) {
                    let error = "The provided admin key was invalid for this instance";
                    let answer = json!({
                        "type": "AuthError", "error": error, "baseVersion": base_version, "authUpdateAttempted": true,
                    });
                    self.say(answer).await?;
                    return Err(Over);
                }
                self.is_admin = true;
                self.transition(base_version + 1, self.version.query_set, Vec::new()).await
            }
            Said::ModifyQuerySet { new_version, modifications } => self.modify(new_version, modifications).await,
            Said::Mutation { request_id } => self.decline("MutationResponse", request_id).await,
            Said::Action { request_id } => self.decline("ActionResponse", request_id).await,
        }
    }

    async fn decline(&mut self, kind: &str, request: u64) -> Result<(), Over> {
        let result = "the emulated deployment has no mutations and no actions";
        let answer = json!({ "type": kind, "requestId": request, "success": false, "result": result, "logLines": [] });
        self.say(answer).await
    }

    async fn modify(&mut self, new_version: u64, modifications: Vec<Modification>) -> Result<(), Over> {
        let mut told = Vec::new();
        for modification in modifications {
            match modification {
                Modification::Add { query_id, udf_path, args } => {
                    let args = args.into_iter().next().unwrap_or_default();
                    self.queries.insert(query_id, Query { path: udf_path, args, shown: None });
                }
                Modification::Remove { query_id } => {
                    self.queries.remove(&query_id);
                    told.push(json!({ "type": "QueryRemoved", "queryId": query_id }));
                }
            }
        }
        let told = self.changed(told).await;
        self.transition(self.version.identity, new_version, told).await
    }

    /// Tells what changed, if anything did.
    async fn refresh(&mut self) -> Result<(), Over> {
        match self.changed(Vec::new()).await {
            told if told.is_empty() => Ok(()),
            told => self.transition(self.version.identity, self.version.query_set, told).await,
        }
    }

    /// The queries whose value is another than was sent.
    async fn changed(&mut self, mut told: Vec<Value>) -> Vec<Value> {
        for (id, query) in &mut self.queries {
            let value = match self.is_admin {
                true => self.deployment.call(&query.path, &query.args).await,
                false => Err("an admin key is needed".into()),
            };
            if query.shown.as_ref() == Some(&value) {
                continue;
            }
            told.push(match &value {
                Ok(value) => {
                    json!({ "type": "QueryUpdated", "queryId": id, "value": value, "logLines": [], "journal": null })
                }
                Err(why) => {
                    json!({ "type": "QueryFailed", "queryId": id, "errorMessage": why, "logLines": [], "journal": null })
                }
            });
            query.shown = Some(value);
        }
        told
    }

    async fn transition(&mut self, identity: u64, query_set: u64, modifications: Vec<Value>) -> Result<(), Over> {
        let start = self.version.shown();
        self.version = Version { query_set, identity, moment: self.version.moment + 1 };
        let end = self.version.shown();
        let answer = json!({
            "type": "Transition", "startVersion": start, "endVersion": end, "modifications": modifications,
        });
        self.say(answer).await
    }

    async fn say(&mut self, message: Value) -> Result<(), Over> {
        self.socket.send(Message::Text(message.to_string().into())).await.map_err(|_| Over)
    }
}

impl Version {
    fn shown(self) -> Value {
        let moment = BASE64.encode(&self.moment.to_le_bytes());
        json!({ "querySet": self.query_set, "identity": self.identity, "ts": moment })
    }
}
