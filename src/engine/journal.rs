//! The clean-up journal: every drill's scratch folder lies in one place and is locked while its drill lives. A folder
//! without a living owner is what a killed run left; the next start ends what runs there, and removes it.

use std::{
    fs::{self, File, Permissions},
    io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{FlockOperation, flock, statvfs},
    process::getuid,
};

use crate::process;

const LOCK: &str = ".lock";
const KEPT: &str = ".kept";
const NOTE: &str = ".beyond";

/// A drill's scratch folder, locked as long as this lives.
#[derive(Debug)]
pub struct Scratch {
    dir: PathBuf,
    _lock: File,
}

/// The folder that holds all scratch folders of this user.
///
/// # Errors
/// When it cannot be made, or belongs to somebody else.
pub fn base() -> io::Result<PathBuf> {
    let uid = getuid().as_raw();
    let base = std::env::temp_dir().join(format!("backdraft-{uid}"));
    match fs::create_dir(&base) {
        Ok(()) => fs::set_permissions(&base, Permissions::from_mode(0o700))?,
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
        Err(e) => return Err(e),
    }
    let meta = fs::symlink_metadata(&base)?;
    if !meta.is_dir() || meta.uid() != uid {
        return Err(io::Error::other(format!("{} is not a folder of this user", base.display())));
    }
    Ok(base)
}

impl Scratch {
    /// A new, empty, locked folder below `base`.
    pub fn new(base: &Path) -> io::Result<Self> {
        let dir = tempfile::Builder::new().prefix("drill-").tempdir_in(base)?.keep();
        // Locked before it has its name: a sweep never sees the lock of a living run free.
        let unnamed = dir.join("lock");
        let lock = File::create(&unnamed)?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
        fs::rename(&unnamed, dir.join(LOCK))?;
        Ok(Scratch { dir, _lock: lock })
    }

    /// Bytes that may still be written there.
    pub fn free(&self) -> io::Result<u64> {
        let disk = statvfs(&self.dir)?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.dir
    }

    /// Marks it so that no later start removes it, and says where it is.
    pub fn keep(&self) -> io::Result<&Path> {
        File::create(self.dir.join(KEPT))?;
        Ok(&self.dir)
    }

    /// Notes what was made beyond this folder, so that a later start can remove that, too.
    pub fn note(&self, beyond: &str) -> io::Result<()> {
        let unnamed = self.dir.join("note");
        fs::write(&unnamed, beyond)?;
        fs::rename(&unnamed, self.dir.join(NOTE))
    }

    /// Removes it with all that is in it.
    pub fn remove(self) -> io::Result<()> {
        remove(&self.dir)
    }
}

/// The lock goes last: a removal that is killed leaves a folder that the next sweep still knows for an abandoned one.
fn remove(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_name() == LOCK {
            continue;
        }
        let path = entry.path();
        if entry.file_type()?.is_dir() { fs::remove_dir_all(path)? } else { fs::remove_file(path)? }
    }
    fs::remove_dir_all(dir)
}

/// Removes what killed runs left below `base`, with the programs that live there, and returns their folders. Folders of
/// living runs, kept ones, and those that note something beyond them ([`beyond`]), stay.
pub fn sweep(base: &Path) -> io::Result<Vec<PathBuf>> {
    let mut swept = Vec::new();
    for dir in abandoned(base)? {
        if !dir.join(NOTE).exists() {
            // Of a server that is killed, helpers may live for a moment and write: what they left is removed after them.
            process::end_below(&dir);
            remove(&dir).or_else(|_| remove(&dir))?;
            swept.push(dir);
        }
    }
    Ok(swept)
}

/// The folders of killed runs that note what they made beyond them, with the note.
pub fn beyond(base: &Path) -> io::Result<Vec<(PathBuf, String)>> {
    let noted = |dir: PathBuf| Some((fs::read_to_string(dir.join(NOTE)).ok()?, dir));
    Ok(abandoned(base)?.into_iter().filter_map(noted).map(|(note, dir)| (dir, note)).collect())
}

/// What was noted is gone: the folder goes, too.
pub fn settled(dir: &Path) -> io::Result<()> {
    if is_abandoned(dir) { remove(dir) } else { Ok(()) }
}

fn abandoned(base: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(base)? {
        let dir = entry?.path();
        let ours = dir.file_name().is_some_and(|name| name.to_string_lossy().starts_with("drill-"));
        if ours && !dir.join(KEPT).exists() && is_abandoned(&dir) {
            found.push(dir);
        }
    }
    Ok(found)
}

fn is_abandoned(dir: &Path) -> bool {
    // Without its lock file a folder is just being made, or just being removed.
    File::open(dir.join(LOCK)).is_ok_and(|lock| flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_removes_what_a_killed_run_left_and_nothing_that_lives_or_was_kept() {
        let base = tempfile::tempdir().unwrap();
        let living = Scratch::new(base.path()).unwrap();
        let kept = Scratch::new(base.path()).unwrap();
        let kept_dir = kept.keep().unwrap().to_owned();
        drop(kept);
        let killed = Scratch::new(base.path()).unwrap();
        let killed_dir = killed.path().to_owned();
        fs::write(killed_dir.join("object"), b"left behind").unwrap();
        drop(killed); // as when the process dies: the lock goes, the folder stays
        assert_eq!(sweep(base.path()).unwrap(), [killed_dir]);
        assert!(living.path().exists() && kept_dir.exists());
    }

    #[test]
    fn what_was_made_beyond_a_folder_is_known_until_it_is_gone() {
        let base = tempfile::tempdir().unwrap();
        let living = Scratch::new(base.path()).unwrap();
        living.note("living").unwrap();
        let killed = Scratch::new(base.path()).unwrap();
        killed.note("buckets").unwrap();
        let dir = killed.path().to_owned();
        drop(killed);
        assert!(sweep(base.path()).unwrap().is_empty());
        assert_eq!(beyond(base.path()).unwrap(), [(dir.clone(), "buckets".to_owned())]);
        settled(&dir).unwrap();
        settled(living.path()).unwrap();
        assert!(!dir.exists() && living.path().exists());
    }
}
