//! Marks of drills that are being played: each holds what the drill's record is made of if nobody ends it, and is locked
//! as long as its process lives. When the drill has ended the mark becomes its record, until that is in the chain.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use super::{
    announced::{self, Announced, Announcement, RUN},
    packing::{MOST_PACKED, new_file, pack, unpack},
};
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
    /// When it began, by the wall clock; where it never did, when its run did.
    pub begun_at: Timestamp,
    /// Whether it began at all.
    pub has_begun: bool,
    /// Which drill it is.
    pub identity: Identity,
    /// The plan as read.
    pub plan: Plan,
    /// The scenario as read.
    pub scenario: Scenario,
    /// Its place in a run that was announced.
    pub of_run: Option<OfRun>,
}

/// A drill's place in a run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OfRun {
    /// The run's name.
    pub run: String,
    /// The drill's number, from 0.
    pub number: u64,
}

/// What lies beside a chain.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// Drills of runs that are gone, whose record the next run appends.
    pub left: u64,
    /// Drills that are being played just now.
    pub living: u64,
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
            let mut file = new_file(&self.dir)?;
            // Locked before it has its name: nobody ever sees the mark of a living process free.
            flock(file.as_file(), FlockOperation::NonBlockingLockExclusive)?;
            serde_json::to_writer(&mut file, unended)?;
            file.as_file().sync_all()?;
            let name = file.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
            let path = self.dir.join(format!("{}.{PLAYED}", name.trim_start_matches(".new-")));
            let lock = file.persist(&path).map_err(|e| e.error)?;
            File::open(&self.dir)?.sync_all()?;
            Ok(Mark { path, lock })
        };
        made().map_err(|e| unwritable(&self.dir, e))
    }

    pub(super) fn announce(&self, announcement: &Announcement) -> Result<Announced> {
        announced::announce(&self.dir, announcement)
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
            let unended = read(&path, &lock)?;
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

    /// How many drills wait for their record, and how many are being played. Nothing is touched.
    pub(super) fn waiting(&self) -> Result<Waiting> {
        let (mut waiting, mut marked, mut runs) = (Waiting::default(), BTreeSet::new(), Vec::new());
        for (path, ending) in self.files()? {
            let Ok(file) = File::open(&path) else { continue };
            let is_free = flock(&file, FlockOperation::NonBlockingLockShared).is_ok();
            match (ending.as_str(), is_free) {
                (PLAYED, false) => waiting.living += 1,
                (PLAYED, true) if path.with_extension(FINISHED).exists() => {}
                (PLAYED, true) => {
                    waiting.left += 1;
                    marked.extend(read(&path, &file)?.of_run);
                }
                (FINISHED, true) => waiting.left += 1,
                (RUN, true) => runs.push((path, file)),
                _ => {}
            }
        }
        for (path, file) in runs {
            waiting.left += announced::count_left(&path, &file, &marked)?;
        }
        Ok(waiting)
    }

    /// Every regular file, with what follows the first dot of its name.
    fn files(&self) -> Result<Vec<(PathBuf, String)>> {
        let entries = match fs::read_dir(&self.dir) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(|e| unreadable(&self.dir, e.to_string()))?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|e| unreadable(&self.dir, e.to_string()))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if let (true, Some((stem, ending))) =
                (entry.file_type().is_ok_and(|kind| kind.is_file()), name.split_once('.'))
            {
                // What is just being made has a name that begins with the dot.
                let ending = if stem.is_empty() { "" } else { ending };
                found.push((entry.path(), ending.to_owned()));
            }
        }
        found.sort();
        Ok(found)
    }

    /// Files of that kind. What was just being made when its process died is removed.
    pub(super) fn free(&self, kind: &str) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for (path, ending) in self.files()? {
            match ending.as_str() {
                "" if locked(&path).is_some() => {
                    // Whoever comes first removes it.
                    let _ = fs::remove_file(&path);
                }
                ending if ending == kind => found.push(path),
                _ => {}
            }
        }
        Ok(found)
    }
}

impl Mark {
    /// Puts the packed record of the drill in the place of its mark.
    pub(super) fn finish(self, record: &Record) -> Result<Finished> {
        let packed = pack(record, &self.path.file_stem().unwrap_or_default().to_string_lossy())?;
        let path = self.path.with_extension(FINISHED);
        let dir = path.parent().unwrap_or(Path::new("."));
        let finished = || -> io::Result<File> {
            let mut file = new_file(dir)?;
            flock(file.as_file(), FlockOperation::NonBlockingLockExclusive)?;
            file.write_all(&packed)?;
            file.as_file().sync_all()?;
            let file = file.persist(&path).map_err(|e| e.error)?;
            File::open(dir)?.sync_all()?;
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

fn read(path: &Path, file: &File) -> Result<Unended> {
    let mut text = Vec::new();
    file.take(MOST_PACKED).read_to_end(&mut text).map_err(|e| unreadable(path, e.to_string()))?;
    serde_json::from_slice(&text).map_err(|e| unreadable(path, e.to_string()))
}

/// The file, locked; `None` while another process lives that holds it.
pub(super) fn locked(path: &Path) -> Option<File> {
    let file = File::options().read(true).append(true).open(path).ok()?;
    flock(&file, FlockOperation::NonBlockingLockExclusive).ok()?;
    // Between opening and locking it may have been taken away.
    path.exists().then_some(file)
}

pub(super) fn unreadable(path: &Path, why: String) -> Error {
    Error::new("the mark of a drill cannot be read")
        .at(path.display().to_string())
        .because(why)
        .help("it tells of a drill that was killed; move it away if it is not yours")
}

pub(super) fn unwritable(path: &Path, cause: io::Error) -> Error {
    Error::new("the history cannot be written here")
        .at(path.display().to_string())
        .because(cause)
        .help("choose another place with --history, or keep none with --no-history")
}
