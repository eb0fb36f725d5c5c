//! `backdraft monitor`: what is seen in a user's buckets, and that nothing is written there.

use std::time::Duration;

use backdraft::{
    emulator::link::{LinkState, StatusFault},
    model::plan::DumpFormat,
};
use serde_json::Value;

use crate::rig::{PLAN, Rig};

/// What was said, without what changes with the hour.
pub(crate) fn timeless(text: &str) -> String {
    let mut settings = Vec::new();
    for line in text.lines() {
        let mut line = line.to_owned();
        while let Some(at) = line.find("backup-20") {
            line.replace_range(at..at + "backup-2026-11-05T03-00-00Z".len(), "[point]");
        }
        let mut words: Vec<String> = line
            .split(' ')
            .map(|word| {
                let date = word.len() >= 20 && word.starts_with("20") && word.ends_with('Z');
                if date { "[date]".to_owned() } else { word.to_owned() }
            })
            .collect();
        // Ages count from the wall clock, so an hour may turn while the test runs.
        for at in 2..words.len() {
            if words[at - 1] == "h" && words[at].starts_with("old") {
                words[at - 2] = "[age]".to_owned();
            }
        }
        line = words.join(" ");
        if let Some((before, _)) = line.rsplit_once(", ").filter(|(_, age)| age.ends_with(" old")) {
            line = format!("{before}, [age] old");
        }
        settings.push(line);
    }
    settings.join("\n") + "\n"
}

#[test]
fn sound_backups_are_ok_and_a_monitor_that_reads_everything_asks_and_never_writes() {
    let rig = Rig::new(2, DumpFormat::JsonlGz);
    let before = rig.keys(0);
    let watches = "min_size: 10 KiB, watches: [missing, too-small, too-old, replica-behind, manifest, contents]";
    let plan = PLAN.replace("min_size: 10 KiB", watches);
    let said = rig.run(&["monitor"], &plan);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{}", said.out);
    insta::assert_snapshot!(timeless(&said.out));
    let asked = rig.asked();
    assert!(asked.len() >= 9 && asked.iter().all(|line| line.starts_with("GET /backup-")), "{asked:#?}");
    assert_eq!(rig.keys(0), before);
    assert!(rig.bench.left_behind().is_empty());
}

#[test]
fn each_thing_that_is_wrong_is_an_alarm_with_its_reason_and_exit_code_1() {
    let rig = Rig::new(2, DumpFormat::JsonlGz);
    let contents = PLAN.replace("min_size: 10 KiB", "min_size: 10 KiB, watches: [replica-behind, manifest, contents]");
    let (newest, mut said) = (rig.newest_dump(1), Vec::new());
    let mut look = |plan: &str| {
        let ended = rig.run(&["monitor"], plan);
        assert_eq!((ended.code, ended.err.as_str()), (Some(1), ""), "{}", ended.out);
        said.push(timeless(&ended.out));
    };
    // Rotten in a replica.
    let mut rotten = rig.bytes(1, &newest);
    let middle = rotten.len() / 2;
    rotten[middle] ^= 1;
    rig.replace(1, &newest, rotten);
    look(&contents);
    // Gone in that replica.
    rig.remove(1, &newest);
    look(PLAN);
    // Too small.
    look(&PLAN.replace("10 KiB", "10 MiB"));
    // Gone everywhere: none since the day before, which is too old as well.
    for region in [0, 2] {
        rig.remove(region, &newest);
    }
    look(PLAN);
    // Without its manifest, and one region silent.
    let older = rig.newest_dump(0).replace(".jsonl.gz", ".manifest.json");
    rig.remove(0, &older);
    rig.regions[2].link().set(LinkState::Status(StatusFault::Denied403));
    look(PLAN);
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn a_limit_that_contradicts_the_schedule_is_a_remark_and_no_alarm() {
    let rig = Rig::new(1, DumpFormat::JsonlGz);
    let said = rig.run(&["monitor"], &PLAN.replace("max_age: 25 h", "max_age: 1 min"));
    assert_eq!(said.code, Some(0), "{}", said.out);
    assert!(said.out.contains("remark: ") && said.out.contains("contradicts its schedule"), "{}", said.out);
}

#[test]
fn backups_in_another_form_or_under_another_name_are_looked_at_as_what_they_are() {
    let rig = Rig::new(1, DumpFormat::ConvexZip);
    let primary = |code: i32| {
        let said = rig.run(&["monitor", "--json"], PLAN);
        assert_eq!((said.code, said.err.as_str()), (Some(code), ""), "{}", said.out);
        serde_json::from_str::<Value>(&said.out).unwrap()["readings"][0].clone()
    };
    assert_eq!(primary(0)["remarks"][0], "its backups are .zip, the plan says .jsonl.gz");
    // Under a name of the user's own nothing but the file itself says what it is.
    let newest = rig.newest_dump(0);
    for region in 0..3 {
        let bytes = rig.bytes(region, &newest);
        rig.keys(region).iter().for_each(|key| rig.remove(region, key));
        rig.put(region, "convex/daily/latest.zip", &bytes, crate::rig::last_due());
    }
    let first = primary(0);
    assert_eq!((&first["newest"], &first["verdict"]), (&"latest.zip".into(), &"ok".into()));
    assert!(first["looked_at"].as_array().unwrap().contains(&"form".into()), "{first:#}");
}

#[test]
fn a_watch_looks_again_until_it_is_stopped() {
    let rig = Rig::new(1, DumpFormat::JsonlGz);
    let mut watch = rig.command(&["monitor", "--watch", "1 s", "--json"], PLAN);
    let child = watch.stdout(std::process::Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(3_500));
    let pid = rustix::process::Pid::from_raw(child.id() as i32).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let ended = rig.bench.ended(&child.wait_with_output().unwrap());
    assert_eq!(ended.code, Some(130));
    let looks: Vec<Value> = ended.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(looks.len() >= 2, "{}", ended.out);
    assert!(rig.bench.left_behind().is_empty());
}
