//! `backdraft verify`: every step can fail, each for its own reason, and what is sound passes in every form.

use std::{fs, io::Write};

use backdraft::model::plan::DumpFormat;
use flate2::{Compression, read::MultiGzDecoder, write::GzEncoder};
use serde_json::Value;

use crate::{
    bench::{Bench, Ended},
    rig::{PLAN, Rig},
};

fn gunzip(bytes: &[u8]) -> String {
    std::io::read_to_string(MultiGzDecoder::new(bytes)).unwrap()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::best());
    gz.write_all(text.as_bytes()).unwrap();
    gz.finish().unwrap()
}

fn verify(bench: &Bench, arguments: &[&str]) -> Ended {
    let ended = bench.run(&[&["verify"], arguments].concat());
    assert_eq!(ended.err, "", "{}", ended.out);
    assert!(bench.left_behind().is_empty());
    ended
}

/// The steps of a verification: name, status, detail.
fn steps(said: &Ended) -> Vec<(String, String, String)> {
    let found: Value = serde_json::from_str(&said.out).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let steps = found["steps"].as_array().unwrap().iter();
    steps.map(|step| (text(&step["step"]), text(&step["status"]), text(&step["detail"]))).collect()
}

#[test]
fn a_sound_backup_passes_every_step_in_each_form_and_from_a_bucket() {
    for format in [DumpFormat::JsonlGz, DumpFormat::JsonGz, DumpFormat::ConvexZip] {
        let rig = Rig::new(1, format);
        let file = rig.files();
        let said = verify(&rig.bench, &[&file, "--json"]);
        assert_eq!(said.code, Some(0), "{}", said.out);
        assert!(steps(&said).iter().all(|(_, status, _)| status == "ok"), "{}", said.out);
        if format == DumpFormat::ConvexZip {
            continue;
        }
        // The same text without compression, and without anything to hold it against.
        let plain = gunzip(&fs::read(&file).unwrap());
        let plain = rig.bench.file(if format == DumpFormat::JsonGz { "plain.json" } else { "plain.jsonl" }, plain);
        let said = verify(&rig.bench, &[&plain, "--json"]);
        assert_eq!(said.code, Some(0), "{}", said.out);
        let skipped: Vec<String> =
            steps(&said).into_iter().filter(|step| step.1 != "ok").map(|step| step.0 + " " + &step.1).collect();
        assert_eq!(skipped, ["digest skipped"]);
    }
    let rig = Rig::new(1, DumpFormat::JsonlGz);
    let address = format!("s3://backup-us-east-1/{}", rig.newest_dump(0));
    let plan = rig.bench.file("plan.yaml", PLAN);
    let mut command = rig.bench.command(&["verify", &address, "--endpoint", rig.primary(), "--plan", &plan]);
    rig.with_key(&mut command);
    let said = rig.bench.ended(&command.output().unwrap());
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{}", said.out);
    assert!(rig.asked().iter().all(|line| line.starts_with("GET ")), "{:#?}", rig.asked());
}

#[test]
fn every_step_fails_for_its_own_reason() {
    let rig = Rig::new(1, DumpFormat::JsonlGz);
    let (bench, file) = (&rig.bench, rig.files());
    let (packed, text) = (fs::read(&file).unwrap(), gunzip(&fs::read(&file).unwrap()));
    let lines: Vec<&str> = text.lines().collect();
    let users = lines.iter().position(|line| line.contains("\"_table\":\"users\"") && line.contains("_id")).unwrap();
    let with = |line: &str| {
        let mut changed = lines.clone();
        changed[users] = line;
        gzip(&(changed.join("\n") + "\n"))
    };
    let only = |keep: &dyn Fn(&&str) -> bool| {
        gzip(&(lines.iter().copied().filter(keep).collect::<Vec<_>>().join("\n") + "\n"))
    };
    let mut flipped = packed.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 4;
    let cases: [(&str, &str, Option<Vec<u8>>); 10] = [
        ("exists", "missing", None),
        ("archive", "empty", Some(Vec::new())),
        ("archive", "cut", Some(packed[..packed.len() - 40].to_vec())),
        ("archive", "flipped", Some(flipped)),
        ("json", "bracket", Some(with(&lines[users][..lines[users].len() - 1]))),
        ("schema", "unnamed", Some(with(r#"{"_table":"users","name":"nobody"}"#))),
        ("schema", "twice", Some(with(lines[users + 1]))),
        ("schema", "retyped", Some(with(&lines[users].replacen("\"locale\":\"", "\"locale\":7,\"was\":\"", 1)))),
        ("queries", "rowless", Some(only(&|line: &&str| line.contains("_tables")))),
        ("queries", "userless", Some(only(&|line: &&str| !line.contains("\"_table\":\"users\"")))),
    ];
    let mut told = Vec::new();
    for (step, name, bytes) in cases {
        let path = bench.path(&format!("{name}.jsonl.gz")).display().to_string();
        if let Some(bytes) = bytes {
            bench.file(&format!("{name}.jsonl.gz"), bytes);
        }
        let said = verify(bench, &[&path, "--json"]);
        assert_eq!(said.code, Some(1), "{name}: {}", said.out);
        let failed: Vec<_> = steps(&said).into_iter().filter(|step| step.1 == "failed").collect();
        assert_eq!(failed.len(), 1, "{name}: {failed:?}");
        assert_eq!(failed[0].0, step, "{name}: {failed:?}");
        told.push(format!("{name}: {step}: {}", failed[0].2));
    }
    let digits = |text: &str| text.split(|c: char| !c.is_ascii_hexdigit()).any(|word| word.len() == 64);
    assert!(!told.iter().any(|line| digits(line)));
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn sound_json_that_is_not_what_was_dumped_fails_by_digest_and_tables() {
    let rig = Rig::new(1, DumpFormat::JsonlGz);
    let file = rig.files();
    // One letter of one value, packed anew.
    let text = gunzip(&fs::read(&file).unwrap()).replacen("ko-KR", "ko-KP", 1);
    fs::write(&file, gzip(&text)).unwrap();
    let said = verify(&rig.bench, &[&file, "--json"]);
    assert_eq!(said.code, Some(1));
    let failed: Vec<String> = steps(&said).into_iter().filter(|s| s.1 == "failed").map(|s| s.0).collect();
    assert_eq!(failed, ["digest", "schema"], "{}", said.out);
    // By a digest from elsewhere, too.
    let said = verify(&rig.bench, &[&file, "--json", "--sha256", &"0".repeat(64)]);
    assert!(steps(&said)[1].2.ends_with("as given"), "{}", said.out);
}

#[test]
fn an_archive_that_would_inflate_without_end_is_stopped() {
    let bench = Bench::new();
    let row = format!("{{\"_table\":\"t\",\"_id\":\"x\",\"text\":\"{}\"}}\n", " ".repeat(1 << 20));
    let bomb = bench.file("bomb.jsonl.gz", gzip(&row.repeat(80)));
    let said = verify(&bench, &[&bomb, "--json"]);
    assert_eq!(said.code, Some(1));
    assert!(steps(&said)[2].2.starts_with("inflates to more than the limit"), "{}", said.out);
}

#[test]
fn what_is_said_to_people_names_each_step() {
    let rig = Rig::new(1, DumpFormat::JsonlGz);
    let file = rig.files();
    let text = gunzip(&fs::read(&file).unwrap());
    let plain = rig.bench.file("export.jsonl", text);
    let said = verify(&rig.bench, &[&plain]);
    let mut out: Vec<String> = said.out.lines().map(str::to_owned).collect();
    let last = out.len() - 1;
    for (line, end) in [(1, "SHA-256 is"), (last, " in ")] {
        let at = out[line].find(end).unwrap();
        out[line].truncate(at);
    }
    insta::assert_snapshot!(out.join("\n"));
}

#[test]
fn a_backup_that_is_not_there_took_no_time_and_left_nothing_to_clean_up() {
    let said = verify(&Bench::new(), &["/no/such/backup.jsonl.gz"]);
    assert_eq!(said.code, Some(1));
    assert!(said.out.ends_with("FAILED: /no/such/backup.jsonl.gz\n"), "{}", said.out);
    assert!(said.out.contains("skipped       clean-up      nothing was made that would have to go\n"), "{}", said.out);
    let said = verify(&Bench::new(), &["/no/such/backup.jsonl.gz", "--json"]);
    let found: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(found.get("took"), None, "{}", said.out);
}
