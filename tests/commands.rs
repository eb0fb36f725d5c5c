//! Pipelines of a team's own commands: what their exit codes mean, what they are given, and what becomes of those that
//! hang, print without end, or leave something behind.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod kit;

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use backdraft::{
    model::{
        event::{AlarmKind, What},
        outcome::{DrillResult, Outcome},
        plan::Plan,
        ran::{CommandEnd, Ran, Role},
        record::{Record, Way},
        scenario::Scenario,
    },
    process::faked_time,
};

/// Copies the folder to another one of its date, and back.
const BACKUP: &str = "mkdir -p kept && cp -a \"$SOURCE_FOLDER\" \"kept/$BACKDRAFT_NOW\"";
const RESTORE: &str = "cp -a \"kept/$(ls kept | tail -n 1)/.\" \"$SOURCE_FOLDER\"";

/// The scripts of one test, and their drill.
struct Scripts {
    dir: tempfile::TempDir,
    /// Further lines of the pipeline.
    more: String,
    faults: &'static str,
    probe: &'static str,
    writes: u32,
}

impl Scripts {
    fn new() -> Self {
        let scripts = Scripts {
            dir: tempfile::tempdir().unwrap(),
            more: String::new(),
            faults: "[]",
            probe: "folder",
            writes: 24,
        };
        scripts.with("backup.sh", BACKUP).with("restore.sh", RESTORE)
    }

    fn with(self, name: &str, script: &str) -> Self {
        let path = self.dir.path().join(name);
        fs::write(&path, format!("#!/bin/sh\nset -eu\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    fn more(self, more: &str) -> Self {
        Scripts { more: format!("{}      {more}\n", self.more), ..self }
    }

    fn plan(&self) -> Plan {
        let kind = if self.probe == "folder" { "files" } else { "database" };
        let text = format!(
            "format: backdraft.plan/1\nplatform: P\ntime_zone: UTC\ndata_classes: {{}}\nservices:\n  media:\n    kind: {kind}\n    \
             rto: 1 h\n    rpo: 24 h\n    backup: {{ every: daily, at: \"03:00\", prefix: media/ }}\n    pipeline:\n      \
             probe: {probe}\n      folder: {folder}\n      backup: ./backup.sh\n      restore: ./restore.sh\n{more}levels:\n  \
             2: {{ name: L, causes: [c], rto: 1 h, rpo: 24 h, response: [r] }}\nretention: 7 days\nregions: \
             [{{ name: us-east-1, bucket: backups }}]\nmonitor: {{ check_every: 6 h, max_age: 26 h, min_size: 1 KiB }}\n\
             response: {{ detect: 1 min, initial: 5 min, recovery: 30 min, aftermath: 24 h }}\n",
            probe = self.probe,
            folder = self.dir.path().display(),
            more = self.more,
        );
        serde_saphyr::from_str(&text).unwrap()
    }

    fn play(&self) -> Record {
        let text = format!(
            "title: T\nproves: P\nservice: media\nlevel: 2\nhistory: {{ days: 2, writes_per_day: {}, size: 256 KiB }}\n\
             faults: {}\ndisaster: {{ at: day 2 15:00, cause: C }}\nexpect: {{ outcome: recovered }}\n",
            self.writes, self.faults
        );
        let scenario: Scenario = serde_saphyr::from_str(&text).unwrap();
        kit::play("test", &self.plan(), &scenario, 7, Way::Real, Vec::new())
    }
}

fn ran(record: &Record, role: Role) -> Vec<&Ran> {
    assert!(!record.events.iter().any(|event| matches!(event.what, What::Aborted { .. })), "{:?}", record.result);
    let all = record.events.iter().filter_map(|event| if let What::Ran(ran) = &event.what { Some(ran) } else { None });
    all.filter(|ran| ran.role == role).collect()
}

fn claimed(record: &Record) -> &str {
    let mut claims = record
        .events
        .iter()
        .filter_map(|e| if let What::Restored(claim) = &e.what { Some(&*claim.point) } else { None });
    claims.next_back().unwrap()
}

fn outcome(record: &Record) -> Option<Outcome> {
    record.result.outcome
}

fn alarms(record: &Record) -> Vec<AlarmKind> {
    record.alarms.iter().map(|raised| raised.alarm.kind).collect()
}

#[test]
fn the_ledger_and_not_the_exit_code_says_what_is_back() {
    let good = Scripts::new().play();
    assert_eq!((outcome(&good), alarms(&good)), (Some(Outcome::Recovered), vec![]), "{:?}", good.result);
    assert_eq!(claimed(&good), "backup of 2026-11-02T03:00:00Z");

    let older = Scripts::new().with("restore.sh", &RESTORE.replace("tail", "head")).play();
    assert_eq!(outcome(&older), Some(Outcome::RecoveredBehind), "{:?}", older.result);
    assert_eq!(claimed(&older), "backup of 2026-11-01T03:00:00Z");

    for wrong in [
        "true",
        &format!("{RESTORE}\nfind \"$SOURCE_FOLDER\" -type f | head -n 1 | tr '\\n' '\\0' | xargs -0 rm"),
        &format!("{RESTORE}\necho more > \"$SOURCE_FOLDER/extra.txt\""),
        &format!("{RESTORE}\nfind \"$SOURCE_FOLDER\" -type f | head -n 1 | while read -r f; do echo x >> \"$f\"; done"),
    ] {
        let record = Scripts::new().with("restore.sh", wrong).play();
        assert_eq!(outcome(&record), Some(Outcome::SilentlyWrong), "{wrong}: {:?}", record.result);
    }
}

#[test]
fn a_command_that_fails_is_heard_and_its_last_words_are_told() {
    let failed = Scripts::new().with("backup.sh", "echo no space left >&2; exit 7").play();
    assert_eq!(ran(&failed, Role::Backup)[0].ended, CommandEnd::Exited(7));
    assert_eq!(ran(&failed, Role::Backup)[0].last_lines, ["no space left"]);
    assert!(alarms(&failed).contains(&AlarmKind::BackupFailed));
    assert_eq!(outcome(&failed), Some(Outcome::RefusedLoudly), "{:?}", failed.result);

    let refused = Scripts::new().more("refuses_with: [3]").with("restore.sh", "echo nothing here; exit 3").play();
    assert_eq!(outcome(&refused), Some(Outcome::RefusedLoudly));
    assert!(refused.result.why.contains("say that nothing can be restored"), "{}", refused.result.why);

    let unverified = Scripts::new().more("verify: ./verify.sh").with("verify.sh", "echo usage; exit 1").play();
    assert_eq!((ran(&unverified, Role::Verify).len(), alarms(&unverified)), (2, vec![AlarmKind::VerifyFailed; 2]));

    let weekly = Scripts::new().more("verify: { run: ./verify.sh, every: 1 week }").with("verify.sh", "true").play();
    assert_eq!((ran(&weekly, Role::Verify).len(), outcome(&weekly)), (1, Some(Outcome::Recovered)));

    let unasked = Scripts::new().more("query: ./query.sh").with("query.sh", "echo 500; exit 1").play();
    assert_eq!(outcome(&unasked), Some(Outcome::SilentlyWrong), "users get nothing: {:?}", unasked.result);
}

#[test]
fn a_command_that_cannot_be_started_says_why() {
    let missing = Scripts::new().with("backup.sh", "nonesuch-tool --all").play();
    assert_eq!(ran(&missing, Role::Backup)[0].ended, CommandEnd::Exited(127));
    let scripts = Scripts::new();
    fs::set_permissions(scripts.dir.path().join("backup.sh"), fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(ran(&scripts.play(), Role::Backup)[0].ended, CommandEnd::Exited(126));
    let argv = Scripts::new().more("list: [nonesuch-tool, --all]").play();
    let CommandEnd::NotStarted(why) = &ran(&argv, Role::List)[0].ended else { panic!("it was started") };
    assert_eq!(why, "`nonesuch-tool` is not there: install it, or mend its path");
}

#[test]
fn a_command_that_hangs_is_ended_with_all_that_it_started() {
    let marker = "sleep 98761";
    let script = format!("setsid {marker} & {marker} & trap '' TERM; {marker}");
    let record = Scripts::new().more("time_limit: 1 s").with("restore.sh", &script).play();
    assert_eq!(outcome(&record), Some(Outcome::Hung), "{:?}", record.result);
    assert_eq!(ran(&record, Role::Restore)[0].ended, CommandEnd::TimeLimit(1000));
    assert_eq!(running(marker), Vec::<String>::new());
}

#[test]
fn what_a_backup_leaves_running_is_told_and_ended_and_a_restored_service_lives_until_the_end() {
    let marker = "sleep 98762";
    let backup = format!("{BACKUP}; setsid {marker} >/dev/null 2>&1 &");
    let record = Scripts::new().with("backup.sh", &backup).play();
    let left = &ran(&record, Role::Backup)[0].left_running;
    assert!(left.len() == 1 && left[0].ends_with(marker), "{left:?}");
    let restore = format!("{RESTORE}; setsid {marker} & ");
    let query = format!("pgrep -f '{marker}' >/dev/null");
    let record = Scripts::new().with("restore.sh", &restore).more("query: ./query.sh").with("query.sh", &query).play();
    assert_eq!(outcome(&record), Some(Outcome::Recovered), "{:?}", record.result);
    assert!(ran(&record, Role::Restore)[0].left_running[0].ends_with(marker));
    assert_eq!(running(marker), Vec::<String>::new());
}

#[test]
fn output_without_end_is_counted_and_not_kept() {
    let backup = format!("{BACKUP}; head -c 300000000 /dev/zero | tr '\\0' 'x'; echo; echo the end");
    let record = Scripts::new().with("backup.sh", &backup).play();
    let ran = ran(&record, Role::Backup)[0];
    assert_eq!((ran.printed_bytes, ran.last_lines.last().unwrap().as_str()), (300_000_009, "the end"));
    assert!(serde_json::to_string(&ran).unwrap().len() < 20_000);
}

#[test]
fn commands_get_the_emulated_world_and_nothing_of_the_callers() {
    let record = Scripts::new()
        .with("backup.sh", &format!("{BACKUP}; env | sort | sed 's/=.*//' | paste -sd ' ' | fold -s -w 300"))
        .play();
    let names = ran(&record, Role::Backup)[0].last_lines.join(" ");
    let usual = ["LD_PRELOAD", "FAKETIME", "FAKETIME_DONT_FAKE_MONOTONIC", "NO_FAKE_STAT", "FAKETIME_SHARED"];
    let names: Vec<&str> = names.split_whitespace().filter(|name| !usual.contains(name)).collect();
    insta::assert_snapshot!(names.join("\n"));
}

#[test]
fn scenario_time_reaches_commands_and_the_files_that_they_wrote() {
    if faked_time::library().is_none() {
        kit::skip("faketime", "libfaketime is not installed");
        return;
    }
    let backup = format!("{BACKUP}; date -u +%F; echo x > kept-of-$(date -u +%d); find . -name 'kept-of-*' -mtime +0");
    let record = Scripts::new().with("backup.sh", &backup).play();
    let said: Vec<_> = ran(&record, Role::Backup).iter().map(|ran| ran.last_lines.clone()).collect();
    assert_eq!(said[0], ["2026-11-01"]);
    assert_eq!(said[1][0], "2026-11-02", "{said:?}");
    // A day old to the minute: `-mtime +0` means more than a day.
    assert!(record.limits.iter().any(|limit| limit.contains("the story's clock")));
    let later = Scripts::new().with("backup.sh", &backup.replace("-mtime +0", "-mmin +60")).play();
    assert_eq!(ran(&later, Role::Backup)[1].last_lines, ["2026-11-02", "./kept-of-01"]);
}

#[test]
fn a_file_written_outside_is_told() {
    let scripts = Scripts::new();
    let outside = scripts.dir.path().join("dump.sql");
    let record = scripts.with("backup.sh", &format!("{BACKUP}; echo x > {}", outside.display())).play();
    let told = &ran(&record, Role::Backup)[0].wrote_outside;
    assert!(told.contains(&outside.display().to_string()), "{told:?}");
}

#[test]
fn a_place_of_the_teams_own_is_written_and_read_by_their_commands() {
    let probe = "{ command: { write: ./write.sh, read: cat rows, lose: ': > rows' } }";
    // By the id of each line, the last one wins.
    let write = r#"touch rows; awk '
        { id = $0 }
        match($0, /"(_id|deleted)":"[^"]*"/) { id = substr($0, RSTART, RLENGTH); sub(/^[^:]*:/, "", id) }
        /^\{"table":"[^"]*","deleted":/ { delete row[id]; next }
        { row[id] = $0 }
        END { for (id in row) print row[id] }' rows - > new; mv new rows"#;
    let scripts = Scripts { probe, ..Scripts::new() }.with("write.sh", write);
    let scripts = scripts
        .with("backup.sh", "cp rows \"rows-$BACKDRAFT_NOW\"")
        .with("restore.sh", "cp \"$(ls rows-* | tail -n 1)\" rows");
    let record = scripts.play();
    assert_eq!(outcome(&record), Some(Outcome::Recovered), "{:?}", record.result);
}

/// Command lines of the processes that run that.
fn running(command: &str) -> Vec<String> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|entry| fs::read(Path::new("/proc").join(entry.file_name()).join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " ").trim().to_owned());
    lines.filter(|line| line == command).collect()
}

#[test]
fn what_was_not_lost_is_not_recovered() {
    // Nothing is written after the last backup, and the command that loses leaves everything: green without a restore.
    let probe = "{ command: { write: 'cat >> rows', read: cat rows, lose: 'true' } }";
    let scripts = Scripts { probe, writes: 0, ..Scripts::new() };
    let record = scripts.with("backup.sh", "true").with("restore.sh", "true").play();
    assert_eq!(record.result.outcome, None);
    assert!(
        record.result.result != DrillResult::Pass && record.result.reasons[0].contains("are still there"),
        "{record:?}"
    );
}
