//! The sample month under reports/golden/month/: a history of drills that were played for real, and what a reader gets of
//! it in every format and both languages. Rendering is held byte for byte against what is committed; nothing is played.
//!
//! `UPDATE_GOLDEN=1` renders again from the committed history and signs with a new key that is then thrown away;
//! `UPDATE_MONTH=1` plays the drills first. reports/golden/README.md says what of the sample is set.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

mod kit;
#[path = "month/play.rs"]
mod play;
#[path = "month/sample.rs"]
mod sample;

use std::{collections::BTreeMap, env, fs, path::Path};

use backdraft::{
    evidence::{
        ENVELOPE_FILE, PrivateKey, PublicKey, STATEMENT_FILE, Statement,
        dsse::Envelope,
        folder,
        verify::{self, Expected, Signature},
    },
    history::{Folder, History},
};
use sample::{HISTORY, MONTH, Sample};

/// Beside the sample, not in it: evidence speaks of what is signed, not of what it is checked with.
const KEY: &str = "reports/golden/month.pub.pem";

fn history() -> History {
    History::new(Box::new(Folder::new(Path::new(HISTORY))), &Path::new(HISTORY).join("marks"))
}

fn key() -> PublicKey {
    PublicKey::read(Path::new(KEY)).unwrap()
}

/// What is committed, by its name below the month, but for history, actions and evidence.
fn committed() -> BTreeMap<String, String> {
    let (files, _) = folder::files(Path::new(MONTH)).unwrap();
    let is_given = |name: &str| name.starts_with("history/") || name == "actions.yaml" || name.starts_with("evidence.");
    let text = |path| String::from_utf8(fs::read(path).unwrap()).unwrap();
    files.into_iter().filter(|(name, _)| !is_given(name)).map(|(name, path)| (name, text(path))).collect()
}

fn render_again() {
    // Without a change the key stays, and so does every file.
    if Path::new(KEY).exists() && verified().is_ok() && Sample::read(&history()).render(&key()) == committed() {
        return;
    }
    let private = throwaway();
    fs::write(KEY, private.public().to_pem().unwrap()).unwrap();
    for name in committed().keys() {
        fs::remove_file(Path::new(MONTH).join(name)).unwrap();
    }
    let sample = Sample::read(&history());
    for (name, text) in sample.render(&private.public()) {
        let path = Path::new(MONTH).join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let (files, _) = folder::files(Path::new(MONTH)).unwrap();
    let stated = files.into_iter().filter(|(name, _)| !name.starts_with("evidence."));
    let stated: Vec<_> = stated.map(|(name, path)| (name, folder::digest_of(&path).unwrap())).collect();
    let bytes = Statement::of_drills(&sample.records, &stated, Some(&sample.head)).to_bytes();
    let envelope = serde_json::to_string_pretty(&Envelope::sign(&bytes, &private)).unwrap() + "\n";
    fs::write(Path::new(MONTH).join(STATEMENT_FILE), bytes).unwrap();
    fs::write(Path::new(MONTH).join(ENVELOPE_FILE), envelope).unwrap();
}

/// A key that nobody keeps.
fn throwaway() -> PrivateKey {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key.pem");
    let made = std::process::Command::new(play::BACKDRAFT).arg("keygen").arg("--out").arg(&path).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    PrivateKey::read(&path).unwrap()
}

/// The evidence held against the folder, the key and the history's end; says what is wrong.
fn verified() -> Result<usize, String> {
    let (key, head) = (key(), history().verify(None).unwrap().head.unwrap());
    let expected = Expected { key: Some(&key), head: Some(&head), below: "" };
    let found = verify::verify(Path::new(MONTH), expected).map_err(|e| e.to_string())?;
    match found.signature {
        Signature::Good(_) if found.wrong.is_empty() => Ok(found.sound),
        _ => Err(found.wrong.join("\n")),
    }
}

fn lines_that_differ(is: &str, was: &str) -> String {
    let lines = was.lines().map(Some).chain(std::iter::repeat(None));
    let first = is.lines().zip(lines).enumerate().find(|(_, (is, was))| Some(*is) != *was);
    let cut = |line: &str| line.chars().take(300).collect::<String>();
    first.map_or("it is longer than it should be".into(), |(number, (is, was))| {
        format!("{}\n  was: {}\n  is:  {}", number + 1, cut(was.unwrap_or("(nothing)")), cut(is))
    })
}

/// One test, for the parts that update must come before those that look.
#[test]
fn the_sample_month_verifies_and_its_reports_are_those_of_today() {
    if env::var_os("UPDATE_MONTH").is_some() {
        play::month(&history);
    }
    if env::var_os("UPDATE_MONTH").is_some() || env::var_os("UPDATE_GOLDEN").is_some() {
        render_again();
    }
    let flaws = history().verify(None).unwrap().flaws;
    assert!(flaws.is_empty(), "the history of the sample is not what was written: {flaws:?}");
    let sample = Sample::read(&history());
    sample.is_of_the_plan_and_scenarios_of_today();
    let (rendered, committed) = (sample.render(&key()), committed());
    let names: Vec<_> = committed.keys().filter(|name| !rendered.contains_key(*name)).collect();
    assert!(names.is_empty(), "committed, and nothing renders them: {names:?}");
    let nothing = String::new();
    let drifted = rendered.iter().map(|(name, is)| (name, is, committed.get(name).unwrap_or(&nothing)));
    let drifted = drifted.filter(|(_, is, was)| is != was);
    let drifted: Vec<_> = drifted.map(|(name, is, was)| format!("{name}:{}", lines_that_differ(is, was))).collect();
    assert!(
        drifted.is_empty(),
        "the reports of the sample month have drifted; if that is meant, run UPDATE_GOLDEN=1 cargo test --test month, \
         and look at the difference before you commit it\n{}",
        drifted.join("\n")
    );
    assert_eq!(verified().map(|sound| sound > rendered.len()), Ok(true), "the evidence of the sample month");
}
