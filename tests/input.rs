//! Input files: every defect has its fixture and the exact text that people read; nothing that a file holds panics.
#![allow(clippy::unwrap_used)]

use std::{fs, path::Path};

use backdraft::{
    error::Error,
    input::{
        lint::lint,
        load::{Loaded, load_plan, load_scenario},
        schema::schemas,
        validate::{self, FaultInfo},
    },
    model::plan::{Plan, ServiceKind},
};
use proptest::prelude::*;

const PLAN: &str = "fixtures/hooklabs/plan.yaml";
const SOUND: &str = "fixtures/plans/sound.yaml";

/// Faults as a catalogue might list them; the fixtures know these.
fn faults() -> Vec<FaultInfo> {
    vec![
        FaultInfo {
            name: "corrupt-json",
            modes: vec!["truncated", "bracket-lost"],
            takes_generations: true,
            needs_points: true,
            parameters: vec![],
            kinds: vec![ServiceKind::Database, ServiceKind::Files],
            on_commands: vec![],
            on_deployments: vec![],
        },
        FaultInfo {
            name: "missing-backup",
            modes: vec!["latest-deleted"],
            takes_generations: true,
            needs_points: true,
            parameters: vec![],
            kinds: vec![ServiceKind::Database, ServiceKind::Files],
            on_commands: vec![],
            on_deployments: vec![],
        },
        FaultInfo {
            name: "region-outage",
            modes: vec!["refused", "black-holed", "slow-link"],
            takes_generations: false,
            needs_points: false,
            parameters: vec!["latency"],
            kinds: vec![ServiceKind::Database, ServiceKind::Files, ServiceKind::Config],
            on_commands: vec![],
            on_deployments: vec![],
        },
        FaultInfo {
            name: "bad-deploy",
            modes: vec!["broken-build"],
            takes_generations: false,
            needs_points: false,
            parameters: vec![],
            kinds: vec![ServiceKind::WebApplication],
            on_commands: vec![],
            on_deployments: vec![],
        },
    ]
}

fn plan() -> Plan {
    load_plan(PLAN).unwrap().value
}

/// Everything that is wrong with a scenario file.
fn errors(path: impl AsRef<Path>, plan: &Plan) -> Vec<Error> {
    match load_scenario(path) {
        Ok(loaded) => validate::scenario(&loaded, plan, &faults()),
        Err(error) => vec![error],
    }
}

fn shown(errors: &[Error]) -> String {
    errors.iter().map(Error::to_string).collect::<Vec<_>>().join("\n")
}

fn files(folder: &str) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|e| e == "yaml")).collect();
    files.sort();
    files
}

#[test]
fn every_bad_input_gets_its_own_clear_error() {
    let plan = plan();
    for path in files("fixtures/inputs") {
        let errors = errors(&path, &plan);
        assert!(!errors.is_empty(), "{} was accepted", path.display());
        let name = format!("bad-{}", path.file_stem().unwrap().to_string_lossy());
        insta::assert_snapshot!(name, shown(&errors));
    }
}

#[test]
fn what_is_no_readable_file_is_refused_in_words() {
    let paths = ["fixtures/inputs/there-is-no-such-file.yaml", "fixtures/inputs", "fixtures/inputs/a-list.yaml/x"];
    let mut errors: Vec<Error> = paths.map(|path| load_scenario(path).unwrap_err()).into();
    errors.push(load_plan("fixtures/inputs/there-is-no-such-file.yaml").unwrap_err());
    if cfg!(unix) {
        errors.push(load_scenario("/dev/zero").unwrap_err());
    }
    insta::assert_snapshot!("bad-path", shown(&errors));
}

#[test]
fn a_file_of_100_mb_is_refused_before_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("oversized.yaml");
    // Sparse: it takes no room, and reading it would take 100 MB of memory.
    fs::File::create(&path).unwrap().set_len(100_000_000).unwrap();
    let text = load_scenario(&path).unwrap_err().to_string();
    insta::assert_snapshot!("bad-oversized", text.replace(&path.display().to_string(), "oversized.yaml"));
}

#[test]
fn valid_scenarios_are_accepted_and_carry_their_digest() {
    let plan = plan();
    let files = files("fixtures/inputs/valid");
    assert_eq!(files.len(), 3);
    for path in files {
        assert_eq!(shown(&errors(&path, &plan)), "", "{}", path.display());
    }
    // sha256sum of the file, so that a record can be held against it.
    let loaded = load_scenario("fixtures/inputs/valid/control.yaml").unwrap();
    assert_eq!(loaded.sha256.len(), 64);
    assert_eq!(loaded.sha256, CONTROL_SHA256);
}

const CONTROL_SHA256: &str = "d105c7726fb5eec1e5e98d967f14f51c11291b89b6564801c5311a0e4c9041c1";

#[test]
fn the_hooklabs_plan_is_valid_and_its_weaknesses_are_found() {
    let plan = load_plan(PLAN).unwrap();
    assert_eq!(shown(&validate::plan(&plan)), "");
    let weaknesses = lint(&plan);
    let text = weaknesses.iter().map(|w| {
        let severity = w.severity.words();
        format!("{} {severity} {}\n  {}\n  why: {}\n  remedy: {}\n", w.place, w.id, w.what, w.why, w.remedy)
    });
    insta::assert_snapshot!("hooklabs-weaknesses", text.collect::<String>());
}

#[test]
fn the_sound_plan_is_valid() {
    assert_eq!(shown(&validate::plan(&load_plan(SOUND).unwrap())), "");
}

/// The sound plan with one text replaced by another, read from a file.
fn edited(from: &str, to: &str) -> Result<Loaded<Plan>, Error> {
    let text = fs::read_to_string(SOUND).unwrap();
    assert!(text.contains(from), "{from}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.yaml");
    fs::write(&path, text.replacen(from, to, 1)).unwrap();
    load_plan(&path)
}

#[test]
fn every_defect_of_a_plan_is_found_at_its_place() {
    let defects = [
        ("format: backdraft.plan/1", "format: backdraft.plan/2"),
        ("platform: Sound", "platform: \"\""),
        ("    data: [orders, invoices]", "    data: []"),
        ("schedule: [daily]", "schedule: [fortnightly]"),
        ("    service: database", "    service: databse"),
        ("rto: 2 h", "rto: 0 min"),
        ("rto: 2 h", "rto: 99999 weeks"),
        ("      every: daily\n      at: \"03:00\"", "      every: daily"),
        ("prefix: database/", "prefix: ../database"),
        ("  1:\n", "  one:\n"),
        ("name: Everything is lost", "name: \" \""),
        ("retention: 30 days", "retention: 12 h"),
        ("retention: 30 days", "retention: 30"),
        ("name: us-east-1", "name: eu-west-1"),
        ("bucket: sound-us-east-1", "bucket: sound-eu-west-1"),
        ("bucket: sound-us-east-1", "bucket: Sound_Bucket"),
        (
            "regions:\n  - name: eu-west-1\n    bucket: sound-eu-west-1\n    lock: { mode: compliance, keep: 14 days }\n  - name: us-east-1\n    bucket: sound-us-east-1",
            "regions: []",
        ),
        ("keep: 14 days", "keep: 36 h"),
        ("mode: compliance", "mode: firm"),
        ("check_every: 1 h", "check_every: 0 min"),
        ("min_size: 1 MiB", "min_size: 1 MB"),
    ];
    let found = defects.map(|(from, to)| {
        let errors = match edited(from, to) {
            Ok(plan) => validate::plan(&plan),
            Err(error) => vec![error],
        };
        assert!(!errors.is_empty(), "`{to}` was accepted");
        let place = |e: &Error| e.place.clone().unwrap().rsplit('/').next().unwrap().to_owned();
        let texts = errors.into_iter().map(|e| Error { place: Some(place(&e)), ..e }.to_string());
        format!("{to}\n{}\n", texts.collect::<Vec<_>>().join("\n"))
    });
    insta::assert_snapshot!("bad-plans", found.join("\n"));
}

#[test]
fn what_a_plan_says_of_an_incident_is_held_against_its_services() {
    let text = "platform: Sound\n\
        components:\n  \
          - { name: Shop, depends_on: [databse], degraded_without: [database] }\n  \
          - { name: Shop, depends_on: [database], degraded_without: [database] }\n  \
          - { name: \" \", name_ko: \"\", depends_on: [database] }\n  \
          - { name: Nothing }\n\
        contacts:\n  \
          - { name: A, address: a@example.com, kind: team, call: { after: 99999 weeks } }\n  \
          - { name: B, address: b@example.com, kind: team, call: { after: 5 min, for: [database, databas] } }";
    let errors = validate::plan(&edited("platform: Sound", text).unwrap());
    let place = |e: &Error| e.place.clone().unwrap().rsplit('/').next().unwrap().to_owned();
    let texts = errors.into_iter().map(|e| Error { place: Some(place(&e)), ..e }.to_string());
    insta::assert_snapshot!("bad-incident", texts.collect::<Vec<_>>().join("\n"));
}

#[test]
fn committed_schemas_are_those_of_the_types() {
    for (name, schema) in schemas() {
        let path = format!("docs/schema/{name}.json");
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            fs::create_dir_all("docs/schema").unwrap();
            fs::write(&path, &schema).unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == schema, "{path} has drifted; run UPDATE_SCHEMAS=1 cargo test --test input schemas");
    }
}

#[test]
fn a_time_zone_that_is_not_in_the_database_is_refused_with_the_one_meant() {
    let plan = edited("time_zone: UTC", "time_zone: Asia/Seuol").unwrap();
    let text = shown(&validate::plan(&plan));
    // A machine without a time zone database cannot tell, and refuses nothing.
    let known = !jiff::tz::db().is_definitively_empty();
    assert_eq!(
        text.contains(":7:12: there is no time zone `Asia/Seuol`\n  help: did you mean `Asia/Seoul`?"),
        known,
        "{text}"
    );
}

/// A way to spoil a text.
#[derive(Debug, Clone)]
enum Spoil {
    Byte(prop::sample::Index, u8),
    Remove(prop::sample::Index, usize),
    Insert(prop::sample::Index, &'static str),
    RepeatLine(prop::sample::Index),
    SwapWords(prop::sample::Index, prop::sample::Index),
}

fn spoil() -> impl Strategy<Value = Spoil> {
    let index = any::<prop::sample::Index>;
    let snippets = [
        "&a ",
        "*a",
        "[",
        "{",
        "}",
        "- ",
        ": ",
        "\t",
        "\n",
        "---\n",
        "-",
        "0",
        "99999999999999999999",
        "~",
        "!!int ",
        "<<: ",
        "\"",
        "'",
        "|",
        "day ",
        "%",
        "\u{feff}",
        "é",
        "# ",
        "? ",
        "18446744073709551615 ms",
        "[].x",
        "{newest: 1}",
    ];
    prop_oneof![
        (index(), any::<u8>()).prop_map(|(at, byte)| Spoil::Byte(at, byte)),
        (index(), 1..40usize).prop_map(|(at, length)| Spoil::Remove(at, length)),
        (index(), prop::sample::select(snippets.to_vec())).prop_map(|(at, text)| Spoil::Insert(at, text)),
        index().prop_map(Spoil::RepeatLine),
        (index(), index()).prop_map(|(a, b)| Spoil::SwapWords(a, b)),
    ]
}

fn spoiled(text: &str, how: &[Spoil]) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for spoil in how {
        // An index needs something to point at.
        bytes.push(b'\n');
        match spoil {
            Spoil::Byte(at, byte) => {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            Spoil::Remove(at, length) => {
                let from = at.index(bytes.len());
                bytes.drain(from..bytes.len().min(from + length));
            }
            Spoil::Insert(at, text) => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, text.bytes());
            }
            Spoil::RepeatLine(at) => {
                let lines: Vec<&[u8]> = bytes.split_inclusive(|b| *b == b'\n').collect();
                let line = at.index(lines.len());
                bytes = [&lines[..=line], &lines[line..]].concat().concat();
            }
            Spoil::SwapWords(a, b) => {
                let mut words: Vec<&[u8]> = bytes.split_inclusive(|b| *b == b' ').collect();
                let (a, b) = (a.index(words.len()), b.index(words.len()));
                words.swap(a, b);
                bytes = words.concat();
            }
        }
    }
    bytes
}

/// Reads the bytes as a scenario and as a plan; whatever they hold, every error has a place.
fn survives(bytes: &[u8]) -> Result<(), TestCaseError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("input.yaml");
    fs::write(&path, bytes).unwrap();
    let mut found = Vec::new();
    match load_plan(&path) {
        Ok(plan) => {
            found.extend(validate::plan(&plan));
            lint(&plan);
        }
        Err(error) => found.push(error),
    }
    found.extend(errors(&path, &plan()));
    for error in found {
        prop_assert!(error.place.is_some(), "{error}");
        let text = error.to_string();
        prop_assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    }
    Ok(())
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        survives(&bytes)?;
    }

    #[test]
    fn random_yaml_like_text_never_panics(text in "[-a-c0-9:{}\\[\\],&*!|>'\"%@#?~ \n\t]{0,200}") {
        survives(text.as_bytes())?;
    }

    #[test]
    fn a_spoiled_scenario_or_plan_never_panics(
        file in prop::sample::select(vec![
            "fixtures/inputs/valid/control.yaml",
            "fixtures/inputs/valid/corrupt-latest.yaml",
            "fixtures/inputs/valid/outage-during-fetch.yaml",
            PLAN,
            SOUND,
        ]),
        how in prop::collection::vec(spoil(), 1..6),
    ) {
        survives(&spoiled(&fs::read_to_string(file).unwrap(), &how))?;
    }
}

/// The HookLabs plan with texts replaced, and everything that is wrong with it.
fn hooklabs_with(edits: &[(&str, &str)]) -> String {
    let text = edits.iter().fold(fs::read_to_string(PLAN).unwrap(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.yaml");
    fs::write(&path, text).unwrap();
    let above = format!("{}/", folder.path().display());
    shown(&validate::plan(&load_plan(&path).unwrap())).replace(&above, "")
}

#[test]
fn services_that_wait_for_each_other_are_named_as_a_circle_once_each() {
    let database = "depends_on: [config] # ours: addresses and keys come first";
    let files = "depends_on: [config] # ours, as for the database";
    let config = "      prefix: config/ # ours\n";
    let needs = |what: &str| format!("{config}    depends_on: [{what}]\n");
    let told = [
        hooklabs_with(&[(database, "depends_on: [database]")]),
        hooklabs_with(&[(config, &needs("database"))]),
        hooklabs_with(&[(database, "depends_on: [files]"), (config, &needs("database"))]),
        hooklabs_with(&[(database, "depends_on: [files]"), (files, "depends_on: [database]"), (config, &needs("web"))]),
    ];
    insta::assert_snapshot!("bad-circles", told.join("\n\n"));
}

#[test]
fn services_that_share_a_folder_of_a_bucket_are_refused() {
    let config = "prefix: config/ # ours";
    let told = [
        hooklabs_with(&[(config, "prefix: convex/daily/")]),
        hooklabs_with(&[(config, "prefix: convex/")]),
        hooklabs_with(&[(config, "prefix: convex/daily/config/")]),
        hooklabs_with(&[(config, "prefix: full/config/")]),
        hooklabs_with(&[("      prefix: config/ # ours\n", ""), ("      prefix: convex/daily/\n", "")]),
        hooklabs_with(&[("prefix: files/ #", "prefix: incremental/ #")]),
    ];
    insta::assert_snapshot!("bad-folders", told.join("\n\n"));
    // A release lies in no bucket, and a name that begins like another is no folder in it.
    assert_eq!(hooklabs_with(&[("prefix: web/ # ours", "prefix: convex/daily/")]), "");
    assert_eq!(hooklabs_with(&[(config, "prefix: convex-config/")]), "");
}
