//! Processes that a program leaves behind: found by a variable that they all inherit, whatever group or session they
//! moved to, and ended.

use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt, path::Path};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::process::Child;

use super::{Environment, GRACE, environment::MARK};
use crate::sim::clock::Clock;

/// How often it is looked whether somebody has ended, and how long is waited in between.
const LOOKS: u32 = 20;

/// The processes of one environment.
#[derive(Debug, Clone)]
pub struct Leftovers {
    mark: String,
}

/// One process.
struct Process {
    pid: Pid,
    name: String,
}

impl Leftovers {
    /// All that run in that environment.
    pub fn of(environment: &Environment) -> Self {
        Leftovers { mark: format!("{MARK}={}", environment.get(MARK).unwrap_or_default()) }
    }

    /// Their command lines.
    pub fn names(&self) -> Vec<String> {
        self.found().into_iter().map(|one| one.name).collect()
    }

    /// Ends them: first asks, then kills. Their command lines.
    pub async fn end(&self, clock: &Clock) -> Vec<String> {
        let names = self.names();
        if names.is_empty() {
            return names;
        }
        self.signal(Signal::TERM);
        for _ in 0..LOOKS {
            if self.found().is_empty() {
                return names;
            }
            clock.sleep(GRACE / LOOKS).await;
        }
        self.signal(Signal::KILL);
        names
    }

    /// Kills them at once.
    pub fn kill(&self) {
        self.signal(Signal::KILL);
    }

    fn signal(&self, signal: Signal) {
        for process in self.found() {
            // It may have ended by itself.
            let _ = kill_process(process.pid, signal);
        }
    }

    /// What runs now. Of a system without `/proc` nothing is known beyond the process group, which is ended in any case.
    fn found(&self) -> Vec<Process> {
        numbers().filter_map(|pid| self.known(pid)).collect()
    }

    fn known(&self, pid: i32) -> Option<Process> {
        let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
        let is_ours = environment.split(|byte| *byte == 0).any(|one| one == self.mark.as_bytes());
        let line = fs::read(format!("/proc/{pid}/cmdline")).ok().filter(|line| is_ours && !line.is_empty())?;
        let words: Vec<_> = line.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
        let name: String = words.join(" ").trim_end().chars().take(120).collect();
        Some(Process { pid: Pid::from_raw(pid)?, name })
    }
}

/// Ends what lives in a folder whose owner was killed: every process with a home or a place for temporary files below it,
/// and a database server that says there that it runs.
pub fn end_below(folder: &Path) {
    let is_below = |pid: i32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let named = environment
            .split(|byte| *byte == 0)
            .filter_map(|one| one.strip_prefix(b"HOME=").or_else(|| one.strip_prefix(b"TMPDIR=")));
        let mut folders = named.map(|path| Path::new(OsStr::from_bytes(path)));
        folders.any(|path| path.starts_with(folder))
    };
    let mut found: Vec<i32> = numbers().filter(|pid| is_below(*pid)).collect();
    found.extend(servers(folder, DEEPEST));
    for pid in found.into_iter().filter_map(Pid::from_raw) {
        // It may have ended by itself.
        let _ = kill_process(pid, Signal::KILL);
    }
}

/// How deep below a drill's folder a server may keep its data.
const DEEPEST: u32 = 4;

/// What a PostgreSQL server writes its number into, beside its data.
const POSTMASTER: &str = "postmaster.pid";

/// Servers that stand in the data folders below that one. A number alone may be another's by now.
fn servers(folder: &Path, deepest: u32) -> Vec<i32> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder && deepest > 0 {
            found.extend(servers(&entry.path(), deepest - 1));
        } else if entry.file_name() == POSTMASTER {
            let text = fs::read_to_string(entry.path()).unwrap_or_default();
            let pid = text.lines().next().and_then(|line| line.trim().parse().ok());
            let stands_here = |pid: &i32| fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|at| at == folder);
            found.extend(pid.filter(stands_here));
        }
    }
    found
}

/// The numbers of all processes. A system without `/proc` tells none.
fn numbers() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Ends a program and its group: first asks, then kills.
pub(super) async fn end_group(group: Option<u32>, child: &mut Child, clock: &Clock) {
    let group = group.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(group) = group {
        // The group may be gone by now.
        let _ = kill_process_group(group, Signal::TERM);
        if clock.limit(GRACE, child.wait()).await.is_none() {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
    // A child that cannot be killed is not one any more.
    let _ = child.kill().await;
}

#[cfg(test)]
mod tests {
    use std::{path::PathBuf, process::Command};

    use super::*;

    fn sleeper(home: &Path, at: &Path) -> std::process::Child {
        Command::new("sleep")
            .arg("100")
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", home)
            .current_dir(at)
            .spawn()
            .unwrap()
    }

    fn has_ended(child: &mut std::process::Child) -> bool {
        (0..500).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(10));
            child.try_wait().unwrap().is_some()
        })
    }

    #[test]
    fn what_lives_in_an_abandoned_folder_is_ended_and_nothing_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let base = fs::canonicalize(dir.path()).unwrap();
        let folder = |name: &str| -> PathBuf {
            let folder = base.join(name);
            fs::create_dir_all(&folder).unwrap();
            folder
        };
        let (ours, data, beside) = (folder("drill-1/home"), folder("drill-1/shop/pg/data"), folder("drill-10"));
        let mut at_home = sleeper(&ours, &base);
        let mut server = sleeper(&base, &data);
        let mut neighbour = sleeper(&beside, &base);
        fs::write(data.join(POSTMASTER), format!("{}\n/data\n", server.id())).unwrap();
        // A number that is another's by now.
        fs::write(folder("drill-1/old/data").join(POSTMASTER), format!("{}\n", neighbour.id())).unwrap();
        end_below(&base.join("drill-1"));
        let ended = (has_ended(&mut at_home), has_ended(&mut server));
        let lives = neighbour.try_wait().unwrap().is_none();
        neighbour.kill().unwrap();
        neighbour.wait().unwrap();
        assert_eq!((ended, lives), ((true, true), true));
    }
}
