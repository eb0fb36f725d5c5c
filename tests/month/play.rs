//! Plays the programme of the sample month for real, and keeps its records in a history under the dates of the sample.

use std::{fs, path::Path, process::Command};

use backdraft::{
    history::{History, Unended},
    model::record::Record,
};
use jiff::{Timestamp, ToSpan};

use super::sample::HISTORY;

/// The command as it was built for this test.
pub(super) const BACKDRAFT: &str = env!("CARGO_BIN_EXE_backdraft");

/// What a team would play in a month, a session every Thursday morning: the restore test of each service first, then
/// faults one by one, at the end the whole platform. `files-deletion-synced` is the plan's own rule for files,
/// which loses data in silence.
const PROGRAMME: [(&str, &[&str]); 5] = [
    (
        "2026-10-01T10:00:00+09:00",
        &[
            "scenarios/database/control.yaml",
            "scenarios/files/control.yaml",
            "scenarios/config/control.yaml",
            "scenarios/level-1/web-control.yaml",
        ],
    ),
    (
        "2026-10-08T10:00:00+09:00",
        &["scenarios/level-1/bad-deploy-rollback.yaml", "scenarios/database/corrupt-truncated-latest.yaml"],
    ),
    (
        "2026-10-15T10:00:00+09:00",
        &["scenarios/database/outage-during-fetch.yaml", "scenarios/config/variable-missing-in-primary.yaml"],
    ),
    (
        "2026-10-22T10:00:00+09:00",
        &["scenarios/database/stale-looks-fresh.yaml", "fixtures/hooklabs/as-written/files-deletion-synced.yaml"],
    ),
    (
        "2026-10-29T10:00:00+09:00",
        &["scenarios/level-3/ransomware-without-lock.yaml", "scenarios/level-3/everything-lost.yaml"],
    ),
];

/// Puts a history that was just played in the place of the committed one.
pub(super) fn month(history: &dyn Fn() -> History) {
    let _ = fs::remove_dir_all(HISTORY);
    let history = history();
    for (begins, paths) in PROGRAMME {
        let mut at: Timestamp = begins.parse().unwrap();
        for path in paths {
            let mut record = play(path);
            record.identity.run_at = Some(at);
            let (identity, plan, scenario) = (record.identity.clone(), record.plan.clone(), record.scenario.clone());
            let mark = history
                .begin(&Unended { begun_at: at, has_begun: true, identity, plan, scenario, of_run: None })
                .unwrap();
            history.append(&record, mark, at + 1.minute()).unwrap();
            at += 15.minutes();
        }
    }
    // Of use only to whoever writes.
    fs::remove_file(Path::new(HISTORY).join(".lock")).unwrap();
    fs::remove_dir(Path::new(HISTORY).join("marks")).unwrap();
}

/// As anybody would play it, with the command.
fn play(path: &str) -> Record {
    let out = tempfile::tempdir().unwrap();
    let mut run = Command::new(BACKDRAFT);
    let run = run.args(["run", path, "--no-history", "--quiet", "--out"]).arg(out.path());
    let ended = run.env_remove("GITHUB_ACTIONS").env_remove("BACKDRAFT_SIGN_KEY").output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    let (files, _) = backdraft::evidence::folder::files(&out.path().join("records")).expect(&said);
    let only = files.into_values().next().expect(&said);
    serde_json::from_slice(&fs::read(only).unwrap()).unwrap()
}
