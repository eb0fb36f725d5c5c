//! A file as users get it, written as a row: path, status and digest of what was answered.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What was answered at a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Row {
    /// Path, as it was asked for.
    pub(super) path: String,
    /// HTTP status.
    pub(super) status: u16,
    /// Length of the body in bytes.
    pub(super) bytes: u64,
    /// SHA-256 of the body, in hex.
    pub(super) sha256: String,
}

impl Row {
    /// The row of an answer.
    pub(super) fn of(path: &str, status: u16, body: &[u8]) -> Self {
        Row { path: path.to_owned(), status, bytes: body.len() as u64, sha256: digest(body) }
    }

    /// As a JSON line.
    pub(super) fn line(&self) -> String {
        serde_json::to_string(self).map_or_else(|_| String::new(), |line| line + "\n")
    }
}

/// SHA-256 in hex.
pub(super) fn digest(body: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(body))
}
