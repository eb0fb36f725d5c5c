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
    row: impl FnMut(&str, &[Option<ObjectInfo>]),
) -> Vec<Option<StoreErrorKind>> {
    let mut listings = Vec::new();
    for store in stores {
        listings.push(store.pages(prefix));
    }
    merge(listings, row).await
}

async fn merge(
    listings: Vec<PageStream<'_>>,
    mut row: impl FnMut(&str, &[Option<ObjectInfo>]),
) -> Vec<Option<StoreErrorKind>> {
    let open = |pages| Cursor { pages, page: Vec::new().into_iter(), head: None, failed: None, ended: false };
    let mut cursors: Vec<Cursor<'_>> = listings.into_iter().map(open).collect();
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

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use futures_util::{StreamExt, stream};
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::store::{StorageClass, StoreError};

    fn object(key: &str, size: u64) -> ObjectInfo {
        ObjectInfo {
            key: key.to_owned(),
            size,
            modified: Timestamp::UNIX_EPOCH,
            storage_class: StorageClass::Standard,
            etag: None,
            version: None,
            content_type: None,
            metadata: BTreeMap::new(),
            restore: None,
        }
    }

    proptest! {
        /// However the listings are cut into pages, each key comes once, in order, with every region that has it.
        #[test]
        fn regions_are_listed_side_by_side(
            regions in proptest::collection::vec(
                (proptest::collection::btree_set("[a-c/]{1,3}", 0..20), 1usize..5, any::<bool>()), 1..4,
            ),
        ) {
            let listing = |(number, (keys, page, fails)): (usize, &(BTreeSet<String>, usize, bool))| {
                let all: Vec<ObjectInfo> = keys.iter().map(|key| object(key, number as u64)).collect();
                let mut pages: Vec<_> = all.chunks(*page).map(|page| Ok(page.to_vec())).collect();
                pages.insert(0, Ok(Vec::new()));
                let kind = StoreErrorKind::TimedOut;
                if *fails {
                    pages.push(Err(StoreError { region: "r".into(), operation: "list", key: String::new(), kind }));
                }
                stream::iter(pages).boxed()
            };
            let mut rows = Vec::new();
            let row = |key: &str, found: &[Option<ObjectInfo>]| rows.push((key.to_owned(), found.to_vec()));
            let merged = merge(regions.iter().enumerate().map(listing).collect(), row);
            let failed = tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(merged);
            let all: BTreeSet<&String> = regions.iter().flat_map(|(keys, _, _)| keys).collect();
            prop_assert!(rows.iter().map(|(key, _)| key).eq(all));
            for (key, found) in &rows {
                for (number, (keys, _, _)) in regions.iter().enumerate() {
                    prop_assert_eq!(found[number].as_ref().map(|one| one.size), keys.contains(key).then_some(number as u64));
                }
            }
            let fails: Vec<bool> = regions.iter().map(|(_, _, fails)| *fails).collect();
            prop_assert_eq!(failed.iter().map(Option::is_some).collect::<Vec<_>>(), fails);
        }
    }
}
