//! A real browser, headless: what a page becomes in it, and what its console says.

use std::{
    fs,
    path::{Path, PathBuf},
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

/// Writes a page and returns its address.
pub(crate) fn on_disk(folder: &Path, name: &str, page: &str) -> String {
    let file = folder.join(name);
    fs::write(&file, page).unwrap();
    format!("file://{}", file.display())
}

/// The page with a script put in, everything that folds opened, and its policy against scripts, if it has one, taken out.
pub(crate) fn scripted(page: &str, script: &str) -> String {
    let policy = page.find("<meta http-equiv=\"Content-Security-Policy\"").unwrap_or(page.len());
    let end = page[policy..].find('>').map_or(policy, |end| policy + end + 1);
    let open = format!("{}{}", &page[..policy], &page[end..]).replace("<details", "<details open");
    open.replace("</body>", &format!("<pre id=\"seen\">nothing</pre><script>{script}</script></body>"))
}

/// What the script left in the document.
pub(crate) fn seen(window: &Window) -> String {
    let text = window.document.split_once("<pre id=\"seen\">").unwrap().1;
    text.split("</pre>").next().unwrap().replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// The rules of accessibility, where they are installed.
pub(crate) fn axe() -> Option<String> {
    let rules = super::root().join("target/tools/browser/node_modules/axe-core/axe.min.js");
    let found = fs::read_to_string(&rules).ok();
    if found.is_none() {
        skipped(
            "axe",
            "axe-core is not installed; it belongs into target/tools/browser, by tests/browser/package.json",
        );
    }
    found
}

/// Violations of WCAG 2.2 A and AA, a line each; and how many rules held.
pub(crate) fn violations(browser: &PathBuf, folder: &Path, page: &str, axe: &str) -> (Vec<String>, usize) {
    let script = format!(
        "{axe};axe.run(document, {{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']}}).then(found => {{\
         document.getElementById('seen').textContent = found.passes.length + '\\n' + found.violations.flatMap(rule => \
         rule.nodes.slice(0, 3).map(node => rule.id + ' ' + node.target + ' ' + node.failureSummary.replace(/\\s+/g, ' '))).join('\\n')}},\
         failed => {{document.getElementById('seen').textContent = '0\\nnot run: ' + failed}})"
    );
    let window = Window::at(browser, &on_disk(folder, "axe.html", &scripted(page, &script)), 60_000, &[]);
    let said = seen(&window);
    let mut lines = said.lines().map(str::to_owned);
    let held = lines.next().unwrap().parse().unwrap_or_else(|_| panic!("{said}"));
    (lines.filter(|line| !line.is_empty()).collect(), held)
}
