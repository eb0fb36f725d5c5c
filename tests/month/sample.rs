//! What a reader gets of the sample's history: pure rendering, under a date that is given.

use std::collections::BTreeMap;

use backdraft::{
    evidence::PublicKey,
    history::History,
    input::{
        load::{Loaded, load_actions, load_plan, load_scenario},
        validate,
    },
    measure::{
        compliance::{Inputs, compliance},
        trend::{MONTHS, Window, trend},
    },
    model::{
        compliance::{Known, Playable, Source},
        history::{Entry, Head, Summary},
        origin::Origins,
        plan::Plan,
        record::Record,
        trend::Month,
    },
    report::{
        CATALOGUE, Language, Options, Run,
        compliance::{FORMATS, Page},
    },
};
use jiff::{Timestamp, civil::date, tz::TimeZone};

use super::kit;

/// The sample.
pub(super) const MONTH: &str = "reports/golden/month";
/// Its history.
pub(super) const HISTORY: &str = "reports/golden/month/history";
const ACTIONS: &str = "reports/golden/month/actions.yaml";
/// The Monday after, 09:00 in Seoul.
const MADE_AT: &str = "2026-11-02T09:00:00+09:00";
/// Formats that a terminal shows, or that hold the records, which are in the history.
const NOT_KEPT: [&str; 2] = ["terminal", "json"];

/// What the reports are made of.
pub(super) struct Sample {
    plan: Loaded<Plan>,
    entries: Vec<Entry>,
    pub(super) records: Vec<Record>,
    pub(super) head: Head,
}

impl Sample {
    pub(super) fn read(history: &History) -> Self {
        let entries = history.entries().unwrap();
        let records = entries.iter().map(|entry| history.record(entry).unwrap()).collect();
        let head = history.verify(None).unwrap().head.unwrap();
        Sample { plan: load_plan("fixtures/hooklabs/plan.yaml").unwrap(), entries, records, head }
    }

    /// Drills of another plan or scenario file would be stale in a report of today.
    pub(super) fn is_of_the_plan_and_scenarios_of_today(&self) {
        for identity in self.records.iter().map(|record| &record.identity) {
            let scenario = load_scenario(path(&identity.scenario)).unwrap().sha256;
            let then = (&identity.plan_sha256, &identity.scenario_sha256);
            let id = &identity.scenario;
            assert_eq!(
                then,
                (&self.plan.sha256, &scenario),
                "the plan or scenario of {id} is another one since: run UPDATE_MONTH=1 cargo test --release --test month"
            );
        }
    }

    /// Every file but the evidence, by its name, with its text.
    pub(super) fn render(&self, key: &PublicKey) -> BTreeMap<String, String> {
        let key = format!("sha256:{}", key.id());
        let mut files = self.of_drills(&key);
        files.extend(self.of_compliance(&key));
        files
    }

    fn of_drills(&self, key: &str) -> BTreeMap<String, String> {
        let past: Vec<Summary> = self.entries.iter().cloned().map(Entry::dated).collect();
        let services: Vec<String> = self.plan.value.services.keys().cloned().collect();
        let time_zone = &self.plan.value.time_zone;
        let last = Month::of(past.last().unwrap().run_at.unwrap(), &TimeZone::get(time_zone).unwrap());
        let window = Window { services: &services, last, months: MONTHS, time_zone, simulated: false };
        let trend = trend(&past, &window);
        let origins: Origins = self.records.iter().map(|record| origin(&record.identity.scenario)).collect();
        let run = Run {
            past: &past,
            trend: Some(&trend),
            head: Some(&self.head),
            key: Some(key),
            origins: Some(&origins),
            ..Run::of(&self.records)
        };
        let formats = CATALOGUE.iter().filter(|format| !NOT_KEPT.contains(&format.name()));
        let of = |format| -> Vec<(String, String)> { in_languages(format, &run) };
        formats.copied().flat_map(of).collect()
    }

    fn of_compliance(&self, key: &str) -> BTreeMap<String, String> {
        let known: Vec<Known> = self.entries.iter().map(known).collect();
        let playable: Vec<Playable> = kit::all_scenarios().iter().map(|id| playable(id)).collect();
        let actions = load_actions(ACTIONS).unwrap();
        let wrong = validate::actions(&actions, &self.plan.value);
        assert!(wrong.is_empty(), "{wrong:?}");
        let report = compliance(&Inputs {
            plan: &self.plan.value,
            plan_sha256: &self.plan.sha256,
            tool_version: env!("CARGO_PKG_VERSION"),
            from: date(2026, 10, 1),
            to: date(2026, 11, 1),
            made_at: MADE_AT.parse::<Timestamp>().unwrap(),
            known: &known,
            unchecked: 0,
            playable: &playable,
            actions: &actions.value.actions,
            head: Some(&self.head),
            source: Source::of_history(&self.entries, 0),
        });
        let page = Page { of: &report, key: Some(key) };
        let render = |language, format: &backdraft::report::compliance::Format| {
            let name = format!("compliance/{}", named(format.file, format.is_read, language));
            (name, (format.render)(&page, &Options { language, ..Options::default() }))
        };
        Language::ALL.into_iter().flat_map(|language| FORMATS.iter().map(move |f| render(language, f))).collect()
    }
}

fn in_languages(format: &dyn backdraft::report::Report, run: &Run<'_>) -> Vec<(String, String)> {
    let render = |language| {
        let name = named(format.file(), format.is_read(), language);
        (name, format.render(run, &Options { language, ..Options::default() }))
    };
    Language::ALL.into_iter().map(render).collect()
}

/// As the command names it: `report.ko.html` beside `report.html`; what machines read is in English alone.
fn named(file: &str, is_read: bool, language: Language) -> String {
    match file.rsplit_once('.') {
        Some((stem, ending)) if is_read && language != Language::English => {
            format!("{stem}.{}.{ending}", language.tag())
        }
        _ => file.to_owned(),
    }
}

fn known(entry: &Entry) -> Known {
    let (sequence, record_sha256) = (Some(entry.sequence), entry.record_sha256.clone());
    Known { sequence, record_sha256, summary: entry.clone().dated() }
}

fn playable(id: &str) -> Playable {
    Playable { id: id.to_owned(), sha256: load_scenario(path(id)).unwrap().sha256 }
}

fn origin(id: &str) -> (String, backdraft::model::origin::Origin) {
    (id.to_owned(), load_scenario(path(id)).unwrap().origin())
}

/// Of a scenario of the catalogue, or of the plan's own rules.
fn path(id: &str) -> String {
    if id.contains('/') { format!("scenarios/{id}.yaml") } else { format!("fixtures/hooklabs/as-written/{id}.yaml") }
}
