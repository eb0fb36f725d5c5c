//! Processes that a program leaves behind: found by a variable that they all inherit, whatever group or session they
//! moved to, and ended.

use std::fs;

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
        let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
        let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.filter_map(|pid: i32| self.known(pid)).collect()
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
