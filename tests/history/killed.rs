//! Killed at any moment of a write, a history is put right by the next one, and nothing that had ended is lost; and two
//! that write at once do not fork it.

use std::{fs, os::unix::fs::PermissionsExt, thread};

use backdraft::{
    history::{Announcement, Unended, Waiting},
    sim::clock,
};

use crate::rig::{Rig, append, open, record, unended};

/// What a run that was killed, or a machine that crashed, leaves of a line: so many bytes of it, with or without NULs in the
/// place of the others, or NULs in the place of its beginning; each with and without its newline.
fn torn(line: &[u8], bytes: usize) -> Vec<(String, Vec<u8>)> {
    let (there, missing) = line.split_at(bytes);
    let zeros = |part: &[u8]| vec![0; part.len()];
    let (body, zero_body) = (&line[bytes..line.len() - 1], zeros(&line[bytes..line.len() - 1]));
    let mut kinds = vec![
        (format!("{bytes} bytes"), there.to_vec()),
        (format!("{bytes} bytes and NULs"), [there, &zeros(missing)].concat()),
        (format!("{bytes} bytes, NULs and the newline"), [there, &zero_body, b"\n"].concat()),
        (format!("{bytes} NULs and the rest"), [&zeros(there), body, b"\n"].concat()),
        (format!("{bytes} NULs and the rest but the newline"), [&zeros(there), body].concat()),
    ];
    // A disk writes pages, not bytes: of the rarer kinds some will do.
    if !bytes.is_multiple_of(11) {
        kinds.truncate(1 + bytes % 2);
    }
    kinds
}

#[test]
fn whatever_a_crash_leaves_of_the_last_write_is_said_to_be_unfinished_and_the_next_run_puts_it_right() {
    let rig = Rig::new(2);
    let before = rig.files();
    rig.append(3);
    let after = rig.files();
    let head = rig.path("head.json");
    let old_head = before.iter().find(|(path, _)| *path == head).unwrap().1.clone();
    let (whole, line) = (rig.lines()[..2].concat(), rig.lines()[2].clone());
    let mut states: Vec<_> = (0..line.len()).flat_map(|bytes| torn(&line, bytes)).collect();
    // Where nothing is lost it is no torn line.
    states.retain(|(_, tail)| *tail != line);
    states.push(("the whole line".into(), line.clone()));
    states.push(("the whole line and NULs".into(), [&line[..], &[0; 9]].concat()));
    assert!(states.len() > 2_000);
    for (what, tail) in &states {
        rig.write_chain([&whole[..], tail].concat());
        fs::write(&head, &old_head).unwrap();
        let verified = rig.history().verify(None).unwrap();
        assert_eq!(verified.flaws, [], "{what}");
        assert!(verified.unfinished.is_some(), "{what}");
        // The repair of each byte is the same code, so some of them, and all at both ends of the line.
        if tail.len() % 41 > 0 && tail.len() > 2 && tail.len() + 3 < line.len() {
            continue;
        }
        assert_ne!(rig.history().repair().unwrap().len(), 0, "{what}");
        let verified = rig.history().verify(None).unwrap();
        assert_eq!((verified.flaws.len(), &verified.unfinished, verified.entries), (0, &None, 3), "{what}");
        rig.append(4);
        let seeds: Vec<u64> =
            rig.history().entries().unwrap().iter().map(|e| rig.history().record(e).unwrap().identity.seed).collect();
        assert_eq!(seeds, [1, 2, 3, 4], "{what}");
        assert_eq!(rig.first_flaw(), None, "{what}");
        rig.reinstate(&after);
    }
}

#[test]
fn a_line_that_head_names_is_finished_where_it_lacks_its_end_alone_and_else_changed_and_refused() {
    let rig = Rig::new(3);
    let after = rig.files();
    let (whole, line) = (rig.lines()[..2].concat(), rig.lines()[2].clone());
    // head.json is written when the line is on disk: what it names and is not there was taken away.
    for bytes in 0..line.len() {
        for (what, tail) in torn(&line, bytes) {
            rig.write_chain([&whole[..], &tail].concat());
            let verified = rig.history().verify(None).unwrap();
            if tail == line[..line.len() - 1] {
                assert_eq!((verified.flaws.len(), verified.unfinished.is_some()), (0, true), "{what}");
                assert_eq!(rig.history().repair().unwrap().len(), 1, "{what}");
                assert!(after == rig.files(), "it is what it was");
            } else if tail != line {
                assert_eq!(verified.flaws.first().map(|flaw| flaw.sequence), Some(3), "{what}: {verified:?}");
                assert_eq!(verified.unfinished, None, "{what}: {verified:?}");
                assert!(rig.history().repair().is_err(), "{what}");
                assert_eq!(rig.chain(), [&whole[..], &tail].concat(), "nothing was touched");
            }
        }
    }
    // NULs behind a line that is whole hold nothing.
    rig.reinstate(&after);
    rig.write_chain([&rig.chain()[..], &[0; 100]].concat());
    let verified = rig.history().verify(None).unwrap();
    assert_eq!((verified.flaws.len(), verified.entries), (0, 3));
    assert_eq!(verified.unfinished.as_deref(), Some("100 bytes of nothing follow entry 3"));
    assert_eq!(rig.history().repair().unwrap(), ["100 bytes of nothing followed entry 3; they are cut off"]);
    assert!(after == rig.files(), "it is what it was");
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
    let copy = |from: u64, to: &str| _ = fs::copy(rig.record_path(from), rig.path(to)).unwrap();
    let next = "records/000000/000000004.json.gz";
    let cases: [(&str, &dyn Fn()); 9] = [
        ("the last line is gone", &|| rig.write_chain(rig.lines()[..2].concat())),
        ("the last line was edited", &|| {
            let text = String::from_utf8(rig.chain()).unwrap();
            let at = text.rfind("pass").unwrap();
            rig.write_chain(format!("{}fail{}", &text[..at], &text[at + 4..]));
        }),
        ("the last line is no entry", &|| rig.write_chain([rig.chain(), b"{}\n".to_vec()].concat())),
        ("a torn line without its record", &|| rig.write_chain([rig.chain(), b"{\"form".to_vec()].concat())),
        ("a copy of a record", &|| copy(2, next)),
        ("no record in its place", &|| fs::write(rig.path(next), "other").unwrap()),
        ("a link in its place", &|| std::os::unix::fs::symlink("000000001.json.gz", rig.path(next)).unwrap()),
        ("what is no line before its record", &|| {
            rig.append(4);
            let (head, lines) = (&before.iter().find(|(path, _)| path.ends_with("head.json")).unwrap().1, rig.lines());
            rig.write_chain([&lines[..3].concat()[..], b"# by hand"].concat());
            fs::write(rig.path("head.json"), head).unwrap();
        }),
        ("its end and its record are gone", &|| {
            let chain = rig.chain();
            rig.write_chain(&chain[..chain.len() - 1]);
            fs::remove_file(rig.record_path(3)).unwrap();
        }),
    ];
    let mut said = String::new();
    for (what, change) in cases {
        rig.reinstate(&before);
        change();
        let damaged = rig.files();
        let refused = rig.history().repair().unwrap_err().to_string();
        let verified = rig.history().verify(None).unwrap();
        assert_eq!(verified.unfinished, None, "{what}");
        let folder = rig.path("").display().to_string();
        said += &format!("{what}\n{}\n", refused.replace(folder.trim_end_matches('/'), "[history]"));
        let flaws: Vec<_> = verified.flaws.iter().map(|flaw| format!("  {}: {}", flaw.sequence, flaw.what)).collect();
        said += &format!("verify\n{}\n\n", flaws.join("\n"));
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
    fs::write(path.with_extension("json.gz"), backdraft::history::pack(&record(5), "mark").unwrap()).unwrap();
    let history = rig.history();
    assert_eq!(history.take_in_finished(clock::wall_now()).unwrap(), 1);
    assert_eq!(history.unended().unwrap().len(), 0, "it ended");
    let entries = history.entries().unwrap();
    assert_eq!((entries.len(), history.record(&entries[1]).unwrap()), (2, record(5)));
    assert_eq!(rig.first_flaw(), None);
}

/// A run of four drills, twice over, that is announced.
fn announcement() -> Announcement {
    let Unended { begun_at, plan, .. } = unended(&record(1));
    let drills = (1..=4).map(|seed| (record(seed).identity, record(seed).scenario)).collect();
    Announcement { begun_at, plan, drills, rounds: 2 }
}

#[test]
fn drills_that_a_killed_run_never_came_to_are_found_each_once_wherever_it_and_its_repair_are_killed() {
    let rig = Rig::new(1);
    let history = rig.history();
    let mut run = history.announce(&announcement()).unwrap();
    let of_run = |number| Unended { of_run: Some(run.place(number)), ..unended(&record(number + 1)) };
    let places = [of_run(0), of_run(1), of_run(2)];
    let mark = history.begin_of(&mut run, &places[0]).unwrap();
    history.append(&record(1), mark, clock::wall_now()).unwrap();
    let played = history.begin_of(&mut run, &places[1]).unwrap();
    assert_eq!(history.waiting().unwrap(), Waiting { left: 0, living: 1 }, "it lives");
    assert_eq!(rig.history().unbegun(&[]).unwrap().len(), 0, "somebody else has it in hand");
    drop((played, run));
    // Killed between the mark of the third and its line in the file of the run.
    drop(history.begin(&places[2]).unwrap());
    let mut left = 7;
    let mut round = 0;
    loop {
        assert_eq!(history.waiting().unwrap(), Waiting { left, living: 0 }, "round {round}");
        let unended = history.unended().unwrap();
        let mut runs = history.unbegun(&unended).unwrap();
        let numbers =
            |drills: &[Unended]| drills.iter().map(|one| one.of_run.clone().unwrap().number).collect::<Vec<_>>();
        let drills = runs.iter().flat_map(|run| run.drills()).collect::<Vec<_>>();
        assert!(drills.iter().all(|one| !one.has_begun));
        let marked = unended.iter().map(|(_, unended)| unended.clone()).collect::<Vec<_>>();
        match round {
            0 => assert_eq!((numbers(&drills), numbers(&marked).len()), (vec![3, 4, 5, 6, 7], 2)),
            // One a time, and killed after each.
            1..=4 => assert_eq!(numbers(&drills), (3 + round..=7).collect::<Vec<_>>()),
            _ => {
                assert_eq!((drills.len(), marked.len(), runs.len()), (0, 0, 1));
                break runs.remove(0).run.end().unwrap();
            }
        }
        if round == 0 {
            for (mark, unended) in unended {
                history.append(&record(unended.identity.seed), mark, clock::wall_now()).unwrap();
                left -= 1;
            }
        }
        let mark = history.begin_of(&mut runs[0].run, &drills[0]).unwrap();
        history.append(&record(drills[0].identity.seed), mark, clock::wall_now()).unwrap();
        left -= 1;
        round += 1;
    }
    assert_eq!(fs::read_dir(rig.path("marks")).unwrap().count(), 0);
    let verified = history.verify(None).unwrap();
    assert_eq!((verified.entries, verified.flaws.len()), (9, 0), "the one before, and eight of the run");
}

#[test]
fn whoever_may_read_one_file_of_a_history_may_read_all() {
    let rig = Rig::new(2);
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let chain = mode(rig.path("chain.jsonl"));
    assert_eq!([mode(rig.path("head.json")), mode(rig.record_path(2))], [chain; 2]);
}
