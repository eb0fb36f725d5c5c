//! Where a backup lies: a file of this machine, or an object of a region.

use std::{io, path::PathBuf};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use data_encoding::HEXLOWER;
use futures_util::{
    StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use sha2::{Digest, Sha256};
use tokio::{fs::File, io::AsyncReadExt};

use crate::{
    archive::InputError,
    store::{SharedStore, StoreErrorKind},
};

/// How much of a file is read at once, in bytes.
const PIECE: usize = 256 << 10;

/// A backup that can be read.
#[async_trait]
pub trait Origin: Send + Sync {
    /// As people name it.
    fn name(&self) -> &str;

    /// Opens it for one reading.
    async fn open(&self) -> Result<Opened, OpenError>;
}

/// A backup as it is read.
pub struct Opened {
    /// Its size.
    pub bytes: u64,
    /// Its bytes.
    pub body: BoxStream<'static, Result<Bytes, InputError>>,
}

/// Why a backup was not opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenError {
    /// It is not there.
    Missing(String),
    /// Whether it is there could not be found out.
    Unreadable(String),
}

impl OpenError {
    /// In words.
    pub fn words(&self) -> &str {
        let (OpenError::Missing(why) | OpenError::Unreadable(why)) = self;
        why
    }
}

/// A file of this machine.
#[derive(Debug, Clone)]
pub struct LocalFile {
    path: PathBuf,
    name: String,
}

impl LocalFile {
    /// The file at that path.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        LocalFile { name: path.display().to_string(), path }
    }
}

#[async_trait]
impl Origin for LocalFile {
    fn name(&self) -> &str {
        &self.name
    }

    async fn open(&self) -> Result<Opened, OpenError> {
        let missing = |e: io::Error| match e.kind() {
            io::ErrorKind::NotFound => OpenError::Missing("there is no such file".into()),
            _ => OpenError::Unreadable(format!("the file cannot be read: {e}")),
        };
        // Looked at before it is opened: opening a pipe would wait for a writer.
        let meta = tokio::fs::metadata(&self.path).await.map_err(missing)?;
        if !meta.is_file() {
            return Err(OpenError::Unreadable("this is no file".into()));
        }
        let file = File::open(&self.path).await.map_err(missing)?;
        let pieces = stream::try_unfold(file, |mut file| async move {
            let mut piece = BytesMut::with_capacity(PIECE);
            let read = file.read_buf(&mut piece).await.map_err(|e| InputError(e.to_string()))?;
            Ok((read > 0).then(|| (piece.freeze(), file)))
        });
        Ok(Opened { bytes: meta.len(), body: pieces.boxed() })
    }
}

/// An object of a region.
#[derive(Debug, Clone)]
pub struct StoredObject {
    store: SharedStore,
    key: String,
    name: String,
}

impl StoredObject {
    /// The object of that key; `name` is what people call it.
    pub fn new(store: SharedStore, key: impl Into<String>, name: impl Into<String>) -> Self {
        StoredObject { store, key: key.into(), name: name.into() }
    }
}

#[async_trait]
impl Origin for StoredObject {
    fn name(&self) -> &str {
        &self.name
    }

    async fn open(&self) -> Result<Opened, OpenError> {
        let opened = self.store.get(&self.key).await.map_err(|e| match e.kind {
            StoreErrorKind::NotFound => OpenError::Missing(e.kind.to_string()),
            kind => OpenError::Unreadable(format!("{}: {kind}", e.region)),
        });
        let (info, body) = opened?;
        Ok(Opened { bytes: info.size, body: body.map_err(|e| InputError(e.kind.to_string())).boxed() })
    }
}

/// Size and SHA-256 of a whole backup, in lower-case hexadecimal.
///
/// # Errors
/// When it cannot be read to its end, in words.
pub async fn digest(origin: &dyn Origin) -> Result<(u64, String), String> {
    let Opened { mut body, .. } = origin.open().await.map_err(|e| e.words().to_owned())?;
    let (mut bytes, mut sha) = (0, Sha256::new());
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|e| e.to_string())?;
        bytes += piece.len() as u64;
        sha.update(&piece);
    }
    Ok((bytes, HEXLOWER.encode(&sha.finalize())))
}

/// The whole of something small; no more than `most` bytes of it and one.
///
/// # Errors
/// When it is not there or cannot be read.
pub async fn read_small(origin: &dyn Origin, most: usize) -> Result<Vec<u8>, OpenError> {
    let Opened { mut body, .. } = origin.open().await?;
    let mut text = Vec::new();
    while let Some(piece) = body.next().await {
        text.extend_from_slice(&piece.map_err(|e| OpenError::Unreadable(e.to_string()))?);
        if text.len() > most {
            text.truncate(most + 1);
            break;
        }
    }
    Ok(text)
}
