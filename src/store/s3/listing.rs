//! Listing: every page, in order, and no page twice.

use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;

use super::{S3Store, object_info};
use crate::store::{ObjectInfo, StoreError, StoreErrorKind};

/// A page of a thousand keys is below this, in bytes.
const PAGE: u64 = 1 << 20;

impl S3Store {
    pub(super) async fn list_pages(&self, prefix: &str) -> Result<Vec<ObjectInfo>, StoreError> {
        let failed = |kind| self.tries.failed("list", prefix, kind);
        let (mut found, mut token) = (Vec::<ObjectInfo>::new(), None);
        loop {
            let page = self.tries.run("list", prefix, || self.page(prefix, token.clone())).await?;
            let objects = entries(&page).map_err(failed)?;
            // Pages come in order: one that goes back would never end.
            if let (Some(last), Some(next)) = (found.last(), objects.first())
                && next.key <= last.key
            {
                return Err(failed(StoreErrorKind::Nonsense));
            }
            let is_empty = objects.is_empty();
            found.extend(objects);
            if page.is_truncated() != Some(true) {
                return Ok(found);
            }
            token = page.next_continuation_token;
            if token.is_none() || is_empty {
                return Err(failed(StoreErrorKind::Nonsense));
            }
        }
    }

    async fn page(&self, prefix: &str, token: Option<String>) -> Result<ListObjectsV2Output, StoreErrorKind> {
        let list = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix).set_continuation_token(token);
        self.bulky(PAGE, list.send()).await
    }
}

/// The objects of a page, in order.
fn entries(page: &ListObjectsV2Output) -> Result<Vec<ObjectInfo>, StoreErrorKind> {
    let entry = |object: &aws_sdk_s3::types::Object| {
        object_info(object.key().ok_or(StoreErrorKind::Nonsense)?, object.size(), object.last_modified())
    };
    let mut objects = page.contents().iter().map(entry).collect::<Result<Vec<_>, _>>()?;
    objects.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    Ok(objects)
}
