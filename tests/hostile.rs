//! Text that comes from elsewhere (names, titles, causes, errors of commands and servers) does no harm in any format, in
//! either language: no tag, formula, command, escape sequence or turned line comes of it; and no secret is in it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use backdraft::{
    environment::without_secrets,
    incident,
    measure::{
        self,
        compliance::{Inputs, compliance},
    },
    model::{
        self,
        compliance::{Action, ActionStatus, Known, Playable, Source},
        event::Event,
        family::Family,
        history::Summary,
        matrix::{Caught, Cell, Control, FamilyScore, MATRIX_FORMAT, Matrix, Score, Subject},
        record::{Record, Way},
    },
    report::{CATALOGUE, Language, Options, Run, compliance as of_period, matrix as heat},
};
use serde_json::{Value, json};

#[path = "../src/measure/testing/mod.rs"]
mod testing;
use testing::Drill;

/// What each evil text goes on with.
const TAIL: &str = "\"'><img src=x onerror=alert(1)></style></title></details>--><script>alert(1)</script>]]>&amp;&#0;\
                    \u{1b}[2J\u{1b}]0;t\u{7}\u{0}\u{85}\u{202e}\u{2066}\u{2028}\u{fffe}|x|`[a](b) ![i](http://x/i.png) {{ style }}\n\
                    # heading\n::set-output name=a::b\n##[error]x\n- { yaml: [1, *x] }: !!x\n=1+1\r\n\\\"%0A::warning::,:";

/// Evil texts by what they begin with, each with a word of 10 kB.
fn evils() -> [String; 4] {
    ["=cmd|' /C calc'!A0", "\t@SUM(A1)", "- [x]: y", "<b onmouseover='x'>"]
        .map(|head| format!("{head}{TAIL}{}", "e\u{5d0}".repeat(5_000)))
}

/// A text of the same length that harms nobody.
fn innocent(evil: &str) -> String {
    "plain words ".chars().cycle().take(evil.chars().count()).collect()
}

/// Puts the text in the place of each text of a value that may be any: where the whole is still what it must be.
fn put(value: &mut Value, text: &str, is_one: &dyn Fn(&Value) -> bool) -> usize {
    fn paths(value: &Value, here: String, found: &mut Vec<String>) {
        match value {
            Value::String(_) => found.push(here),
            Value::Array(all) => all.iter().enumerate().for_each(|(i, one)| paths(one, format!("{here}/{i}"), found)),
            Value::Object(all) => all.iter().for_each(|(name, one)| {
                let name = name.replace('~', "~0").replace('/', "~1");
                paths(one, format!("{here}/{name}"), found);
            }),
            _ => {}
        }
    }
    let mut found = Vec::new();
    paths(value, String::new(), &mut found);
    let mut changed = 0;
    for path in found {
        let place = value.pointer_mut(&path).unwrap();
        let before = std::mem::replace(place, text.into());
        match is_one(value) {
            true => changed += 1,
            false => *value.pointer_mut(&path).unwrap() = before,
        }
    }
    changed
}

/// The record with this text in the place of each of its texts that may be any, its events' too.
fn with_every_text(record: &Record, text: &str) -> Record {
    let mut value = serde_json::to_value(Record { events: Vec::new(), ..record.clone() }).unwrap();
    let changed = put(&mut value, text, &|value| serde_json::from_value::<Record>(value.clone()).is_ok());
    assert!(changed > 60, "{changed} texts");
    let mut all: Record = serde_json::from_value(value).unwrap();
    let mut told = 0;
    all.events = record.events.iter().map(|event| with_text(event, text, &mut told)).collect();
    assert!(told > 10, "{told} texts of events");
    all
}

fn with_text(event: &Event, text: &str, changed: &mut usize) -> Event {
    let mut value = serde_json::to_value(event).unwrap();
    *changed += put(&mut value, text, &|value| serde_json::from_value::<Event>(value.clone()).is_ok());
    serde_json::from_value(value).unwrap()
}

fn records(text: &str) -> Vec<Record> {
    let drills = [Drill::corrupt_latest(), Drill::silently_wrong(), Drill::refused(true)];
    let with_commands = |drill: Drill| {
        let mut inputs = drill.inputs();
        inputs.events.push(command());
        with_every_text(&measure::record(inputs), text)
    };
    drills.map(with_commands).into()
}

/// A command that failed, with all that can be told of one.
fn command() -> Event {
    let ran = json!({
        "event": "ran", "role": "backup", "command": "./backup.sh", "ended": { "not-started": "why" },
        "at": "2026-11-02T03:00:05Z", "took": { "measured_ms": 5 }, "scenario_time": true, "printed_bytes": 9,
        "last_lines": ["said"], "left_running": ["sleep 9"], "wrote_outside": ["/tmp/x"],
    });
    serde_json::from_value(ran).unwrap()
}

fn matrix(text: &str) -> Matrix {
    let one = || text.to_owned();
    let cell = |caught| Cell {
        family: Family::Network,
        fault: one(),
        mode: one(),
        service: one(),
        caught,
        outcome: None,
        evidence: one(),
    };
    let cells: Vec<Cell> = Caught::ALL.into_iter().map(cell).collect();
    let (score, way) = (Score::of(cells.iter()), Way::Simulated);
    let of = Subject { tool_version: one(), platform: one(), plan_sha256: one(), pipeline: one(), seed: 7, way };
    let controls = vec![Control { service: one(), green: false, evidence: one() }];
    let families = vec![FamilyScore { family: Family::Network, score }];
    Matrix { format: MATRIX_FORMAT.into(), of, controls, cells, families, score }
}

/// Every page, paper and file that is written of drills in which this text stands wherever it may; by name.
fn written(records: &[Record], text: &str) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let matrix = matrix(text);
    for language in [Language::English, Language::Korean] {
        let options = Options { language, ..Options::default() };
        let run = Run { matrix: Some(&matrix), key: Some(text), ..Run::of(records) };
        for format in CATALOGUE {
            let name = format!("{} {} {}", format.name(), language.tag(), format.file());
            all.insert(name, format.render(&run, &options));
        }
        let report = period(records, text);
        for format in &of_period::FORMATS {
            let page = of_period::Page { of: &report, key: Some(text) };
            all.insert(format!("compliance {} {}", language.tag(), format.file), (format.render)(&page, &options));
        }
    }
    all.insert("matrix.html".into(), heat::html(&matrix));
    all.insert("matrix.md".into(), heat::markdown(&matrix));
    all.insert("matrix".into(), heat::terminal(&matrix, &Options::default()));
    for (number, record) in records.iter().enumerate() {
        let papers = incident::documents(record).unwrap();
        all.extend(papers.into_iter().map(|paper| (format!("incident {number} {}", paper.name), paper.text)));
    }
    assert!(all.len() > 45, "{} files", all.len());
    all
}

fn period(records: &[Record], text: &str) -> model::compliance::Compliance {
    let summary = |record| Summary { run_at: Some("2026-02-03T03:00:00Z".parse().unwrap()), ..Summary::of(record) };
    let known: Vec<Known> = records
        .iter()
        .map(|record| Known { sequence: Some(1), record_sha256: text.to_owned(), summary: summary(record) })
        .collect();
    let one = || text.to_owned();
    let (due, status) = (jiff::civil::date(2026, 1, 1), ActionStatus::Open);
    let assigned =
        Action { finding: one(), service: None, scenario: None, owner: one(), due, status, note: Some(one()) };
    let idle = Action { finding: format!("idle {text}"), ..assigned.clone() };
    compliance(&Inputs {
        plan: &records[0].plan,
        plan_sha256: text,
        tool_version: text,
        from: jiff::civil::date(2026, 1, 1),
        to: jiff::civil::date(2026, 4, 1),
        made_at: "2026-03-10T03:00:00Z".parse().unwrap(),
        known: &known,
        unchecked: 0,
        playable: &[Playable { id: format!("never {text}"), sha256: one() }],
        actions: &[assigned, idle],
        head: None,
        source: Source::default(),
    })
}

/// Tags of a page with the names of their attributes.
fn tags(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    for part in
        page.split('<').skip(1).filter(|part| part.starts_with(|c: char| c.is_ascii_alphabetic() || "/!?".contains(c)))
    {
        let (mut tag, mut quoted) = (String::new(), None);
        for c in part.chars() {
            match (quoted, c) {
                (None, '>') => break,
                (None, '"' | '\'') => quoted = Some(c),
                (Some(quote), c) if quote == c => quoted = None,
                (None, c) => tag.push(c),
                (Some(_), _) => {}
            }
        }
        found.push(tag);
    }
    found
}

/// Control characters, marks that turn the direction of writing, and what is no character.
fn is_foul(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{fffe}')
}

fn is_formula(cell: &str) -> bool {
    cell != "-" && cell.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}

/// What Markdown makes of a page: its headings and links.
fn marks(page: &str) -> (usize, usize) {
    let links = page.replace("\\\\", "").replace("\\]", "").matches("](").count();
    (page.lines().filter(|line| line.starts_with('#')).count(), links)
}

#[test]
fn hostile_text_comes_out_harmless_in_every_format_and_language() {
    for evil in evils() {
        let plain = innocent(&evil);
        let (foul, clean) = (records(&evil), records(&plain));
        let (foul, clean) = (written(&foul, &evil), written(&clean, &plain));
        for ((name, page), innocent) in foul.iter().zip(clean.values()) {
            harmless(name, page, innocent);
            let (size, most) = (page.len(), innocent.len() * 6 + (64 << 10));
            assert!(size < most, "{name}: {size} bytes where {} tell the same", innocent.len());
        }
    }
}

fn harmless(name: &str, page: &str, innocent: &str) {
    let foul = page.chars().find(|c| is_foul(*c));
    let ending = name.rsplit(['.', ' ']).next().unwrap();
    match ending {
        // For programs: all is there, and can be taken for nothing but text.
        "json" => {
            assert!(!page.contains(|c: char| c.is_ascii_control() && c != '\n'), "{name}");
            serde_json::from_str::<Value>(page).unwrap_or_else(|e| panic!("{name}: {e}"));
            return;
        }
        "html" => assert!(tags(page) == tags(innocent), "{name}: a text makes a tag or an attribute"),
        "md" => {
            assert_eq!(tags(page), tags(innocent), "{name}: a text makes a tag");
            assert_eq!(marks(page), marks(innocent), "{name}: headings and links");
            let is_command = |line: &str| line.trim_start().starts_with("::") || line.contains("##[");
            assert!(!page.lines().any(is_command), "{name}: a runner takes a line for a command");
        }
        "xml" => {
            let read = quick_junit::Report::deserialize_from_str(page).unwrap_or_else(|e| panic!("{name}: {e}"));
            let told = quick_junit::Report::deserialize_from_str(innocent).unwrap();
            assert_eq!((read.tests, read.failures, read.errors), (told.tests, told.failures, told.errors), "{name}");
        }
        "csv" => {
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(page.as_bytes());
            for row in reader.records() {
                let row = row.unwrap();
                assert!(row.len() == 9 && !row.iter().any(is_formula), "{name}: {row:?}");
            }
        }
        "prom" | "txt" => {
            let is_ours = |line: &str| line.starts_with("backdraft_") || line.starts_with("# ");
            assert!(name.starts_with("terminal") || page.lines().all(is_ours), "{name}");
            let ends = page.lines().filter(|line| line.starts_with("# EOF")).count();
            assert!(name.starts_with("terminal") || ends == 1, "{name}: {ends} ends");
        }
        _ => {}
    }
    assert_eq!(foul, None, "{name}");
}

/// A secret of each kind, put together here so that no scanner takes this file for a leak; each with a part of it that
/// must be nowhere.
fn secrets() -> Vec<(String, String)> {
    const RANDOM: &str = "4Kq9ZtW2bX7mRv1LpDf8sHj3Nc6YgUe5TaQoViBw0ExMkCzJyGhFrPdSnAlOuI";
    let random = |n: usize| &RANDOM[..n];
    let upper = RANDOM.to_ascii_uppercase();
    let of = |parts: &[&str], core: &str| (parts.concat(), core.to_owned());
    vec![
        of(
            &["-----BEGIN RSA PRIVATE", " KEY-----\nMIIEow", random(30), "\n-----END RSA PRIVATE", " KEY-----"],
            random(30),
        ),
        of(&["prod:happy-otter-123|", random(40)], random(40)),
        of(&["sk_li", "ve_", random(40)], random(40)),
        of(&["whs", "ec_", random(32)], random(32)),
        of(&["AK", "IA", &upper[..16]], &upper[..16]),
        of(&["gh", "p_", random(36)], random(36)),
        of(&["github_", "pat_", random(62)], random(62)),
        of(&["gl", "pat-", random(20)], random(20)),
        of(&["xo", "xb-", random(30)], random(30)),
        of(&["https://hooks.slack", ".com/services/", "T0A/B0A/", random(30)], random(30)),
        of(&["snt", "rys_", random(50)], random(50)),
        of(&["np", "m_", random(36)], random(36)),
        of(&["S", "G.", random(22), ".", random(43)], random(22)),
        of(&["sk-", "ant-", random(50)], random(50)),
        of(&["sk-", "proj-", random(50)], random(50)),
        of(&["eyJ", random(24), ".eyJ", random(30), ".", random(40)], random(24)),
        of(&["postgres://app:hunt", "er22@db.internal/main"], &["hunt", "er22"].concat()),
        of(&["it said PAYMENT_API_KEY=", random(32)], random(32)),
    ]
}

#[test]
fn no_secret_of_any_kind_is_told_in_any_format() {
    for (secret, core) in secrets() {
        let told = format!("it failed with {secret} in hand");
        let records: Vec<Record> = records(&told);
        assert!(serde_json::to_string(&records).unwrap().contains(&core));
        let clean = without_secrets(records).unwrap();
        assert!(clean.changed && !clean.renamed);
        for (name, page) in written(&clean.value, "plain") {
            assert!(!page.contains(&core), "{name}: {core}");
        }
        let json = serde_json::to_string(&clean.value).unwrap();
        assert!(!json.contains(&core) && json.contains("it failed with ") && json.contains(" in hand"), "{core}");
    }
}

#[test]
fn drills_in_which_nothing_is_secret_lose_nothing() {
    let drills = [Drill::control(), Drill::corrupt_latest(), Drill::refused(true), Drill::streamed()];
    for drill in drills {
        assert!(!without_secrets(measure::record(drill.inputs())).unwrap().changed);
    }
}

/// Every file below a folder that holds the text.
fn holding(dir: &Path, core: &str, found: &mut Vec<String>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => holding(&path, core, found),
            false if String::from_utf8_lossy(&fs::read(&path).unwrap()).contains(core) => {
                found.push(path.display().to_string());
            }
            false => {}
        }
    }
}

#[test]
fn a_run_whose_plan_and_scenario_hold_secrets_tells_none_and_its_record_is_played_again_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let all: Vec<String> = secrets().into_iter().map(|(secret, _)| secret).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let plan = fs::read_to_string(root.join("fixtures/hooklabs/plan.yaml")).unwrap();
    let platform = plan.lines().find(|line| line.starts_with("platform:")).unwrap();
    fs::write(at("plan.yaml"), plan.replace(platform, &format!("platform: {}", json!(all.join(" "))))).unwrap();
    let scenario = fs::read_to_string(root.join("scenarios/database/control.yaml")).unwrap();
    let mut told = String::new();
    for line in scenario.lines() {
        let (name, indent) = (line.trim_start().split(':').next().unwrap(), line.len() - line.trim_start().len());
        match name {
            "title" | "proves" | "cause" => {
                told += &format!("{}{name}: {}\n", " ".repeat(indent), json!(format!("lost {}", all.join("; "))));
            }
            _ => told += &format!("{line}\n"),
        }
    }
    fs::create_dir(at("scenarios")).unwrap();
    fs::write(at("scenarios/leaky.yaml"), told).unwrap();
    let run = |args: &[&str]| {
        let mut run = Command::new(env!("CARGO_BIN_EXE_backdraft"));
        let ended = run.args(args).current_dir(folder.path()).env("BACKDRAFT_LOG", "debug").output().unwrap();
        let said = String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).into_owned();
        (ended.status.code(), said)
    };
    let (plan, out, history) = (at("plan.yaml"), at("out"), at("history"));
    let how = ["--simulate", "--incident", "--keep", "--plan", &plan, "--out", &out, "--history", &history];
    let (code, mut said) = run(&[&["run", &at("scenarios")][..], &how].concat());
    assert_eq!(code, Some(0), "{said}");
    let record = at("out/records/leaky.json");
    let (code, again) = run(&["replay", &record]);
    assert!(code == Some(0) && again.contains("the record is the same to the byte"), "{again}");
    said += &again;
    for name in ["plan.yaml", "scenarios/leaky.yaml"] {
        fs::remove_file(at(name)).unwrap();
    }
    assert!(fs::read_to_string(&record).unwrap().contains("[REDACTED: an AWS access key]"));
    for (secret, core) in secrets() {
        let mut found = Vec::new();
        holding(folder.path(), &core, &mut found);
        assert!(found.is_empty() && !said.contains(&core), "{secret}: {found:?}");
    }
}
