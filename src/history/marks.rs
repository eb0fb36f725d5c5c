//! Marks of drills that are being played: each holds what the drill's record is made of if nobody ends it, and is locked
//! as long as its process lives. When the drill has ended the mark becomes its record, until that is in the chain.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::packing::{MOST_PACKED, unpack};
use crate::{
    error::{Error, Result},
    model::{
        plan::Plan,
        record::{Identity, Record},
        scenario::Scenario,
    },
};

const PLAYED: &str = "mark";
const FINISHED: &str = "json.gz";

/// What is known of a drill before it begins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unended {
    /// When it was to begin, by the wall clock.
    pub begun_at: Timestamp,
    /// Which drill it is.
    pub identity: Identity,
    /// The plan as read.
    pub plan: Plan,
    /// The scenario as read.
    pub scenario: Scenario,
}

/// The folder of marks.
#[derive(Debug)]
pub(super) struct Marks {
    dir: PathBuf,
}

/// The mark of one drill, locked as long as this lives.
#[derive(Debug)]
pub struct Mark {
    path: PathBuf,
    lock: File,
}

/// The record of a drill that has ended, in the place of its mark.
#[derive(Debug)]
pub(super) struct Finished {
    path: PathBuf,
    _lock: File,
}

impl Marks {
    pub(super) fn new(dir: &Path) -> Self {
        Marks { dir: dir.to_owned() }
    }

    pub(super) fn begin(&self, unended: &Unended) -> Result<Mark> {
        let made = || -> io::Result<Mark> {
            fs::create_dir_all(&self.dir)?;
            let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(&self.dir)?;
            // Locked before it has its name: nobody ever sees the mark of a living process free.
            flock(file.as_file(), FlockOperation::NonBlockingLockExclusive)?;
            serde_json::to_writer(&mut file, unended)?;
            file.as_file().sync_all()?;
            let name = file.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
            let path = self.dir.join(format!("{}.{PLAYED}", name.trim_start_matches(".new-")));
            let lock = file.persist(&path).map_err(|e| e.error)?;
            Ok(Mark { path, lock })
        };
        made().map_err(|e| unwritable(&self.dir, e))
    }

    /// Marks of drills whose process is gone.
    pub(super) fn unended(&self) -> Result<Vec<(Mark, Unended)>> {
        let mut found = Vec::new();
        for path in self.free(PLAYED)? {
            let Some(lock) = locked(&path) else { continue };
            if path.with_extension(FINISHED).exists() {
                // It ended, and was killed while its record took the place of its mark.
                fs::remove_file(&path).map_err(|e| unreadable(&path, e.to_string()))?;
                continue;
            }
            let mut text = Vec::new();
            let read =
                (&lock).take(MOST_PACKED).read_to_end(&mut text).map_err(|e| unreadable(&path, e.to_string()))?;
            let unended = serde_json::from_slice(&text[..read]).map_err(|e| unreadable(&path, e.to_string()))?;
            found.push((Mark { path, lock }, unended));
        }
        found.sort_by_key(|(_, unended): &(Mark, Unended)| unended.begun_at);
        Ok(found)
    }

    /// Records whose process is gone.
    pub(super) fn finished(&self) -> Result<Vec<Finished>> {
        let mut found = Vec::new();
        for path in self.free(FINISHED)? {
            let Some(lock) = locked(&path) else { continue };
            // Killed while its record took the place of its mark: it is no drill that never ended.
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let mark = path.with_file_name(format!("{}.{PLAYED}", name.trim_end_matches(&format!(".{FINISHED}"))));
            match fs::remove_file(&mark) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(unwritable(&mark, e)),
                _ => found.push(Finished { path, _lock: lock }),
            }
        }
        Ok(found)
    }

    /// Files of that kind. What was just being made when its process died is removed.
    fn free(&self, kind: &str) -> Result<Vec<PathBuf>> {
        let entries = match fs::read_dir(&self.dir) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(|e| unreadable(&self.dir, e.to_string()))?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|e| unreadable(&self.dir, e.to_string()))?;
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if !entry.file_type().is_ok_and(|kind| kind.is_file()) {
                continue;
            }
            match name.split_once('.') {
                Some(("", _)) if locked(&path).is_some() => {
                    // Whoever comes first removes it.
                    let _ = fs::remove_file(&path);
                }
                Some((_, ending)) if ending == kind => found.push(path),
                _ => {}
            }
        }
        found.sort();
        Ok(found)
    }
}

impl Mark {
    /// Puts the packed record of the drill in the place of its mark.
    pub(super) fn finish(self, packed: &[u8]) -> Result<Finished> {
        let path = self.path.with_extension(FINISHED);
        let dir = path.parent().unwrap_or(Path::new("."));
        let finished = || -> io::Result<File> {
            let mut file = NamedTempFile::with_prefix_in(".new-", dir)?;
            flock(file.as_file(), FlockOperation::NonBlockingLockExclusive)?;
            file.write_all(packed)?;
            file.as_file().sync_all()?;
            let file = file.persist(&path).map_err(|e| e.error)?;
            // Killed here there would be both, and the record counts.
            fs::remove_file(&self.path)?;
            drop(self.lock);
            Ok(file)
        };
        let lock = finished().map_err(|e| unwritable(&path, e))?;
        Ok(Finished { path, _lock: lock })
    }
}

impl Finished {
    /// The file with the packed record.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The record in it.
    pub(super) fn record(&self) -> Result<Record> {
        let packed = fs::read(&self.path).map_err(|e| unreadable(&self.path, e.to_string()))?;
        unpack(&packed).map_err(|e| e.at(self.path.display().to_string()))
    }
}

/// The file, locked; `None` while another process lives that holds it.
fn locked(path: &Path) -> Option<File> {
    let file = File::open(path).ok()?;
    flock(&file, FlockOperation::NonBlockingLockExclusive).ok()?;
    // Between opening and locking it may have been taken away.
    path.exists().then_some(file)
}

fn unreadable(path: &Path, why: String) -> Error {
    Error::new("the mark of a drill cannot be read")
        .at(path.display().to_string())
        .because(why)
        .help("it tells of a drill that was killed; move it away if it is not yours")
}

fn unwritable(path: &Path, cause: io::Error) -> Error {
    Error::new("the history cannot be written here")
        .at(path.display().to_string())
        .because(cause)
        .help("choose another place with --history, or keep none with --no-history")
}
