//! What was written outside of a command's own folders while it ran, as far as is looked: places that scripts are wont to
//! name, and the folder that the scripts came from. Who wrote it cannot be told from the outside.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// Places whose own entries are looked at, and nothing below those.
const SHALLOW: &[&str] =
    &["/", "/tmp", "/var/tmp", "/backup", "/backups", "/var/backups", "/data", "/opt", "/srv", "/mnt"];

/// Names that others on a machine make all the time.
const USUAL: &[&str] =
    &[".tmp", "backdraft", "systemd-", "snap-", "rust", "cargo", "core.", "proc", "sys", "dev", "run"];

/// Entries that are looked at below the scripts' folder, and entries that are told, at the most.
const MOST_BELOW: usize = 5_000;
const MOST_TOLD: usize = 10;

/// What lay there before.
pub struct Outside {
    below: Vec<PathBuf>,
    before: BTreeMap<PathBuf, Option<SystemTime>>,
}

impl Outside {
    /// Looks before a command runs; at the usual places, and at everything below those folders.
    pub fn before(below: Vec<PathBuf>) -> Self {
        let before = look(&below);
        Outside { below, before }
    }

    /// What is there now and was not, or was changed since.
    pub fn after(&self) -> Vec<String> {
        let now = look(&self.below);
        let changed = now.iter().filter(|(path, modified)| self.before.get(*path) != Some(modified));
        changed.map(|(path, _)| path.display().to_string()).take(MOST_TOLD).collect()
    }
}

fn look(below: &[PathBuf]) -> BTreeMap<PathBuf, Option<SystemTime>> {
    let mut found = BTreeMap::new();
    for place in SHALLOW.iter().map(Path::new).chain(std::env::home_dir().as_deref()) {
        // A folder's own date changes with each entry, so that of a folder is its name alone.
        for entry in entries(place).filter(|entry| !is_usual(entry)) {
            let modified =
                entry.metadata().ok().filter(|about| about.is_file()).and_then(|about| about.modified().ok());
            found.insert(entry.path(), modified);
        }
    }
    let mut waiting: Vec<PathBuf> = below.to_vec();
    while let Some(folder) = waiting.pop() {
        for entry in entries(&folder) {
            if found.len() >= MOST_BELOW {
                return found;
            }
            let Ok(about) = entry.metadata() else { continue };
            match about.is_dir() {
                true => waiting.push(entry.path()),
                false => _ = found.insert(entry.path(), about.modified().ok()),
            }
        }
    }
    found
}

/// Entries of a folder; none where it cannot be read.
fn entries(folder: &Path) -> impl Iterator<Item = fs::DirEntry> + use<> {
    fs::read_dir(folder).into_iter().flatten().flatten()
}

fn is_usual(entry: &fs::DirEntry) -> bool {
    let name = entry.file_name();
    let name = name.to_string_lossy();
    USUAL.iter().any(|usual| name.starts_with(usual))
}
