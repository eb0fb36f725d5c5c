//! A real browser, headless: what a page becomes in it, and what its console says.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

/// Whether a tool that is missing may be missing.
pub(crate) fn skipped(tool: &str, why: &str) {
    println!("SKIPPED: {why}");
    let required = std::env::var("BACKDRAFT_REQUIRE_TOOLS").unwrap_or_default();
    assert!(!required.split(',').any(|name| name == tool), "{tool} is required: {why}");
}

/// The first of these programs on the PATH.
pub(crate) fn program(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let files = std::env::split_paths(&path).flat_map(|folder| names.iter().map(move |name| folder.join(name)));
    files.into_iter().find(|file| file.is_file())
}

/// The browser, or `None` with the reason on standard output.
pub(crate) fn browser() -> Option<PathBuf> {
    let found = program(&["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]);
    if found.is_none() {
        skipped("chromium", "no chromium or google-chrome is installed");
    }
    found
}

/// What a browser shows after so much of its own time: the document, and what its console said.
pub(crate) struct Window {
    pub(crate) document: String,
    pub(crate) console: Vec<String>,
}

impl Window {
    pub(crate) fn at(browser: &PathBuf, url: &str, millis: u32, more: &[&str]) -> Window {
        let profile = tempfile::tempdir().unwrap();
        // `timeout` ends a browser that hangs.
        let output = Command::new("timeout")
            .args(["--kill-after=5", "120"])
            .arg(browser)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"])
            .args(["--enable-logging=stderr", "--v=0", "--lang=en", "--dump-dom"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(format!("--virtual-time-budget={millis}"))
            .args(more)
            .arg(url)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let (document, log) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && document.contains("</html>"), "{document}\n{log}");
        let console = log.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect();
        Window { document: document.into_owned(), console }
    }
}
