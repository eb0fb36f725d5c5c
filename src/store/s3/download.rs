//! Reading an object: the body is handed on as it comes, and never taken for whole when it is not.

use aws_sdk_s3::{primitives, types::ChecksumMode};
use bytes::Bytes;
use futures_util::{StreamExt, stream};

use super::{S3Store, failure::kind_of_body, object_info};
use crate::store::{ByteStream, ObjectInfo, StoreError, StoreErrorKind};

impl S3Store {
    pub(super) async fn download(&self, key: &str) -> Result<(ObjectInfo, ByteStream), StoreError> {
        let open = || async {
            let get = self.client.get_object().bucket(&self.bucket).key(key).checksum_mode(ChecksumMode::Enabled);
            let answer = self.quick(get.send()).await?;
            // Without its length a body that breaks off would look whole.
            Ok((object_info(key, answer.content_length(), answer.last_modified())?, answer.body))
        };
        let (info, body) = self.tries.run("get", key, open).await?;
        let state = Body { body, left: info.size, limit: self.tries.read_limit(), clock: self.tries.clock.clone() };
        let (region, key) = (self.tries.region.clone(), key.to_owned());
        let failed = move |kind| StoreError { region: region.clone(), operation: "get", key: key.clone(), kind };
        let pieces = stream::try_unfold(state, Body::next).map(move |piece| piece.map_err(&failed));
        Ok((info, pieces.boxed()))
    }
}

/// A body that is being read.
struct Body {
    body: primitives::ByteStream,
    /// Bytes still to come.
    left: u64,
    limit: std::time::Duration,
    clock: crate::sim::clock::Clock,
}

impl Body {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, StoreErrorKind> {
        match self.clock.limit(self.limit, self.body.next()).await {
            None => Err(StoreErrorKind::TimedOut),
            Some(Some(Err(error))) => Err(kind_of_body(&error)),
            Some(Some(Ok(piece))) => {
                self.left = self.left.checked_sub(piece.len() as u64).ok_or(StoreErrorKind::Nonsense)?;
                Ok(Some((piece, self)))
            }
            Some(None) if self.left > 0 => Err(StoreErrorKind::Cut),
            Some(None) => Ok(None),
        }
    }
}
