//! A place to run the binary in: a folder for what it writes, and a TMPDIR of its own to see what it leaves behind.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use backdraft::model::record::Record;
use tempfile::TempDir;

/// Folders of one test.
pub(crate) struct Bench {
    dir: TempDir,
}

/// How a run of the binary ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("tmp")).unwrap();
        Bench { dir }
    }

    /// A path among the test's folders.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file among the test's folders and returns its path as an argument.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    /// The binary with these arguments, `{out}` in them being the output folder. It runs in the repository.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_backdraft"));
        let out = self.path("out").display().to_string();
        command.args(arguments.iter().map(|word| word.replace("{out}", &out)));
        self.surround(&mut command);
        command
    }

    /// A shell that runs this script; `$BACKDRAFT` is the binary and `$OUT` the output folder.
    pub(crate) fn shell(&self, script: &str) -> Ended {
        let mut command = Command::new("sh");
        command.args(["-c", script]).env("BACKDRAFT", env!("CARGO_BIN_EXE_backdraft")).env("OUT", self.path("out"));
        self.surround(&mut command);
        self.ended(&command.output().unwrap())
    }

    fn surround(&self, command: &mut Command) {
        command.current_dir(env!("CARGO_MANIFEST_DIR")).env("TMPDIR", self.path("tmp")).stdin(Stdio::null());
        command
            .env_remove("BACKDRAFT_LOG")
            .env_remove("BACKDRAFT_STORAGE")
            .env("BACKDRAFT_HISTORY", "none")
            .env_remove("BACKDRAFT_SIGN_KEY")
            .env_remove("GITHUB_ACTIONS")
            .env_remove("GITHUB_STEP_SUMMARY")
            .env("RUST_BACKTRACE", "0")
            .env("COLUMNS", "100");
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.ended(&self.command(arguments).output().unwrap())
    }

    /// What was said, the test's own folder written as `[dir]`.
    pub(crate) fn ended(&self, output: &Output) -> Ended {
        let dir = self.dir.path().display().to_string();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap().replace(&dir, "[dir]");
        Ended { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// Scratch folders below TMPDIR, and whatever else lies there.
    pub(crate) fn left_behind(&self) -> Vec<PathBuf> {
        let entries =
            |dir: &Path| -> Vec<PathBuf> { fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect() };
        let is_base = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with("backdraft-");
        let (bases, others): (Vec<_>, Vec<_>) = entries(&self.path("tmp")).into_iter().partition(is_base);
        bases.iter().flat_map(|base| entries(base)).chain(others).collect()
    }

    /// Files of the output folder with their content, by name.
    pub(crate) fn written(&self) -> Vec<(String, String)> {
        fn walk(root: &Path, dir: &Path, found: &mut Vec<(String, String)>) {
            for entry in fs::read_dir(dir).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(root, &path, found);
                } else {
                    let name = path.strip_prefix(root).unwrap().display().to_string();
                    found.push((name, fs::read_to_string(&path).unwrap()));
                }
            }
        }
        let (root, mut found) = (self.path("out"), Vec::new());
        walk(&root, &root, &mut found);
        found.sort();
        found
    }

    /// The record of a scenario, from the output folder.
    pub(crate) fn record(&self, id: &str) -> Record {
        let path = self.path(&format!("out/records/{id}.json"));
        serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
    }
}
