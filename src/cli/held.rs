//! A folder that one process writes to at a time. The lock is the process's own: it goes with it, however it ends.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    process,
};

use rustix::{
    fs::{FlockOperation, OFlags, flock},
    io::Errno,
};

use crate::error::{Error, Result};

/// The file that is locked; it holds its holder's process id, and is removed when he lets go.
const NAME: &str = ".backdraft.lock";

/// How often the file may go, with its holder, between being opened and being locked.
const TRIES: usize = 100;

/// A folder that nobody else writes to.
#[derive(Debug)]
pub(super) struct Held {
    path: PathBuf,
    _lock: File,
}

impl Held {
    /// Takes the folder, which is there.
    ///
    /// # Errors
    /// When another process holds it, which is named, or no lock can be had.
    pub(super) fn take(dir: &Path) -> Result<Held> {
        let path = dir.join(NAME);
        let unlocked = |e: io::Error| {
            let what = Error::new("this folder cannot be kept from others").at(path.display().to_string());
            what.because(e).help("choose a folder that this user may write with --out DIR")
        };
        for _ in 0..TRIES {
            let flags = OFlags::NOFOLLOW.bits().cast_signed();
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false).custom_flags(flags);
            let mut lock = options.open(&path).map_err(unlocked)?;
            match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
                Err(Errno::WOULDBLOCK) => return Err(held(dir, lock)),
                locked => locked.map_err(|e| unlocked(e.into()))?,
            }
            // Between opening and locking the one who held it may have taken the file away.
            if is_still(&path, &lock).map_err(unlocked)? {
                let written = lock.set_len(0).and_then(|()| writeln!(lock, "{}", process::id()));
                written.map_err(unlocked)?;
                return Ok(Held { path, _lock: lock });
            }
        }
        Err(unlocked(io::Error::other("others come and go without a pause")))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Removed before it is free, so that nobody locks what is about to go; where it stays, the next one takes it.
        let _ = fs::remove_file(&self.path);
    }
}

fn is_still(path: &Path, lock: &File) -> io::Result<bool> {
    let own = lock.metadata()?;
    match fs::symlink_metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        there => there.map(|there| (there.dev(), there.ino()) == (own.dev(), own.ino())),
    }
}

fn held(dir: &Path, mut lock: File) -> Error {
    let mut text = String::new();
    let read = lock.rewind().and_then(|()| lock.take(32).read_to_string(&mut text));
    let who = match read.ok().and_then(|_| text.trim().parse::<u32>().ok()) {
        Some(pid) => format!("process {pid} holds it"),
        None => "another process holds it".to_owned(),
    };
    Error::new("another backdraft is writing to this folder")
        .at(dir.display().to_string())
        .because(who)
        .help("wait until it has ended, or choose another folder with --out DIR")
}
