//! Killed at any moment of a write, a history is put right by the next one, and nothing that had ended is lost; and two
//! that write at once do not fork it.

use std::{fs, path::PathBuf, thread};

use backdraft::sim::clock;

use crate::rig::{Rig, append, open, record, unended};

/// Files with their content.
type Files = Vec<(PathBuf, Vec<u8>)>;

/// The files of a history after each step of its third append, killed there: record, line byte by byte, head.
fn killed_everywhere(rig: &Rig) -> Vec<(String, Files)> {
    let before = rig.files();
    rig.append(3);
    let after = rig.files();
    let (chain, head) = (rig.path("chain.jsonl"), rig.path("head.json"));
    let old = |name: &PathBuf| before.iter().find(|(path, _)| path == name).unwrap().1.clone();
    let new = |name: &PathBuf| after.iter().find(|(path, _)| path == name).unwrap().1.clone();
    let with = |chain_bytes: Vec<u8>, head_bytes: Vec<u8>| -> Files {
        let others = after.iter().filter(|(path, _)| *path != chain && *path != head).cloned();
        others.chain([(chain.clone(), chain_bytes), (head.clone(), head_bytes)]).collect()
    };
    let mut states = vec![("after the record".to_owned(), with(old(&chain), old(&head)))];
    for bytes in old(&chain).len() + 1..=new(&chain).len() {
        let line = new(&chain)[..bytes].to_vec();
        states.push((format!("after byte {bytes} of the chain"), with(line, old(&head))));
    }
    states
}

#[test]
fn killed_at_any_byte_of_the_last_write_the_next_one_puts_it_right_and_loses_nothing() {
    let rig = Rig::new(2);
    let states = killed_everywhere(&rig);
    assert!(states.len() > 1_000);
    // Every state is told from a sound history; the repair of each byte is the same code, so some of them do.
    for (nth, (when, files)) in states.iter().enumerate() {
        rig.reinstate(files);
        let verified = rig.history().verify(None).unwrap();
        assert_eq!(verified.flaws, [], "{when}");
        assert!(verified.unfinished.is_some(), "{when}");
        if nth % 37 > 0 && nth + 3 < states.len() && nth > 3 {
            continue;
        }
        let said = rig.history().repair().unwrap();
        assert_eq!(said.len(), 1, "{when}: {said:?}");
        let verified = rig.history().verify(None).unwrap();
        assert_eq!((verified.flaws.len(), &verified.unfinished, verified.entries), (0, &None, 3), "{when}");
        rig.append(4);
        let seeds: Vec<u64> =
            rig.history().entries().unwrap().iter().map(|e| rig.history().record(e).unwrap().identity.seed).collect();
        assert_eq!(seeds, [1, 2, 3, 4], "{when}");
        assert_eq!(rig.first_flaw(), None, "{when}");
    }
}

#[test]
fn the_first_write_ever_is_put_right_too() {
    let rig = Rig::new(1);
    let whole = rig.files();
    for gone in ["head.json", "chain.jsonl"] {
        rig.reinstate(&whole);
        fs::remove_file(rig.path("head.json")).unwrap();
        fs::remove_file(rig.path(gone)).ok();
        assert!(rig.history().verify(None).unwrap().unfinished.is_some(), "{gone}");
        assert_eq!(rig.history().repair().unwrap().len(), 1, "{gone}");
        assert_eq!(rig.append(2).sequence, 2);
        assert_eq!(rig.first_flaw(), None);
    }
}

#[test]
fn what_no_killed_write_leaves_is_not_built_upon() {
    let rig = Rig::new(3);
    let before = rig.files();
    let cases: [(&str, &dyn Fn()); 4] = [
        ("the last line is gone", &|| rig.write_chain(rig.lines()[..2].concat())),
        ("the last line was edited", &|| {
            let text = String::from_utf8(rig.chain()).unwrap();
            let at = text.rfind("pass").unwrap();
            rig.write_chain(format!("{}fail{}", &text[..at], &text[at + 4..]));
        }),
        ("the last line is no entry", &|| rig.write_chain([rig.chain(), b"{}\n".to_vec()].concat())),
        ("a torn line without its record", &|| rig.write_chain([rig.chain(), b"{\"form".to_vec()].concat())),
    ];
    let mut said = String::new();
    for (what, change) in cases {
        rig.reinstate(&before);
        change();
        let damaged = rig.files();
        let refused = rig.history().repair().unwrap_err().to_string();
        let folder = rig.path("").display().to_string();
        said += &format!("{what}\n{}\n", refused.replace(folder.trim_end_matches('/'), "[history]"));
        assert_eq!(rig.files().len(), damaged.len(), "nothing was touched");
        assert!(damaged == rig.files(), "nothing was touched");
    }
    insta::assert_snapshot!(said);
}

#[test]
fn two_that_write_at_once_come_one_after_the_other() {
    let rig = Rig::new(0);
    let dir = rig.path("");
    thread::scope(|scope| {
        for writer in 0..4 {
            let dir = &dir;
            scope.spawn(move || (0..6).for_each(|n| drop(append(&open(dir), 10 * writer + n))));
        }
    });
    let verified = rig.history().verify(None).unwrap();
    assert_eq!((verified.entries, verified.flaws.len(), verified.unfinished), (24, 0, None));
    let mut seeds: Vec<u64> =
        rig.history().entries().unwrap().iter().map(|e| rig.history().record(e).unwrap().identity.seed).collect();
    seeds.sort_unstable();
    assert_eq!(seeds, (0..4).flat_map(|w| (0..6).map(move |n| 10 * w + n)).collect::<Vec<_>>());
}

#[test]
fn a_drill_whose_process_is_gone_is_found_once_and_one_that_lives_is_not() {
    let rig = Rig::new(1);
    let living = rig.history().begin(&unended(&record(7))).unwrap();
    let gone = rig.history().begin(&unended(&record(8))).unwrap();
    drop(gone); // as when the process dies: the lock goes, the mark stays
    let history = rig.history();
    let found = history.unended().unwrap();
    assert_eq!(found.iter().map(|(_, unended)| unended.identity.seed).collect::<Vec<_>>(), [8]);
    assert_eq!(rig.history().unended().unwrap().len(), 0, "somebody else has it in hand");
    for (mark, _) in found {
        history.append(&record(8), mark, clock::wall_now()).unwrap();
    }
    assert_eq!(rig.history().unended().unwrap().len(), 0);
    history.append(&record(7), living, clock::wall_now()).unwrap();
    assert_eq!(rig.history().verify(None).unwrap().entries, 3);
    assert_eq!(fs::read_dir(rig.path("marks")).unwrap().count(), 0);
}

#[test]
fn a_record_whose_run_was_killed_before_it_was_in_the_chain_is_taken_in() {
    let rig = Rig::new(1);
    let mark = rig.history().begin(&unended(&record(5))).unwrap();
    drop(mark);
    // As a run leaves it that is killed between the drill and the chain.
    let [path] = &fs::read_dir(rig.path("marks")).unwrap().map(|e| e.unwrap().path()).collect::<Vec<_>>()[..] else {
        panic!("one mark")
    };
    fs::write(path.with_extension("json.gz"), backdraft::history::pack(&record(5)).unwrap()).unwrap();
    let history = rig.history();
    assert_eq!(history.take_in_finished(clock::wall_now()).unwrap(), 1);
    assert_eq!(history.unended().unwrap().len(), 0, "it ended");
    let entries = history.entries().unwrap();
    assert_eq!((entries.len(), history.record(&entries[1]).unwrap()), (2, record(5)));
    assert_eq!(rig.first_flaw(), None);
}
