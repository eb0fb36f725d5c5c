//! Writing reports: into one folder, each file whole or not at all.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fs,
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Component, Path, PathBuf},
};

use tempfile::NamedTempFile;

use super::held::Held;
use crate::{
    error::{Error, Result},
    evidence::{ENVELOPE_FILE, STATEMENT_FILE, folder::digest},
    report::Options,
    sim::clock,
};

/// A folder that reports are written to.
pub(super) struct Output {
    dir: PathBuf,
    /// What was written so far: SHA-256 by name.
    written: RefCell<BTreeMap<String, String>>,
    /// Nobody else writes here meanwhile: two runs in one folder would leave evidence of neither.
    _held: Held,
}

impl Output {
    /// Makes the folder and tries it, so that a run does not end with reports that cannot be written; keeps it from others.
    ///
    /// # Errors
    /// When it cannot be written to, or another process writes to it.
    pub(super) fn open(dir: &Path) -> Result<Self> {
        let tried = fs::create_dir_all(dir).and_then(|()| NamedTempFile::new_in(dir).map(|_| ()));
        tried.map_err(|e| unwritable(dir, e))?;
        Ok(Output { dir: dir.to_owned(), written: RefCell::default(), _held: Held::take(dir)? })
    }

    /// The same, of a folder that no evidence speaks of: what is added to one that it does speak of would break it.
    ///
    /// # Errors
    /// As [`Output::open`]; and where the folder, or one that it lies in, holds evidence.
    pub(super) fn beside_evidence(dir: &Path) -> Result<Self> {
        match evidenced(dir) {
            None => Output::open(dir),
            Some(folder) => Err(Error::new("this folder is evidence, which would no longer be intact")
                .at(dir.display().to_string())
                .because(format!("{STATEMENT_FILE} in {} states every file below it", folder.display()))
                .help("choose a folder outside with --out DIR")),
        }
    }

    /// A folder below reports/runs that no other run has.
    pub(super) fn fresh() -> Result<Self> {
        Output::open(&new_folder()?)
    }

    /// Writes a file of that name, `/` in it being folders: under another name first, then renamed.
    pub(super) fn write(&self, name: &str, content: &str) -> Result<PathBuf> {
        self.write_bytes(name, content.as_bytes())
    }

    /// The same with content that is no text.
    pub(super) fn write_bytes(&self, name: &str, content: &[u8]) -> Result<PathBuf> {
        let path = self.dir.join(name);
        let folder = path.parent().unwrap_or(&self.dir);
        let written = fs::create_dir_all(folder).and_then(|()| {
            let mut file = NamedTempFile::new_in(folder)?;
            file.write_all(content)?;
            file.persist(&path)?;
            Ok(())
        });
        written.map_err(|e| unwritable(&path, e))?;
        self.written.borrow_mut().insert(name.to_owned(), digest(content));
        Ok(path)
    }

    /// What was written so far, by name, each with its SHA-256: as it was meant to be, whatever became of it since.
    pub(super) fn written(&self) -> Vec<(String, String)> {
        self.written.borrow().clone().into_iter().collect()
    }

    /// What a file of that name holds; `None` where there is none that can be read.
    pub(super) fn read(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.dir.join(name)).ok()
    }

    /// Removes a file of that name, if there is one. A name that leads out of the folder names nothing in it.
    pub(super) fn remove(&self, name: &str) -> Result<()> {
        let is_inside = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
        let path = self.dir.join(name);
        match if is_inside { fs::remove_file(&path) } else { Ok(()) } {
            Err(e) if !matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Err(unwritable(&path, e))
            }
            _ => Ok(()),
        }
    }
}

fn unwritable(path: &Path, cause: std::io::Error) -> Error {
    Error::new("reports cannot be written here")
        .at(path.display().to_string())
        .because(cause)
        .help("choose a folder that this user may write with --out DIR")
}

/// The folder, of this one and those that it lies in, whose evidence speaks of every file in it.
fn evidenced(dir: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(dir).ok()?;
    // Of a folder that is not there yet, those that are: a link may lead anywhere.
    let there = absolute.ancestors().find_map(|folder| folder.canonicalize().ok())?;
    let holds = |folder: &&Path| [STATEMENT_FILE, ENVELOPE_FILE].iter().any(|name| folder.join(name).is_file());
    there.ancestors().find(holds).map(Path::to_owned)
}

/// Writes one file that others may read, whole or not at all. Folders are not made.
///
/// # Errors
/// When it cannot be written.
pub(super) fn write_file(path: &Path, content: &str) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let written = NamedTempFile::new_in(folder).and_then(|mut file| {
        file.write_all(content.as_bytes())?;
        file.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
        file.persist(path)?;
        Ok(())
    });
    let help = "choose a file in a folder that is there and that this user may write";
    written.map_err(|e| Error::new("this file cannot be written").at(path.display().to_string()).because(e).help(help))
}

/// Columns where standard output is no terminal: wide enough for every column of the table.
const WIDE: usize = 120;

/// The terminal's width, and colour where somebody looks at it and has not said no (<https://no-color.org>).
pub(super) fn terminal() -> Options {
    let out = console::Term::stdout();
    let colour = out.is_term() && std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty());
    let width = out.size_checked().map_or(WIDE, |(_, columns)| usize::from(columns));
    Options { width, colour, ..Options::default() }
}

/// A folder that no other run has: two may start in one second.
fn new_folder() -> Result<PathBuf> {
    let runs = PathBuf::from("reports/runs");
    let stamp = clock::wall_now().strftime("%Y-%m-%dT%H-%M-%SZ").to_string();
    let unmade = |e| {
        let what = Error::new("reports cannot be written here").at(runs.display().to_string()).because(e);
        what.help("choose a folder that this user may write with --out DIR")
    };
    fs::create_dir_all(&runs).map_err(unmade)?;
    for n in 1..100 {
        let folder = runs.join(if n == 1 { stamp.clone() } else { format!("{stamp}-{n}") });
        match fs::create_dir(&folder) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made.map(|()| folder).map_err(unmade),
        }
    }
    Err(Error::new("a hundred runs have started in this second").help("choose a folder with --out DIR"))
}
