//! A region in process, for simulated drills: no sockets, virtual time. It asks the region's link what the gateway asks
//! it, so a fault bites here as it does over HTTP.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream};

use super::{
    ObjectInfo, Patience, StoreErrorKind,
    client::Client,
    wire::{Answer, Page, Part, Pieces, Wire},
};
use crate::{
    emulator::s3::{
        Region,
        body::Body,
        link::{Shut, StatusFault},
        listing::ListQuery,
        multipart::UploadOptions,
        refusal::Refusal,
        version::{ObjectMeta, PutOptions},
    },
    sim::clock::Clock,
};

/// What one request to a healthy region takes, besides its bytes: a round trip across a continent.
pub const REQUEST: Duration = Duration::from_millis(20);

/// What it takes to learn that nobody listens.
pub const REFUSAL: Duration = Duration::from_millis(1);

/// What one transfer to or from a healthy region reaches, in bytes per second.
pub const BANDWIDTH: u64 = 100 << 20;

/// S3's limit on a key, in bytes.
const LONGEST_KEY: usize = 1024;

/// A store in process.
pub type DirectStore = Client<DirectWire>;

/// The way to a bucket of a region in this process.
#[derive(Debug, Clone)]
pub struct DirectWire {
    region: Arc<Region>,
    bucket: String,
    clock: Clock,
}

impl DirectStore {
    /// A store for `bucket` of `region`, as patient as one over HTTP.
    pub fn new(region: Arc<Region>, bucket: &str, clock: &Clock, patience: Patience) -> Self {
        let name = region.name().to_owned();
        let wire = DirectWire { region, bucket: bucket.to_owned(), clock: clock.clone() };
        Client::over(wire, &name, clock, patience)
    }
}

impl DirectWire {
    /// A request comes to the region, or does not.
    async fn arrive(&self) -> Answer<()> {
        let entered = self.region.link().enter().await;
        self.clock.spend(if entered == Err(Shut::Refused) { REFUSAL } else { REQUEST }).await;
        entered.map_err(|shut| match shut {
            Shut::Refused => StoreErrorKind::Refused,
            Shut::Rejected(fault) => kind_of_status(fault),
        })
    }

    /// A request about an object comes to the region.
    async fn arrive_for(&self, key: &str) -> Answer<()> {
        if !(1..=LONGEST_KEY).contains(&key.len()) {
            return Err(StoreErrorKind::Nonsense);
        }
        self.arrive().await
    }

    /// A request with a body comes to the region, and the body after it.
    async fn arrive_with(&self, key: &str, body: &Bytes) -> Answer<Body> {
        self.arrive_for(key).await?;
        let (link, mut pace, mut at) = (self.region.link(), Pace::new(&self.clock), 0);
        while at < body.len() {
            let size = link.piece().min(body.len() - at);
            link.carry_in(size as u64).await.map_err(|shut| match shut {
                Shut::Refused => StoreErrorKind::Cut,
                Shut::Rejected(fault) => kind_of_status(fault),
            })?;
            self.clock.spend(pace.next(size as u64)).await;
            at += size;
        }
        self.region.objects().body(body).map_err(|error| kind_of(error.into()))
    }

    fn pieces(&self, body: Body) -> Pieces {
        let state = (self.clone(), body, 0, Pace::new(&self.clock));
        let pieces = stream::try_unfold(state, |(wire, body, at, mut pace)| async move {
            let link = wire.region.link();
            let piece = body.read_at(at, link.piece()).map_err(|error| kind_of(error.into()))?;
            if piece.is_empty() {
                return Ok(None);
            }
            let size = piece.len() as u64;
            link.carry(size).await.map_err(|_| StoreErrorKind::Cut)?;
            wire.clock.spend(pace.next(size)).await;
            Ok(Some((piece, (wire, body, at + size, pace))))
        });
        pieces.boxed()
    }
}

#[async_trait]
impl Wire for DirectWire {
    async fn is_alive(&self) -> bool {
        !matches!(self.arrive().await, Err(StoreErrorKind::Refused))
    }

    async fn head(&self, key: &str) -> Answer<ObjectInfo> {
        self.arrive_for(key).await?;
        self.region.objects().head(&self.bucket, key, None).map(info).map_err(kind_of)
    }

    async fn get(&self, key: &str) -> Answer<(ObjectInfo, Pieces)> {
        self.arrive_for(key).await?;
        let object = self.region.objects().get(&self.bucket, key, None).map_err(kind_of)?;
        Ok((info(object.meta), self.pieces(object.body)))
    }

    async fn page(&self, prefix: &str, token: Option<String>) -> Answer<Page> {
        self.arrive().await?;
        let query = ListQuery { resume: token, ..ListQuery::below(prefix) };
        let page = self.region.objects().list(&self.bucket, &query).map_err(kind_of)?;
        let objects = page.objects.into_iter().map(|object| info(object.meta)).collect();
        Ok(Page { objects, is_truncated: page.next.is_some(), next: page.next })
    }

    async fn put(&self, key: &str, body: Bytes) -> Answer<()> {
        let body = self.arrive_with(key, &body).await?;
        self.region.objects().put(&self.bucket, key, body, PutOptions::default()).map(drop).map_err(kind_of)
    }

    async fn create_upload(&self, key: &str) -> Answer<String> {
        self.arrive_for(key).await?;
        self.region.objects().create_upload(&self.bucket, key, UploadOptions::default()).map_err(kind_of)
    }

    async fn put_part(&self, key: &str, upload: &str, number: u32, body: Bytes) -> Answer<Part> {
        let body = self.arrive_with(key, &body).await?;
        let objects = self.region.objects();
        let part = objects.put_part(&self.bucket, key, upload, number, body, Default::default()).map_err(kind_of)?;
        Ok(Part { number, e_tag: part.etag, crc32: None })
    }

    async fn complete_upload(&self, key: &str, upload: &str, parts: &[Part]) -> Answer<()> {
        self.arrive_for(key).await?;
        let parts: Vec<_> = parts.iter().map(|part| (part.number, Some(part.e_tag.clone()))).collect();
        let objects = self.region.objects();
        objects.complete_upload(&self.bucket, key, upload, &parts, &[], None).map(drop).map_err(kind_of)
    }

    async fn abort_upload(&self, key: &str, upload: &str) -> Answer<()> {
        self.arrive_for(key).await?;
        self.region.objects().abort_upload(&self.bucket, key, upload).map_err(kind_of)
    }

    async fn delete(&self, key: &str) -> Answer<()> {
        self.arrive_for(key).await?;
        self.region.objects().delete(&self.bucket, key, None, false).map(drop).map_err(kind_of)
    }
}

/// Spreads [`BANDWIDTH`] over pieces that each take less than the clock's millisecond.
#[derive(Debug)]
struct Pace {
    scale: u64,
    bytes: u64,
    spent_ms: u64,
}

impl Pace {
    fn new(clock: &Clock) -> Self {
        Pace { scale: clock.scale(), bytes: 0, spent_ms: 0 }
    }

    fn next(&mut self, bytes: u64) -> Duration {
        self.bytes += bytes * self.scale;
        let due_ms = self.bytes * 1000 / BANDWIDTH;
        let wait = Duration::from_millis(due_ms - self.spent_ms);
        self.spent_ms = due_ms;
        wait
    }
}

fn info(meta: ObjectMeta) -> ObjectInfo {
    ObjectInfo { key: meta.key, size: meta.size, modified: meta.modified }
}

fn kind_of_status(fault: StatusFault) -> StoreErrorKind {
    match fault {
        StatusFault::SlowDown503 => StoreErrorKind::SlowDown,
        StatusFault::Denied403 => StoreErrorKind::Denied,
        StatusFault::Internal500 => StoreErrorKind::ServerError,
    }
}

/// A refusal as it looks over HTTP, by the status that S3 gives it.
fn kind_of(refusal: Refusal) -> StoreErrorKind {
    let kind = match refusal {
        Refusal::NoSuchBucket(_) => StoreErrorKind::NoBucket,
        Refusal::NoSuchKey { .. } | Refusal::NoSuchVersion(_) => StoreErrorKind::NotFound,
        Refusal::Locked(_) => StoreErrorKind::Denied,
        Refusal::BadDigest(_) => StoreErrorKind::Corrupt,
        Refusal::Scratch(_) => StoreErrorKind::ServerError,
        _ => StoreErrorKind::Nonsense,
    };
    tracing::debug!(%kind, %refusal, "request refused");
    kind
}
