//! Drills that a run is going to play, written down before the first of them begins: so that those which it never came to
//! are records, too, where it is killed. One file a run, locked as long as its process lives: what is to be played, and
//! behind it a line with the number of each drill as it begins.

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
    marks::{Mark, Marks, OfRun, Unended, locked, unreadable, unwritable},
    packing::{MOST_PACKED, new_file},
};
use crate::{
    error::Result,
    model::{plan::Plan, record::Identity, scenario::Scenario},
};

/// Ending of the file's name.
pub(super) const RUN: &str = "run";

/// What a run is going to play.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Announcement {
    /// When it begins, by the wall clock.
    pub begun_at: Timestamp,
    /// The plan as read.
    pub plan: Plan,
    /// Its drills, in their order.
    pub drills: Vec<(Identity, Scenario)>,
    /// How often it plays all of them.
    pub rounds: u64,
}

impl Announcement {
    fn count(&self) -> u64 {
        self.rounds.saturating_mul(self.drills.len() as u64)
    }

    /// What the record is made of of the drill with that number, if it never begins.
    fn unbegun(&self, number: u64, run: &str) -> Option<Unended> {
        let which = number.checked_rem(self.drills.len() as u64)?;
        let (identity, scenario) = self.drills.get(usize::try_from(which).ok()?)?.clone();
        let of_run = Some(OfRun { run: run.to_owned(), number });
        Some(Unended { begun_at: self.begun_at, has_begun: false, identity, plan: self.plan.clone(), scenario, of_run })
    }
}

/// A run that was announced, locked as long as this lives.
#[derive(Debug)]
pub struct Announced {
    path: PathBuf,
    name: String,
    file: File,
}

impl Announced {
    /// The name of a drill's place in it.
    pub fn place(&self, number: u64) -> OfRun {
        OfRun { run: self.name.clone(), number }
    }

    /// Writes down that a drill begins, its mark first: killed in between, there is the mark.
    pub(super) fn begin(&mut self, marks: &Marks, unended: &Unended) -> Result<Mark> {
        let mark = marks.begin(unended)?;
        if let Some(of_run) = &unended.of_run {
            self.note(of_run.number)?;
        }
        Ok(mark)
    }

    fn note(&mut self, number: u64) -> Result<()> {
        let noted = self.file.write_all(format!("{number}\n").as_bytes()).and_then(|()| self.file.sync_data());
        noted.map_err(|e| unwritable(&self.path, e))
    }

    /// Takes it away: every drill of it has a record.
    ///
    /// # Errors
    /// When it cannot be.
    pub fn end(self) -> Result<()> {
        fs::remove_file(&self.path).map_err(|e| unwritable(&self.path, e))
    }
}

/// A run whose process is gone, and those of its drills that never began.
#[derive(Debug)]
pub struct Unbegun {
    /// The run.
    pub run: Announced,
    announcement: Announcement,
    numbers: Vec<u64>,
}

impl Unbegun {
    /// What the record of each is made of.
    pub fn drills(&self) -> Vec<Unended> {
        self.numbers.iter().filter_map(|number| self.announcement.unbegun(*number, &self.run.name)).collect()
    }
}

/// Writes it down in that folder of marks.
pub(super) fn announce(dir: &Path, announcement: &Announcement) -> Result<Announced> {
    let made = || -> io::Result<Announced> {
        fs::create_dir_all(dir)?;
        let mut new = new_file(dir)?;
        // Locked before it has its name: nobody ever sees the file of a living run free.
        flock(new.as_file(), FlockOperation::NonBlockingLockExclusive)?;
        serde_json::to_writer(&mut new, announcement)?;
        new.write_all(b"\n")?;
        new.as_file().sync_all()?;
        let name = new.path().file_name().unwrap_or_default().to_string_lossy().trim_start_matches(".new-").to_owned();
        let path = dir.join(format!("{name}.{RUN}"));
        let file = new.persist(&path).map_err(|e| e.error)?;
        File::open(dir)?.sync_all()?;
        Ok(Announced { path, name, file })
    };
    made().map_err(|e| unwritable(dir, e))
}

/// Runs whose process is gone, with those of their drills that never began. `marked` are the places of drills that have a
/// mark: they began, whatever their run says.
pub(super) fn left(marks: &Marks, marked: &BTreeSet<OfRun>) -> Result<Vec<Unbegun>> {
    let mut found = Vec::new();
    for path in marks.free(RUN)? {
        let Some(mut file) = locked(&path) else { continue };
        let name = name_of(&path);
        let (announcement, mut begun) = read(&path, &file)?;
        // Behind a number that was not written whole the next must not go on.
        file.write_all(b"\n").map_err(|e| unwritable(&path, e))?;
        let mut run = Announced { path, name, file };
        let own = run.name.clone();
        for place in marked.iter().filter(|place| place.run == own) {
            if begun.insert(place.number) {
                run.note(place.number)?;
            }
        }
        let numbers = (0..announcement.count()).filter(|number| !begun.contains(number)).collect();
        found.push(Unbegun { run, announcement, numbers });
    }
    found.sort_by_key(|one| one.announcement.begun_at);
    Ok(found)
}

/// How many drills of that run never began. Nothing is touched.
pub(super) fn count_left(path: &Path, file: &File, marked: &BTreeSet<OfRun>) -> Result<u64> {
    let (announcement, mut begun) = read(path, file)?;
    let name = name_of(path);
    begun.extend(marked.iter().filter(|place| place.run == name).map(|place| place.number));
    Ok((0..announcement.count()).filter(|number| !begun.contains(number)).count() as u64)
}

fn name_of(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// What is announced, and the numbers of the drills that began.
fn read(path: &Path, file: &File) -> Result<(Announcement, BTreeSet<u64>)> {
    let mut text = Vec::new();
    file.take(MOST_PACKED).read_to_end(&mut text).map_err(|e| unreadable(path, e.to_string()))?;
    let mut lines = text.split_inclusive(|byte| *byte == b'\n');
    let announcement: Announcement =
        serde_json::from_slice(lines.next().unwrap_or_default()).map_err(|e| unreadable(path, e.to_string()))?;
    // What has no end was not written whole, and its drill has a mark.
    let whole = lines.filter_map(|line| std::str::from_utf8(line.strip_suffix(b"\n")?).ok()?.parse().ok());
    Ok((announcement, whole.collect()))
}
