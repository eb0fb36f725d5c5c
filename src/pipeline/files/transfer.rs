//! Moving one file from store to store while its bytes are digested: what does not have the digest that it must have never
//! arrives.

use std::sync::{Arc, Mutex, PoisonError};

use data_encoding::HEXLOWER;
use futures_util::{StreamExt, TryStreamExt, stream};
use sha2::{Digest, Sha256};

use crate::store::{ByteStream, PutOptions, Store, StoreError, StoreErrorKind};

/// How a transfer failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    /// The file could not be read.
    Read(StoreErrorKind),
    /// It is not the file that it must be.
    Other,
    /// It could not be written.
    Write(StoreErrorKind),
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Broken::Read(kind) => kind.fmt(f),
            Broken::Other => f.write_str("SHA-256 differs"),
            Broken::Write(kind) => write!(f, "cannot be written: {kind}"),
        }
    }
}

/// Writes a body under a key, provided that it has that digest.
pub(super) async fn transfer(
    body: ByteStream,
    sha256: &str,
    to: &dyn Store,
    key: &str,
    options: &PutOptions,
) -> Result<(), Broken> {
    let seen = Arc::new(Mutex::new(None));
    let guarded = guard(body, sha256.to_owned(), Arc::clone(&seen));
    to.put_with(key, guarded, options).await.map(drop).map_err(|e| {
        let broken = *seen.lock().unwrap_or_else(PoisonError::into_inner);
        broken.unwrap_or(Broken::Write(e.kind))
    })
}

/// SHA-256 of a body in hexadecimal, and its size in bytes.
pub(super) async fn digest(mut body: ByteStream) -> Result<(String, u64), StoreErrorKind> {
    let (mut sha, mut size) = (Sha256::new(), 0);
    while let Some(piece) = body.try_next().await.map_err(|e| e.kind)? {
        size += piece.len() as u64;
        sha.update(&piece);
    }
    Ok((HEXLOWER.encode(&sha.finalize()), size))
}

/// Passes a body on, and fails at its end where it is another one. How it broke is kept in `seen`.
fn guard(body: ByteStream, wanted: String, seen: Arc<Mutex<Option<Broken>>>) -> ByteStream {
    let state = (body, Sha256::new(), wanted, seen);
    let pieces = stream::try_unfold(state, |(mut body, mut sha, wanted, seen)| async move {
        let note = |broken| *seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(broken);
        match body.next().await {
            Some(Ok(piece)) => {
                sha.update(&piece);
                Ok(Some((piece, (body, sha, wanted, seen))))
            }
            Some(Err(e)) => {
                note(Broken::Read(e.kind));
                Err(e)
            }
            None if HEXLOWER.encode(&sha.finalize()) == wanted => Ok(None),
            None => {
                note(Broken::Other);
                let kind = StoreErrorKind::Corrupt;
                Err(StoreError { region: String::new(), operation: "get", key: wanted, kind })
            }
        }
    });
    pieces.boxed()
}
