//! Listings that end too early: after their first page, and say that this was all. What a proxy does that drops a
//! parameter, or a client that never asks for the second page.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::objects::Objects;

/// Most entries that a client gets on a page. What asks for more is no client.
pub(super) const PAGE: usize = 1000;

/// Whether listings are cut, and how many were.
#[derive(Debug, Default)]
pub(super) struct Cut {
    /// Entries on the one page; 0 where listings are whole.
    page: AtomicUsize,
    count: AtomicU64,
}

impl Cut {
    /// How many entries a page may have where a client asks for so many.
    pub(super) fn page(&self, asked: usize) -> usize {
        match self.page.load(Ordering::SeqCst) {
            0 => asked,
            _ if asked > PAGE => asked,
            page => page.min(asked),
        }
    }

    /// Where a client is told that a page goes on.
    pub(super) fn next<T>(&self, asked: usize, next: Option<T>) -> Option<T> {
        if asked > PAGE || self.page.load(Ordering::SeqCst) == 0 {
            return next;
        }
        self.count.fetch_add(u64::from(next.is_some()), Ordering::SeqCst);
        None
    }
}

impl Objects {
    /// Ends every listing after one page of so many entries; `None` makes them whole again.
    pub fn cut_listings(&self, page: Option<usize>) {
        self.cut.page.store(page.unwrap_or(0), Ordering::SeqCst);
    }

    /// Counts a listing that did not show all.
    pub(super) fn count_cut(&self) {
        self.cut.count.fetch_add(1, Ordering::SeqCst);
    }

    /// After how many entries listings end; `None` where they are whole.
    pub fn listings_end_after(&self) -> Option<usize> {
        Some(self.cut.page.load(Ordering::SeqCst)).filter(|page| *page > 0)
    }

    /// Listings so far that did not show all.
    pub fn listings_cut(&self) -> u64 {
        self.cut.count.load(Ordering::SeqCst)
    }
}
