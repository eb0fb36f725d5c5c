//! The verb at its command line: what it prints and writes, how it ends, and that nothing is left behind.

use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt, process::Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    bench::Bench,
    rig::{Served, wait_for},
};

const SMALL: [&str; 5] = ["serve", "--size", "64 KiB", "--only", "s3"];

fn small(more: &[&str]) -> Vec<String> {
    SMALL.iter().chain(more).map(|word| (*word).to_owned()).collect()
}

fn run(bench: &Bench, more: &[&str]) -> crate::bench::Ended {
    let words = small(more);
    bench.run(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn a_command_runs_in_the_world_and_gives_it_its_exit_code() {
    let bench = Bench::new();
    let script = "test -n \"$AWS_ENDPOINT_URL\" && test \"$AWS_REGION\" = us-east-1 && test -z \"$AWS_PROFILE\" && echo here && exit 7";
    let words = small(&["--", "sh", "-c", script]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let output = bench.command(&words).env("AWS_PROFILE", "production").output().unwrap();
    let ended = bench.ended(&output);
    assert_eq!((ended.code, ended.out.as_str(), ended.err.as_str()), (Some(7), "here\n", ""));
    assert_eq!(bench.left_behind().len(), 0);
    assert_eq!(run(&bench, &["--", "sh", "-c", "kill -9 $$"]).code, Some(137));
    let missing = run(&bench, &["--", "no-such-command-anywhere"]);
    assert_eq!((missing.code, missing.out.as_str()), (Some(2), ""));
    insta::assert_snapshot!(missing.err);
    assert_eq!(bench.left_behind().len(), 0);
}

#[test]
fn the_lines_are_for_a_shell_and_ctrl_c_or_sigterm_end_it_with_nothing_left() {
    for signal in [Signal::INT, Signal::TERM] {
        let mut served = Served::start(&["--only", "s3"]);
        let control = served.variable("BACKDRAFT_CONTROL_URL").trim_start_matches("http://").to_owned();
        assert!(TcpListener::bind(&control).is_err(), "it listens");
        assert_eq!(served.bench.left_behind().len(), 1);
        served.send(signal);
        assert_eq!(served.end(), Some(0));
        assert_eq!(served.bench.left_behind().len(), 0);
        TcpListener::bind(&control).unwrap();
    }
    let bench = Bench::new();
    let words = small(&[]);
    let mut command = bench.command(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let child = command.stdout(Stdio::piped()).spawn().unwrap();
    wait_for("its scratch folder", || (!bench.left_behind().is_empty()).then_some(()));
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let said = bench.ended(&child.wait_with_output().unwrap());
    assert!(matches!(said.code, Some(0 | 130)), "{:?}", said.code);
    let is_line = |line: &str| line.starts_with("# ") || (line.starts_with("export ") && line.ends_with('\''));
    assert!(said.out.lines().all(is_line), "{}", said.out);
}

#[test]
fn a_command_is_told_when_somebody_stops_it_and_may_clean_up() {
    let bench = Bench::new();
    let script = "trap 'echo told; exit 0' TERM; touch \"$0\"; while :; do sleep 0.05; done";
    let mark = bench.path("mark").display().to_string();
    let words = small(&["--", "sh", "-c", script, &mark]);
    let mut command = bench.command(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let child = command.stdout(Stdio::piped()).spawn().unwrap();
    wait_for("the command", || bench.path("mark").exists().then_some(()));
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let ended = bench.ended(&child.wait_with_output().unwrap());
    assert_eq!((ended.code, ended.out.as_str()), (Some(130), "told\n"));
    fs::remove_file(bench.path("mark")).unwrap();
    assert_eq!(bench.left_behind().len(), 0);
}

#[test]
fn the_file_of_variables_is_for_its_owner_alone_and_never_takes_the_place_of_another() {
    let bench = Bench::new();
    let file = bench.path("world.env").display().to_string();
    let source = format!(". '{file}' && printf '%s' \"$AWS_ENDPOINT_URL_S3\" && grep -c ^export '{file}' >&2");
    let ended = run(&bench, &["--env-file", &file, "--", "env", "-i", "PATH=/usr/bin:/bin", "sh", "-c", &source]);
    assert!(ended.code == Some(0) && ended.out.starts_with("http://127.0.0.1:"), "{} {}", ended.out, ended.err);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(run(&bench, &["--env-file", &file, "--", "true"]).code, Some(0), "its own may be replaced");
    let own = bench.file("own.env", "STRIPE_KEY=mine\n");
    let refused = run(&bench, &["--env-file", &own, "--", "true"]);
    assert_eq!((refused.code, fs::read_to_string(&own).unwrap().as_str()), (Some(2), "STRIPE_KEY=mine\n"));
    insta::assert_snapshot!(refused.err);
    assert_eq!(run(&bench, &["--env-file", "/nowhere/at/all", "--", "true"]).code, Some(2));
}

#[test]
fn what_cannot_be_served_is_refused_with_exit_code_2_and_nothing_is_made() {
    let bench = Bench::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let refused = run(&bench, &["--port", &port, "--", "true"]);
    assert_eq!(refused.code, Some(2));
    insta::assert_snapshot!("port_taken", refused.err.replace(&port, "[port]"));
    let plan = bench.file("plan.yaml", "format: backdraft.plan/1\nplatform: 7\n");
    let invalid = run(&bench, &["--plan", &plan, "--", "true"]);
    assert!(invalid.code == Some(2) && invalid.err.contains("[dir]/plan.yaml:"), "{}", invalid.err);
    let tiny = bench.run(&["serve", "--size", "1 KiB", "--", "true"]);
    assert_eq!(tiny.code, Some(2));
    insta::assert_snapshot!("too_small", tiny.err);
    for wrong in [&["--only", "everything"][..], &["--days", "60"], &["--port", "70000"], &["--json", "--", "true"]] {
        assert_eq!(run(&bench, wrong).code, Some(2), "{wrong:?}");
    }
    assert_eq!(bench.left_behind().iter().filter(|path| !path.ends_with("plan.yaml")).count(), 0);
}
