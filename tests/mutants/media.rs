//! Files as a careless pipeline sees them: the source bucket through a lens, and buckets to restore into that are none.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use backdraft::{
    model::event::Position,
    service::contract::{Bucket, BucketPlatform, ServiceError},
    store::{ByteStream, ObjectInfo, SharedStore, Store, VersionInfo},
};

use crate::lens::{Got, Lens, body, bytes_of, plain_get, seen};

type Done<T> = Result<T, ServiceError>;

/// The platform with its source seen through a lens.
pub(crate) fn source_through(inner: Arc<dyn BucketPlatform>, lens: impl Lens + 'static) -> Arc<dyn BucketPlatform> {
    Arc::new(Seen { inner, lens: Some(Arc::new(lens)), into_the_source: false })
}

/// The platform whose new buckets are the source.
pub(crate) fn into_the_source(inner: Arc<dyn BucketPlatform>) -> Arc<dyn BucketPlatform> {
    Arc::new(Seen { inner, lens: None, into_the_source: true })
}

struct Seen {
    inner: Arc<dyn BucketPlatform>,
    lens: Option<Arc<dyn Lens>>,
    into_the_source: bool,
}

#[async_trait]
impl BucketPlatform for Seen {
    fn source(&self) -> SharedStore {
        let inner = self.inner.source();
        self.lens.as_ref().map_or(Arc::clone(&inner), |lens| seen(&inner, lens))
    }

    fn position(&self) -> Position {
        self.inner.position()
    }

    async fn provision(&self) -> Done<Bucket> {
        match self.into_the_source {
            true => Ok(Bucket { name: "the source".into(), store: self.inner.source() }),
            false => self.inner.provision().await,
        }
    }

    async fn discard(&self, bucket: &Bucket) -> Done<()> {
        if self.into_the_source { Ok(()) } else { self.inner.discard(bucket).await }
    }

    async fn cut_over(&self, bucket: &Bucket) -> Done<()> {
        self.inner.cut_over(bucket).await
    }
}

/// A listing of the source, changed.
pub(crate) struct Lists(pub(crate) fn(Vec<ObjectInfo>) -> Vec<ObjectInfo>);

impl fmt::Debug for Lists {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lists")
    }
}

#[async_trait]
impl Lens for Lists {
    async fn list(&self, of: &dyn Store, prefix: &str) -> Got<Vec<ObjectInfo>> {
        of.list(prefix).await.map(self.0)
    }

    async fn versions(&self, of: &dyn Store, prefix: &str) -> Got<Vec<VersionInfo>> {
        of.versions(prefix).await
    }

    async fn get(&self, from: &dyn Store, key: &str, version: Option<&str>) -> Got<(ObjectInfo, ByteStream)> {
        let (info, read) = plain_get(from, key, version).await?;
        // What is said of the one object is what is said of it in a listing.
        let info = self.0(vec![info.clone()]).pop().unwrap_or(info);
        Ok((info, read))
    }
}

/// The same object as ever, where it has the same size.
pub(crate) fn by_size_only(all: Vec<ObjectInfo>) -> Vec<ObjectInfo> {
    let same = |info: ObjectInfo| {
        let etag = info.etag.is_some().then(|| "0".repeat(32));
        ObjectInfo { etag, modified: jiff::Timestamp::UNIX_EPOCH, ..info }
    };
    all.into_iter().map(same).collect()
}

/// Kinds of file that somebody thought of.
pub(crate) fn usual_types(all: Vec<ObjectInfo>) -> Vec<ObjectInfo> {
    let usual =
        |key: &str| [".jpg", ".png", ".pdf", ".gif", ".txt", ".mp4", ".svg"].iter().any(|end| key.ends_with(end));
    all.into_iter().filter(|info| usual(&info.key)).collect()
}

/// Names that fit into one script.
pub(crate) fn plain_names(all: Vec<ObjectInfo>) -> Vec<ObjectInfo> {
    all.into_iter().filter(|info| info.key.is_ascii()).collect()
}

/// Nobody says what a file is.
pub(crate) fn no_content_type(all: Vec<ObjectInfo>) -> Vec<ObjectInfo> {
    let octets = || Some("application/octet-stream".to_owned());
    all.into_iter().map(|info| ObjectInfo { content_type: info.content_type.and_then(|_| octets()), ..info }).collect()
}

type Content = (ObjectInfo, Vec<u8>);

/// What was once there is there: deletions are not noticed. Keeps what it reads.
#[derive(Debug, Default)]
pub(crate) struct Hoards {
    kept: Mutex<BTreeMap<String, (ObjectInfo, Option<Content>)>>,
}

#[async_trait]
impl Lens for Hoards {
    async fn list(&self, of: &dyn Store, prefix: &str) -> Got<Vec<ObjectInfo>> {
        let all = of.list(prefix).await?;
        let mut kept = self.kept.lock().unwrap();
        for info in all {
            let read = kept.remove(&info.key).and_then(|(_, read)| read);
            kept.insert(info.key.clone(), (info, read));
        }
        Ok(kept.values().filter(|(info, _)| info.key.starts_with(prefix)).map(|(info, _)| info.clone()).collect())
    }

    async fn get(&self, from: &dyn Store, key: &str, version: Option<&str>) -> Got<(ObjectInfo, ByteStream)> {
        match plain_get(from, key, version).await {
            Ok((info, read)) => {
                let bytes = bytes_of(read).await?;
                if let Some(kept) = self.kept.lock().unwrap().get_mut(key) {
                    kept.1 = Some((info.clone(), bytes.clone()));
                }
                Ok((info, body(bytes)))
            }
            Err(why) => {
                let kept = self.kept.lock().unwrap().get(key).and_then(|(_, read)| read.clone());
                kept.map(|(info, bytes)| (info, body(bytes))).ok_or(why)
            }
        }
    }
}
