//! Scenario time for programs: libfaketime, where it is installed, moves the clock that they read. Without it a program
//! reads the clock of the day on which the drill is run.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::Environment;
use crate::sim::clock;

/// Where distributions put the library.
const PLACES: &[&str] = &[
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib64/faketime/libfaketimeMT.so.1",
    "/usr/lib/faketime/libfaketimeMT.so.1",
    "/usr/local/lib/faketime/libfaketimeMT.so.1",
];

/// Names a library in another place.
const NAMED: &str = "BACKDRAFT_FAKETIME";

/// The library, if it is there. `BACKDRAFT_FAKETIME` names another place, or `none`.
pub fn library() -> Option<PathBuf> {
    let named = std::env::var(NAMED).ok();
    match named.as_deref() {
        Some("none") => None,
        Some(path) => Some(PathBuf::from(path)).filter(|path| path.is_file()),
        None => PLACES.iter().map(PathBuf::from).find(|path| path.is_file()),
    }
}

/// Whether programs in that environment are made to believe another time.
pub(super) fn moves(environment: &Environment) -> bool {
    environment.get("FAKETIME").is_some()
}

/// What makes a program believe that it is that moment now, and lets its clock run from there.
pub fn variables(library: &Path, now: Timestamp) -> [(String, String); 4] {
    let named = [
        ("LD_PRELOAD", library.display().to_string()),
        // An offset, and not a date: a date would begin anew in every process that is started.
        ("FAKETIME", ahead(now)),
        // What waits must not wait for days.
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
        // Dates of files are moved when the command has ended, for every program alike.
        ("NO_FAKE_STAT", "1".into()),
    ];
    named.map(|(name, value)| (name.to_owned(), value))
}

/// The same for a program that lives through the whole story: its clock is set again and again, by [`ahead`] written to
/// that file.
pub fn following(library: &Path, file: &Path) -> [(String, String); 5] {
    let named = [
        ("LD_PRELOAD", library.display().to_string()),
        ("FAKETIME_TIMESTAMP_FILE", file.display().to_string()),
        // Otherwise the file is read every ten seconds, in which days may pass.
        ("FAKETIME_NO_CACHE", "1".into()),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
        ("NO_FAKE_STAT", "1".into()),
    ];
    named.map(|(name, value)| (name.to_owned(), value))
}

/// How far that moment is ahead of the clock on the wall, as the library reads it.
pub fn ahead(now: Timestamp) -> String {
    format!("{:+.3}", now.duration_since(clock::wall_now()).as_secs_f64())
}
