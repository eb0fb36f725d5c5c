//! A folder as a store: for services whose files lie on a disk. It keeps no versions, no classes and no metadata; files
//! are dated by scenario time.

use std::{
    fs::{self, File, FileTimes},
    io::{self, Read, Seek, SeekFrom, Write},
    ops::Range,
    path::{Path, PathBuf},
    time::SystemTime,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

use super::{
    ByteStream, CopySource, ObjectInfo, PageStream, PutOptions, StorageClass, Store, StoreError, StoreErrorKind, Tier,
    VersionInfo,
};
use crate::sim::clock::Clock;

/// Bytes of a piece that is read.
const PIECE: usize = 256 << 10;

/// Says what content type a name promises: a folder keeps none.
pub type TypeOf = fn(&str) -> &'static str;

/// One folder.
#[derive(Debug, Clone)]
pub struct FolderStore {
    root: PathBuf,
    clock: Clock,
    type_of: TypeOf,
}

impl FolderStore {
    /// The files below that folder, which must be there.
    pub fn new(root: &Path, clock: &Clock, type_of: TypeOf) -> Self {
        FolderStore { root: root.to_owned(), clock: clock.clone(), type_of }
    }

    fn path(&self, key: &str) -> Result<PathBuf, StoreErrorKind> {
        let sound = !key.is_empty() && key.split('/').all(|step| !matches!(step, "" | "." | ".."));
        if sound { Ok(self.root.join(key)) } else { Err(StoreErrorKind::Nonsense) }
    }

    fn failed(&self, operation: &'static str, key: &str, kind: StoreErrorKind) -> StoreError {
        StoreError { region: self.region().to_owned(), operation, key: key.to_owned(), kind }
    }

    fn info(&self, key: &str, about: &fs::Metadata) -> ObjectInfo {
        let modified = about.modified().ok().and_then(|at| Timestamp::try_from(at).ok());
        ObjectInfo {
            key: key.to_owned(),
            size: about.len(),
            modified: modified.unwrap_or(Timestamp::UNIX_EPOCH),
            storage_class: StorageClass::Standard,
            etag: None,
            version: None,
            content_type: Some((self.type_of)(key).to_owned()),
            metadata: Default::default(),
            restore: None,
        }
    }

    fn open(&self, key: &str) -> Result<(File, ObjectInfo), StoreErrorKind> {
        let file = File::open(self.path(key)?).map_err(|e| kind(&e))?;
        let about = file.metadata().map_err(|e| kind(&e))?;
        if about.is_file() { Ok((file, self.info(key, &about))) } else { Err(StoreErrorKind::NotFound) }
    }

    async fn write(&self, key: &str, mut body: ByteStream) -> Result<ObjectInfo, StoreError> {
        let failed = |kind| self.failed("put", key, kind);
        let broken = |e: io::Error| failed(kind(&e));
        let path = self.path(key).map_err(failed)?;
        let folder = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder).map_err(broken)?;
        let mut file = tempfile::Builder::new().prefix(".writing-").tempfile_in(folder).map_err(broken)?;
        while let Some(piece) = body.try_next().await.map_err(|_| failed(StoreErrorKind::Source))? {
            file.write_all(&piece).map_err(broken)?;
        }
        let now = SystemTime::from(self.clock.now());
        file.as_file().set_times(FileTimes::new().set_modified(now)).map_err(broken)?;
        let file = file.persist(&path).map_err(|e| broken(e.error))?;
        Ok(self.info(key, &file.metadata().map_err(broken)?))
    }

    /// Names of all files, in their order.
    fn names(&self, prefix: &str) -> io::Result<Vec<(String, fs::Metadata)>> {
        let (mut found, mut waiting) = (Vec::new(), vec![self.root.clone()]);
        while let Some(folder) = waiting.pop() {
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                let about = fs::metadata(entry.path())?;
                if about.is_dir() {
                    waiting.push(entry.path());
                } else if let Ok(name) = entry.path().strip_prefix(&self.root) {
                    found.push((name.to_string_lossy().into_owned(), about));
                }
            }
        }
        found.retain(|(name, _)| name.starts_with(prefix));
        found.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(found)
    }
}

fn kind(error: &io::Error) -> StoreErrorKind {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => StoreErrorKind::NotFound,
        io::ErrorKind::PermissionDenied => StoreErrorKind::Denied,
        _ => StoreErrorKind::ServerError,
    }
}

#[async_trait]
impl Store for FolderStore {
    fn region(&self) -> &str {
        "folder"
    }

    async fn put_with(&self, key: &str, body: ByteStream, _: &PutOptions) -> Result<ObjectInfo, StoreError> {
        self.write(key, body).await
    }

    async fn copy(&self, from: &CopySource, key: &str, _: StorageClass) -> Result<ObjectInfo, StoreError> {
        let (_, body) = self.get(&from.key).await?;
        self.write(key, body).await
    }

    async fn get(&self, key: &str) -> Result<(ObjectInfo, ByteStream), StoreError> {
        let (file, info) = self.open(key).map_err(|kind| self.failed("get", key, kind))?;
        let (store, name) = (self.clone(), key.to_owned());
        let pieces = stream::try_unfold(file, move |mut file| {
            let mut piece = vec![0; PIECE];
            let read = file.read(&mut piece).map_err(|e| store.failed("get", &name, kind(&e)));
            async move {
                let read = read?;
                piece.truncate(read);
                Ok((read > 0).then(|| (Bytes::from(piece), file)))
            }
        });
        Ok((info, pieces.boxed()))
    }

    async fn get_version(&self, key: &str, _: &str) -> Result<(ObjectInfo, ByteStream), StoreError> {
        Err(self.failed("get", key, StoreErrorKind::NotAllowed))
    }

    async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, StoreError> {
        let failed = |kind| self.failed("get", key, kind);
        let (mut file, _) = self.open(key).map_err(failed)?;
        file.seek(SeekFrom::Start(range.start)).map_err(|e| failed(kind(&e)))?;
        let mut piece = Vec::new();
        file.take(range.end.saturating_sub(range.start)).read_to_end(&mut piece).map_err(|e| failed(kind(&e)))?;
        Ok(piece.into())
    }

    async fn head(&self, key: &str) -> Result<ObjectInfo, StoreError> {
        self.open(key).map(|(_, info)| info).map_err(|kind| self.failed("head", key, kind))
    }

    fn pages<'s>(&'s self, prefix: &'s str) -> PageStream<'s> {
        let page = self.names(prefix).map_err(|e| self.failed("list", prefix, kind(&e)));
        let page = page.map(|names| names.iter().map(|(name, about)| self.info(name, about)).collect());
        stream::iter([page]).boxed()
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        let failed = |kind| self.failed("delete", key, kind);
        match fs::remove_file(self.path(key).map_err(failed)?) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(failed(kind(&e))),
            _ => Ok(()),
        }
    }

    async fn versions(&self, prefix: &str) -> Result<Vec<VersionInfo>, StoreError> {
        Err(self.failed("versions", prefix, StoreErrorKind::NotAllowed))
    }

    async fn delete_version(&self, key: &str, _: &str) -> Result<(), StoreError> {
        Err(self.failed("delete", key, StoreErrorKind::NotAllowed))
    }

    async fn request_restore(&self, key: &str, _: Tier, _: u32) -> Result<(), StoreError> {
        Err(self.failed("restore", key, StoreErrorKind::NotAllowed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::record::Way;

    #[tokio::test]
    async fn files_come_back_as_they_were_put_dated_by_the_story_and_no_key_leads_out() {
        let dir = tempfile::tempdir().unwrap();
        let clock = Clock::new(Way::Real, "2026-11-03T03:00:00Z".parse().unwrap());
        let store = FolderStore::new(dir.path(), &clock, |_| "image/png");
        let body = || stream::iter([Ok(Bytes::from_static(b"one ")), Ok(Bytes::from_static(b"two"))]).boxed();
        let put = store.put("a/b c.png", body()).await.unwrap();
        assert_eq!((put.size, put.modified, put.content_type.as_deref()), (7, clock.now(), Some("image/png")));
        let (info, read) = store.get("a/b c.png").await.unwrap();
        assert_eq!((info.size, read.try_concat_bytes().await), (7, b"one two".to_vec()));
        assert_eq!(store.get_range("a/b c.png", 4..9).await.unwrap(), "two");
        assert_eq!(store.list("a/").await.unwrap().len(), 1);
        for key in ["../x", "/x", "a//b", ""] {
            assert_eq!(store.put(key, body()).await.unwrap_err().kind, StoreErrorKind::Nonsense, "{key}");
        }
        store.delete("a/b c.png").await.unwrap();
        store.delete("a/b c.png").await.unwrap();
        assert_eq!(store.head("a/b c.png").await.unwrap_err().kind, StoreErrorKind::NotFound);
    }

    trait Concat {
        async fn try_concat_bytes(self) -> Vec<u8>;
    }

    impl Concat for ByteStream {
        async fn try_concat_bytes(self) -> Vec<u8> {
            let pieces: Vec<Bytes> = self.try_collect().await.unwrap();
            pieces.concat()
        }
    }
}
