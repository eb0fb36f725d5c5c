//! Scenario time for programs: libfaketime, where it is installed, moves the clock that they read. Without it a program
//! reads the clock of the day on which the drill is run.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use jiff::Timestamp;
use tokio::process::Command;

use super::Environment;
use crate::sim::clock::{self, Clock};

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

/// Where the system keeps what processes share by name.
const SHARED: &str = "/dev/shm";

/// How long is waited for the library to make what its programs share, and how often it is looked in that time.
const MADE_WITHIN: Duration = Duration::from_secs(5);
const LOOKS: u32 = 500;

/// What all programs on a moved clock share: a semaphore and a piece of memory. The first program makes both, and every
/// copy of it that ends takes them from all others, who then end with "sem_open failed": a shell with a pipe in it is
/// enough. So they are made once, by a program that never gets to remove them, and removed with this.
#[derive(Debug)]
pub struct Shared {
    maker: u32,
}

impl Shared {
    /// Makes them; `None` where that does not go, and programs get along without.
    pub async fn make(library: &Path, clock: &Clock) -> Option<Shared> {
        let mut maker = Command::new("sleep");
        maker.arg("60").env_clear().env("LD_PRELOAD", library).env("FAKETIME", "+0").kill_on_drop(true);
        maker.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        maker.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut maker = maker.spawn().ok()?;
        let made = Shared { maker: maker.id()? };
        for _ in 0..LOOKS {
            if made.files().iter().all(|file| file.exists()) {
                break;
            }
            clock.sleep(MADE_WITHIN / LOOKS).await;
        }
        // Killed, it leaves them behind.
        maker.kill().await.ok()?;
        // A database's server is another user.
        let opened = |file: &PathBuf| fs::set_permissions(file, fs::Permissions::from_mode(0o666)).is_ok();
        made.files().iter().all(opened).then_some(made)
    }

    /// What leads programs to them.
    pub fn variable(&self) -> (String, String) {
        ("FAKETIME_SHARED".into(), format!("/faketime_sem_{0} /faketime_shm_{0}", self.maker))
    }

    fn files(&self) -> [PathBuf; 2] {
        ["sem.faketime_sem", "faketime_shm"].map(|name| Path::new(SHARED).join(format!("{name}_{}", self.maker)))
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        for file in self.files() {
            // One that was never made is not there.
            _ = fs::remove_file(file);
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{plan::Run, ran::Role, record::Way},
        process::{self, Job},
    };

    /// Copies of a shell that end while other programs begin; one that ends in an error leaves a line.
    const PIPES: &str = r#"
        for n in $(seq 40); do
            for i in 1 2 3; do (echo a | cat | sort -u); done | sort -ru > /dev/null
            bash -c 'bash -c "date > /dev/null" | cat'
        done
        date +%F"#;

    #[tokio::test]
    async fn programs_on_a_moved_clock_do_not_take_it_from_one_another_and_nothing_of_it_is_left() {
        let Some(library) = library() else { return println!("SKIPPED: libfaketime is not installed") };
        let start: Timestamp = "2026-11-04T03:00:00Z".parse().unwrap();
        let (clock, folder) = (Clock::new(Way::Real, start), tempfile::tempdir().unwrap());
        let shared = Shared::make(&library, &clock).await.unwrap();
        let files = shared.files();
        let job = Job {
            role: Role::Backup,
            run: Run::Argv(["bash", "-c", PIPES].map(str::to_owned).into()),
            folder: folder.path().to_owned(),
            environment: Environment::in_folder(folder.path(), folder.path())
                .with_all(variables(&library, start))
                .with_all([shared.variable()]),
            input: None,
            limit: Duration::from_secs(60),
            may_leave: false,
        };
        let done = process::run(job, &clock).await;
        assert_eq!(done.ran.last_lines, ["2026-11-04"], "{:?}", done.ran);
        assert!(files.iter().all(|file| file.exists()), "still there for others");
        drop(shared);
        assert!(!files.iter().any(|file| file.exists()), "and then gone");
    }
}
