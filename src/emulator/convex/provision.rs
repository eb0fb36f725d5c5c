//! What the platform's own host says of a deploy key: where its deployment is, and whose. Each deployment answers for
//! its own key, so that its address serves as `CONVEX_PROVISION_HOST`.

use std::sync::Arc;

use axum::{Json, body::Bytes, extract::State};
use http::{HeaderMap, header};
use serde_json::{Value, json};

use super::{Deployment, error::ApiError};

/// The team and the project that every emulated deployment belongs to.
const TEAM: &str = "hooklabs";
const PROJECT: &str = "elite";

/// The address at which a key's deployment is reached: the one that was asked.
pub(super) async fn url_for_key(
    State(deployment): State<Arc<Deployment>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, ApiError> {
    check(&deployment, &headers, &body)?;
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.ok_or_else(|| ApiError::bad_request("NoHost", "a request names its host"))?;
    Ok(Json(json!(format!("http://{host}"))))
}

/// Whose it is.
pub(super) async fn team_and_project_for_key(
    State(deployment): State<Arc<Deployment>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, ApiError> {
    check(&deployment, &headers, &body)?;
    Ok(Json(json!({
        "team": TEAM, "project": PROJECT, "teamId": 1, "projectId": 1, "reference": null, "isDefault": true,
    })))
}

/// The key stands in the body, and again as a bearer's.
fn check(deployment: &Deployment, headers: &HeaderMap, body: &[u8]) -> Result<(), ApiError> {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = bearer.and_then(|value| value.strip_prefix("Bearer "));
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    match body.get("deployKey").and_then(Value::as_str).or(bearer) {
        Some(key) if deployment.accepts(key) => Ok(()),
        _ => Err(ApiError::bad_admin_key()),
    }
}
