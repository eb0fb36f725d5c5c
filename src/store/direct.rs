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
        link::{Admission, Link, LinkState, Pass, StatusFault},
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

/// Bytes in which bodies travel; fewer on a slow link, so that there are [`PIECES_PER_SECOND`].
const PIECE: usize = 64 << 10;

/// Often enough that a slow link is never taken for a silent one.
const PIECES_PER_SECOND: u64 = 8;

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
        loop {
            match self.region.link().admit() {
                Admission::Pass { delay } => {
                    self.clock.sleep(delay).await;
                    self.clock.spend(REQUEST).await;
                    return Ok(());
                }
                Admission::Refuse => {
                    self.clock.spend(REFUSAL).await;
                    return Err(StoreErrorKind::Refused);
                }
                Admission::Reject(fault) => {
                    self.clock.spend(REQUEST).await;
                    return Err(match fault {
                        StatusFault::SlowDown503 => StoreErrorKind::SlowDown,
                        StatusFault::Denied403 => StoreErrorKind::Denied,
                        StatusFault::Internal500 => StoreErrorKind::ServerError,
                    });
                }
                Admission::Hang => self.region.link().released().await,
            }
        }
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
        let (mut pace, mut at) = (Pace::default(), 0);
        while at < body.len() {
            let size = piece_size(self.region.link()).min(body.len() - at);
            self.travel(size, Link::pass_in, &mut pace).await?;
            at += size;
        }
        self.region.objects().body(body).map_err(|error| kind_of(error.into()))
    }

    /// A piece of a body travels, in the direction that `ask` asks for.
    async fn travel(&self, bytes: usize, ask: fn(&Link, u64) -> Pass, pace: &mut Pace) -> Answer<()> {
        loop {
            match ask(self.region.link(), bytes as u64) {
                Pass::Go { delay } => {
                    self.clock.sleep(delay).await;
                    self.clock.spend(pace.next(bytes as u64)).await;
                    return Ok(());
                }
                Pass::Cut => return Err(StoreErrorKind::Cut),
                Pass::Hang => self.region.link().released().await,
            }
        }
    }

    fn pieces(&self, body: Body) -> Pieces {
        let state = (self.clone(), body, 0, Pace::default());
        let pieces = stream::try_unfold(state, |(wire, body, at, mut pace)| async move {
            let piece = body.read_at(at, piece_size(wire.region.link())).map_err(|error| kind_of(error.into()))?;
            if piece.is_empty() {
                return Ok(None);
            }
            wire.travel(piece.len(), Link::pass, &mut pace).await?;
            let at = at + piece.len() as u64;
            Ok(Some((piece, (wire, body, at, pace))))
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
        objects.complete_upload(&self.bucket, key, upload, &parts, None).map(drop).map_err(kind_of)
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
#[derive(Debug, Default)]
struct Pace {
    bytes: u64,
    spent_ms: u64,
}

impl Pace {
    fn next(&mut self, bytes: u64) -> Duration {
        self.bytes += bytes;
        let due_ms = self.bytes * 1000 / BANDWIDTH;
        let wait = Duration::from_millis(due_ms - self.spent_ms);
        self.spent_ms = due_ms;
        wait
    }
}

fn piece_size(link: &Link) -> usize {
    match link.state() {
        LinkState::Slow { bytes_per_second, .. } => {
            (bytes_per_second / PIECES_PER_SECOND).clamp(1, PIECE as u64) as usize
        }
        _ => PIECE,
    }
}

fn info(meta: ObjectMeta) -> ObjectInfo {
    ObjectInfo { key: meta.key, size: meta.size, modified: meta.modified }
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
