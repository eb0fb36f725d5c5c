//! Files as commands find them: a bucket by its name and region, a folder by its path.

use std::{
    fs, io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;

use super::{Files, Provider, names::KINDS};
use crate::{
    model::event::Position,
    service::{
        contract::{Bucket, BucketPlatform, Service, ServiceError},
        place::Place,
    },
    sim::clock::Clock,
    store::{SharedStore, folder::FolderStore},
};

/// Says by which variables a bucket or folder of that name is found.
type Naming = dyn Fn(&str) -> Vec<(String, String)> + Send + Sync;

/// Where files are, for commands: the source, and after the disaster a new, empty place.
pub struct FilePlace {
    files: Arc<Files>,
    variables: Box<Naming>,
    new: Mutex<Option<Bucket>>,
}

impl FilePlace {
    /// Begins with the source.
    pub fn new(files: Arc<Files>, variables: impl Fn(&str) -> Vec<(String, String)> + Send + Sync + 'static) -> Self {
        FilePlace { files, variables: Box::new(variables), new: Mutex::default() }
    }

    fn provisioned(&self) -> Option<Bucket> {
        self.new.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Place for FilePlace {
    fn variables(&self) -> Vec<(String, String)> {
        let new = self.provisioned();
        (self.variables)(new.as_ref().map_or(&self.files.bucket, |bucket| &bucket.name))
    }

    fn position(&self) -> Position {
        BucketPlatform::position(self.files.as_ref())
    }

    fn load(&self) -> (u64, u64) {
        (self.files.rows(), self.files.seeded_bytes())
    }

    async fn provision(&self) -> Result<(), ServiceError> {
        let bucket = BucketPlatform::provision(self.files.as_ref()).await?;
        *self.new.lock().unwrap_or_else(PoisonError::into_inner) = Some(bucket);
        Ok(())
    }

    async fn cut_over(&self) -> Result<(), ServiceError> {
        let bucket = self.provisioned().ok_or_else(|| ServiceError("no new place was made".into()))?;
        BucketPlatform::cut_over(self.files.as_ref(), &bucket).await
    }
}

/// Folders on the drill's own disk, in the place of a provider's buckets.
#[derive(Debug)]
pub struct Folders {
    root: PathBuf,
    clock: Clock,
}

impl Folders {
    /// Folders below that one.
    pub fn below(root: PathBuf, clock: &Clock) -> Self {
        Folders { root, clock: clock.clone() }
    }

    /// Where a folder of that name is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }
}

impl Provider for Folders {
    fn create(&self, name: &str) -> Result<SharedStore, ServiceError> {
        let path = self.path(name);
        fs::create_dir_all(&path).map_err(|e| ServiceError(format!("{} cannot be made: {e}", path.display())))?;
        Ok(Arc::new(FolderStore::new(&path, &self.clock, type_of)))
    }

    fn empty(&self, name: &str) -> Result<(), ServiceError> {
        match fs::remove_dir_all(self.path(name)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                Err(ServiceError(format!("{} cannot be removed: {e}", self.path(name).display())))
            }
            _ => Ok(()),
        }
    }
}

/// The content type that a name promises.
fn type_of(name: &str) -> &'static str {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    let known = KINDS.iter().find(|kind| Some(kind.extension) == ending);
    known.map_or("application/octet-stream", |kind| kind.content_type)
}
