//! The variables of a program: those that are named here and set by a drill, and nothing of the caller's.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

/// What is taken over from the caller: where programs are found.
const INHERITED: &str = "PATH";

/// Where programs are, for a caller who does not say.
const USUAL_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Marks every process of one drill's service: found by it even where it left its group.
pub(super) const MARK: &str = "BACKDRAFT_MARK";

static MARKS: AtomicU64 = AtomicU64::new(0);

/// Where programs of that name stand on the caller's PATH, in its order.
pub fn on_path(program: &str) -> impl Iterator<Item = PathBuf> + use<> {
    let path = std::env::var_os(INHERITED).unwrap_or_default();
    let places: Vec<PathBuf> = std::env::split_paths(&path).map(|folder| folder.join(program)).collect();
    places.into_iter().filter(|place| place.is_file())
}

/// Variables by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The least that programs need, with a home and a place for temporary files in that folder.
    pub fn in_folder(home: &Path, temporary: &Path) -> Self {
        let path = std::env::var(INHERITED).unwrap_or_else(|_| USUAL_PATH.to_owned());
        let mark = format!("{}-{}", std::process::id(), MARKS.fetch_add(1, Ordering::Relaxed));
        let named = [
            (INHERITED, path),
            ("HOME", home.display().to_string()),
            ("TMPDIR", temporary.display().to_string()),
            ("USER", "backdraft".into()),
            ("LOGNAME", "backdraft".into()),
            ("SHELL", "/bin/sh".into()),
            ("LANG", "C.UTF-8".into()),
            ("LC_ALL", "C.UTF-8".into()),
            ("TZ", "UTC".into()),
            (MARK, mark),
        ];
        Environment(named.map(|(name, value)| (name.to_owned(), value)).into())
    }

    /// The same with that variable.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.insert(name.into(), value.into());
        self
    }

    /// The same with those variables.
    #[must_use]
    pub fn with_all(mut self, more: impl IntoIterator<Item = (String, String)>) -> Self {
        self.0.extend(more);
        self
    }

    /// Every variable.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &String)> {
        self.0.iter()
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}
