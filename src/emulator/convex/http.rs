//! The routes of a deployment, as the command line tool and the streaming export call them.

use std::{os::unix::fs::FileExt, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Path, Query, RawQuery, Request, State, WebSocketUpgrade},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use futures_util::{Stream, StreamExt, stream};
use http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{Deployment, condition::Cut, error::ApiError, exports::Finished, imports, provision, streaming, sync};
use crate::emulator::link::{Intent, Shut, StatusFault};

/// How much of an upload is written at once, in bytes.
const PIECE: usize = 1 << 20;

/// How long what was sent has to leave before a connection breaks.
pub(super) const FLUSH: Duration = Duration::from_millis(50);

type Here = State<Arc<Deployment>>;

/// All routes.
pub(super) fn router(deployment: &Arc<Deployment>) -> Router {
    let for_keys = Router::new()
        .route("/api/export/request/zip", post(request_export))
        .route("/api/export/zip/{start}", get(download))
        .route("/api/query", post(query))
        .route("/api/function", post(query))
        .route("/api/import/start_upload", post(start_upload))
        .route("/api/import/upload_part", post(upload_part))
        .route("/api/import/finish_upload", post(finish_upload))
        .route("/api/perform_import", post(perform_import))
        .route("/api/list_snapshot", get(list_snapshot).post(list_snapshot))
        .route("/api/document_deltas", get(document_deltas).post(document_deltas))
        .layer(middleware::from_fn_with_state(Arc::clone(deployment), check_key));
    let for_all = Router::new()
        .route("/api/{version}/sync", get(connect))
        .route("/api/deployment/url_for_key", post(provision::url_for_key))
        .route("/api/deployment/team_and_project_for_key", post(provision::team_and_project_for_key))
        .route("/version", get(|| async { "unknown" }));
    for_keys
        .merge(for_all)
        .fallback(|| async { ApiError::not_found("NotFound", "the emulated deployment has no such route") })
        .layer(middleware::from_fn_with_state(Arc::clone(deployment), pass_link))
        .with_state(Arc::clone(deployment))
}

impl Deployment {
    /// Whether a key opens it.
    pub(super) fn accepts(&self, key: &str) -> bool {
        let right = key == self.admin_key();
        right && self.state().accepts()
    }
}

/// The way to the deployment comes first.
async fn pass_link(State(deployment): Here, request: Request, next: Next) -> Response {
    // Most routes are asked by POST: what they are for says whether they change anything.
    let changes = ["/api/import/", "/api/perform_import"].iter().any(|route| request.uri().path().starts_with(route));
    match deployment.link().enter(if changes { Intent::Write } else { Intent::Read }).await {
        Ok(()) => next.run(request).await,
        Err(Shut::Refused | Shut::Nameless | Shut::Reset) => {
            ApiError::new(StatusCode::BAD_GATEWAY, "Down", "the deployment is down").into_response()
        }
        Err(Shut::Rejected(fault)) => rejection(fault).into_response(),
    }
}

fn rejection(fault: StatusFault) -> ApiError {
    match fault {
        StatusFault::SlowDown503 => {
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "ExpiredInQueue", "Too many requests. Try again later.")
        }
        StatusFault::Denied403 => {
            ApiError::new(StatusCode::FORBIDDEN, "Forbidden", "You do not have permission to perform this operation.")
        }
        StatusFault::Expired400 => {
            ApiError::new(StatusCode::UNAUTHORIZED, "AuthHeaderInvalid", "The access token has expired.")
        }
        StatusFault::NotAllowed405 => {
            ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", "The deployment can only be read.")
        }
        StatusFault::Internal500 => ApiError::internal("Your request couldn't be completed. Try again later."),
    }
}

async fn check_key(State(deployment): Here, request: Request, next: Next) -> Response {
    let key = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    match key.and_then(|value| value.strip_prefix("Convex ")) {
        Some(key) if deployment.accepts(key) => next.run(request).await,
        _ => ApiError::bad_admin_key().into_response(),
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    let unreadable = |error| ApiError::bad_request("BadJsonBody", format!("the request cannot be read: {error}"));
    serde_json::from_slice(body).map_err(unreadable)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExportQuery {
    #[serde(default)]
    include_storage: bool,
}

async fn request_export(State(deployment): Here, Query(query): Query<ExportQuery>) -> Result<(), ApiError> {
    deployment.request_export(query.include_storage)
}

async fn download(State(deployment): Here, Path(start): Path<String>) -> Result<Response, ApiError> {
    let no_timestamp = |_| ApiError::bad_request("InvalidTimestamp", "a download is named by its timestamp");
    let start: i64 = start.parse().map_err(no_timestamp)?;
    let export = deployment.finished_export(start)?;
    let mut headers = HeaderMap::new();
    let name = format!("attachment; filename=snapshot_{}_{start}.zip", deployment.name());
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/zip"));
    headers.extend(name.try_into().ok().map(|name| (header::CONTENT_DISPOSITION, name)));
    let cut = deployment.condition().download_cut;
    if cut.is_none_or(|cut| cut.length_told) {
        headers.insert(header::CONTENT_LENGTH, export.bytes.into());
    }
    Ok((headers, Body::from_stream(pieces(deployment, export, cut))).into_response())
}

/// The bytes of an export, as far as the link and the deployment's condition let them through.
fn pieces(
    deployment: Arc<Deployment>,
    export: Finished,
    cut: Option<Cut>,
) -> impl Stream<Item = Result<Bytes, String>> {
    let end = cut.map_or(export.bytes, |cut| cut.after.of(export.bytes));
    stream::try_unfold((deployment, export, 0), move |(deployment, export, at)| async move {
        if at == end {
            let Some(cut) = cut else { return Ok(None) };
            deployment.strike(|struck| struck.downloads_cut += 1);
            if !cut.length_told {
                return Ok(None);
            }
            // What was sent before is to arrive.
            deployment.clock.sleep(FLUSH).await;
            return Err("the download is cut".into());
        }
        let length = (end - at).min(deployment.link().piece() as u64);
        let file = Arc::clone(&export.file);
        let read = deployment.lanes.run(move || {
            let mut piece = vec![0; length as usize];
            file.read_exact_at(&mut piece, at).map(|()| piece)
        });
        let piece = read.await.map_err(|error| error.to_string())?;
        deployment.link().carry(length).await.map_err(|shut| shut.to_string())?;
        Ok(Some((Bytes::from(piece), (deployment, export, at + length))))
    })
}

#[derive(Deserialize)]
struct Call {
    path: String,
    #[serde(default)]
    args: Value,
}

/// Calls a function; its arguments are an object, or a list with one.
async fn query(State(deployment): Here, body: Bytes) -> Result<Json<Value>, ApiError> {
    let Call { path, args } = read(&body)?;
    let args = match args {
        Value::Array(args) => args.into_iter().next().unwrap_or_default(),
        args => args,
    };
    Ok(Json(match deployment.call(&path, &args).await {
        Ok(value) => json!({ "status": "success", "value": value, "logLines": [] }),
        Err(why) => json!({ "status": "error", "errorMessage": why, "logLines": [] }),
    }))
}

async fn start_upload(State(deployment): Here) -> Result<Json<Value>, ApiError> {
    Ok(Json(json!({ "uploadToken": deployment.start_upload()? })))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartQuery {
    upload_token: String,
    part_number: u32,
}

async fn upload_part(
    State(deployment): Here,
    Query(query): Query<PartQuery>,
    request: Request,
) -> Result<Json<Value>, ApiError> {
    let upload = deployment.upload(&query.upload_token, query.part_number)?;
    let mut parts = upload.lock_owned().await;
    let start = parts.end();
    let mut body = request.into_body().into_data_stream();
    let mut held = Vec::new();
    let mut ended = false;
    while !ended {
        match body.next().await.transpose().map_err(|error| ApiError::bad_request("BrokenUpload", error.to_string()))? {
            Some(piece) => {
                let carried = deployment.link().carry_in(piece.len() as u64).await;
                carried.map_err(ApiError::internal)?;
                held.extend_from_slice(&piece);
            }
            None => ended = true,
        }
        if ended || held.len() >= PIECE {
            let piece = std::mem::take(&mut held);
            let written = deployment.lanes.run(move || parts.append(&piece).map(|()| parts));
            parts = written.await.map_err(ApiError::internal)?;
        }
    }
    parts.keep(query.part_number, start);
    Ok(Json(json!("")))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FinishRequest {
    import: imports::Request,
    upload_token: String,
}

async fn finish_upload(State(deployment): Here, body: Bytes) -> Result<Json<Value>, ApiError> {
    let FinishRequest { import, upload_token } = read(&body)?;
    Ok(Json(json!({ "importId": deployment.finish_upload(&upload_token, import)? })))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PerformRequest {
    import_id: String,
}

async fn perform_import(State(deployment): Here, body: Bytes) -> Result<(), ApiError> {
    let PerformRequest { import_id } = read(&body)?;
    deployment.perform_import(&import_id)
}

/// What a GET has in its query and a POST in its body.
fn read_either<T: DeserializeOwned + Default>(query: Option<&str>, body: &[u8]) -> Result<T, ApiError> {
    match (body, query) {
        ([], None) => Ok(T::default()),
        ([], Some(query)) => {
            let uri = format!("/?{query}").parse().map_err(|_| ApiError::bad_request("BadQuery", "no query"))?;
            let read = Query::<T>::try_from_uri(&uri).map(|Query(read)| read);
            read.map_err(|error| ApiError::bad_request("BadQuery", error.to_string()))
        }
        (body, _) => read(body),
    }
}

async fn list_snapshot(State(deployment): Here, RawQuery(query): RawQuery, body: Bytes) -> Result<Response, ApiError> {
    let request: streaming::SnapshotRequest = read_either(query.as_deref(), &body)?;
    deployment.list_snapshot(request).await
}

async fn document_deltas(
    State(deployment): Here,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Result<Response, ApiError> {
    let request: streaming::DeltasRequest = read_either(query.as_deref(), &body)?;
    deployment.document_deltas(request).await
}

async fn connect(State(deployment): Here, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(move |socket| sync::serve(socket, deployment))
}
