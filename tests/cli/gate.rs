//! The regression gate at the command line: a baseline is written, the next run is held against it, and what cannot be
//! compared does not pass.

use std::fs;

use serde_json::Value;

use crate::bench::{Bench, Ended};

const CONTROL: [&str; 5] = ["run", "--out", "{out}", "scenarios/database/control.yaml", "--quiet"];

/// Runs with these arguments more, `{baseline}` in them being a file of the test.
fn run(bench: &Bench, base: &[&str], more: &[&str]) -> Ended {
    let baseline = bench.path("baseline.json").display().to_string();
    let more: Vec<String> = more.iter().map(|word| word.replace("{baseline}", &baseline)).collect();
    bench.run(&[base, &more.iter().map(String::as_str).collect::<Vec<_>>()].concat())
}

fn edit(bench: &Bench, edit: impl FnOnce(&mut Value)) {
    let path = bench.path("baseline.json");
    let mut baseline = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    edit(&mut baseline);
    fs::write(path, baseline.to_string()).unwrap();
}

fn block(ended: &Ended) -> String {
    ended.out[ended.out.find("Regression gate").unwrap()..].to_owned()
}

/// The control, over a link to the first region on which every answer waits for so long, under a name of its own.
fn slow_scenario(bench: &Bench) -> (String, String) {
    let control = fs::read_to_string("scenarios/database/control.yaml").unwrap();
    let control =
        control.replace("days: 4", "days: 1").replace("day 4 15:00", "day 1 15:00").replace("day: 4", "day: 1");
    let control = control.replace("size: 6 MiB", "size: 64 KiB");
    let slow = "faults:\n  - fault: slow-first-byte\n    regions: [us-east-1]\n    when: at-disaster\n    with: { latency: 250 ms }\n";
    let slow = control.replace("disaster:\n", &format!("{slow}disaster:\n"));
    assert_ne!(slow, control);
    (bench.file("a/scenarios/database/control.yaml", control), bench.file("b/scenarios/database/control.yaml", slow))
}

/// The scenario file is what differs here, where it would be the pipeline in a team's run: so its digest is made the
/// same, or the gate would rightly not compare the two.
fn same_scenario(bench: &Bench, way: &str, more: &[&str]) -> Ended {
    let (before, now) = slow_scenario(bench);
    let base = |file| [&["run", "--out", "{out}", "--quiet", file][..], more].concat();
    let wrote = run(bench, &base(&before), &["--write-baseline", "{baseline}"]);
    assert_eq!((wrote.code, wrote.err.as_str()), (Some(0), ""), "{way}: {}", wrote.out);
    let digest = run(bench, &base(&now), &[]);
    assert_eq!(digest.code, Some(0), "{way}: {}", digest.out);
    let digest = bench.record("database/control").identity.scenario_sha256;
    edit(bench, |baseline| baseline["drills"]["database/control"]["scenario_sha256"] = digest.into());
    run(bench, &base(&now), &["--baseline", "{baseline}"])
}

#[test]
fn a_run_in_virtual_time_is_held_exactly_and_a_slower_link_is_a_regression_of_the_phases_that_use_it() {
    let bench = Bench::new();
    let slower = same_scenario(&bench, "simulated", &["--simulate"]);
    assert_eq!(slower.code, Some(1), "{}", slower.out);
    insta::assert_snapshot!(block(&slower));
    let same = run(&bench, &[&CONTROL[..], &["--simulate"]].concat(), &["--write-baseline", "{baseline}"]);
    assert_eq!(same.code, Some(0), "{}{}", same.out, same.err);
    let same =
        run(&bench, &[&CONTROL[..], &["--simulate"]].concat(), &["--baseline", "{baseline}", "--max-slower", "0%"]);
    assert_eq!((same.code, block(&same).contains("Regression gate: held")), (Some(0), true), "{}", same.out);
}

#[test]
fn a_slower_link_is_found_on_the_wall_clock_with_five_plays() {
    let bench = Bench::new();
    let slower = same_scenario(&bench, "real", &["--repeat", "5"]);
    let said = block(&slower);
    assert_eq!(slower.code, Some(1), "{said}");
    assert!(said.contains("slower  database/control, database, t0 to t5: "), "{said}");
    let repeats: Vec<_> =
        bench.written().into_iter().map(|(name, _)| name).filter(|n| n.starts_with("repeats/")).collect();
    assert_eq!(repeats, [2, 3, 4, 5].map(|n| format!("repeats/{n}/database/control.json")));
    // One play is none that anything can be said of, and that is no pass.
    let (_, now) = slow_scenario(&bench);
    let once = ["run", "--out", "{out}", "--quiet", &now, "--repeat", "1", "--baseline", "{baseline}"];
    let once = run(&bench, &[], &once);
    assert_eq!(once.code, Some(3), "{}", once.out);
    assert!(block(&once).contains("too few") && block(&once).contains("5 plays on each side"), "{}", block(&once));
}

#[test]
fn a_baseline_of_another_scenario_machine_or_seed_is_inconclusive_and_says_why() {
    let bench = Bench::new();
    let simulated = [&CONTROL[..], &["--simulate"]].concat();
    let wrote = run(&bench, &simulated, &["--write-baseline", "{baseline}"]);
    assert_eq!(wrote.code, Some(0), "{}{}", wrote.out, wrote.err);
    let against = |bench: &Bench, more: &[&str]| {
        let ended = run(bench, &[&simulated[..], more].concat(), &["--baseline", "{baseline}"]);
        assert_eq!(ended.code, Some(3), "{}", ended.out);
        block(&ended)
    };
    let mut said = against(&bench, &["--seed", "7"]);
    edit(&bench, |baseline| {
        for drill in baseline["drills"].as_object_mut().unwrap().values_mut() {
            drill["plan_sha256"] = "0".into();
        }
    });
    said += &against(&bench, &[]);
    edit(&bench, |baseline| {
        baseline["machine"] = serde_json::json!({"os": "a", "arch": "b", "cpus": 99, "build": "c"})
    });
    let other = against(&bench, &[]);
    assert!(other.contains("the baseline is of another machine (a b, 99 processors, c build)"), "{other}");
    insta::assert_snapshot!(said);
}

#[test]
fn a_file_that_is_no_baseline_is_refused_before_anything_is_played() {
    let bench = Bench::new();
    let simulated = [&CONTROL[..], &["--simulate"]].concat();
    let wrote = run(&bench, &simulated, &["--write-baseline", "{baseline}"]);
    assert_eq!(wrote.code, Some(0), "{}{}", wrote.out, wrote.err);
    let said = |bench: &Bench, more: &[&str]| {
        let ended = run(bench, &simulated, more);
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{more:?}");
        ended.err
    };
    let mut all = vec![said(&bench, &["--write-baseline", "/nowhere/baseline.json"])];
    edit(&bench, |baseline| {
        for drill in baseline["drills"].as_object_mut().unwrap().values_mut() {
            drill["plays"] = 0.into();
        }
    });
    for content in [None, Some("{\"format\": \"backdraft.baseline/9\"}"), Some("[1"), Some("{\"format\": 1}")] {
        if let Some(content) = content {
            fs::write(bench.path("baseline.json"), content).unwrap();
        }
        all.push(said(&bench, &["--baseline", "{baseline}"]));
    }
    fs::remove_file(bench.path("baseline.json")).unwrap();
    all.push(said(&bench, &["--baseline", "{baseline}"]));
    for wrong in [
        &["--repeat", "0"][..],
        &["--max-slower", "5%"],
        &["--baseline", "{baseline}", "--max-slower", "fast"],
        &["--baseline", "{baseline}", "--max-slower", "-5%"],
    ] {
        all.push(said(&bench, wrong));
    }
    insta::assert_snapshot!(all.join("---\n"));
}

#[test]
fn no_baseline_is_written_of_a_run_that_did_not_pass() {
    let bench = Bench::new();
    let scenario = fs::read_to_string("scenarios/database/control.yaml").unwrap();
    let wrong = bench.file(
        "scenarios/database/wrong.yaml",
        scenario.replace("recovery_point: { day: 4", "recovery_point: { day: 3"),
    );
    let base = ["run", "--simulate", "--out", "{out}", "--quiet", &wrong];
    let ended = run(&bench, &base, &["--write-baseline", "{baseline}"]);
    assert_eq!(ended.code, Some(1), "{}{}", ended.out, ended.err);
    assert!(ended.out.ends_with("no baseline is written: 1 of 1 drill played did not pass\n"), "{}", ended.out);
    assert!(!bench.path("baseline.json").exists());
}

#[test]
fn on_github_annotations_stand_at_the_scenario_file_and_nothing_foreign_is_a_command() {
    let bench = Bench::new();
    let scenario = fs::read_to_string("scenarios/database/corrupt-truncated-latest.yaml").unwrap();
    let evil = "cause: \"x ::stop-commands::y ##[add-path]z\"";
    let cause = scenario.lines().find(|line| line.contains("cause: ")).unwrap().trim();
    let scenario = scenario
        .replace(cause, evil)
        .replace("outcome: recovered-behind", "outcome: recovered")
        .replace("  rpo: missed\n", "");
    let path = bench.file("repo/scenarios/database/mine.yaml", &scenario);
    let line = scenario.lines().position(|line| line.contains("outcome: ")).unwrap() + 1;
    let summary = bench.file("summary.md", "before\n");
    let mut command = bench.command(&["run", "--simulate", "--out", "{out}", &path]);
    command
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_STEP_SUMMARY", &summary)
        .env("GITHUB_WORKSPACE", bench.path("repo"));
    let ended = bench.ended(&command.output().unwrap());
    assert_eq!(ended.code, Some(1), "{}{}", ended.out, ended.err);
    let commands: Vec<&str> = ended.out.lines().filter(|line| line.trim_start().starts_with("::")).collect();
    let at = format!("::error file=scenarios/database/mine.yaml,line={line},title=database/mine%3A FAIL::");
    assert!(commands[0].starts_with(&at), "{commands:#?}");
    assert!(
        commands.iter().all(|line| ["::error ", "::warning ", "::notice "].iter().any(|ours| line.starts_with(ours)))
    );
    assert!(!ended.out.contains("##[") && !ended.err.contains("##["), "{}", ended.out);
    let summary = fs::read_to_string(summary).unwrap();
    assert!(summary.starts_with("before\n## Restore drills\n") && summary.contains("database/mine"), "{summary}");
    // The same without GitHub: no command, and the summary lies with the other reports.
    let elsewhere = bench.run(&["run", "--simulate", "--out", "{out}", &path]);
    assert!(!elsewhere.out.lines().any(|line| line.starts_with("::")), "{}", elsewhere.out);
    assert!(bench.written().iter().any(|(name, _)| name == "github-summary.md"));
}
