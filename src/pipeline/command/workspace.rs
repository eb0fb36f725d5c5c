//! The folder in which a team's commands run: a copy of their scripts, a home, and a place for temporary files. Files that
//! a command wrote are dated by scenario time, so that the next one finds them as old as they are in the story.

use std::{
    fs::{self, File, FileTimes},
    io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use jiff::Timestamp;

use crate::{process::Environment, sim::clock};

/// Bytes and files of scripts that are copied at the most: more is a mistake in the plan.
const MOST_BYTES: u64 = 256 << 20;
const MOST_FILES: usize = 10_000;

/// Folders that scripts do not need.
const LEFT_OUT: &[&str] = &[".git", "node_modules/.cache", "target"];

/// The folders of one service's commands.
#[derive(Debug, Clone)]
pub struct Workspace {
    scratch: PathBuf,
    environment: Environment,
    /// Further folders whose files are dated.
    dated: Vec<PathBuf>,
}

/// From when on files count as written by a command.
#[derive(Debug, Clone, Copy)]
pub struct Watch(SystemTime);

impl Workspace {
    /// Makes the folders below `scratch`, with a copy of the scripts.
    ///
    /// # Errors
    /// What cannot be copied, and why.
    pub fn new(scratch: &Path, scripts: Option<&Path>) -> Result<Workspace, String> {
        let told = |what: &Path, e: io::Error| format!("{}: {e}", what.display());
        for folder in ["work", "home", "tmp"] {
            let folder = scratch.join(folder);
            fs::create_dir_all(&folder).map_err(|e| told(&folder, e))?;
        }
        if let Some(scripts) = scripts {
            let mut copied = (0, 0);
            copy(scripts, &scratch.join("work"), &mut copied)?;
        }
        let environment = Environment::in_folder(&scratch.join("home"), &scratch.join("tmp"));
        Ok(Workspace { scratch: scratch.to_owned(), environment, dated: Vec::new() })
    }

    /// The same with another folder whose files are dated.
    #[must_use]
    pub fn dating(mut self, folder: PathBuf) -> Self {
        self.dated.push(folder);
        self
    }

    /// Where commands run.
    pub fn folder(&self) -> PathBuf {
        self.scratch.join("work")
    }

    /// The folder of all of it.
    pub fn scratch(&self) -> &Path {
        &self.scratch
    }

    /// The variables that every command has.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Begins to watch what is written.
    pub fn watch(&self) -> Watch {
        // Dates of files are as coarse as the kernel's tick.
        Watch(SystemTime::from(clock::wall_now()) - Duration::from_millis(20))
    }

    /// Dates what was written since by scenario time, which is `now`.
    pub fn date(&self, since: Watch, now: Timestamp) {
        let ahead = now.duration_since(clock::wall_now());
        let mut waiting = vec![self.scratch.clone()];
        waiting.extend(self.dated.iter().cloned());
        while let Some(folder) = waiting.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let Ok(about) = entry.metadata() else { continue };
                if about.is_symlink() {
                    continue;
                }
                if about.is_dir() {
                    waiting.push(entry.path());
                }
                let Ok(modified) = about.modified() else { continue };
                if modified >= since.0 {
                    let then = Timestamp::try_from(modified).ok().and_then(|then| then.checked_add(ahead).ok());
                    // A file that may not be dated keeps its date; what it does to the story is little.
                    let _ = then.map(|then| set_modified(&entry.path(), SystemTime::from(then)));
                }
            }
        }
    }
}

fn set_modified(path: &Path, modified: SystemTime) -> io::Result<()> {
    File::open(path)?.set_times(FileTimes::new().set_modified(modified))
}

/// Copies a folder with everything below it; links stay links where they lead to something below it.
fn copy(from: &Path, to: &Path, copied: &mut (usize, u64)) -> Result<(), String> {
    let told = |what: &Path, e: io::Error| format!("{}: {e}", what.display());
    fs::create_dir_all(to).map_err(|e| told(to, e))?;
    let mut entries: Vec<_> =
        fs::read_dir(from).map_err(|e| told(from, e))?.collect::<io::Result<_>>().map_err(|e| told(from, e))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if LEFT_OUT.iter().any(|left| path.ends_with(left)) {
            continue;
        }
        let about = entry.metadata().map_err(|e| told(&path, e))?;
        if about.is_dir() {
            copy(&path, &target, copied)?;
        } else if about.is_symlink() {
            let leads = fs::read_link(&path).map_err(|e| told(&path, e))?;
            std::os::unix::fs::symlink(leads, &target).map_err(|e| told(&target, e))?;
        } else if about.is_file() {
            *copied = (copied.0 + 1, copied.1 + about.len());
            if copied.0 > MOST_FILES || copied.1 > MOST_BYTES {
                return Err(format!(
                    "{}: holds more than {MOST_FILES} files or {} MiB: name the folder with the scripts alone",
                    from.display(),
                    MOST_BYTES >> 20
                ));
            }
            fs::copy(&path, &target).map_err(|e| told(&path, e))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_command_wrote_is_dated_by_the_story_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let scripts = dir.path().join("scripts");
        fs::create_dir_all(scripts.join("lib")).unwrap();
        fs::write(scripts.join("lib/old"), "x").unwrap();
        let workspace = Workspace::new(&dir.path().join("scratch"), Some(&scripts)).unwrap();
        let old = workspace.folder().join("lib/old");
        set_modified(&old, SystemTime::UNIX_EPOCH).unwrap();
        let since = workspace.watch();
        let new = workspace.folder().join("new");
        fs::write(&new, "y").unwrap();
        let now: Timestamp = "2026-11-03T03:00:00Z".parse().unwrap();
        workspace.date(since, now);
        let dated = Timestamp::try_from(fs::metadata(new).unwrap().modified().unwrap()).unwrap();
        assert!(now.duration_since(dated).abs().as_secs() < 60, "{dated}");
        assert_eq!(fs::metadata(old).unwrap().modified().unwrap(), SystemTime::UNIX_EPOCH);
    }
}
