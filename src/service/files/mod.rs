//! The media bucket of HookLabs: generated files in a real bucket of an emulated region, an application that uploads,
//! edits and deletes, a ledger, and new buckets to restore into.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use self::{
    gated::Gated,
    ledger::{Facts, FileLedger},
    media::{File, Media},
    view::BucketView,
    workload::{Change, Workload},
};
use super::{
    contract::{Bucket, BucketPlatform, Ledger, Service, ServiceError, View},
    live::Live,
};
use crate::{
    emulator::targets::Targets,
    model::{event::Position, units::ByteSize},
    sim::{lanes::Lanes, seed::Seed},
    store::{PutOptions, SharedStore, Store, StoreError},
};

mod gated;
mod ledger;
mod media;
mod names;
pub mod place;
mod view;
mod workload;

/// Files that are read or written at once.
const AT_ONCE: usize = 4;

/// The provider of the buckets: what its console does, and what becomes of it in a disaster.
pub trait Provider: Send + Sync {
    /// Makes a bucket.
    fn create(&self, bucket: &str) -> Result<SharedStore, ServiceError>;

    /// Everything in a bucket is gone for good, all versions.
    fn empty(&self, bucket: &str) -> Result<(), ServiceError>;
}

/// What the media are to be.
#[derive(Debug, Clone, Copy)]
pub struct Amount {
    /// All files together, in bytes.
    pub size: ByteSize,
    /// How many bytes one byte stands for. Files are as many as the size that is meant has.
    pub scale: u64,
}

/// Files in a bucket as a protected service.
pub struct Files {
    bucket: String,
    provider: Arc<dyn Provider>,
    source: SharedStore,
    ledger: Arc<FileLedger>,
    media: Media,
    /// Locked while writing: what the bucket takes is acknowledged before the next write.
    workload: Mutex<Workload>,
    seeded_bytes: u64,
    targets: AtomicU32,
    state: Option<Arc<Targets>>,
    live: Live,
    lanes: Lanes,
    /// Whether the disaster leaves the bucket there, with damage in it.
    is_left: bool,
}

impl std::fmt::Debug for Files {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Files").field("bucket", &self.bucket).finish_non_exhaustive()
    }
}

impl Files {
    /// Makes the bucket and fills it, acknowledged at `started_at`.
    ///
    /// # Errors
    /// When the bucket does not take the files.
    pub async fn seed(
        bucket: &str,
        provider: Arc<dyn Provider>,
        amount: Amount,
        seed: Seed,
        started_at: Timestamp,
        lanes: &Lanes,
    ) -> Result<Files, ServiceError> {
        let source = provider.create(bucket)?;
        let media = Media::new(amount, seed);
        let files = media.seeded();
        let upload = |file: File| {
            let (source, media) = (Arc::clone(&source), media);
            lanes.go(async move { put(&*source, &media, file).await })
        };
        let facts: Vec<(File, Facts)> =
            stream::iter(files).map(upload).buffered(AT_ONCE).try_collect().await.map_err(refused)?;
        let seeded_bytes = facts.iter().map(|(_, facts)| facts.size).sum();
        let workload = Workload::new(seed, facts.iter().map(|(file, _)| *file).collect());
        let ledger = FileLedger::new(started_at, facts.into_iter().map(|(file, facts)| (file.key(), facts)));
        Ok(Files {
            bucket: bucket.to_owned(),
            provider,
            source,
            ledger: Arc::new(ledger),
            media,
            workload: Mutex::new(workload),
            seeded_bytes,
            targets: AtomicU32::new(1),
            state: None,
            live: Live::default(),
            lanes: lanes.clone(),
            is_left: false,
        })
    }

    /// The same with new buckets that faults can wait for.
    #[must_use]
    pub fn restoring_into(self, targets: &Arc<Targets>) -> Self {
        Files { state: Some(Arc::clone(targets)), ..self }
    }

    /// The disaster is no loss of the bucket: it stays there, with what was done to it.
    #[must_use]
    pub fn left_damaged(self) -> Self {
        Files { is_left: true, ..self }
    }
}

/// Uploads a file, and says what it is.
async fn put(store: &dyn Store, media: &Media, file: File) -> Result<(File, Facts), StoreError> {
    let (body, digest) = media.body(file);
    let content_type = file.kind().content_type;
    let options = PutOptions { content_type: Some(content_type.to_owned()), ..PutOptions::default() };
    store.put_with(&file.key(), body, &options).await?;
    let facts = Facts { size: file.size, sha256: digest.get(), content_type: content_type.to_owned() };
    Ok((file, facts))
}

fn refused(why: StoreError) -> ServiceError {
    ServiceError(format!("the media bucket does not take what the application writes: {why}"))
}

#[async_trait]
impl BucketPlatform for Files {
    fn source(&self) -> SharedStore {
        Arc::clone(&self.source)
    }

    fn position(&self) -> Position {
        self.ledger.last()
    }

    async fn provision(&self) -> Result<Bucket, ServiceError> {
        let number = self.targets.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-restored-{number}", self.bucket);
        let store = self.provider.create(&name)?;
        let store = match &self.state {
            Some(targets) => Gated::begin(store, targets),
            None => store,
        };
        Ok(Bucket { name, store })
    }

    async fn discard(&self, bucket: &Bucket) -> Result<(), ServiceError> {
        self.provider.empty(&bucket.name)
    }

    async fn cut_over(&self, bucket: &Bucket) -> Result<(), ServiceError> {
        self.live.switch(Arc::new(BucketView::new(Arc::clone(&bucket.store), &self.lanes)));
        Ok(())
    }
}

#[async_trait]
impl Service for Files {
    async fn steady(&self) -> Result<String, ServiceError> {
        let objects = self.source.list("").await.map_err(|e| ServiceError(e.to_string()))?;
        let (found, expected) = (objects.len() as u64, self.ledger.rows_at(self.ledger.last().seq));
        match found == expected && found > 0 {
            true => Ok(format!("the media bucket lists {found} files")),
            false => Err(ServiceError(format!("the media bucket lists {found} files, the ledger has {expected}"))),
        }
    }

    fn live(&self) -> Option<Arc<dyn View>> {
        self.live.view()
    }

    fn ledger(&self) -> Arc<dyn Ledger> {
        Arc::clone(&self.ledger) as _
    }

    async fn write(&self, at: Timestamp, writes: u32) -> Result<(), ServiceError> {
        let mut workload = self.workload.lock().await;
        for n in 0..writes {
            // A millisecond apart, and never before the write that came before.
            let at = at.checked_add(SignedDuration::from_millis(n.into())).unwrap_or(Timestamp::MAX);
            let last = self.ledger.last();
            let position = Position { seq: last.seq + 1, committed_at: at.max(last.committed_at) };
            let (file, change) = workload.next(position.seq, &self.media);
            let facts = match change {
                Change::Delete => {
                    self.source.delete(&file.key()).await.map_err(refused)?;
                    None
                }
                Change::Put => Some(put(&*self.source, &self.media, file).await.map_err(refused)?.1),
            };
            self.ledger.acknowledge(&file.key(), facts, position)?;
        }
        Ok(())
    }

    async fn lose(&self) -> Result<(), ServiceError> {
        if self.is_left { Ok(()) } else { self.provider.empty(&self.bucket) }
    }

    fn rows(&self) -> u64 {
        self.ledger.rows_at(self.ledger.last().seq)
    }

    fn seeded_bytes(&self) -> u64 {
        self.seeded_bytes
    }
}
