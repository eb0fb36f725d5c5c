//! Writing reports: into one folder, each file whole or not at all.

use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use crate::error::{Error, Result};

/// A folder that reports are written to.
pub(super) struct Output {
    dir: PathBuf,
}

impl Output {
    /// Makes the folder and tries it, so that a run does not end with reports that cannot be written.
    pub(super) fn open(dir: &Path) -> Result<Self> {
        let output = Output { dir: dir.to_owned() };
        let tried = fs::create_dir_all(dir).and_then(|()| NamedTempFile::new_in(dir).map(|_| ()));
        tried.map_err(|e| output.unwritable(dir, e))?;
        Ok(output)
    }

    /// Writes a file of that name, `/` in it being folders: under another name first, then renamed.
    pub(super) fn write(&self, name: &str, content: &str) -> Result<PathBuf> {
        let path = self.dir.join(name);
        let folder = path.parent().unwrap_or(&self.dir);
        let written = fs::create_dir_all(folder).and_then(|()| {
            let mut file = NamedTempFile::new_in(folder)?;
            file.write_all(content.as_bytes())?;
            file.persist(&path)?;
            Ok(())
        });
        written.map_err(|e| self.unwritable(&path, e))?;
        Ok(path)
    }

    fn unwritable(&self, path: &Path, cause: std::io::Error) -> Error {
        Error::new("reports cannot be written here")
            .at(path.display().to_string())
            .because(cause)
            .help("choose a folder that this user may write with --out DIR")
    }
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
