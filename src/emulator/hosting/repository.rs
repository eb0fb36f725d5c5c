//! The team's repository: commits in a row, and a note at each commit that was released and found healthy. It stands
//! outside the hosting provider, so that a deployment that is gone can be built again.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// All files of a site: path, content.
pub type Tree = BTreeMap<String, Bytes>;

/// Bytes of a digest that name a commit, as people shorten them.
const ID_BYTES: usize = 6;

/// What a commit changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The file's path, as users ask for it.
    pub path: String,
    /// What it holds from now on; `None` removes it.
    pub content: Option<Bytes>,
}

/// A release that passed its checks: the note that is left at its commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Its number, from 0: the first state of the site.
    pub number: u64,
    /// The commit that it was built from.
    pub commit: String,
    /// When it was live and healthy.
    pub at: Timestamp,
    /// SHA-256 of each file as users got it, by path, in hex.
    pub files: Arc<BTreeMap<String, String>>,
}

/// The commits, as a clone on the team's machines has them.
#[derive(Debug, Default)]
pub struct Repository {
    log: Mutex<Log>,
}

#[derive(Debug, Default)]
struct Log {
    commits: Vec<Commit>,
    releases: Vec<Release>,
}

#[derive(Debug, Clone)]
struct Commit {
    id: String,
    tree: Arc<Tree>,
}

/// A commit that was lost, so that it can be put back.
#[derive(Debug)]
pub struct Lost {
    place: usize,
    commit: Commit,
}

impl Repository {
    /// Commits changes on top of the newest commit, and names the commit.
    pub fn commit(&self, changes: Vec<Change>) -> String {
        let mut log = self.log();
        let parent = log.commits.last();
        let mut hash = Sha256::new().chain_update(parent.map_or("", |parent| &parent.id));
        let mut tree = parent.map(|parent| Tree::clone(&parent.tree)).unwrap_or_default();
        for Change { path, content } in changes {
            hash = hash.chain_update(&path).chain_update(content.as_deref().unwrap_or_default());
            match content {
                Some(content) => tree.insert(path, content),
                None => tree.remove(&path),
            };
        }
        let id = data_encoding::HEXLOWER.encode(&hash.finalize()[..ID_BYTES]);
        log.commits.push(Commit { id: id.clone(), tree: Arc::new(tree) });
        id
    }

    /// Takes a commit back that nothing was released from.
    pub fn drop_commit(&self, id: &str) {
        self.log().commits.retain(|commit| commit.id != id);
    }

    /// Notes that a release is live and healthy.
    pub fn note(&self, release: Release) {
        self.log().releases.push(release);
    }

    /// Releases with their notes, the newest first.
    pub fn releases(&self) -> Vec<Release> {
        self.log().releases.iter().rev().cloned().collect()
    }

    /// The files of a commit; `None` where there is no such commit.
    pub fn files(&self, id: &str) -> Option<Arc<Tree>> {
        self.log().commits.iter().find(|commit| commit.id == id).map(|commit| Arc::clone(&commit.tree))
    }

    /// Names of the commits, the oldest first.
    pub fn commits(&self) -> Vec<String> {
        self.log().commits.iter().map(|commit| commit.id.clone()).collect()
    }

    /// Loses a commit, as a forced push does. Its notes stay: they are kept beside the commits.
    pub fn lose(&self, id: &str) -> Option<Lost> {
        let mut log = self.log();
        let place = log.commits.iter().position(|commit| commit.id == id)?;
        Some(Lost { place, commit: log.commits.remove(place) })
    }

    /// Puts a lost commit back where it was.
    pub fn put_back(&self, lost: Lost) {
        let mut log = self.log();
        let place = lost.place.min(log.commits.len());
        log.commits.insert(place, lost.commit);
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
