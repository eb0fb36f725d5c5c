//! The contract, kept over any wire: small objects in one request and large ones in parts, every page of a listing, and
//! bodies that are never taken for whole when they are not.

use std::{cmp::Reverse, ops::Range, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

use super::{
    ByteStream, CopySource, MOST_RANGE, ObjectInfo, PageStream, Patience, PutOptions, StorageClass, Store, StoreError,
    StoreErrorKind, Tier, VersionInfo,
    parts::{PART, parts},
    tries::Tries,
    wire::{Answer, Part, Pieces, Pinned, Wire, Written},
};
use crate::sim::clock::Clock;

/// Parts on their way at once: one is hashed while the other travels. With the part that is being filled, three are
/// in memory.
const IN_FLIGHT: usize = 2;

/// A listing's page of a thousand keys is below this, in bytes.
const PAGE: u64 = 1 << 20;

/// Above it an object is copied in parts of this size, in bytes: a region needs time for a copy, and S3 takes no more
/// than 5 GiB at once.
const COPY_PART: u64 = 64 << 20;

/// What an object is where nobody says.
const CONTENT_TYPE: &str = "application/octet-stream";

/// One bucket of one region, over a wire.
#[derive(Debug)]
pub struct Client<W> {
    wire: W,
    tries: Tries,
}

impl<W: Wire> Client<W> {
    pub(super) fn over(wire: W, region: &str, clock: &Clock, patience: Patience) -> Self {
        Client { wire, tries: Tries { region: region.to_owned(), clock: clock.clone(), patience } }
    }

    /// One attempt that moves `bytes` before it is answered.
    async fn bulky<T>(&self, bytes: u64, attempt: impl Future<Output = Answer<T>> + Send) -> Answer<T> {
        self.tries.bulky(bytes, attempt, || self.wire.is_alive()).await
    }

    async fn put_whole(&self, key: &str, body: Bytes, options: &PutOptions) -> Result<(u64, Written), StoreError> {
        let size = body.len() as u64;
        let put = || self.bulky(size, self.wire.put(key, body.clone(), options));
        Ok((size, self.tries.run("put", key, put).await?))
    }

    async fn put_in_parts(
        &self,
        key: &str,
        parts: impl Stream<Item = Result<Bytes, StoreError>> + Send,
        options: &PutOptions,
    ) -> Result<(u64, Written), StoreError> {
        let upload = self.tries.run("put", key, || self.tries.quick(self.wire.create_upload(key, options))).await?;
        let done = async {
            let (size, parts) = self.put_parts(key, &upload, parts).await?;
            // Joining a large object takes a region a while.
            let complete = || self.bulky(size, self.wire.complete_upload(key, &upload, &parts));
            Ok((size, self.tries.run("put", key, complete).await?))
        };
        let done = done.await;
        if done.is_err() {
            self.abort(key, &upload).await;
        }
        done
    }

    async fn copy_in_parts(
        &self,
        from: &Pinned,
        key: &str,
        size: u64,
        options: &PutOptions,
    ) -> Result<Written, StoreError> {
        let upload = self.tries.run("copy", key, || self.tries.quick(self.wire.create_upload(key, options))).await?;
        let done = async {
            let mut parts = Vec::new();
            for (number, start) in (1..).zip((0..size).step_by(COPY_PART as usize)) {
                let range = start..size.min(start + COPY_PART);
                let copy = || self.bulky(COPY_PART, self.wire.copy_part(from, range.clone(), key, &upload, number));
                parts.push(self.tries.run("copy", key, copy).await?);
            }
            let complete = || self.bulky(size, self.wire.complete_upload(key, &upload, &parts));
            self.tries.run("copy", key, complete).await
        };
        let done = done.await;
        if done.is_err() {
            self.abort(key, &upload).await;
        }
        done
    }

    async fn open(&self, key: &str, version: Option<&str>) -> Result<(ObjectInfo, ByteStream), StoreError> {
        let (info, pieces) = self.tries.run("get", key, || self.tries.quick(self.wire.get(key, version))).await?;
        let (limit, clock) = (self.tries.read_limit(), self.tries.clock.clone());
        let body = Body { pieces, left: info.size, limit, clock };
        let (region, key) = (self.tries.region.clone(), key.to_owned());
        let failed = move |kind| StoreError { region: region.clone(), operation: "get", key: key.clone(), kind };
        Ok((info, stream::try_unfold(body, Body::next).map_err(failed).boxed()))
    }

    async fn remove(&self, key: &str, version: Option<&str>) -> Result<(), StoreError> {
        let delete = || async {
            match self.tries.quick(self.wire.delete(key, version)).await {
                Err(StoreErrorKind::NotFound) => Ok(()),
                answer => answer,
            }
        };
        self.tries.run("delete", key, delete).await
    }

    /// What is known of an object that was just written.
    fn written(&self, key: &str, size: u64, written: Written, options: PutOptions) -> ObjectInfo {
        ObjectInfo {
            key: key.to_owned(),
            size,
            // S3 does not say when it wrote; the drill's clock is the emulated region's own.
            modified: Timestamp::from_second(self.tries.clock.now().as_second()).unwrap_or_default(),
            storage_class: options.storage_class,
            etag: Some(written.etag),
            version: written.version,
            content_type: options.content_type,
            metadata: options.metadata,
            restore: None,
        }
    }

    /// Sends the parts; gives their total size in bytes and what completes the upload.
    async fn put_parts(
        &self,
        key: &str,
        upload: &str,
        parts: impl Stream<Item = Result<Bytes, StoreError>> + Send,
    ) -> Result<(u64, Vec<Part>), StoreError> {
        let sent = stream::iter(1..).zip(parts).map(|(number, part)| async move {
            let part = part?;
            let size = part.len() as u64;
            let put = || self.bulky(size, self.wire.put_part(key, upload, number, part.clone()));
            Ok((size, self.tries.run("put", key, put).await?))
        });
        let sent: Vec<(u64, Part)> = sent.buffered(IN_FLIGHT).try_collect().await?;
        Ok((sent.iter().map(|(size, _)| size).sum(), sent.into_iter().map(|(_, part)| part).collect()))
    }

    /// Throws the parts away; the failure that led here is the one that counts.
    async fn abort(&self, key: &str, upload: &str) {
        let abort = || self.tries.quick(self.wire.abort_upload(key, upload));
        if let Err(error) = self.tries.run("put", key, abort).await {
            tracing::debug!(key, %error, "an unfinished upload is left behind");
        }
    }
}

#[async_trait]
impl<W: Wire> Store for Client<W> {
    fn region(&self) -> &str {
        &self.tries.region
    }

    async fn put_with(&self, key: &str, body: ByteStream, options: &PutOptions) -> Result<ObjectInfo, StoreError> {
        if !is_sendable(options) {
            return Err(self.tries.failed("put", key, StoreErrorKind::Nonsense));
        }
        let content_type = options.content_type.clone().unwrap_or_else(|| CONTENT_TYPE.to_owned());
        let options = PutOptions { content_type: Some(content_type), ..options.clone() };
        let mut parts = Box::pin(parts(body, PART).map_err(|error| {
            tracing::debug!(key, %error, "the data to write broke off");
            self.tries.failed("put", key, StoreErrorKind::Source)
        }));
        let first = parts.try_next().await?.unwrap_or_default();
        let (size, written) = match parts.try_next().await? {
            None => self.put_whole(key, first, &options).await?,
            Some(_) if options.if_absent => return Err(self.tries.failed("put", key, StoreErrorKind::Nonsense)),
            Some(second) => {
                let parts = stream::iter([Ok(first), Ok(second)]).chain(parts);
                self.put_in_parts(key, parts, &options).await?
            }
        };
        Ok(self.written(key, size, written, options))
    }

    async fn copy(&self, from: &CopySource, key: &str, class: StorageClass) -> Result<ObjectInfo, StoreError> {
        let look = || self.tries.quick(self.wire.head_source(from));
        let source = self.tries.run("copy", &from.key, look).await?;
        let size = source.size;
        let version = source.version.or_else(|| from.version.clone());
        let from = &Pinned { source: CopySource { version, ..from.clone() }, etag: source.etag };
        let (content_type, metadata) = (source.content_type, source.metadata);
        let options = PutOptions { storage_class: class, content_type, metadata, ..PutOptions::default() };
        let written = if size > COPY_PART {
            self.copy_in_parts(from, key, size, &options).await?
        } else {
            self.tries.run("copy", key, || self.bulky(size, self.wire.copy(from, key, class))).await?
        };
        Ok(self.written(key, size, written, options))
    }

    async fn get(&self, key: &str) -> Result<(ObjectInfo, ByteStream), StoreError> {
        self.open(key, None).await
    }

    async fn get_version(&self, key: &str, version: &str) -> Result<(ObjectInfo, ByteStream), StoreError> {
        self.open(key, Some(version)).await
    }

    async fn head(&self, key: &str) -> Result<ObjectInfo, StoreError> {
        self.tries.run("head", key, || self.tries.quick(self.wire.head(key))).await
    }

    async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, StoreError> {
        let size = range.end.saturating_sub(range.start);
        if size == 0 || size > MOST_RANGE {
            return Err(self.tries.failed("get", key, StoreErrorKind::Nonsense));
        }
        self.tries.run("get", key, || self.bulky(size, self.wire.get_range(key, range.clone()))).await
    }

    fn pages<'s>(&'s self, prefix: &'s str) -> PageStream<'s> {
        let pages = stream::try_unfold(Some((None, None)), move |place| async move {
            let Some((token, last)) = place else { return Ok(None) };
            let ask = || self.bulky(PAGE, self.wire.page(prefix, Option::<String>::clone(&token)));
            let mut page = self.tries.run("list", prefix, ask).await?;
            page.objects.sort_unstable_by(|a, b| a.key.cmp(&b.key));
            let goes_on = page.objects.first().is_some_and(|next| last.as_ref().is_none_or(|last| *last < next.key));
            let last = page.objects.last().map(|object| object.key.clone());
            match (page.is_truncated, page.next) {
                (false, _) => Ok(Some((page.objects, None))),
                // Pages come in order; what does not go on would never end.
                (true, Some(next)) if goes_on => Ok(Some((page.objects, Some((Some(next), last))))),
                (true, _) => Err(self.tries.failed("list", prefix, StoreErrorKind::Nonsense)),
            }
        });
        pages.boxed()
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.remove(key, None).await
    }

    async fn versions(&self, prefix: &str) -> Result<Vec<VersionInfo>, StoreError> {
        let nonsense = || self.tries.failed("versions", prefix, StoreErrorKind::Nonsense);
        let (mut found, mut token) = (Vec::new(), None);
        loop {
            let ask = || self.bulky(PAGE, self.wire.version_page(prefix, token.clone()));
            let page = self.tries.run("versions", prefix, ask).await?;
            let is_empty = page.versions.is_empty();
            found.extend(page.versions);
            match (page.is_truncated, page.next) {
                (false, _) => break,
                // A page without anything new, or from the same place again, would never end.
                (true, Some(next)) if !is_empty && token.as_ref() != Some(&next) => token = Some(next),
                (true, _) => return Err(nonsense()),
            }
        }
        // S3 lists versions and markers apart.
        found.sort_by(|a, b| {
            let order = |v: &VersionInfo| (!v.is_latest, Reverse(v.modified), v.is_delete_marker);
            a.key.cmp(&b.key).then_with(|| order(a).cmp(&order(b)))
        });
        Ok(found)
    }

    async fn delete_version(&self, key: &str, version: &str) -> Result<(), StoreError> {
        self.remove(key, Some(version)).await
    }

    async fn request_restore(&self, key: &str, tier: Tier, days: u32) -> Result<(), StoreError> {
        self.tries.run("restore", key, || self.tries.quick(self.wire.restore(key, tier, days))).await
    }
}

/// Whether headers can carry it on every way to a region.
fn is_sendable(options: &PutOptions) -> bool {
    let is_text = |text: &str| text.bytes().all(|b| matches!(b, b' '..=b'~')) && text.trim() == text;
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let is_type = options.content_type.as_ref().is_none_or(|text| !text.is_empty() && is_text(text));
    is_type && options.metadata.iter().all(|(name, value)| is_name(name) && is_text(value))
}

/// A body that is being read.
struct Body {
    pieces: Pieces,
    /// Bytes still to come.
    left: u64,
    /// Of silence between two pieces.
    limit: Duration,
    clock: Clock,
}

impl Body {
    async fn next(mut self) -> Answer<Option<(Bytes, Self)>> {
        match self.clock.limit(self.limit, self.pieces.try_next()).await {
            None => Err(StoreErrorKind::TimedOut),
            // What is too short has the wrong checksum as well, where one comes with it.
            Some(Err(StoreErrorKind::Corrupt)) if self.left > 0 => Err(StoreErrorKind::Cut),
            Some(Err(kind)) => Err(kind),
            Some(Ok(Some(piece))) => {
                self.left = self.left.checked_sub(piece.len() as u64).ok_or(StoreErrorKind::Nonsense)?;
                Ok(Some((piece, self)))
            }
            Some(Ok(None)) if self.left > 0 => Err(StoreErrorKind::Cut),
            Some(Ok(None)) => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::record::Way;

    #[tokio::test(start_paused = true)]
    async fn a_body_is_whole_only_at_its_length() {
        for (length, end) in [(9, StoreErrorKind::Nonsense), (11, StoreErrorKind::Cut)] {
            let clock = Clock::new(Way::Simulated, Timestamp::UNIX_EPOCH);
            let pieces = stream::iter([Ok(Bytes::from_static(&[0; 5])), Ok(Bytes::from_static(&[0; 5]))]).boxed();
            let body = Body { pieces, left: length, limit: Duration::from_secs(1), clock };
            let read: Answer<Vec<Bytes>> = stream::try_unfold(body, Body::next).try_collect().await;
            assert_eq!(read, Err(end), "10 bytes where {length} were promised");
        }
    }
}
