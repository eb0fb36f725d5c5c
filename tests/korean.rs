//! Reports in Korean: of every drill that ships, nothing that backdraft says itself is left in English. What a report
//! quotes (titles, names, evidence) is as it was recorded, and is not asked for in the phrase book.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::{
    collections::BTreeSet,
    fmt, fs,
    path::Path,
    sync::{Arc, Mutex},
};

use backdraft::{
    measure::compliance::{Inputs, compliance},
    model::{
        compliance::{Beside, Known, Playable, Source},
        history::{Head, Summary},
        record::{Record, Way},
    },
    report::{
        CATALOGUE, Language, Options, Run,
        compliance::{FORMATS, Page},
    },
};
use jiff::{Timestamp, ToSpan, civil::date, tz::TimeZone};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

mod kit;

/// Sentences that the phrase book did not have.
#[derive(Default)]
struct Missing(BTreeSet<String>);

impl Visit for Missing {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "english" {
            self.0.insert(value.to_owned());
        }
    }
    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

/// Listens to what the phrase book says of itself.
struct Listener(Arc<Mutex<Missing>>);

impl Subscriber for Listener {
    fn enabled(&self, of: &Metadata<'_>) -> bool {
        of.target() == "backdraft::phrase_book"
    }
    fn event(&self, event: &Event<'_>) {
        event.record(&mut *self.0.lock().unwrap());
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

/// Renders, and returns what was missing in the phrase book.
fn missing(render: impl FnOnce()) -> BTreeSet<String> {
    let heard = Arc::default();
    tracing::subscriber::with_default(Listener(Arc::clone(&heard)), render);
    std::mem::take(&mut heard.lock().unwrap().0)
}

fn korean() -> Options {
    Options { language: Language::Korean, ..Options::default() }
}

fn played() -> Vec<Record> {
    let plan = kit::plan();
    let play = |id: &String| kit::play(id, &plan, &kit::scenario(id), 42, Way::Simulated, Vec::new());
    kit::all_scenarios().iter().map(play).collect()
}

#[test]
fn no_sentence_of_any_report_of_any_drill_that_ships_is_missing_in_the_phrase_book() {
    let records = played();
    assert!(records.len() > 100);
    let read = CATALOGUE.iter().filter(|format| format.is_read());
    let missing = missing(|| {
        for format in read {
            format.render(&Run::of(&records), &korean());
        }
    });
    let listed = missing.iter().map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(missing.is_empty(), "add these to src/report/language/ko.po, figures and names as holes:\n{listed}");
}

#[test]
fn a_sentence_without_a_translation_is_noticed_and_stays_readable() {
    let said = Mutex::new(String::new());
    let missing = missing(|| *said.lock().unwrap() = korean().say("Nobody wrote this down").into_owned());
    assert_eq!(missing.into_iter().collect::<Vec<_>>(), ["Nobody wrote this down"]);
    assert_eq!(*said.lock().unwrap(), "Nobody wrote this down");
}

#[test]
fn the_compliance_report_is_said_in_korean_whatever_they_find() {
    let (plan, records) = (kit::plan(), played());
    let (from, to) = (date(2026, 1, 1), date(2027, 1, 1));
    let said = missing(|| {
        // Evidence, drills that are none, and a year without any.
        for (way, year) in [(Way::Real, 2026), (Way::Simulated, 2026), (Way::Real, 2025)] {
            let known: Vec<Known> =
                (1..).zip(&records).map(|(number, record)| known(record, way, year, number)).collect();
            let playable: Vec<Playable> = known
                .iter()
                .skip(10)
                .map(|one| Playable { id: one.summary.scenario.clone(), sha256: one.summary.scenario_sha256.clone() })
                .collect();
            // When nothing of the year was over yet, and when all of it was.
            let made_at = if year == 2026 { Timestamp::UNIX_EPOCH } else { "2027-02-01T00:00:00Z".parse().unwrap() };
            let head = Head { sequence: 7, sha256: "0".repeat(64) };
            let inputs = Inputs {
                plan: &plan,
                plan_sha256: "0000",
                tool_version: "0.1.0",
                from,
                to,
                made_at,
                known: &known,
                unchecked: 2,
                playable: &playable,
                actions: &[],
                head: (way == Way::Real).then_some(&head),
                source: source(way, year),
            };
            let of = compliance(&inputs);
            for format in &FORMATS {
                (format.render)(&Page { of: &of, key: Some("sha256:0") }, &korean());
                (format.render)(&Page { of: &of, key: None }, &korean());
            }
        }
    });
    let listed = said.iter().map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(said.is_empty(), "add these to src/report/language/ko.po, figures and names as holes:\n{listed}");
}

/// A history that began within the period; one with drills of killed runs beside it; and records alone.
fn source(way: Way, year: i16) -> Source {
    let began = (way == Way::Real).then(|| date(2026, 12, 2).to_zoned(TimeZone::UTC).unwrap().timestamp());
    let beside = (way == Way::Simulated).then_some(Beside { signed: 1, unchecked: 2, unsigned: 3, none: 4 });
    Source { began, waiting: u64::from(year == 2025), beside }
}

/// A drill as a history knows it, played on some day of a year.
fn known(record: &Record, way: Way, year: i16, number: u64) -> Known {
    let mut summary = Summary::of(record);
    summary.way = way;
    let day = date(year, 1, 1) + i64::try_from(number % 300).unwrap().days();
    summary.run_at = Some(day.to_zoned(TimeZone::UTC).unwrap().timestamp());
    Known { sequence: Some(number), record_sha256: "0".repeat(64), summary }
}

/// Labels that stand in the code and the templates, whether or not a drill that ships shows them.
#[test]
fn every_label_of_the_code_and_the_templates_is_in_the_phrase_book() {
    let mut texts = Vec::new();
    for folder in ["src/report", "src/cli", "templates"] {
        read_all(&kit::root().join(folder), &mut texts);
    }
    let labels: BTreeSet<&str> = texts.iter().flat_map(|text| text.split("say(\"").skip(1)).map(literal).collect();
    assert!(labels.len() > 100, "only {} labels were found", labels.len());
    let unsaid = missing(|| labels.iter().for_each(|label| drop(korean().say(label))));
    assert!(unsaid.is_empty(), "add these to src/report/language/ko.po: {unsaid:#?}");
}

fn read_all(folder: &Path, texts: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("snapshots") {
            read_all(&path, texts);
        } else if path.extension().is_some_and(|ending| ending == "rs" || ending == "html") {
            let text = fs::read_to_string(&path).unwrap();
            texts.push(text.split("#[cfg(test)]").next().unwrap().to_owned());
        }
    }
}

/// What stands before the closing quotation mark; labels hold no escapes.
fn literal(rest: &str) -> &str {
    rest.split('"').next().unwrap()
}
