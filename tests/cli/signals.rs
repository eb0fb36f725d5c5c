//! A run that is stopped or killed: faults are healed, nothing is left behind, and every drill has its record. Nothing
//! here assumes how long anything takes: each step waits for what it needs, up to a limit that only a hang reaches.

use std::{
    io::{BufRead, BufReader},
    process::{Child, ExitStatus, Stdio},
    time::Duration,
};

use backdraft::model::{event::What, outcome::DrillResult};
use rustix::process::{Pid, Signal, kill_process};

use crate::bench::Bench;

const SLOW: &str = "database/outage-two-regions-black-hole";

/// Looks every 20 ms, for at most 60 s.
fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..3000 {
        if let Some(seen) = look() {
            return seen;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("waited in vain for {what}");
}

fn send(run: &Child, signal: Signal) {
    kill_process(Pid::from_child(run), signal).unwrap();
}

fn end_of(run: &mut Child) -> ExitStatus {
    wait_for("the end of the run", || run.try_wait().unwrap())
}

/// A real run of two drills whose first has lost two regions, and waits for them.
fn in_the_middle(bench: &Bench) -> Child {
    let arguments = ["run", "--out", "{out}", "--only", SLOW, "--only", "database/stale-looks-fresh"];
    let mut command = bench.command(&arguments);
    command.env("BACKDRAFT_LOG", "backdraft=debug").stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut run = command.spawn().unwrap();
    let mut log = BufReader::new(run.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(log.any(|line| line.ends_with("database/outage-two-regions-black-hole: choose")), "the recovery began");
    // The rest is read as it comes, lest the run waits for a reader.
    std::thread::spawn(move || log.for_each(drop));
    run
}

fn is_stopped_by(signals: &[Signal]) {
    let bench = Bench::new();
    let mut run = in_the_middle(&bench);
    assert_eq!(bench.left_behind().len(), 1);
    signals.iter().for_each(|signal| send(&run, *signal));
    assert_eq!(end_of(&mut run).code(), Some(130));
    assert_eq!(bench.left_behind().len(), 0);
    let stopped = bench.record(SLOW);
    assert_eq!(stopped.result.result, DrillResult::Interrupted, "{:?}", stopped.result);
    let happened = |what: What| stopped.events.iter().any(|event| event.what == what);
    assert!(happened(What::Interrupted) && happened(What::FaultHealed { fault: 0, complete: true }));
    assert!(stopped.cleanup.removed && stopped.cleanup.steady_after == Some(true), "{:?}", stopped.cleanup);
    let never_begun = bench.record("database/stale-looks-fresh");
    assert_eq!(never_begun.result.result, DrillResult::Interrupted);
    let names: Vec<_> = bench.written().into_iter().map(|(name, _)| name).collect();
    assert!(names.contains(&"report.md".into()) && names.contains(&"report.json".into()), "{names:?}");
    let out = bench.ended(&run.wait_with_output().unwrap()).out;
    assert!(out.contains("  SCENARIO  "), "{out}");
}

#[test]
fn ctrl_c_heals_cleans_up_and_leaves_a_record_of_every_drill() {
    is_stopped_by(&[Signal::INT]);
}

#[test]
fn sigterm_does_the_same_and_further_signals_do_not_cut_it_short() {
    is_stopped_by(&[Signal::TERM, Signal::INT, Signal::TERM, Signal::INT]);
}

#[test]
fn the_next_start_removes_what_a_killed_run_left() {
    let bench = Bench::new();
    let mut run = in_the_middle(&bench);
    send(&run, Signal::KILL);
    assert_eq!(end_of(&mut run).code(), None);
    assert_eq!(bench.left_behind().len(), 1, "nobody was left to clean up");
    let next = ["run", "--simulate", "--out", "{out}", "--only", "corrupt-truncated-latest"];
    assert_eq!(bench.run(&next).code, Some(0));
    assert_eq!(bench.left_behind().len(), 0);
}

#[test]
fn a_living_run_keeps_its_folder_while_another_starts() {
    let bench = Bench::new();
    let mut run = in_the_middle(&bench);
    let other = Bench::new();
    let mut next = other.command(&["run", "--simulate", "--out", "{out}", "--only", "corrupt-truncated-latest"]);
    assert!(next.env("TMPDIR", bench.path("tmp")).output().unwrap().status.success());
    send(&run, Signal::INT);
    assert_eq!(end_of(&mut run).code(), Some(130));
    assert!(bench.record(SLOW).cleanup.removed);
}

#[test]
fn two_do_not_write_to_one_folder_and_a_killed_one_lets_go() {
    let (bench, done) = (Bench::new(), Bench::new());
    let control = ["run", "--simulate", "--quiet", "--out", "{out}", "--only", "database/control"];
    assert_eq!(done.run(&control).code, Some(0));
    let records = done.path("out").display().to_string();
    let mut run = in_the_middle(&bench);
    let written = || bench.written().into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    let before = written();
    let period = ["--from", "2026-01-01", "--to", "2027-01-01"];
    let others: [&[&str]; 4] = [
        &control,
        &["matrix", "--fault", "missing-backup", "--out", "{out}"],
        &["report", "drills", &records, "--out", "{out}"],
        &[&["report", "compliance", "--records", &records, "--out", "{out}"], &period[..]].concat(),
    ];
    for other in others {
        let refused = bench.run(other);
        assert_eq!((refused.code, refused.out.as_str()), (Some(2), ""), "{other:?}: {}", refused.err);
        let said = format!(
            "[dir]/out: another backdraft is writing to this folder\n  because: process {} holds it\n",
            run.id()
        );
        assert!(refused.err.contains(&said), "{other:?}: {}", refused.err);
        assert_eq!(written(), before, "{other:?}");
    }
    send(&run, Signal::KILL);
    assert_eq!(end_of(&mut run).code(), None);
    assert_eq!(bench.run(&control).code, Some(0));
    assert!(!bench.path("out/.backdraft.lock").exists());
}
