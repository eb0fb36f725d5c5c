//! The control API: JSON, each route one thing that can be done to the world. docs/serve.md lists them.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Request, State as Shared},
    middleware::Next,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::StatusCode;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    Held,
    held::Refusal,
    state::{self, HealedState, State},
};
use crate::model::units::Span;

type Here = Shared<Arc<Held>>;

pub(super) fn routes(held: &Arc<Held>) -> Router {
    Router::new()
        .route("/api/state", get(state))
        .route("/api/faults", get(faults))
        .route("/api/inject", post(inject))
        .route("/api/heal", post(heal))
        .route("/api/backup", post(backup))
        .route("/api/write", post(write))
        .route("/api/provision", post(provision))
        .route("/api/clock", post(clock))
        .with_state(Arc::clone(held))
}

/// What is said where nothing is.
pub(super) async fn nothing_here() -> Response {
    Refusal::Unknown("there is nothing at this address; docs/serve.md lists what there is".into()).into_response()
}

/// Says of a body that was too long what is wrong with it, in the form of every other refusal.
pub(super) async fn too_long(request: Request, next: Next) -> Response {
    let answer = next.run(request).await;
    match answer.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            let why = format!("the body is longer than {} KiB, and no entry is", super::LONGEST_BODY >> 10);
            (StatusCode::PAYLOAD_TOO_LARGE, Json(json!({ "error": why }))).into_response()
        }
        _ => answer,
    }
}

impl Refusal {
    pub(super) const fn status(&self) -> StatusCode {
        match self {
            Refusal::Unreadable(_) => StatusCode::BAD_REQUEST,
            Refusal::Impossible(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Refusal::Unknown(_) => StatusCode::NOT_FOUND,
            Refusal::Conflict(_) => StatusCode::CONFLICT,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status(), Json(json!({ "error": self.text() }))).into_response()
    }
}

type Answer = Result<Json<Value>, Refusal>;

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|e| Refusal::Unreadable(format!("the body cannot be read: {e}")))
}

async fn state(Shared(held): Here) -> Json<State> {
    Json(held.state().await)
}

async fn faults(Shared(held): Here) -> Json<Value> {
    Json(json!({ "families": state::catalogue(&held) }))
}

/// The body is an entry as a scenario has it, or a list of them, in JSON or YAML.
async fn inject(Shared(held): Here, body: Bytes) -> Answer {
    let text = std::str::from_utf8(&body).map_err(|_| Refusal::Unreadable("the entry is not UTF-8".into()))?;
    let ids = held.inject_text(text).await?;
    let state = held.state().await;
    let new: Vec<_> = state.faults.into_iter().filter(|one| ids.contains(&one.id)).collect();
    Ok(Json(json!({ "faults": new })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Heal {
    id: Option<u64>,
    #[serde(default)]
    all: bool,
}

async fn heal(Shared(held): Here, body: Bytes) -> Answer {
    let healed = match read(&body)? {
        Heal { id: Some(id), all: false } => held.heal(id).await?,
        Heal { id: None, all: true } => held.heal_all().await,
        _ => return Err(Refusal::Unreadable("write {\"id\": 3}, or {\"all\": true}".into())),
    };
    let healed: Vec<HealedState> = healed.into_iter().map(HealedState::of).collect();
    Ok(Json(json!({ "healed": healed })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfService {
    service: String,
}

async fn backup(Shared(held): Here, body: Bytes) -> Answer {
    let OfService { service } = read(&body)?;
    Ok(Json(json!({ "backup": held.back_up(&service).await? })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Write {
    service: String,
    writes: u32,
}

async fn write(Shared(held): Here, body: Bytes) -> Answer {
    let Write { service, writes } = read(&body)?;
    held.write(&service, writes).await?;
    Ok(Json(json!({ "written": writes })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Provision {
    service: Option<String>,
}

async fn provision(Shared(held): Here, body: Bytes) -> Answer {
    let Provision { service } = read(&body)?;
    let made = held.provision(service.as_deref())?;
    Ok(Json(json!({ "service": made.service, "url": made.url, "admin_key": made.admin_key })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ahead {
    ahead: Span,
}

async fn clock(Shared(held): Here, body: Bytes) -> Answer {
    let Ahead { ahead } = read(&body)?;
    held.let_pass(ahead)?;
    Ok(Json(json!({ "now": held.clock.now() })))
}
