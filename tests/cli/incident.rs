//! The papers of an incident at the command line: what is written, and what is refused.

use std::fs;

use serde_json::Value;

use crate::bench::Bench;

fn played(bench: &Bench) -> Value {
    let ended = bench.run(&[
        "run",
        "--simulate",
        "--quiet",
        "--incident",
        "--out",
        "{out}",
        "--only",
        "corrupt-truncated-latest",
    ]);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let record = bench.path("out/records/database/corrupt-truncated-latest.json");
    serde_json::from_slice(&fs::read(record).unwrap()).unwrap()
}

#[test]
fn the_papers_of_a_record_are_those_that_the_run_wrote() {
    let bench = Bench::new();
    played(&bench);
    let by_run: Vec<_> = bench.written().into_iter().filter(|(name, _)| name.starts_with("incidents/")).collect();
    let record = bench.path("out/records/database/corrupt-truncated-latest.json").display().to_string();
    let ended = bench.run(&["incident", &record, "--out", &bench.path("again").display().to_string()]);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    insta::assert_snapshot!(ended.out);
    let mut again: Vec<_> = fs::read_dir(bench.path("again")).unwrap().map(|entry| entry.unwrap().path()).collect();
    again.sort();
    let again: Vec<_> = again.iter().map(|path| (String::new(), fs::read_to_string(path).unwrap())).collect();
    let texts = |papers: &[(String, String)]| papers.iter().map(|(_, text)| text.clone()).collect::<Vec<_>>();
    assert_eq!((by_run.len(), texts(&by_run)), (8, texts(&again)));
    assert!(bench.run(&["verify-evidence", "{out}"]).out.starts_with("UNSIGNED, intact\n"));
}

#[test]
fn what_is_no_evidence_of_an_incident_is_refused_in_words() {
    let bench = Bench::new();
    let record = played(&bench);
    let with = |name: &str, edit: &dyn Fn(&mut Value)| {
        let mut record = record.clone();
        edit(&mut record);
        bench.file(name, record.to_string())
    };
    let files = [
        bench.path("absent.json").display().to_string(),
        bench.file("other.json", "{\"format\": 1}"),
        with("older.json", &|record| record["format"] = "backdraft.record/1".into()),
        with("edited.json", &|record| record["result"]["outcome"] = "recovered".into()),
    ];
    let said = files.map(|file| {
        let ended = bench.run(&["incident", &file]);
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""));
        ended.err
    });
    insta::assert_snapshot!(said.join("\n"));
    let left = fs::read_dir(bench.path(""))
        .unwrap()
        .filter(|e| e.as_ref().unwrap().path().extension().is_some_and(|e| e == "incident"));
    assert_eq!(left.count(), 0);
}

#[test]
fn a_run_serves_its_status_page_while_it_lasts() {
    let bench = Bench::new();
    let ended = bench.run(&["run", "--out", "{out}", "--only", "database/control", "--status-page"]);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let url = ended.err.lines().find_map(|line| line.strip_prefix("status page: http://")).unwrap();
    assert!(url.starts_with("127.0.0.1:"), "{url}");
    assert!(std::net::TcpStream::connect(url.trim_end_matches('/')).is_err(), "it still listens");
}
