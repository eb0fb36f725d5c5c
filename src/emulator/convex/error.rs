//! Errors as a deployment answers them: a status, a code and a message.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::StatusCode;

use crate::service::contract::ServiceError;

/// What went wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl ApiError {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        ApiError { status, code, message: message.into() }
    }

    pub(super) fn bad_request(code: &'static str, message: impl Into<String>) -> Self {
        ApiError::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub(super) fn not_found(code: &'static str, message: impl Into<String>) -> Self {
        ApiError::new(StatusCode::NOT_FOUND, code, message)
    }

    pub(super) fn bad_admin_key() -> Self {
        let message = "The provided admin key was invalid for this instance";
        ApiError::new(StatusCode::UNAUTHORIZED, "BadAdminKey", message)
    }

    /// The deployment's own disk or store fails.
    pub(super) fn internal(why: impl std::fmt::Display) -> Self {
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", why.to_string())
    }
}

impl From<ServiceError> for ApiError {
    fn from(error: ServiceError) -> Self {
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", error.0)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = Json(serde_json::json!({ "code": self.code, "message": self.message }));
        (self.status, body).into_response()
    }
}
