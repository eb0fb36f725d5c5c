//! The HookLabs web application: a site in a repository, released to a hosting provider. A write is a release that went
//! live healthy; what users get of each path is a row. A bad deployment is never acknowledged, so what must be back is
//! the last healthy release.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use self::{ledger::ReleaseLedger, row::digest, site::Generator, users::Users};
use super::contract::{Ledger, Service, ServiceError, View};
use crate::{
    model::units::ByteSize,
    provider::{Change, Provider, Release, Repository},
    sim::seed::Seed,
};

mod ledger;
mod row;
mod site;
mod users;

/// How the application is lost; it strikes what users reach.
pub type Disaster = Box<dyn Fn() + Send + Sync>;

/// What a web application is made of.
pub struct Parts {
    /// Its provider.
    pub provider: Provider,
    /// Its repository.
    pub repository: Arc<Repository>,
    /// The project that serves it.
    pub project: String,
    /// How it is lost.
    pub disaster: Disaster,
}

/// The web application as a protected service.
pub struct Web {
    parts: Parts,
    generator: Generator,
    seed: Seed,
    ledger: Arc<ReleaseLedger>,
    /// The newest acknowledged release.
    newest: Mutex<Release>,
    seeded: (u64, u64),
}

impl Web {
    /// A site of about that size, committed, deployed and live.
    ///
    /// # Errors
    /// When the provider does not take it.
    pub async fn seed(parts: Parts, size: ByteSize, seed: Seed, started_at: Timestamp) -> Result<Web, ServiceError> {
        let generator = Generator::new(size, seed);
        let first: Vec<_> = site::FIRST.iter().map(|path| (path.to_string(), generator.content(path, 0))).collect();
        let digests: Vec<_> = first.iter().map(|(path, content)| (path.clone(), digest(content))).collect();
        let seeded = (first.len() as u64, first.iter().map(|(_, content)| content.len() as u64).sum());
        let changes = first.into_iter().map(|(path, content)| Change { path, content: Some(content) });
        let commit = parts.repository.commit(changes.collect());
        let deployed = parts.provider.deploy(&parts.project, &commit, true).await;
        deployed.map_err(|e| ServiceError(format!("the provider does not take the first release: {e}")))?;
        let ledger = Arc::new(ReleaseLedger::new(digests.iter().cloned(), started_at));
        let newest = Release { number: 0, commit, at: started_at, files: Arc::new(digests.into_iter().collect()) };
        parts.repository.note(newest.clone());
        Ok(Web { parts, generator, seed: seed.child("releases"), ledger, newest: Mutex::new(newest), seeded })
    }

    /// Releases one change: commit, deployment, a look at what it serves, and only then the note and the ledger. A
    /// release that does not get there is none, and its commit is taken back.
    async fn release(&self, at: Timestamp) {
        let before = self.newest();
        let number = before.number + 1;
        let (path, content) = self.change(number, &before);
        let changed = content.as_deref().map(digest);
        let commit = self.parts.repository.commit(vec![Change { path: path.clone(), content }]);
        if !self.goes_live(&commit, &path, changed.as_deref()).await {
            return self.parts.repository.drop_commit(&commit);
        }
        let position = self.ledger.acknowledge(path.clone(), changed.clone(), at);
        let mut files = (*before.files).clone();
        match changed {
            Some(digest) => files.insert(path, digest),
            None => files.remove(&path),
        };
        let release = Release { number, commit, at: position.committed_at, files: Arc::new(files) };
        self.parts.repository.note(release.clone());
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = release;
    }

    async fn goes_live(&self, commit: &str, path: &str, wanted: Option<&str>) -> bool {
        let Parts { provider, project, .. } = &self.parts;
        if provider.deploy(project, commit, true).await.is_err() {
            return false;
        }
        match (provider.get(path).await, wanted) {
            (Ok(answer), Some(wanted)) => answer.status == 200 && digest(&answer.body) == wanted,
            (Ok(answer), None) => answer.status == 404,
            (Err(_), _) => false,
        }
    }

    /// What a release changes: mostly a page that is there, now and then one more page or one less.
    fn change(&self, number: u64, before: &Release) -> (String, Option<bytes::Bytes>) {
        let seed = self.seed.nth(number);
        let posts: Vec<&String> = before.files.keys().filter(|path| path.starts_with("/blog/post-")).collect();
        let paths: Vec<&String> = before.files.keys().collect();
        let path = match site::pick(seed, 0, 6) {
            0 => format!("/blog/post-{number}"),
            1 if !posts.is_empty() => return (posts[site::pick(seed, 1, posts.len())].clone(), None),
            _ => paths[site::pick(seed, 1, paths.len())].clone(),
        };
        let content = self.generator.content(&path, number);
        (path, Some(content))
    }

    fn newest(&self) -> Release {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn users(&self) -> Users {
        Users { provider: self.parts.provider.clone(), ledger: Arc::clone(&self.ledger) }
    }
}

#[async_trait]
impl Service for Web {
    fn ledger(&self) -> Arc<dyn Ledger> {
        Arc::clone(&self.ledger) as _
    }

    async fn steady(&self) -> Result<String, ServiceError> {
        let (users, newest) = (self.users(), self.newest());
        for (path, wanted) in newest.files.iter() {
            let answer = users.ask(path).await?;
            if answer.status != 200 || digest(&answer.body) != *wanted {
                return Err(ServiceError(format!("{path} is not what was released (HTTP {})", answer.status)));
            }
        }
        Ok(format!("users get {} pages and files", newest.files.len()))
    }

    async fn write(&self, at: Timestamp, writes: u32) -> Result<(), ServiceError> {
        for n in 0..writes {
            self.release(at.checked_add(SignedDuration::from_millis(n.into())).unwrap_or(Timestamp::MAX)).await;
        }
        Ok(())
    }

    async fn lose(&self) -> Result<(), ServiceError> {
        (self.parts.disaster)();
        Ok(())
    }

    fn live(&self) -> Option<Arc<dyn View>> {
        Some(Arc::new(self.users()))
    }

    fn rows(&self) -> u64 {
        self.seeded.0
    }

    fn seeded_bytes(&self) -> u64 {
        self.seeded.1
    }
}
