//! Whatever is edited, removed, moved or cut off is named by the number of its entry.

use std::fs;

use backdraft::model::history::Head;
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use crate::rig::Rig;

const DRILLS: u64 = 8;

/// One change to a history.
#[derive(Debug, Clone)]
enum Change {
    /// A byte of an entry becomes another one.
    Edited { entry: u64, at: usize, to: u8 },
    /// An entry's line is gone.
    Removed { entry: u64 },
    /// Two entries stand in each other's place.
    Swapped { entry: u64, with: u64 },
    /// An entry stands behind another one.
    Moved { entry: u64, behind: u64 },
    /// A line stands twice.
    Doubled { entry: u64 },
    /// A byte of a record becomes another one.
    Record { entry: u64, at: usize, to: u8 },
    /// A record is cut short.
    Shortened { entry: u64, by: usize },
    /// A record is gone.
    RecordRemoved { entry: u64 },
    /// Two records lie in each other's place.
    RecordsSwapped { entry: u64, with: u64 },
}

fn changes() -> impl Strategy<Value = Change> {
    let entry = || 1..=DRILLS;
    let pair = || (1..DRILLS).prop_flat_map(|one| (Just(one), one + 1..=DRILLS));
    let at = || any::<usize>();
    prop_oneof![
        4 => (entry(), at(), any::<u8>()).prop_map(|(entry, at, to)| Change::Edited { entry, at, to }),
        1 => entry().prop_map(|entry| Change::Removed { entry }),
        1 => pair().prop_map(|(entry, with)| Change::Swapped { entry, with }),
        1 => pair().prop_map(|(entry, behind)| Change::Moved { entry, behind }),
        1 => entry().prop_map(|entry| Change::Doubled { entry }),
        2 => (entry(), at(), any::<u8>()).prop_map(|(entry, at, to)| Change::Record { entry, at, to }),
        1 => (entry(), at()).prop_map(|(entry, by)| Change::Shortened { entry, by }),
        1 => entry().prop_map(|entry| Change::RecordRemoved { entry }),
        1 => pair().prop_map(|(entry, with)| Change::RecordsSwapped { entry, with }),
    ]
}

/// Makes the change and gives the number that must be named; `None` where it changes nothing.
fn make(rig: &Rig, change: &Change) -> Option<u64> {
    let mut lines = rig.lines();
    let nth = |entry: u64| usize::try_from(entry - 1).unwrap();
    let record = |entry: u64, change: &dyn Fn(&mut Vec<u8>) -> bool| {
        let mut bytes = fs::read(rig.record_path(entry)).unwrap();
        let changed = change(&mut bytes);
        fs::write(rig.record_path(entry), bytes).unwrap();
        changed.then_some(entry)
    };
    let named = match *change {
        Change::Edited { entry, at, to } => {
            let line = &mut lines[nth(entry)];
            let at = at % line.len();
            let was = std::mem::replace(&mut line[at], to);
            (was != to).then_some(entry)
        }
        Change::Removed { entry } => {
            lines.remove(nth(entry));
            Some(entry)
        }
        Change::Swapped { entry, with } => {
            lines.swap(nth(entry), nth(with));
            Some(entry)
        }
        Change::Moved { entry, behind } => {
            let line = lines.remove(nth(entry));
            lines.insert(nth(behind), line);
            Some(entry)
        }
        Change::Doubled { entry } => {
            let line = lines[nth(entry)].clone();
            lines.insert(nth(entry), line);
            Some(entry)
        }
        Change::Record { entry, at, to } => {
            return record(entry, &|bytes| {
                let at = at % bytes.len();
                std::mem::replace(&mut bytes[at], to) != to
            });
        }
        Change::Shortened { entry, by } => {
            return record(entry, &|bytes| {
                bytes.truncate(by % bytes.len());
                true
            });
        }
        Change::RecordRemoved { entry } => {
            fs::remove_file(rig.record_path(entry)).unwrap();
            return Some(entry);
        }
        Change::RecordsSwapped { entry, with } => {
            let [one, other] = [entry, with].map(|entry| fs::read(rig.record_path(entry)).unwrap());
            fs::write(rig.record_path(entry), other).unwrap();
            fs::write(rig.record_path(with), one).unwrap();
            return Some(entry);
        }
    };
    rig.write_chain(lines.concat());
    named
}

#[test]
fn any_one_change_is_named_by_its_entry() {
    let rig = Rig::new(DRILLS);
    let before = rig.files();
    assert_eq!(rig.first_flaw(), None);
    let config = Config { cases: 400, failure_persistence: None, ..Config::default() };
    let done = TestRunner::new(config).run(&changes(), |change| {
        rig.reinstate(&before);
        let must = make(&rig, &change);
        prop_assert_eq!(rig.named(), must, "{:?}: {:?}", change, rig.first_flaw());
        Ok(())
    });
    done.unwrap();
}

#[test]
fn what_was_changed_is_said_in_words() {
    let rig = Rig::new(5);
    let before = rig.files();
    let edit = |entry: usize, from: &str, to: &str| {
        let mut lines = rig.lines();
        let text = String::from_utf8(lines[entry - 1].clone()).unwrap();
        assert!(text.contains(from), "{text}");
        lines[entry - 1] = text.replacen(from, to, 1).into_bytes();
        rig.write_chain(lines.concat());
    };
    let zeros = format!("\"previous_sha256\":\"{}\"", "0".repeat(64));
    let cases: [(&str, &dyn Fn()); 10] = [
        ("a verdict", &|| edit(3, "\"verdict\":\"m", "\"verdict\":\"M")),
        ("the verdict of the last", &|| edit(5, "\"result\":\"pass\"", "\"result\":\"fail\"")),
        ("a number", &|| edit(2, "\"sequence\":2", "\"sequence\":9")),
        ("the digest before", &|| edit(1, &zeros, &zeros.replacen("00", "11", 1))),
        ("the format", &|| edit(4, "backdraft.history/1", "backdraft.history/7")),
        ("no JSON", &|| edit(4, "{", "<")),
        ("a blank line", &|| {
            rig.write_chain([rig.lines()[..2].concat(), b"\n".to_vec(), rig.lines()[2..].concat()].concat())
        }),
        ("two cut out", &|| rig.write_chain([&rig.lines()[..1].concat()[..], &rig.lines()[3..].concat()[..]].concat())),
        ("two cut off", &|| rig.write_chain(rig.lines()[..3].concat())),
        ("head.json gone", &|| fs::remove_file(rig.path("head.json")).unwrap()),
    ];
    let mut said = String::new();
    for (what, change) in cases {
        rig.reinstate(&before);
        change();
        let flaws = rig.history().verify(None).unwrap().flaws;
        let words: Vec<String> =
            flaws.iter().map(|flaw| format!("  entry {}: {}\n", flaw.sequence, flaw.what)).collect();
        assert!(!words.is_empty(), "{what}");
        said += &format!("{what}\n{}", words.concat());
    }
    insta::assert_snapshot!(said);
}

#[test]
fn a_tail_cut_off_cleanly_and_a_chain_written_anew_are_told_by_a_head_kept_elsewhere_alone() {
    let rig = Rig::new(4);
    let head = rig.history().verify(None).unwrap().head.unwrap();
    assert_eq!(rig.history().verify(Some(&head)).unwrap().flaws, []);
    let kept = rig.history().entries().unwrap()[2].clone();
    // Cut off with everything that belongs to it.
    let next = rig.lines()[3].clone();
    let previous = serde_json::from_slice::<serde_json::Value>(&next).unwrap()["previous_sha256"].clone();
    rig.write_chain(rig.lines()[..3].concat());
    fs::remove_file(rig.record_path(4)).unwrap();
    let three = Head { sequence: kept.sequence, sha256: previous.as_str().unwrap().to_owned() };
    fs::write(rig.path("head.json"), serde_json::to_string(&three).unwrap()).unwrap();
    let verified = rig.history().verify(None).unwrap();
    assert_eq!((verified.flaws.len(), verified.head.as_ref()), (0, Some(&three)), "nothing here can tell");
    let told = rig.history().verify(Some(&head)).unwrap().flaws;
    assert_eq!((told.len(), told[0].sequence), (1, 4));
    assert!(told[0].what.contains("cut off"), "{told:?}");
    // Written anew, as long as before.
    let other = Rig::new(4);
    let told = other.history().verify(Some(&head)).unwrap().flaws;
    assert_eq!((told.len(), told[0].sequence), (1, 4), "{told:?}");
    assert_eq!(other.first_flaw(), None);
}

#[cfg(unix)]
#[test]
fn what_is_no_file_of_a_history_is_named_and_never_waited_for() {
    let rig = Rig::new(3);
    let pipe = |path: &std::path::Path| {
        fs::remove_file(path).unwrap();
        let made = std::process::Command::new("mkfifo").arg(path).status().unwrap();
        assert!(made.success());
    };
    pipe(&rig.record_path(2));
    let flaw = rig.first_flaw().unwrap();
    assert_eq!((flaw.sequence, flaw.what.as_str()), (2, "its record cannot be read: this is no regular file"));
    fs::remove_file(rig.record_path(2)).unwrap();
    // The same bytes behind a link are another's to change.
    fs::rename(rig.record_path(1), rig.path("elsewhere.gz")).unwrap();
    std::os::unix::fs::symlink(rig.path("elsewhere.gz"), rig.record_path(1)).unwrap();
    let flaw = rig.first_flaw().unwrap();
    let said = "its record cannot be read: this is a symbolic link, not the file itself";
    assert_eq!((flaw.sequence, flaw.what.as_str()), (1, said));
    pipe(&rig.path("head.json"));
    assert!(rig.history().repair().unwrap_err().to_string().contains("is not as it was written"));
    pipe(&rig.path("chain.jsonl"));
    let refused = rig.history().verify(None).unwrap_err().to_string();
    assert!(refused.contains("this is no regular file"), "{refused}");
}
