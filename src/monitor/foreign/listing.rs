//! What several regions list below one prefix, side by side: sorted listings merged as their pages come, so that memory
//! holds a page a region whatever lies there.

use std::vec::IntoIter;

use futures_util::{TryStreamExt, future::join_all};

use crate::store::{ObjectInfo, PageStream, SharedStore, StoreErrorKind};

/// One region's listing as it is read.
struct Cursor<'s> {
    pages: PageStream<'s>,
    page: IntoIter<ObjectInfo>,
    head: Option<ObjectInfo>,
    /// How it failed.
    failed: Option<StoreErrorKind>,
    ended: bool,
}

impl Cursor<'_> {
    /// Has the next object at hand, if there is one.
    async fn fill(&mut self) {
        while self.head.is_none() && !self.ended {
            self.head = self.page.next();
            if self.head.is_some() {
                return;
            }
            match self.pages.try_next().await {
                Ok(Some(page)) => self.page = page.into_iter(),
                Ok(None) => self.ended = true,
                Err(e) => (self.ended, self.failed) = (true, Some(e.kind)),
            }
        }
    }
}

/// Hands out each key with what every region says of it, in the order of the keys. Gives how each region failed, if it
/// did; what it listed before has been handed out.
pub(super) async fn side_by_side(
    stores: &[SharedStore],
    prefix: &str,
    mut row: impl FnMut(&str, &[Option<ObjectInfo>]),
) -> Vec<Option<StoreErrorKind>> {
    let mut cursors: Vec<Cursor<'_>> = Vec::new();
    for store in stores {
        let (pages, page) = (store.pages(prefix), Vec::new().into_iter());
        cursors.push(Cursor { pages, page, head: None, failed: None, ended: false });
    }
    loop {
        join_all(cursors.iter_mut().map(Cursor::fill)).await;
        let first = cursors.iter().filter_map(|cursor| cursor.head.as_ref()).map(|head| &head.key).min().cloned();
        let Some(key) = first else { break };
        let take = |cursor: &mut Cursor<'_>| cursor.head.take_if(|head| head.key == key);
        let found: Vec<Option<ObjectInfo>> = cursors.iter_mut().map(take).collect();
        row(&key, &found);
    }
    cursors.into_iter().map(|cursor| cursor.failed).collect()
}
