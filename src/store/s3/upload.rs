//! Writing an object: in one request when it is small, in parts when it is large, and not at all when the data breaks
//! off.

use aws_sdk_s3::{
    primitives,
    types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart},
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

use super::S3Store;
use crate::store::{
    ByteStream, ObjectInfo, StoreError, StoreErrorKind,
    parts::{PART, parts},
};

/// Parts on their way at once: one is hashed while the other travels. With the part that is being filled, three are
/// in memory.
const IN_FLIGHT: usize = 2;

impl S3Store {
    pub(super) async fn upload(&self, key: &str, body: ByteStream) -> Result<ObjectInfo, StoreError> {
        let mut parts = Box::pin(parts(body, PART).map_err(|error| {
            tracing::debug!(key, %error, "the data to write failed");
            self.failed(key, StoreErrorKind::Source)
        }));
        let first = parts.try_next().await?.unwrap_or_default();
        let size = match parts.try_next().await? {
            None => self.put_whole(key, first).await?,
            Some(second) => self.put_in_parts(key, stream::iter([Ok(first), Ok(second)]).chain(parts)).await?,
        };
        // S3 does not say when it wrote: the drill's clock is the emulated region's own.
        let modified = Timestamp::from_second(self.tries.clock.now().as_second()).unwrap_or(Timestamp::MAX);
        Ok(ObjectInfo { key: key.to_owned(), size, modified })
    }

    async fn put_whole(&self, key: &str, body: Bytes) -> Result<u64, StoreError> {
        let size = body.len() as u64;
        let put = || async {
            let put = self.client.put_object().bucket(&self.bucket).key(key).body(body.clone().into());
            // Every S3 answers with an ETag; what does not has hardly stored anything.
            self.bulky(size, put.send()).await?.e_tag.ok_or(StoreErrorKind::Nonsense)
        };
        self.tries.run("put", key, put).await?;
        Ok(size)
    }

    async fn put_in_parts(
        &self,
        key: &str,
        parts: impl Stream<Item = Result<Bytes, StoreError>> + Send,
    ) -> Result<u64, StoreError> {
        let create = || async {
            let create = self.client.create_multipart_upload().bucket(&self.bucket).key(key);
            let create = create.checksum_algorithm(ChecksumAlgorithm::Crc32);
            self.quick(create.send()).await?.upload_id.ok_or(StoreErrorKind::Nonsense)
        };
        let id = self.tries.run("put", key, create).await?;
        let done = async {
            let (size, parts) = self.put_parts(key, &id, parts).await?;
            self.complete(key, &id, size, parts).await?;
            Ok(size)
        };
        match done.await {
            Ok(size) => Ok(size),
            Err(error) => {
                self.abort(key, &id).await;
                Err(error)
            }
        }
    }

    /// Sends the parts; gives their total size in bytes and what completes the upload.
    async fn put_parts(
        &self,
        key: &str,
        id: &str,
        parts: impl Stream<Item = Result<Bytes, StoreError>> + Send,
    ) -> Result<(u64, Vec<CompletedPart>), StoreError> {
        let sent = stream::iter(1..).zip(parts).map(|(number, part)| async move {
            let part = part?;
            Ok((part.len() as u64, self.put_part(key, id, number, &part).await?))
        });
        let mut size = 0;
        let completed = sent.buffered(IN_FLIGHT).map_ok(|(bytes, part)| {
            size += bytes;
            part
        });
        let completed = completed.try_collect().await?;
        Ok((size, completed))
    }

    async fn put_part(&self, key: &str, id: &str, number: i32, part: &Bytes) -> Result<CompletedPart, StoreError> {
        let put = || async {
            let put = self.client.upload_part().bucket(&self.bucket).key(key).upload_id(id).part_number(number);
            let put = put.checksum_algorithm(ChecksumAlgorithm::Crc32).body(primitives::ByteStream::from(part.clone()));
            let done = self.bulky(part.len() as u64, put.send()).await?;
            let e_tag = done.e_tag.ok_or(StoreErrorKind::Nonsense)?;
            let completed = CompletedPart::builder().part_number(number).e_tag(e_tag);
            Ok(completed.set_checksum_crc32(done.checksum_crc32).build())
        };
        self.tries.run("put", key, put).await
    }

    /// Joins the parts, which for a large object takes the region a while.
    async fn complete(&self, key: &str, id: &str, size: u64, parts: Vec<CompletedPart>) -> Result<(), StoreError> {
        let upload = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let complete = || async {
            let complete = self.client.complete_multipart_upload().bucket(&self.bucket).key(key).upload_id(id);
            let done = self.bulky(size, complete.multipart_upload(upload.clone()).send()).await?;
            done.e_tag.map(drop).ok_or(StoreErrorKind::Nonsense)
        };
        self.tries.run("put", key, complete).await
    }

    /// Throws the parts away; the failure that led here is the one that counts.
    async fn abort(&self, key: &str, id: &str) {
        let abort =
            || self.quick(self.client.abort_multipart_upload().bucket(&self.bucket).key(key).upload_id(id).send());
        if let Err(error) = self.tries.run("put", key, abort).await {
            tracing::debug!(key, %error, "an unfinished upload is left behind");
        }
    }

    fn failed(&self, key: &str, kind: StoreErrorKind) -> StoreError {
        self.tries.failed("put", key, kind)
    }
}
