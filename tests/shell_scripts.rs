//! The scripts of the strategy document and the same ones repaired, with the real tools, through the same stories.
//! docs/shell-scripts.md is what came of them: `UPDATE_GOLDEN=1` plays every story and writes it, other runs play those of
//! [`ALWAYS`] and compare. Skipped, visibly, where a tool is missing.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use backdraft::{
    input::load::load_plan,
    model::{
        event::What,
        outcome::{DrillResult, Outcome},
        ran::Role,
        record::{FaultRecord, Record},
    },
    process::faked_time,
};

mod kit;
use kit::browser::{program, skipped};

const STORIES: &str = "fixtures/pipelines/hooklabs-scenarios";
const WRITTEN: &str = "hooklabs-shell";
const REPAIRED: &str = "hooklabs-shell-fixed";
const PAGE: &str = "docs/shell-scripts.md";

/// What the scripts of the document have wrong, by the story that shows it, in the order of a backup's life.
const WEAKNESSES: &[(&str, &str)] = &[
    ("control", "nothing is broken; neither is anything seen to be"),
    ("export-fails", "a failed export does not end the script, whose exit code is that of its last `echo`"),
    ("export-leaves-a-piece", "what a failed export left behind is packed and copied"),
    ("export-cut-looks-whole", "exit code 0 is taken for a whole export; the same piece goes to three regions"),
    ("credentials-expired", "a copy that failed does not end the script"),
    ("primary-out-during-backup", "a region that lacks the newest backup is nobody's concern"),
    ("schedule-stopped", "nobody notices that the script is not run"),
    (
        "restore-test-reads-a-backup",
        "the monthly test looks for `*.zip`, and backups end in `.zip.gz`; it verifies without saying what, and exits with 0",
    ),
    ("newest-listed-last", "`ls -la \\| head -10` does not list the newest once there are eight"),
    ("primary-out-at-restore", "of three copies one is ever read"),
    ("primary-copy-missing", "the newest backup is looked for in one region"),
    ("primary-copy-truncated", "nothing says what a backup should be: there is no checksum"),
    ("primary-sends-half", "what arrives is not compared with anything"),
    ("newest-damaged-everywhere", "after a damaged backup the one before it is not tried"),
    ("every-region-out", "nothing is restored, and it says `Recovery completed`"),
    ("target-not-empty", "the import is into an empty deployment or into none"),
    ("import-fails-once", "a failed import does not end the script"),
];

/// What is played in every run of the tests: one story of each sort, the shortest ones.
const ALWAYS: &[&str] =
    &["export-cut-looks-whole", "restore-test-reads-a-backup", "primary-copy-missing", "every-region-out"];

fn folder(scripts: &str) -> PathBuf {
    kit::root().join("fixtures/pipelines").join(scripts)
}

/// Folders of the tools, or `None` where one is missing.
fn tools() -> Option<String> {
    let tools = kit::root().join("target/tools");
    let convex = tools.join("convex/node_modules/.bin");
    if !convex.join("convex").exists() || program(&["node"]).is_none() {
        skipped("convex", "it needs Node and, in target/tools/convex, tests/convex/package.json");
        return None;
    }
    if faked_time::library().is_none() {
        skipped("faketime", "libfaketime is not installed");
        return None;
    }
    let inherited = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{}:{inherited}", tools.join("bin").display(), convex.display());
    let answers = |tool: &str, argument: &str| {
        let ran = Command::new("sh").args(["-c", &format!("{tool} {argument}")]).env("PATH", &path).output();
        ran.is_ok_and(|ran| ran.status.success())
    };
    for (tool, argument) in [("aws", "--version"), ("jq", "--version"), ("unzip", "-v"), ("sha256sum", "--version")] {
        if !answers(tool, argument) {
            skipped(tool, &format!("{tool} is not installed, or does not run"));
            return None;
        }
    }
    Some(path)
}

/// How a run of several stories ended.
struct Ran {
    code: Option<i32>,
    records: BTreeMap<String, Record>,
}

fn play(scripts: &str, stories: &[&str], path: &str) -> Ran {
    let out = tempfile::tempdir().unwrap();
    let files = stories.iter().map(|story| format!("{STORIES}/{story}.yaml"));
    let ended = Command::new(env!("CARGO_BIN_EXE_backdraft"))
        .current_dir(kit::root())
        .args(["run", "--quiet", "--plan", &format!("fixtures/pipelines/{scripts}/plan.yaml"), "--out"])
        .arg(out.path())
        .args(files)
        .env("PATH", path)
        .env("BACKDRAFT_HISTORY", "none")
        .output()
        .unwrap();
    let read = |story: &&str| {
        let file = fs::read(out.path().join(format!("records/{story}.json")));
        let file = file.unwrap_or_else(|e| panic!("{story}: {e}\n{}", String::from_utf8_lossy(&ended.stderr)));
        ((*story).to_owned(), serde_json::from_slice(&file).unwrap())
    };
    Ran { code: ended.status.code(), records: stories.iter().map(read).collect() }
}

/// Both, at the same time.
fn play_both(stories: &[&str], path: &str) -> (Ran, Ran) {
    thread::scope(|scope| {
        let written = scope.spawn(|| play(WRITTEN, stories, path));
        let repaired = play(REPAIRED, stories, path);
        (written.join().unwrap(), repaired)
    })
}

/// How a drill ended, and what was heard of it.
fn came(record: &Record) -> String {
    let mut heard: Vec<&str> =
        record.alarms.iter().filter(|one| one.alarm.heard).map(|one| one.alarm.kind.words()).collect();
    heard.sort_unstable();
    heard.dedup();
    let told = if heard.is_empty() { "nobody is told".into() } else { format!("alarm: {}", heard.join(", ")) };
    let day = record.services[0].restore.chosen_day.map_or(String::new(), |day| format!(", day {day}"));
    let bit = |fault: &FaultRecord| fault.proof.as_ref().is_some_and(|proof| proof.bit);
    let unmet = if record.faults.iter().all(bit) { "" } else { "; nothing met the fault" };
    match record.result.outcome {
        Some(Outcome::SilentlyWrong) => format!("**silently wrong**; {told}"),
        Some(outcome) => format!("{}{day}; {told}{unmet}", outcome.words()),
        None => "not played to its end".into(),
    }
}

/// The last thing that a command said, without what it calls a backup.
fn last_words(record: &Record, role: Role) -> String {
    let of_role = |what: &What| match what {
        What::Ran(ran) if ran.role == role => ran.last_lines.iter().rev().find(|line| !line.trim().is_empty()).cloned(),
        _ => None,
    };
    let said = record.events.iter().rev().find_map(|event| of_role(&event.what)).unwrap_or_else(|| "-".into());
    said.split(": ").next().unwrap_or_default().split(" - ").next().unwrap_or_default().to_owned()
}

fn line(story: &str, weakness: &str, written: &Record, repaired: &Record) -> String {
    let (was, is) = (came(written), came(repaired));
    format!("| [`{story}`](../{STORIES}/{story}.yaml) | {weakness} | {was} | {is} |\n")
}

fn page(written: &Ran, repaired: &Ran) -> String {
    let silent =
        |ran: &Ran| ran.records.values().filter(|one| one.result.outcome == Some(Outcome::SilentlyWrong)).count();
    let passed = |ran: &Ran| ran.records.values().filter(|one| one.result.result == DrillResult::Pass).count();
    let whole = WEAKNESSES.len();
    let mut page = String::from(
        "# Your scripts, before and after\n\nMade by `UPDATE_GOLDEN=1 cargo test --test shell_scripts`: two sets of scripts, the real `convex`, `aws`, `gzip`, \
         `find`, and the same stories. ",
    );
    _ = write!(
        page,
        "[The scripts of the strategy document](../fixtures/pipelines/{WRITTEN}/README.md) end silently wrong in **{} of \
         {whole}** and do what is expected in {}; [the same scripts repaired](../fixtures/pipelines/{REPAIRED}/README.md) in \
         **{}** and {}.\n\n",
        silent(written),
        passed(written),
        silent(repaired),
        passed(repaired)
    );
    page += "| story | what is wrong with the scripts | what came of them | repaired |\n|---|---|---|---|\n";
    for (story, weakness) in WEAKNESSES {
        page += &line(story, weakness, &written.records[*story], &repaired.records[*story]);
    }
    page += "\n*Silently wrong*: the script ended with exit code 0, and what is live is not what any backup held. *Nobody is \
             told*: every command ended with exit code 0, and that is all that anybody looks at.\n\n";
    let completed =
        written.records.values().filter(|one| last_words(one, Role::Restore) == "Recovery completed").count();
    _ = write!(
        page,
        "The restore of the document's scripts ends with `Recovery completed` in {completed} of {whole}.\n\n    "
    );
    _ = write!(page, "backdraft run --plan fixtures/pipelines/{WRITTEN}/plan.yaml {STORIES}\n    ");
    _ = writeln!(page, "backdraft run --plan fixtures/pipelines/{REPAIRED}/plan.yaml {STORIES}");
    page
}

#[test]
fn the_scripts_of_the_document_are_wrong_in_silence_where_the_page_says_and_the_repaired_ones_never() {
    let Some(path) = tools() else { return };
    let all: Vec<&str> = WEAKNESSES.iter().map(|(story, _)| *story).collect();
    let is_update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let stories = if is_update { &all[..] } else { ALWAYS };
    let (written, repaired) = play_both(stories, &path);

    let unexpected: Vec<_> = repaired.records.values().filter(|one| one.result.result != DrillResult::Pass).collect();
    let reasons: Vec<_> = unexpected.iter().map(|one| (&one.identity.scenario, &one.result.reasons)).collect();
    assert!(reasons.is_empty() && repaired.code == Some(0), "{reasons:#?}");
    assert_eq!(written.code, Some(1), "silence is no pass");

    let committed = kit::root().join(PAGE);
    if is_update {
        fs::write(&committed, page(&written, &repaired)).unwrap();
    }
    let committed = fs::read_to_string(&committed).unwrap_or_default();
    for (story, weakness) in WEAKNESSES.iter().filter(|(story, _)| stories.contains(story)) {
        let line = line(story, weakness, &written.records[*story], &repaired.records[*story]);
        assert!(
            committed.contains(&line),
            "{PAGE} does not have this; run UPDATE_GOLDEN=1 cargo test --test shell_scripts:\n{line}"
        );
    }
}

#[test]
fn both_plans_are_one_but_for_their_scripts_and_every_story_has_its_weakness() {
    let plan = |scripts: &str| load_plan(folder(scripts).join("plan.yaml")).unwrap().value;
    let (mut written, repaired) = (plan(WRITTEN), plan(REPAIRED));
    let pipeline = |plan: &backdraft::model::plan::Plan| plan.services["database"].pipeline.clone().unwrap();
    let (old, new) = (pipeline(&written), pipeline(&repaired));
    assert_eq!((&old.backup, &old.verify, &old.restore), (&new.backup, &new.verify, &new.restore), "the same commands");
    written.services.get_mut("database").unwrap().pipeline = Some(new);
    assert_eq!(written, repaired);

    let mut told: Vec<String> = WEAKNESSES.iter().map(|(story, _)| format!("{story}.yaml")).collect();
    let mut there: Vec<String> = fs::read_dir(kit::root().join(STORIES))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    told.sort();
    there.sort();
    assert_eq!(told, there);
    assert!(Path::new(&folder(WRITTEN).join("README.md")).exists());
}
