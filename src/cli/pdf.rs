//! HTML to PDF through the print of an installed Chromium or Chrome: with a profile of its own, within a time limit, and
//! gone with all its processes when it is done.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, geteuid, kill_process_group};

use crate::error::{Error, Result};

const NAMES: [&str; 5] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];

/// How long a print may take; a thousand drills take a few minutes.
const LIMIT: Duration = Duration::from_mins(10);

/// How often it is looked whether the print has ended.
const LOOK: Duration = Duration::from_millis(50);

/// Last lines of the browser that an error repeats.
const LINES: usize = 3;

/// An installed browser that prints.
#[derive(Debug, Clone)]
pub(super) struct Browser(PathBuf);

impl Browser {
    /// The first one on the PATH.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn find() -> Result<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let files = std::env::split_paths(&path).flat_map(|folder| NAMES.map(|name| folder.join(name)));
        let none = || {
            Error::new("a PDF is printed by Chromium or Chrome, and neither is installed")
                .because(format!("none of these is on the PATH: {}", NAMES.join(", ")))
                .help("install chromium, or leave out --pdf: the HTML report prints from any browser")
        };
        files.into_iter().find(|file| file.is_file()).map(Browser).ok_or_else(none)
    }

    /// The page as PDF.
    ///
    /// # Errors
    /// When the browser cannot be started, fails, takes too long or leaves no whole PDF.
    pub(super) fn print(&self, html: &str) -> Result<Vec<u8>> {
        self.print_within(LIMIT, html)
    }

    fn print_within(&self, limit: Duration, html: &str) -> Result<Vec<u8>> {
        let scratch = tempfile::tempdir().map_err(|e| self.failed("no scratch folder can be made").because(e))?;
        let page = scratch.path().join("report.html");
        fs::write(&page, html).map_err(|e| self.failed("the page cannot be handed to the browser").because(e))?;
        let (pdf, log) = (scratch.path().join("report.pdf"), scratch.path().join("browser.log"));
        let mut child = self
            .command(scratch.path(), &page, &pdf, &log)
            .and_then(|mut command| command.spawn())
            .map_err(|e| self.failed("the browser cannot be started").because(e))?;
        let ended = wait(&mut child, limit);
        end_group(&child);
        // It was killed with its group where it had not ended; either way nothing of it is left to wait for.
        let _ = child.wait();
        let said = last_lines(&log);
        let ended = ended.map_err(|e| self.failed("the browser cannot be waited for").because(e))?;
        match ended {
            None => Err(self.failed(format!("the browser did not print within {} s", limit.as_secs())).because(said)),
            Some(status) if !status.success() => {
                Err(self.failed(format!("the browser ended with {status}")).because(said))
            }
            Some(_) => whole(&pdf).ok_or_else(|| self.failed("the browser left no whole PDF").because(said)),
        }
    }

    fn command(&self, scratch: &Path, page: &Path, pdf: &Path, log: &Path) -> std::io::Result<Command> {
        let mut command = Command::new(&self.0);
        command
            .args(["--headless", "--disable-gpu", "--no-first-run", "--disable-extensions", "--disable-sync"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"])
            .args(["--no-pdf-header-footer", "--lang=en"])
            .arg(format!("--user-data-dir={}", scratch.join("profile").display()))
            .arg(format!("--print-to-pdf={}", pdf.display()))
            .env_clear()
            .envs(
                ["PATH", "LANG", "LC_ALL", "FONTCONFIG_PATH"]
                    .iter()
                    .filter_map(|name| Some((name, std::env::var_os(name)?))),
            )
            .envs([("HOME", scratch), ("TMPDIR", scratch), ("XDG_RUNTIME_DIR", scratch)])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(log)?)
            .process_group(0);
        // Its sandbox refuses to run for root; the page is our own, and runs no script.
        if geteuid().is_root() {
            command.arg("--no-sandbox");
        }
        command.arg(format!("file://{}", page.display()));
        Ok(command)
    }

    fn failed(&self, what: impl Into<String>) -> Error {
        let help = "leave out --pdf, or print the HTML report from a browser by hand";
        Error::new(what).at(self.0.display().to_string()).help(help)
    }
}

/// How it ended; `None` where it did not within the limit.
fn wait(child: &mut Child, limit: Duration) -> std::io::Result<Option<ExitStatus>> {
    for _ in 0..limit.as_millis() / LOOK.as_millis() {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        thread::sleep(LOOK);
    }
    Ok(None)
}

/// A browser has helpers, which may outlive it.
fn end_group(child: &Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // There is none where all have ended.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// The file, if it is a PDF from its first to its last line.
fn whole(pdf: &Path) -> Option<Vec<u8>> {
    let bytes = fs::read(pdf).ok()?;
    let ended = bytes.trim_ascii_end().ends_with(b"%%EOF");
    (bytes.starts_with(b"%PDF-") && ended).then_some(bytes)
}

fn last_lines(log: &Path) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = lines[lines.len().saturating_sub(LINES)..].join("; ");
    if last.is_empty() { "the browser gave no reason".to_owned() } else { last }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A program in the browser's place.
    fn browser(folder: &Path, script: &str) -> Browser {
        let file = folder.join("chromium");
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        Browser(file)
    }

    const TARGET: &str = "for word; do case $word in --print-to-pdf=*) pdf=${word#--print-to-pdf=};; esac; done";

    #[test]
    fn a_browser_that_fails_or_leaves_half_a_file_is_an_error_with_its_last_words() {
        let folder = tempfile::tempdir().unwrap();
        let said = |script: &str| {
            let error = browser(folder.path(), &format!("{TARGET}\n{script}")).print("<p>").unwrap_err();
            format!("{error:?}")
        };
        let failed = said("echo no display >&2; exit 3");
        assert!(failed.contains("exit status: 3") && failed.contains("no display"), "{failed}");
        assert!(said("printf '%%PDF-1.4 cut' > \"$pdf\"").contains("no whole PDF"));
        assert!(said("true").contains("no whole PDF"));
    }

    #[test]
    fn a_browser_that_never_ends_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let stuck = browser(folder.path(), "sleep 300");
        let error = format!("{:?}", stuck.print_within(Duration::from_millis(200), "<p>").unwrap_err());
        assert!(error.contains("did not print within 0 s"), "{error}");
    }

    #[test]
    fn what_the_browser_started_ends_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let left = folder.path().join("pid");
        let script =
            format!("{TARGET}\nsleep 300 & echo $! > {}\nprintf '%%PDF-1.4\\n%%%%EOF\\n' > \"$pdf\"", left.display());
        let pdf = browser(folder.path(), &script).print("<p>").unwrap();
        assert!(pdf.starts_with(b"%PDF-"));
        let pid = fs::read_to_string(&left).unwrap();
        let stat = || fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
        // A process that was killed may stand in the table until its new parent has noticed.
        let gone = (0..100).any(|_| {
            thread::sleep(LOOK);
            stat().is_empty() || stat().contains(") Z ")
        });
        assert!(gone, "{}", stat());
    }
}
