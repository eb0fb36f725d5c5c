//! Backups that are not backdraft's own: what lies in a user's buckets is judged by what it is, each defect by its own
//! alarm, and what was not looked at is never said to be well.

use std::{io::Write, process::Command, time::Duration};

use flate2::{Compression, write::GzEncoder};
use jiff::{SignedDuration, Timestamp};

use crate::{
    defects::{ALL, CHEAP, Case, Wanted, alarms, each_raises_its_alarms, look, plan},
    rig::{REGIONS, Rig, last_due},
};
use backdraft::model::plan::DumpFormat;

fn gz(text: &[u8]) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::default());
    gz.write_all(text).unwrap();
    gz.finish().unwrap()
}

/// Bytes that do not shrink.
fn noise(bytes: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2) + 1;
    let step = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..bytes).map(step).collect()
}

/// A dump of somebody's own: JSON lines that name no table.
fn dump(seed: u64) -> Vec<u8> {
    let row = |n: u64| {
        let text: String = noise(40, seed + n).iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{{\"id\":{n},\"text\":\"{text}\"}}\n")
    };
    gz((0..400).map(row).collect::<String>().as_bytes())
}

struct Day {
    at: Timestamp,
    date: String,
}

fn day(ago: i64) -> Day {
    let at = last_due() - SignedDuration::from_hours(24 * ago);
    Day { at, date: at.strftime("%Y-%m-%d").to_string() }
}

/// Sound backups of three days.
fn fill(rig: &Rig) {
    for ago in (0..3).rev() {
        let Day { at, date } = day(ago);
        for region in 0..3 {
            rig.put(region, &format!("convex/daily/dump-{date}.jsonl.gz"), &dump(ago as u64), at);
            rig.put(region, &format!("convex/daily/dump-{date}.jsonl.gz.sha256"), b"not looked at", at);
            rig.put(region, &format!("config/env-{date}.env.gz"), &gz(&noise(300, ago as u64)), at);
            rig.put(region, &format!("files/uploads/2026/photo-{ago}.jpg"), &noise(8_000, ago as u64), at);
        }
    }
}

#[test]
fn sound_backups_of_others_are_ok_and_what_was_not_looked_at_is_said() {
    let rig = Rig::new(0, DumpFormat::JsonlGz);
    fill(&rig);
    let said = rig.run(&["monitor"], &plan(CHEAP));
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{}", said.out);
    let dated = |text: &str| crate::look::timeless(&text.replace(&day(0).date, "[day]"));
    let whole = rig.run(&["monitor"], &plan(ALL));
    assert_eq!((whole.code, whole.err.as_str()), (Some(0), ""), "{}", whole.out);
    insta::assert_snapshot!(format!("{}\nwith contents\n{}", dated(&said.out), dated(&whole.out)));
    assert!(rig.asked().iter().all(|line| line.starts_with("GET /backup-")), "{:#?}", rig.asked());
    assert!(rig.bench.left_behind().is_empty());

    // Only what was read whole is said to have been.
    let prometheus = rig.bench.path("f.prom").display().to_string();
    rig.run(&["monitor", "--prometheus", &prometheus], &plan(CHEAP));
    let figures = std::fs::read_to_string(&prometheus).unwrap();
    for (aspect, value) in [("contents", 0), ("first_and_last_bytes", 1), ("size", 1)] {
        let place = "service=\"database\",region=\"us-east-1\"";
        let line = format!("backdraft_backup_looked_at{{{place},aspect=\"{aspect}\"}} {value}");
        assert!(figures.lines().any(|found| found == line), "{line} is not in\n{figures}");
    }
}

/// A defect, what the plan watches, and its alarms.
type Row<'c> = (&'c str, &'c str, &'c dyn Fn(&Rig), &'c [Wanted<'c>]);

#[test]
fn each_defect_raises_its_alarm_and_no_other() {
    let rig = Rig::new(0, DumpFormat::JsonlGz);
    fill(&rig);
    let (today, yesterday) = (day(0), day(1));
    let newest = format!("convex/daily/dump-{}.jsonl.gz", today.date);
    let env = format!("config/env-{}.env.gz", today.date);
    let photo = "files/uploads/2026/photo-0.jpg";
    let everywhere = |change: &dyn Fn(usize)| (0..3).for_each(change);
    // The same bytes in every region, so that no replica is behind.
    let becomes = |rig: &Rig, key: &str, bytes: &[u8]| everywhere(&|region| rig.put(region, key, bytes, today.at));
    let other = |name: &str| format!("convex/daily/dump-{}{name}", today.date);
    let (zip, tar) = (other(".zip"), other(".tar"));
    let replaced = |rig: &Rig, key: &str, bytes: &[u8]| {
        everywhere(&|region| rig.remove(region, &newest));
        becomes(rig, key, bytes);
    };
    let cut = |bytes: Vec<u8>, by: usize| bytes[..bytes.len() - by].to_vec();
    let old = |region: usize, key: &str| rig.bytes(region, key);
    let mut half = dump(0);
    let middle = half.len() / 2;
    half[middle] ^= 1;
    let rows: &[Row<'_>] = &[
        (
            "nothing is there",
            CHEAP,
            &|rig| {
                everywhere(&|region| {
                    rig.keys(region)
                        .iter()
                        .filter(|key| key.starts_with("convex/"))
                        .for_each(|key| rig.remove(region, key));
                })
            },
            &[("database", "us-east-1", "missing", "there is no backup at all")],
        ),
        (
            "the newest was not made",
            CHEAP,
            &|rig| everywhere(&|region| rig.remove(region, &newest)),
            &[
                ("database", "us-east-1", "missing", "one was due at"),
                ("database", "us-east-1", "too-old", "the limit is 25 h"),
            ],
        ),
        (
            "the newest is tiny",
            CHEAP,
            &|rig| becomes(rig, &newest, &gz(b"{}\n")),
            &[("database", "us-east-1", "too-small", "the limit is 10 KiB")],
        ),
        (
            "an error page in a dump's place",
            CHEAP,
            &|rig| {
                becomes(rig, &newest, &[b"<html>502</html>".as_slice(), &[b' '; 20_000]].concat());
            },
            &[
                ("database", "us-east-1", "unreadable", "not a gzip file"),
                ("database", "eu-west-1", "unreadable", "not a gzip file"),
                ("database", "ap-northeast-1", "unreadable", "not a gzip file"),
            ],
        ),
        (
            "gzip of something else",
            CHEAP,
            &|rig| becomes(rig, &newest, &gz(&noise(20_000, 9))),
            &[
                ("database", "us-east-1", "unreadable", "not a JSON file"),
                ("database", "eu-west-1", "unreadable", "not a JSON file"),
                ("database", "ap-northeast-1", "unreadable", "not a JSON file"),
            ],
        ),
        ("cut off, and nobody reads it", CHEAP, &|rig| becomes(rig, &newest, &cut(dump(0), 50)), &[]),
        (
            "cut off, and read",
            ALL,
            &|rig| becomes(rig, &newest, &cut(dump(0), 50)),
            &[
                ("database", "us-east-1", "unreadable", "cut off in gzip member 1"),
                ("database", "eu-west-1", "unreadable", "cut off in gzip member 1"),
                ("database", "ap-northeast-1", "unreadable", "cut off in gzip member 1"),
            ],
        ),
        (
            "one bit in one region, and nobody reads it",
            CHEAP,
            &|rig| rig.put(1, &newest, &half, today.at),
            &[("database", "eu-west-1", "replica-behind", "1 with other bytes by the ETag")],
        ),
        (
            "one bit in one region, and read",
            ALL,
            &|rig| rig.put(1, &newest, &half, today.at),
            &[
                ("database", "eu-west-1", "replica-behind", "1 with other bytes by the ETag"),
                ("database", "eu-west-1", "unreadable", "damaged in gzip member 1"),
            ],
        ),
        (
            "broken JSON",
            ALL,
            &|rig| becomes(rig, &newest, &gz(&[b"{\"a\":1}\n{\"a\":".as_slice(), &noise(12_000, 3)].concat())),
            &[
                ("database", "us-east-1", "unreadable", "invalid UTF-8"),
                ("database", "eu-west-1", "unreadable", "invalid UTF-8"),
                ("database", "ap-northeast-1", "unreadable", "invalid UTF-8"),
            ],
        ),
        (
            "a ZIP without its end",
            CHEAP,
            &|rig| replaced(rig, &zip, &[b"PK\x03\x04".as_slice(), &noise(20_000, 5)].concat()),
            &[
                ("database", "us-east-1", "unreadable", "a ZIP's end record"),
                ("database", "eu-west-1", "unreadable", "a ZIP's end record"),
                ("database", "ap-northeast-1", "unreadable", "a ZIP's end record"),
            ],
        ),
        (
            "no tar",
            CHEAP,
            &|rig| replaced(rig, &tar, &noise(20_480, 6)),
            &[
                ("database", "us-east-1", "unreadable", "not a tar file"),
                ("database", "eu-west-1", "unreadable", "not a tar file"),
                ("database", "ap-northeast-1", "unreadable", "not a tar file"),
            ],
        ),
        (
            "a replica lacks the newest",
            CHEAP,
            &|rig| rig.remove(2, &newest),
            &[("database", "ap-northeast-1", "replica-behind", "1 missing, e.g. dump-")],
        ),
        (
            "a replica has another size",
            CHEAP,
            &|rig| {
                rig.put(1, &newest, &dump(7), today.at);
                rig.put(1, &newest, &[old(1, &newest), vec![0]].concat(), today.at);
            },
            &[("database", "eu-west-1", "replica-behind", "1 of another size, e.g. dump-")],
        ),
        (
            "a replica lacks a file",
            CHEAP,
            &|rig| rig.remove(1, photo),
            &[(
                "files",
                "eu-west-1",
                "replica-behind",
                "of 3 objects of the primary: 1 missing, e.g. uploads/2026/photo-0.jpg",
            )],
        ),
        (
            "nothing was copied for a day",
            CHEAP,
            &|rig| everywhere(&|region| rig.remove(region, photo)),
            &[
                ("files", "us-east-1", "missing", "or nothing has changed since"),
                ("files", "us-east-1", "too-old", "the limit is 25 h"),
            ],
        ),
        (
            "most of the copy is gone",
            CHEAP,
            &|rig| {
                everywhere(&|region| {
                    for ago in 1..3 {
                        rig.remove(region, &format!("files/uploads/2026/photo-{ago}.jpg"));
                    }
                })
            },
            &[("files", "us-east-1", "too-small", "uploads/2026/photo-0.jpg has 8000 B")],
        ),
        (
            "an empty configuration",
            CHEAP,
            &|rig| becomes(rig, &env, b""),
            &[
                ("config", "us-east-1", "too-small", "has 0 B"),
                ("config", "us-east-1", "unreadable", "0 bytes"),
                ("config", "eu-west-1", "unreadable", "0 bytes"),
                ("config", "ap-northeast-1", "unreadable", "0 bytes"),
            ],
        ),
        (
            "most of the configuration is gone",
            CHEAP,
            &|rig| becomes(rig, &env, &gz(&noise(40, 1))),
            &[("config", "us-east-1", "too-small", "the one before it")],
        ),
        (
            "old backups are gone in one place before the other",
            CHEAP,
            &|rig| {
                let ago = day(9);
                rig.put(0, &format!("convex/daily/dump-{}.jsonl.gz", ago.date), &dump(9), ago.at);
            },
            &[],
        ),
        (
            "a replica lacks yesterday's",
            CHEAP,
            &|rig| {
                rig.remove(1, &format!("convex/daily/dump-{}.jsonl.gz", yesterday.date));
            },
            &[("database", "eu-west-1", "replica-behind", "1 missing")],
        ),
    ];
    let mut cases = Vec::new();
    for (name, watches, breaks, alarms) in rows {
        cases.push(Case { name, plan: plan(watches), breaks, alarms });
    }
    each_raises_its_alarms(&rig, &cases);
}

#[test]
fn a_grace_for_replicas_is_kept_and_a_silent_primary_is_no_proof_of_anything() {
    let rig = Rig::new(0, DumpFormat::JsonlGz);
    fill(&rig);
    rig.remove(1, &format!("convex/daily/dump-{}.jsonl.gz", day(0).date));
    let patient = plan(CHEAP).replace("min_size: 10 KiB", "min_size: 10 KiB, replica_grace: 30 h");
    assert_eq!(look(&rig, &patient).0, Some(0));
    assert_eq!(look(&rig, &plan(CHEAP)).0, Some(1));
    use backdraft::emulator::link::{LinkState, StatusFault};
    rig.regions[0].link().set(LinkState::Status(StatusFault::Denied403));
    let (_, readings) = look(&rig, &plan(CHEAP));
    let found = alarms(&readings);
    assert!(found.len() == 3 && found.iter().all(|alarm| alarm[2] == "unreachable"), "{found:#?}");
    let replica = readings.iter().find(|r| r["service"] == "database" && r["region"] == "eu-west-1").unwrap();
    let omitted = replica["not_looked_at"].as_array().unwrap();
    assert!(omitted.iter().any(|one| one["aspect"] == "replica"), "{replica:#}");
}

#[test]
fn copies_by_rule_are_looked_at_where_the_rules_put_them() {
    let rig = Rig::new(0, DumpFormat::JsonlGz);
    let rules = "prefix: files/, sync: [{ into: full/, dated: true }, { into: incremental/ }]";
    let plan = plan(CHEAP).replace("prefix: files/", rules);
    fill(&rig);
    for ago in [1, 0] {
        let Day { at, date } = day(ago);
        for region in 0..3 {
            rig.put(region, &format!("full/{date}/a.jpg"), &noise(9_000, 1), at);
            rig.put(region, &format!("full/{date}/b/b.jpg"), &noise(9_000, 2), at);
            rig.put(region, &format!("incremental/c-{ago}.jpg"), &noise(9_000, 3), at);
        }
    }
    let (code, found) = look(&rig, &plan);
    assert_eq!(code, Some(0), "{found:#?}");
    let files = found.iter().find(|reading| reading["service"] == "files").unwrap();
    assert_eq!(
        (&files["newest"], &files["size_bytes"]),
        (&format!("{}/ (2 objects)", day(0).date).into(), &18_000.into())
    );
    for region in 0..3 {
        rig.remove(region, "incremental/c-0.jpg");
        rig.remove(region, &format!("full/{}/a.jpg", day(0).date));
    }
    let (_, found) = look(&rig, &plan);
    let told: Vec<String> = alarms(&found).into_iter().map(|[_, _, kind, detail]| format!("{kind} {detail}")).collect();
    let begins = ["too-small full/: ", "missing incremental/: ", "too-old incremental/: ", "too-small incremental/: "];
    assert!(begins.iter().all(|begin| told.iter().any(|told| told.starts_with(begin))), "{told:#?}");
}

/// How many objects are looked at for the figure in docs/performance.md.
const MANY: usize = 100_000;

#[test]
#[ignore = "a figure for docs/performance.md: cargo test --release --test own_buckets many_objects -- --ignored --nocapture"]
fn many_objects_are_looked_at_with_the_memory_of_a_few() {
    let rig = Rig::new(0, DumpFormat::JsonlGz);
    fill(&rig);
    let peak = |rig: &Rig| {
        let mut command: Command = rig.command(&["monitor"], &plan(CHEAP));
        let watch = std::time::Duration::from_millis(2);
        let mut run = command.stdout(std::process::Stdio::null()).spawn().unwrap();
        let (status, mut peak_kib, mut looks) = (format!("/proc/{}/status", run.id()), 0, 0u64);
        let ended = loop {
            if let Some(ended) = run.try_wait().unwrap() {
                break ended;
            }
            let text = std::fs::read_to_string(&status).unwrap_or_default();
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok());
            (peak_kib, looks) = (peak_kib.max(kib.unwrap_or(0)), looks + 1);
            std::thread::sleep(watch);
        };
        assert_eq!(ended.code(), Some(0));
        (peak_kib, Duration::from_millis(2 * looks))
    };
    let few = peak(&rig);
    for region in 0..REGIONS.len() {
        for n in 0..MANY {
            rig.put(region, &format!("files/uploads/{n:06}-{}.jpg", "x".repeat(80)), &[n as u8], day(0).at);
        }
    }
    let many = peak(&rig);
    println!(
        "peak resident memory: {} KiB with 3 files, {} KiB with {MANY} in each of 3 regions, in about {:?}",
        few.0, many.0, many.1
    );
    assert!(many.0 < few.0 + 16 * 1024, "{few:?} {many:?}");
}
