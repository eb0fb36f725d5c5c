//! The catalogue of faults as a page, and as a set: docs/faults.md is made from it, and no fault leaks from one drill into
//! the next.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::{collections::BTreeMap, fmt::Write, fs};

use backdraft::{
    explore::trials,
    fault::{self, Fault},
    model::{plan::ServiceKind, record::Way},
};

mod kit;

/// The page, family by family.
fn page() -> String {
    let mut page = format!(
        "# Faults\n\nMade from the catalogue by `UPDATE_GOLDEN=1 cargo test --test catalogue`: {} faults in {} families. Where \
         each is caught: [the detection matrix](detection-matrix.md). How to add one: [adding a fault](adding-a-fault.md).\n",
        fault::all().count(),
        fault::CATALOGUE.len()
    );
    for (family, faults) in fault::CATALOGUE {
        let words = family.words();
        write!(page, "\n## {}{}\n", words[..1].to_uppercase(), &words[1..]).unwrap();
        for fault in *faults {
            section(&mut page, *fault);
        }
    }
    page
}

fn section(page: &mut String, fault: &dyn Fault) {
    let kinds: Vec<&str> =
        ServiceKind::ALL.iter().filter(|kind| fault.is_for(**kind)).map(|kind| kind.words()).collect();
    write!(page, "\n### `{}`\n\n{}. Strikes: {}.\n\n", fault.name(), capital(fault.summary()), kinds.join(", "))
        .unwrap();
    page.push_str("| mode | what it changes |\n|---|---|\n");
    for mode in fault.modes() {
        writeln!(page, "| `{}` | {} |", mode.name, cell(mode.summary)).unwrap();
    }
    if !fault.parameters().is_empty() {
        page.push_str("\n| parameter | what it means |\n|---|---|\n");
    }
    for parameter in fault.parameters() {
        writeln!(page, "| `{}` | {} |", parameter.name, cell(parameter.summary)).unwrap();
    }
    write!(page, "\n```yaml\n{}\n```\n", fault.example().trim_end()).unwrap();
}

fn capital(text: &str) -> String {
    format!("{}{}", text[..1].to_uppercase(), &text[1..])
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[test]
fn the_page_of_faults_is_that_of_the_catalogue() {
    let path = kit::root().join("docs/faults.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, page()).unwrap();
    }
    let same = fs::read_to_string(&path).unwrap_or_default() == page();
    assert!(same, "docs/faults.md has drifted; run UPDATE_GOLDEN=1 cargo test --test catalogue");
}

/// Every seventh trial, in three orders: in that of the catalogue, backwards, and from the middle outwards.
#[test]
fn no_fault_leaks_into_the_next_drill_whatever_the_order() {
    let plan = kit::plan();
    let mut tried: Vec<_> = trials::of_plan(&plan, |_, _, _| true).into_iter().step_by(7).collect();
    assert!(tried.len() > 30);
    let play = |tried: &[trials::Tried]| -> BTreeMap<String, String> {
        let verdict = |one: &trials::Tried| {
            let record = kit::play(&one.id, &plan, &one.scenario, 42, Way::Simulated, Vec::new());
            let alarms = record.alarms.len();
            format!("{:?} {:?} {alarms} alarms: {}", record.result.outcome, record.result.result, record.result.why)
        };
        tried.iter().map(|one| (one.id.clone(), verdict(one))).collect()
    };
    let in_order = play(&tried);
    tried.reverse();
    assert_eq!(play(&tried), in_order, "backwards");
    let middle = tried.len() / 2;
    tried.rotate_left(middle);
    assert_eq!(play(&tried), in_order, "from the middle");
}
