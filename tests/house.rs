//! The shape of the house is a test: who may import whom (docs/ARCHITECTURE.md), how large a room may grow, and that
//! every file says what it is for.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// What each room may import, besides itself. `x::contract` means that file of the room and nothing else of it.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("exit", &[]),
    ("model", &[]),
    ("sim", &["model"]),
    ("environment", &["sim", "model"]),
    ("emulator", &["service::contract", "archive", "environment", "sim", "model"]),
    ("store", &["emulator", "sim", "model"]),
    ("provider", &["emulator", "sim", "model"]),
    ("archive", &["service::contract", "sim", "model"]),
    ("process", &["sim", "model"]),
    (
        "service",
        &["store::contract", "provider::contract", "emulator", "archive", "environment", "process", "sim", "model"],
    ),
    (
        "pipeline",
        &[
            "store::contract",
            "provider::contract",
            "service::contract",
            "archive",
            "environment",
            "process",
            "sim",
            "model",
        ],
    ),
    ("fault", &["store::contract", "emulator", "environment", "sim", "model"]),
    ("check", &["store::contract", "service::contract", "emulator", "environment", "sim", "model"]),
    ("monitor", &["store::contract", "archive", "sim", "model"]),
    ("verify", &["store::contract", "service::contract", "archive", "sim", "model"]),
    (
        "engine",
        &[
            "pipeline::contract",
            "service::contract",
            "store::contract",
            "fault::contract",
            "check::contract",
            "monitor",
            "emulator",
            "process",
            "sim",
            "model",
        ],
    ),
    ("history", &["store::contract", "error", "sim", "model"]),
    ("explore", &["fault::contract", "sim", "model"]),
    ("measure", &["model", "exit"]),
    ("report", &["model"]),
    ("incident", &["report", "model"]),
    ("input", &["model", "error"]),
    ("evidence", &["model", "error"]),
    (
        "assembly",
        &[
            "archive", "check", "emulator", "engine", "error", "fault", "model", "monitor", "pipeline", "process",
            "provider", "service", "sim", "store",
        ],
    ),
    ("serve", &["assembly", "emulator", "engine", "error", "fault", "incident", "input", "model", "sim"]),
    (
        "cli",
        &[
            "archive",
            "assembly",
            "emulator",
            "engine",
            "environment",
            "error",
            "evidence",
            "exit",
            "explore",
            "fault",
            "history",
            "incident",
            "input",
            "measure",
            "model",
            "monitor",
            "report",
            "serve",
            "process",
            "sim",
            "store::contract",
            "verify",
        ],
    ),
];

/// Implementations: names below a room that its contract does not include.
const IMPLEMENTATIONS: &[&str] = &[
    "store::s3",
    "store::direct",
    "provider::http",
    "provider::direct",
    "service::database",
    "service::files",
    "service::config",
    "service::web",
    "service::probed",
    "pipeline::reference",
    "pipeline::files",
    "pipeline::sync",
    "pipeline::release",
    "pipeline::command",
];

/// Lines of a source file, its tests not counted.
const LONGEST_FILE: usize = 400;

fn sources() -> Vec<PathBuf> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    found.sort();
    found
}

/// A file's own code: what stands before its tests.
fn code_of(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.split("#[cfg(test)]").next().unwrap_or_default().to_owned()
}

fn room_of(path: &Path) -> String {
    let below = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
    let first = below.iter().next().unwrap().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

fn is_tests(path: &Path) -> bool {
    path.iter().any(|part| {
        part == "tests" || part == "tests.rs" || part == "testing" || part == "testing.rs" || part == "fake.rs"
    }) || path.to_string_lossy().ends_with("_tests.rs")
}

/// Every `crate::a::b…` path of a file, groups opened up.
fn imports(code: &str) -> Vec<String> {
    let code: String = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join(" ");
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        expand("", &code[at + "crate::".len()..], &mut found);
    }
    found
}

/// Reads one path, or a group of paths in braces, and returns what follows it.
fn expand<'c>(prefix: &str, rest: &'c str, found: &mut Vec<String>) -> &'c str {
    let rest = rest.trim_start();
    if let Some(mut inside) = rest.strip_prefix('{') {
        loop {
            inside = inside.trim_start().trim_start_matches(',').trim_start();
            if let Some(after) = inside.strip_prefix('}') {
                return after;
            }
            if inside.is_empty() {
                return inside;
            }
            inside = expand(prefix, inside, found);
        }
    }
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    if name.is_empty() {
        return rest.get(1..).unwrap_or("");
    }
    let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}::{name}") };
    match after.strip_prefix("::") {
        Some(deeper) => expand(&path, deeper, found),
        None => {
            found.push(path);
            after
        }
    }
}

fn is_allowed(room: &str, import: &str) -> bool {
    let target = import.split("::").next().unwrap();
    if target == room || room == "main" || room == "lib" {
        return true;
    }
    let Some((_, allowed)) = MAY_IMPORT.iter().find(|(name, _)| *name == room) else { return false };
    allowed.iter().any(|allowed| match allowed.strip_suffix("::contract") {
        None => *allowed == target,
        Some(other) => other == target && !IMPLEMENTATIONS.iter().any(|hidden| import.starts_with(hidden)),
    })
}

#[test]
fn every_room_imports_only_what_the_house_allows() {
    let mut wrong = Vec::new();
    for path in sources().iter().filter(|path| !is_tests(path)) {
        let room = room_of(path);
        for import in imports(&code_of(path)) {
            if !is_allowed(&room, &import) {
                wrong.push(format!("{}: {room} may not import {import}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_reader_of_imports_sees_through_groups_and_refuses_what_it_must() {
    let code = "use crate::{model::{event::What, record}, store::s3::S3Store};\nlet x = crate::sim::clock::now();";
    assert_eq!(imports(code), ["model::event::What", "model::record", "store::s3::S3Store", "sim::clock::now"]);
    assert!(is_allowed("pipeline", "store::Store") && !is_allowed("pipeline", "store::s3::S3Store"));
    assert!(!is_allowed("model", "sim::clock::Clock") && !is_allowed("report", "engine::Drill"));
}

#[test]
fn every_file_opens_with_what_it_is_for_and_stays_readable() {
    let mut wrong = Vec::new();
    for path in sources() {
        let code = code_of(&path);
        if !code.starts_with("//! ") {
            wrong.push(format!("{}: does not open with what it is for", path.display()));
        }
        let lines = code.lines().count();
        if lines > LONGEST_FILE && !is_tests(&path) {
            wrong.push(format!("{}: has {lines} lines, more than {LONGEST_FILE}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_room_is_in_the_rules_and_every_rule_has_its_room() {
    let mut rooms: BTreeMap<String, bool> = MAY_IMPORT.iter().map(|(name, _)| ((*name).to_owned(), false)).collect();
    for path in sources() {
        let room = room_of(&path);
        if room != "main" && room != "lib" {
            rooms.insert(room.clone(), true).unwrap_or_else(|| panic!("room {room} has no rule in this test"));
        }
    }
    assert!(rooms.values().all(|exists| *exists), "a rule without a room: {rooms:?}");
}
