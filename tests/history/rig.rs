//! A history of drills that differ in their seed alone, in a folder of its own.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use backdraft::{
    history::{Flaw, Folder, History, Mark, Unended},
    model::{
        history::Head,
        record::{Record, Way},
    },
    sim::clock,
};
use tempfile::TempDir;

use crate::kit;

/// One simulated drill, as it would be with another seed.
pub(crate) fn record(seed: u64) -> Record {
    static PLAYED: OnceLock<Record> = OnceLock::new();
    let played = PLAYED.get_or_init(|| {
        let (id, plan) = ("database/control", kit::plan());
        kit::play(id, &plan, &kit::scenario(id), 1, Way::Simulated, Vec::new())
    });
    let mut record = played.clone();
    record.identity.seed = seed;
    // Only that it varies matters here: entries of one length would hide what depends on it.
    record.scenario.title = format!("drill {}", "x".repeat(seed as usize % 7));
    record
}

/// What its mark holds.
pub(crate) fn unended(record: &Record) -> Unended {
    let Record { identity, plan, scenario, .. } = record.clone();
    Unended { begun_at: clock::wall_now(), has_begun: true, identity, plan, scenario, of_run: None }
}

pub(crate) struct Rig {
    dir: TempDir,
}

impl Rig {
    /// With so many drills.
    pub(crate) fn new(drills: u64) -> Rig {
        let rig = Rig { dir: tempfile::tempdir().unwrap() };
        (1..=drills).for_each(|seed| drop(rig.append(seed)));
        rig
    }

    pub(crate) fn history(&self) -> History {
        open(self.dir.path())
    }

    pub(crate) fn append(&self, seed: u64) -> Head {
        append(&self.history(), seed)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The chain's bytes.
    pub(crate) fn chain(&self) -> Vec<u8> {
        fs::read(self.path("chain.jsonl")).unwrap()
    }

    pub(crate) fn write_chain(&self, bytes: impl AsRef<[u8]>) {
        fs::write(self.path("chain.jsonl"), bytes).unwrap();
    }

    /// Its lines, each with its newline.
    pub(crate) fn lines(&self) -> Vec<Vec<u8>> {
        self.chain().split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
    }

    pub(crate) fn record_path(&self, sequence: u64) -> PathBuf {
        self.path(&format!("records/000000/{sequence:09}.json.gz"))
    }

    /// The first thing that a verification names.
    pub(crate) fn first_flaw(&self) -> Option<Flaw> {
        self.history().verify(None).unwrap().flaws.into_iter().next()
    }

    /// The number of the entry that a verification names first.
    pub(crate) fn named(&self) -> Option<u64> {
        self.first_flaw().map(|flaw| flaw.sequence)
    }

    /// Everything as it is now, to be written back.
    pub(crate) fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        fn walk(dir: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
            for entry in fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { walk(&path, found) } else { found.push((path.clone(), fs::read(&path).unwrap())) }
            }
        }
        let mut found = Vec::new();
        walk(self.dir.path(), &mut found);
        found.sort();
        found
    }

    /// Nothing but these files is there.
    pub(crate) fn reinstate(&self, files: &[(PathBuf, Vec<u8>)]) {
        for (path, _) in self.files() {
            fs::remove_file(path).unwrap();
        }
        for (path, bytes) in files {
            fs::write(path, bytes).unwrap();
        }
    }
}

pub(crate) fn open(dir: &Path) -> History {
    History::new(Box::new(Folder::new(dir)), &dir.join("marks"))
}

/// Appends as `run` does.
pub(crate) fn append(history: &History, seed: u64) -> Head {
    let record = record(seed);
    let mark: Mark = history.begin(&unended(&record)).unwrap();
    history.append(&record, mark, clock::wall_now()).unwrap()
}
