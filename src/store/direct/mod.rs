//! A region in process, for simulated drills: no sockets, virtual time. It asks the region's link what the gateway asks
//! it, so a fault bites here as it does over HTTP.

use std::{ops::Range, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};

mod answer;

use self::answer::{kind_of, kind_of_shut, kind_of_status, listed, to_put, version_info, written};
use super::{
    CopySource, ObjectInfo, Patience, PutOptions, StorageClass, StoreErrorKind, Tier,
    client::Client,
    wire::{Answer, Page, Part, Pieces, Pinned, VersionPage, VersionToken, Wire, Written},
};
use crate::{
    emulator::{
        link::{
            Ending,
            Intent::{self, Read, Write},
            Shut,
        },
        s3::{
            Region,
            body::Body,
            listing::ListQuery,
            multipart::UploadOptions,
            objects::CopyOptions,
            refusal::Refusal,
            rights::{Action, Principal},
            version::{self, Attributes, Object, ObjectMeta},
        },
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
    principal: Principal,
    clock: Clock,
}

impl DirectStore {
    /// A store for `bucket` of `region`, with the owner's rights, as patient as one over HTTP.
    pub fn new(region: Arc<Region>, bucket: &str, clock: &Clock, patience: Patience) -> Self {
        DirectStore::acting_as(Principal::Owner, region, bucket, clock, patience)
    }

    /// As [`DirectStore::new`], with the rights of `principal`.
    pub fn acting_as(
        principal: Principal,
        region: Arc<Region>,
        bucket: &str,
        clock: &Clock,
        patience: Patience,
    ) -> Self {
        let name = region.name().to_owned();
        let wire = DirectWire { region, bucket: bucket.to_owned(), principal, clock: clock.clone() };
        Client::over(wire, &name, clock, patience)
    }
}

impl DirectWire {
    /// A request comes to the region, or does not.
    async fn arrive(&self, intent: Intent) -> Answer<()> {
        let entered = self.region.link().enter(intent).await;
        let never_left = matches!(entered, Err(Shut::Refused | Shut::Nameless));
        self.clock.spend(if never_left { REFUSAL } else { REQUEST }).await;
        entered.map_err(kind_of_shut)
    }

    fn permit(&self, action: Action) -> Answer<()> {
        self.principal.permit(action).map_err(kind_of)
    }

    /// Finds what is to be copied.
    fn source(&self, from: &Pinned) -> Answer<Object> {
        self.permit(Action::Read)?;
        let CopySource { bucket, key, version } = &from.source;
        let bucket = bucket.as_deref().unwrap_or(&self.bucket);
        let found = self.region.objects().open(bucket, key, version.as_deref()).map_err(kind_of)?;
        match &from.etag {
            Some(etag) if *etag != *found.meta.etag => Err(StoreErrorKind::Nonsense), // not what was looked at
            _ => Ok(found),
        }
    }

    /// A request about an object comes to the region.
    async fn arrive_for(&self, key: &str, intent: Intent) -> Answer<()> {
        if !(1..=LONGEST_KEY).contains(&key.len()) {
            return Err(StoreErrorKind::Nonsense);
        }
        self.arrive(intent).await
    }

    /// A request with a body comes to the region, and the body after it.
    async fn arrive_with(&self, key: &str, body: &Bytes) -> Answer<Body> {
        self.arrive_for(key, Write).await?;
        let (link, mut pace, mut at) = (self.region.link(), Pace::new(&self.clock), 0);
        let broken = link.body(Write, body.len() as u64);
        let end = broken.map_or(body.len(), |broken| broken.at as usize);
        while at < end {
            let size = link.piece().min(end - at);
            link.carry_in(size as u64).await.map_err(|shut| match shut {
                Shut::Rejected(fault) => kind_of_status(fault),
                _ => StoreErrorKind::Cut,
            })?;
            self.clock.spend(pace.next(size as u64)).await;
            at += size;
        }
        if let Some(broken) = broken {
            link.broke(broken);
            return Err(StoreErrorKind::Cut);
        }
        self.region.objects().body(body).map_err(|error| kind_of(error.into()))
    }

    /// What the head of an answer says of an object.
    fn info(&self, meta: ObjectMeta) -> ObjectInfo {
        let content_type = meta.attributes.content_type.clone();
        ObjectInfo {
            version: meta.version.clone(),
            content_type: Some(content_type.unwrap_or_else(|| version::CONTENT_TYPE.to_owned())),
            metadata: meta.attributes.metadata.clone(),
            restore: meta.restore_state(self.clock.now()),
            ..listed(meta)
        }
    }

    fn pieces(&self, body: Body) -> Pieces {
        let broken = self.region.link().body(Read, body.len());
        let end = broken.map_or(body.len(), |broken| broken.at);
        let state = (self.clone(), body, 0, Pace::new(&self.clock));
        let pieces = stream::try_unfold(state, move |(wire, body, at, mut pace)| async move {
            let link = wire.region.link();
            if at >= end {
                return match broken.inspect(|broken| link.broke(*broken)).map(|broken| broken.ending) {
                    Some(Ending::Reset) => Err(StoreErrorKind::Cut),
                    Some(Ending::Short | Ending::ShortUntold) | None => Ok(None),
                };
            }
            let most = usize::try_from(end - at).unwrap_or(usize::MAX).min(link.piece());
            let piece = body.read_at(at, most).map_err(|error| kind_of(error.into()))?;
            if piece.is_empty() {
                return Err(StoreErrorKind::ServerError);
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
        !matches!(self.arrive(Read).await, Err(StoreErrorKind::Refused | StoreErrorKind::NoSuchHost))
    }

    async fn head(&self, key: &str) -> Answer<ObjectInfo> {
        self.arrive_for(key, Read).await?;
        self.permit(Action::Read)?;
        self.region.objects().head(&self.bucket, key, None).map(|meta| self.info(meta)).map_err(kind_of)
    }

    async fn head_source(&self, from: &CopySource) -> Answer<ObjectInfo> {
        self.arrive_for(&from.key, Read).await?;
        self.permit(Action::Read)?;
        let bucket = from.bucket.as_deref().unwrap_or(&self.bucket);
        let found = self.region.objects().head(bucket, &from.key, from.version.as_deref());
        found.map(|meta| self.info(meta)).map_err(kind_of)
    }

    async fn get(&self, key: &str, version: Option<&str>) -> Answer<(ObjectInfo, Pieces)> {
        self.arrive_for(key, Read).await?;
        self.permit(Action::Read)?;
        let object = self.region.objects().open(&self.bucket, key, version).map_err(kind_of)?;
        Ok((self.info(object.meta), self.pieces(object.body)))
    }

    async fn get_range(&self, key: &str, range: Range<u64>) -> Answer<Bytes> {
        self.arrive_for(key, Read).await?;
        self.permit(Action::Read)?;
        let object = self.region.objects().open(&self.bucket, key, None).map_err(kind_of)?;
        let (size, link) = (object.meta.size, self.region.link());
        if range.start >= size {
            return Err(StoreErrorKind::Nonsense);
        }
        let (mut all, end, mut pace) = (BytesMut::new(), range.end.min(size), Pace::new(&self.clock));
        while range.start + (all.len() as u64) < end {
            let at = range.start + all.len() as u64;
            let piece = object.body.read_at(at, (end - at) as usize).map_err(|error| kind_of(error.into()))?;
            link.carry(piece.len() as u64).await.map_err(|_| StoreErrorKind::Cut)?;
            self.clock.spend(pace.next(piece.len() as u64)).await;
            all.extend_from_slice(&piece);
        }
        Ok(all.freeze())
    }

    async fn page(&self, prefix: &str, token: Option<String>) -> Answer<Page> {
        self.arrive(Read).await?;
        self.permit(Action::List)?;
        let query = ListQuery { resume: token, ..ListQuery::below(prefix) };
        let page = self.region.objects().list(&self.bucket, &query).map_err(kind_of)?;
        let objects = page.objects.into_iter().map(|object| listed(object.meta)).collect();
        Ok(Page { objects, is_truncated: page.next.is_some(), next: page.next })
    }

    async fn version_page(&self, prefix: &str, token: Option<VersionToken>) -> Answer<VersionPage> {
        self.arrive(Read).await?;
        self.permit(Action::List)?;
        let (resume, marker) = token.unzip();
        let query = ListQuery { resume, ..ListQuery::below(prefix) };
        let listed = self.region.objects().list_versions(&self.bucket, &query, marker.flatten().as_deref());
        let page = listed.map_err(kind_of)?;
        let versions = page.entries.into_iter().map(version_info).collect();
        Ok(VersionPage { versions, is_truncated: page.next.is_some(), next: page.next })
    }

    async fn put(&self, key: &str, body: Bytes, options: &PutOptions) -> Answer<Written> {
        let body = self.arrive_with(key, &body).await?;
        let put = to_put(options);
        put.permit(self.principal).map_err(kind_of)?;
        self.region.objects().put(&self.bucket, key, body, put).map(written).map_err(kind_of)
    }

    async fn copy(&self, from: &Pinned, key: &str, class: StorageClass) -> Answer<Written> {
        self.arrive_for(key, Write).await?;
        let source = self.source(from)?;
        self.permit(Action::Write)?;
        self.clock.spend_on(source.meta.size, BANDWIDTH).await;
        let attributes = Some(Attributes { storage_class: class, ..(*source.meta.attributes).clone() });
        let options = CopyOptions { attributes, ..Default::default() };
        self.region.objects().copy(&source, &self.bucket, key, options).map(written).map_err(kind_of)
    }

    async fn create_upload(&self, key: &str, options: &PutOptions) -> Answer<String> {
        self.arrive_for(key, Write).await?;
        self.permit(Action::Write)?;
        let options = UploadOptions { put: to_put(options), ..Default::default() };
        self.region.objects().create_upload(&self.bucket, key, options).map_err(kind_of)
    }

    async fn put_part(&self, key: &str, upload: &str, number: u32, body: Bytes) -> Answer<Part> {
        let body = self.arrive_with(key, &body).await?;
        self.permit(Action::Write)?;
        let objects = self.region.objects();
        let part = objects.put_part(&self.bucket, key, upload, number, body, Default::default()).map_err(kind_of)?;
        Ok(Part { number, e_tag: part.etag, crc32: None })
    }

    async fn copy_part(&self, from: &Pinned, range: Range<u64>, key: &str, upload: &str, number: u32) -> Answer<Part> {
        self.arrive_for(key, Write).await?;
        let source = self.source(from)?;
        self.permit(Action::Write)?;
        self.clock.spend_on(range.end - range.start, BANDWIDTH).await;
        let objects = self.region.objects();
        let body = objects.part_of(&source, range).map_err(kind_of)?;
        let part = objects.put_part(&self.bucket, key, upload, number, body, Default::default()).map_err(kind_of)?;
        Ok(Part { number, e_tag: part.etag, crc32: None })
    }

    async fn complete_upload(&self, key: &str, upload: &str, parts: &[Part]) -> Answer<Written> {
        self.arrive_for(key, Write).await?;
        self.permit(Action::Write)?;
        let parts: Vec<_> = parts.iter().map(|part| (part.number, Some(part.e_tag.clone()))).collect();
        let objects = self.region.objects();
        objects.complete_upload(&self.bucket, key, upload, &parts, &[], None).map(written).map_err(kind_of)
    }

    async fn abort_upload(&self, key: &str, upload: &str) -> Answer<()> {
        self.arrive_for(key, Write).await?;
        self.permit(Action::Abort)?;
        self.region.objects().abort_upload(&self.bucket, key, upload).map_err(kind_of)
    }

    async fn delete(&self, key: &str, version: Option<&str>) -> Answer<()> {
        self.arrive_for(key, Write).await?;
        self.permit(if version.is_some() { Action::DeleteVersion } else { Action::Delete })?;
        self.region.objects().delete(&self.bucket, key, version, false).map(drop).map_err(kind_of)
    }

    async fn restore(&self, key: &str, tier: Tier, days: u32) -> Answer<()> {
        self.arrive_for(key, Write).await?;
        self.permit(Action::Restore)?;
        match self.region.objects().request_restore(&self.bucket, key, None, tier, days) {
            Ok(_) | Err(Refusal::RestoreInProgress) => Ok(()),
            Err(refusal) => Err(kind_of(refusal)),
        }
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
