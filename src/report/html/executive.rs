//! The first sheet: the verdict, objectives met, the worst gap, how much of the plan was drilled, the end of the chain,
//! each service and level at a glance, and what to act on first.

use std::collections::BTreeMap;

use askama::Template;

use super::{brief, chart::percent};
use crate::{
    model::{
        outcome::{DrillResult, Outcome, Verdict},
        plan::Plan,
        record::{Judged, Record},
        status::{Colour, Status, together},
        units::Span,
        words,
    },
    report::{Options, Run, contract, figures, status},
};

/// The first sheet.
#[derive(Debug, Template)]
#[template(path = "report/executive.html")]
pub(super) struct Executive<'r> {
    options: &'r Options,
    pub(super) platform: String,
    when: String,
    status: Status,
    headline: &'static str,
    tests: &'static str,
    unexpected: String,
    tally: String,
    figures: Vec<Figure>,
    parts: Vec<Part>,
    findings: Vec<Acted<'r>>,
    more: usize,
    empty: bool,
}

/// A figure in large type.
#[derive(Debug)]
struct Figure {
    name: &'static str,
    value: String,
    says: String,
    status: Option<Status>,
}

/// A service or a level of the plan.
#[derive(Debug)]
struct Part {
    name: String,
    rto: String,
    rpo: String,
    drills: usize,
    /// How many of its drills are of each colour, with the share of the bar.
    shares: Vec<Share>,
    status: Status,
}

#[derive(Debug)]
struct Share {
    colour: &'static str,
    x: String,
    width: String,
    count: usize,
    word: &'static str,
}

/// A finding over all drills.
#[derive(Debug)]
struct Acted<'r> {
    severity: &'static str,
    title: &'r str,
    place: String,
    remedies: Vec<String>,
}

/// Longest text that says where a finding is, in columns.
const PLACE: usize = 120;

/// Findings on the first sheet; the rest is with the drills.
const SHOWN: usize = 5;

impl<'r> Executive<'r> {
    pub(super) fn of(run: &Run<'r>, options: &'r Options) -> Self {
        let records = run.records;
        let parts = parts(records, options);
        let tested = parts.iter().filter(|part| part.drills > 0).count();
        let untested = (tested < parts.len()).then_some(Status::Untested);
        let status = together(records.iter().map(status::drill).chain(untested));
        let mut findings = figures::findings(records);
        let more = findings.len().saturating_sub(SHOWN);
        findings.truncate(SHOWN);
        Executive {
            options,
            platform: records.first().map_or(String::new(), |record| brief(&record.scope.platform, 80)),
            when: when(records, options),
            status,
            headline: headline(status),
            tests: tests(figures::worst(records)),
            unexpected: figures::unexpected_said(records).map_or(String::new(), |said| options.say(&said).into_owned()),
            tally: options.say(&figures::tally(records)).into_owned(),
            figures: vec![
                objectives(records, options),
                gap(records, options),
                coverage(records, &parts, tested, options),
                chain(run, options),
            ],
            parts,
            findings: findings.iter().map(|group| acted(group, options)).collect(),
            more,
            empty: records.is_empty(),
        }
    }
}

fn acted<'r>(group: &figures::Group<'r>, options: &Options) -> Acted<'r> {
    let place = brief(&options.say(&group.place()), PLACE);
    Acted {
        severity: group.finding.severity.words(),
        title: &group.finding.title,
        place,
        remedies: group.remedies(|text| options.say(text).into_owned()),
    }
}

/// What all of it comes to, by its status.
const fn headline(status: Status) -> &'static str {
    match status {
        Status::IntegrityFailed => "Data came back wrong",
        Status::Missed => "Not every objective was held",
        Status::Failed => "A drill did not end as expected",
        Status::Untested => "Nothing was drilled",
        Status::Stale => "What was drilled is out of date",
        Status::Unmeasured => "No objective could be measured",
        Status::Inconclusive => "The drills show nothing",
        Status::NotPlayed => "No drill was played to its end",
        Status::Partial => "What is known was held, but not all of it is known",
        Status::MarginUnknown => "Every objective was held; the margin is unknown",
        Status::Thin => "Every objective was held, some with little to spare",
        Status::Met => "Every objective was held, with room to spare",
    }
}

/// How the drills went as tests, beside what they say of the objectives.
const fn tests(worst: Option<DrillResult>) -> &'static str {
    match worst {
        None => "No drill was run, so nothing is shown.",
        Some(DrillResult::Pass) => "Every drill went as its scenario expects.",
        Some(DrillResult::Fail) => "FAILED: an expectation or the data failed.",
        Some(DrillResult::Inconclusive) => "INCONCLUSIVE: a drill shows nothing.",
        Some(DrillResult::Interrupted | DrillResult::NotExecuted) => {
            "INCOMPLETE: not every drill was played to its end."
        }
    }
}

/// When they were run; simulated drills have no date.
fn when(records: &[Record], options: &Options) -> String {
    let dates: Vec<_> =
        records.iter().filter_map(|record| Some((record.identity.run_at?, &record.plan.time_zone))).collect();
    let said =
        |at: Option<&(jiff::Timestamp, &String)>| at.map_or(String::new(), |(at, zone)| contract::moment(*at, zone));
    let (first, last) = (dates.iter().min_by_key(|(at, _)| *at), dates.iter().max_by_key(|(at, _)| *at));
    match dates.len() {
        0 if records.is_empty() => String::new(),
        0 => options.say("in virtual time").into_owned(),
        1 => said(first),
        _ => format!("{} – {}", said(first), said(last)),
    }
}

fn objectives(records: &[Record], options: &Options) -> Figure {
    let all = || records.iter().flat_map(|record| &record.objectives);
    let met = all().filter(|judged| judged.verdict == Verdict::Met).count();
    let said = figures::objectives(records);
    let rest = said.split_once(", ").map_or("", |(_, rest)| rest);
    let status = records.iter().flat_map(|r| r.objectives.iter().map(|judged| status::objective(r, judged)));
    Figure {
        name: "Objectives met",
        value: if records.is_empty() { "-".into() } else { format!("{met}/{}", all().count()) },
        says: options.say(rest).into_owned(),
        status: Some(together(status)),
    }
}

fn gap(records: &[Record], options: &Options) -> Figure {
    let worst = figures::worst_gap(records);
    let over = |judged: &Judged| match judged.actual {
        None => options.say("no recovery").into_owned(),
        Some(actual) if actual.is_redacted() => "[measured]".into(),
        Some(actual) => {
            let over = words::duration(actual.total_ms().saturating_sub(judged.limit.millis()));
            options.say(&over).into_owned()
        }
    };
    let value = match worst {
        Some((_, judged)) => over(judged),
        None if records.iter().any(|record| !record.objectives.is_empty()) => options.say("none").into_owned(),
        None => "-".into(),
    };
    let says = worst.map_or(String::new(), |(record, judged)| {
        let scenario = brief(&record.identity.scenario, 60);
        let (whose, limit) = (brief(&judged.whose, 40), judged.limit.to_string());
        let (whose, limit) = (options.say(&whose), options.say(&limit));
        format!("{whose} · {} {limit} · {scenario}", judged.objective.words())
    });
    Figure { name: "Worst gap", value, says, status: worst.map(|_| Status::Missed) }
}

fn coverage(records: &[Record], parts: &[Part], tested: usize, options: &Options) -> Figure {
    let said: Vec<String> = figures::coverage(records).iter().map(|line| options.say(line).into_owned()).collect();
    let share = (!parts.is_empty()).then(|| tested * 100 / parts.len());
    let status = match share {
        None | Some(0) => Status::Untested,
        Some(100) => Status::Met,
        Some(_) => Status::Partial,
    };
    Figure {
        name: "Coverage of the plan",
        value: share.map_or("-".into(), |share| format!("{share}%")),
        says: brief(&said.join(" · "), 240),
        status: Some(status).filter(|status| status.colour() != Colour::Green),
    }
}

fn chain(run: &Run<'_>, options: &Options) -> Figure {
    let signed = match run.key {
        Some(key) => options.say(&format!("signed with key {}", brief(key, 40))).into_owned(),
        None => options.say("UNSIGNED").into_owned(),
    };
    let (value, says) = match run.head {
        Some(head) => (format!("#{}", head.sequence), format!("SHA-256 {} · {signed}", head.sha256)),
        None => ("-".into(), format!("{} · {signed}", options.say("no history is kept"))),
    };
    Figure { name: "Chain head", value, says, status: None }
}

/// Each service, then each level of the plans drilled.
fn parts(records: &[Record], options: &Options) -> Vec<Part> {
    let mut plans: BTreeMap<&str, &Plan> = BTreeMap::new();
    for record in records {
        plans.insert(&record.identity.plan_sha256, &record.plan);
    }
    let mut services: BTreeMap<&str, (String, String)> = BTreeMap::new();
    let mut levels: BTreeMap<&str, (String, String)> = BTreeMap::new();
    let say = |limit: Span| options.say(&limit.to_string()).into_owned();
    for plan in plans.values() {
        services.extend(plan.services.iter().map(|(name, s)| (name.as_str(), (say(s.rto), say(s.rpo)))));
        levels.extend(plan.levels.iter().map(|(name, l)| (name.as_str(), (say(l.rto), say(l.rpo)))));
    }
    // Only a drill that came to an outcome is about anything.
    let played = || records.iter().filter(|record| record.result.outcome.is_some());
    let of_service = |(name, limits): (&str, _)| {
        let drilled = played().filter(|record| record.scope.services.iter().any(|one| one == name));
        part(brief(name, 40), limits, drilled.map(|record| service_status(record, name)).collect())
    };
    let of_level = |(name, limits): (&str, _)| {
        let drilled = played().filter(|record| record.scope.level.to_string() == name);
        part(options.say(&format!("level {name}")).into_owned(), limits, drilled.map(status::level).collect())
    };
    services.into_iter().map(of_service).chain(levels.into_iter().map(of_level)).collect()
}

fn service_status(record: &Record, name: &str) -> Status {
    match record.services.iter().find(|one| one.service == name).and_then(|one| one.outcome) {
        Some(Outcome::SilentlyWrong) => Status::IntegrityFailed,
        _ => status::service(record, name),
    }
}

fn part(name: String, (rto, rpo): (String, String), drilled: Vec<Status>) -> Part {
    let word = |colour| match colour {
        Colour::Green => "met",
        Colour::Amber => "thin",
        Colour::Red => "missed",
        Colour::Grey => "unknown",
    };
    let mut at = 0.0;
    let mut shares = Vec::new();
    for colour in [Colour::Green, Colour::Amber, Colour::Grey, Colour::Red] {
        let count = drilled.iter().filter(|status| status.colour() == colour).count();
        if count > 0 {
            let width = count as f64 / drilled.len() as f64 * 100.0;
            let (x, wide) = (percent(at), percent(width));
            shares.push(Share { colour: colour.name(), x, width: wide, count, word: word(colour) });
            at += width;
        }
    }
    Part { name, rto, rpo, drills: drilled.len(), shares, status: together(drilled) }
}

impl Executive<'_> {
    fn more_said(&self) -> String {
        format!("{} more, each with its drill", words::count(self.more as u64, "finding"))
    }
}
