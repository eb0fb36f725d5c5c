//! Records and reports as a whole: hand-written drills through `measure` and every format. What a record may never say,
//! whatever the events; and what a page looks like.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use backdraft::{incident, measure, model, report};
use proptest::prelude::*;

use measure::record;
use model::{
    event::{AlarmKind, Event, Phase, What},
    outcome::{DrillResult, Outcome},
    record::Record,
};
use report::{CATALOGUE, Options, Run, by_name};

#[path = "../src/measure/testing/mod.rs"]
mod testing;
use testing::Drill;

/// One drill of each kind of ending, redacted as golden samples are.
fn shared_set() -> Vec<Record> {
    let drills = [
        Drill::control().false_alarms(3),
        Drill::corrupt_latest(),
        Drill::refused(true),
        Drill::silently_wrong(),
        Drill::late(),
        Drill::toothless(),
        Drill::never_steady(),
        Drill::interrupted(),
    ];
    drills.map(redacted).into()
}

fn redacted(drill: Drill) -> Record {
    let mut record = record(drill.inputs());
    record.redact_measured();
    record
}

fn render(name: &str, records: &[Record]) -> String {
    by_name(name).unwrap().render(&Run::of(records), &Options::default())
}

#[test]
fn the_terminal_shows_one_line_a_drill_then_what_to_act_on() {
    insta::assert_snapshot!(render("terminal", &shared_set()));
}

#[test]
fn the_terminal_shows_how_each_time_is_known() {
    let drills = [Drill::control(), Drill::control().simulated(), Drill::late()];
    let records = drills.map(|drill| record(drill.inputs()));
    let text = render("terminal", &records);
    insta::assert_snapshot!(text.lines().take(5).collect::<Vec<_>>().join("\n"));
}

#[test]
fn the_markdown_page_holds_the_whole_evidence() {
    insta::assert_snapshot!(render("markdown", &shared_set()[..4]));
}

/// An HTML page without its style sheet, and any other page as it is.
fn unstyled(page: &str) -> String {
    let Some((head, rest)) = page.split_once("<style>") else { return page.to_owned() };
    let (policy, digest) = head.split_once("style-src '").unwrap();
    let after = &digest[digest.find("';").unwrap()..];
    format!("{policy}style-src '[digest]{after}{}", rest.split_once("</style>").unwrap().1)
}

#[test]
fn the_html_page_holds_the_whole_evidence() {
    insta::assert_snapshot!(unstyled(&render("html", &shared_set())));
}

#[test]
fn the_html_page_needs_nothing_else_and_runs_nothing() {
    let page = render("html", &shared_set());
    for loader in
        ["<script", "<link rel=\"stylesheet", "<img", "<iframe", "<object", "@import", "http:", "https:", " on"]
    {
        let found = page.split(loader).nth(1).map(|rest| rest.chars().take(40).collect::<String>());
        let harmless = loader == " on" && !page.contains(" onclick=") && !page.contains(" onload=");
        assert!(harmless || found.is_none(), "{loader}{found:?}");
    }
    let addresses = page.split("url(").skip(1).chain(page.split("href=\"").skip(1)).chain(page.split("src=\"").skip(1));
    assert!(addresses.filter(|address| !address.starts_with('#')).all(|address| address.starts_with("data:,")));
    assert!(page.contains("default-src 'none'") && !page.contains("unsafe"));
}

/// The record with this text in the place of each of its texts that may be any.
fn with_every_text(record: &Record, evil: &str) -> Record {
    fn texts<'v>(value: &'v mut serde_json::Value, found: &mut Vec<&'v mut serde_json::Value>) {
        match value {
            serde_json::Value::String(_) => found.push(value),
            serde_json::Value::Array(all) => all.iter_mut().for_each(|one| texts(one, found)),
            serde_json::Value::Object(all) => all.values_mut().for_each(|one| texts(one, found)),
            _ => {}
        }
    }
    let mut value = serde_json::to_value(record).unwrap();
    value["events"] = serde_json::json!([]);
    let count = {
        let mut found = Vec::new();
        texts(&mut value, &mut found);
        found.len()
    };
    let mut changed = 0;
    for index in 0..count {
        let mut other = value.clone();
        let mut found = Vec::new();
        texts(&mut other, &mut found);
        *found[index] = evil.into();
        if serde_json::from_value::<Record>(other.clone()).is_ok() {
            value = other;
            changed += 1;
        }
    }
    assert!(changed > 60, "{changed} texts");
    serde_json::from_value(value).unwrap()
}

#[test]
fn no_text_of_a_record_does_harm_on_the_html_page() {
    let long = "x".repeat(10_000);
    let evil = format!("\"'><evil a='\u{1b}[2J\u{7}\u{85}\u{202e}\u{2066}</style></title>-->{{{{{long}");
    let records = [Drill::corrupt_latest(), Drill::silently_wrong(), Drill::refused(true)]
        .map(|drill| with_every_text(&record(drill.inputs()), &evil));
    let page = render("html", &records);
    let foul =
        |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    assert!(!page.contains(foul));
    assert!(page.contains("&#62;&#60;evil") && !page.contains("<evil") && !page.contains("a='"));
    // No text closes what it stands in: the page has as many of each tag as it closes.
    for tag in ["details", "table", "section", "style", "title", "svg", "dl", "ul", "td", "th", "p"] {
        let opened = page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}

#[test]
fn the_json_report_is_the_records_and_reads_back_the_same() {
    let records = [record(Drill::corrupt_latest().inputs()), redacted(Drill::refused(true))];
    let json = render("json", &records);
    assert_eq!(serde_json::from_str::<Vec<Record>>(&json).unwrap(), records);
    insta::assert_snapshot!(render("json", &shared_set()[1..2]));
}

#[test]
fn every_format_has_a_name_of_its_own_and_says_so_when_nothing_was_run() {
    let rendered = |report: &dyn report::Report| unstyled(&report.render(&Run::default(), &Options::default()));
    let names: Vec<_> = CATALOGUE.iter().map(|r| (r.name(), r.file(), rendered(*r))).collect();
    insta::assert_debug_snapshot!(names);
}

#[test]
fn colour_adds_to_the_words_and_takes_none_away() {
    let records = shared_set();
    let coloured =
        by_name("terminal").unwrap().render(&Run::of(&records), &Options { colour: true, ..Options::default() });
    let mut bare = coloured.clone();
    for code in ["\u{1b}[31m", "\u{1b}[32m", "\u{1b}[33m", "\u{1b}[0m"] {
        bare = bare.replace(code, "");
    }
    assert_ne!(coloured, bare);
    assert_eq!(bare, render("terminal", &records));
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for width in [0, 40, 60, 80, 100, 200] {
        let text =
            by_name("terminal").unwrap().render(&Run::of(&shared_set()), &Options { width, ..Options::default() });
        let widest = text.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(width.max(40)), "{widest:?} for {width}:\n{text}");
    }
}

#[test]
fn foreign_text_breaks_neither_table_nor_terminal() {
    let evil = "x|y\n## <b>\u{1b}[2J\u{7}\u{202e}`[a](b)";
    let mut drill = Drill::corrupt_latest().alarm(AlarmKind::Unreadable, evil, true);
    drill.plan.platform = evil.into();
    drill.scenario.title = evil.into();
    drill.say(What::Aborted { why: evil.into() });
    let inputs = drill.inputs();
    let records = [record(inputs)];
    let benign = |text: &str| !text.contains(|c: char| c.is_control() && c != '\n') && !text.contains('\u{202e}');
    let (page, screen) = (render("markdown", &records), render("terminal", &records));
    assert!(benign(&page) && benign(&screen));
    assert!(!page.contains("<b>") && !page.contains("\n## &lt;") && page.contains("x\\|y"));
    for table in page.split("\n\n").filter(|block| block.starts_with('|')) {
        let cells = |line: &str| line.replace("\\|", "").matches('|').count();
        let heads = cells(table.lines().next().unwrap());
        assert!(table.lines().all(|line| cells(line) == heads), "{table}");
    }
}

#[test]
fn an_aborted_drill_was_not_executed_and_says_why() {
    let mut drill = Drill::to_disaster();
    drill.begin(Phase::Fetch).say(What::Aborted { why: "the scratch folder is gone".into() });
    let result = record(drill.inputs()).result;
    assert_eq!((result.result, result.outcome), (DrillResult::NotExecuted, None));
    assert!(result.reasons[0].contains("the scratch folder is gone"));
}

/// Events on which verdicts rest, from all hand-written drills, to deal from.
fn deck() -> Vec<Event> {
    let drills = [
        Drill::control().check("health", None).check("health", Some(false)),
        Drill::corrupt_latest().seen_by_monitor(),
        Drill::refused(true),
        Drill::hung(),
        Drill::silently_wrong(),
        Drill::toothless(),
        Drill::never_steady(),
        Drill::interrupted(),
        Drill::control().and(What::Aborted { why: "no space left".into() }),
    ];
    let decides = |e: &Event| {
        let phase =
            matches!(e.what, What::PhaseStarted { phase } | What::PhaseEnded { phase, .. } if phase != Phase::Check);
        !phase
            && !matches!(e.what, What::Seeded { .. } | What::BackedUp(_) | What::Listed { .. } | What::PointRefused(_))
    };
    // Each once, so that the rare ones are dealt as often as the common ones.
    let mut deck: Vec<Event> = Vec::new();
    for event in drills.into_iter().flat_map(|drill| drill.events).filter(decides) {
        if !deck.iter().any(|known| known.what == event.what) {
            deck.push(event);
        }
    }
    deck
}

/// A control drill with events dropped, doubled, moved and dealt in from others: close enough to green to tempt.
fn nearly_green() -> impl Strategy<Value = Vec<Event>> {
    let (control, deck) = (Drill::control().events, deck());
    let edits = prop::collection::vec((0..4u8, any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..6);
    edits.prop_map(move |edits| {
        let mut events = control.clone();
        for (edit, here, there) in edits {
            match edit {
                0 if !events.is_empty() => drop(events.remove(here.index(events.len()))),
                1 if !events.is_empty() => {
                    let moved = events.remove(here.index(events.len()));
                    events.insert(there.index(events.len() + 1), moved);
                }
                // Late, where it may contradict a claim.
                _ => events.insert(events.len() - here.index(events.len() / 2 + 1), there.get(&deck).clone()),
            }
        }
        events
    })
}

/// Any events in any order.
fn arbitrary() -> impl Strategy<Value = Vec<Event>> {
    prop::collection::vec(prop::sample::select(deck()), 0..40)
}

/// What a green drill must have shown, told without the code that judges it.
fn shows_recovery(record: &Record) -> Result<(), String> {
    let events = &record.events;
    let last = |wanted: fn(&What) -> bool| events.iter().rposition(|e| wanted(&e.what));
    let claimed = last(|e| matches!(e, What::Restored(_))).ok_or("nothing was restored")?;
    let since = &events[claimed..];
    let comparisons = since.iter().filter_map(|e| if let What::Compared(c) = &e.what { Some(c) } else { None });
    let comparisons: Vec<_> = comparisons.collect();
    let sound = comparisons.iter().all(|c| c.as_claimed && c.holes + c.altered + c.extra + c.resurrected == 0);
    let health = since.iter().rev().find_map(|e| match &e.what {
        What::Checked(c) if c.check == "health" => Some(c.passed),
        _ => None,
    });
    let checked = since.iter().any(|e| matches!(e.what, What::PhaseEnded { phase: Phase::Check, ok: true }));
    let ended_otherwise = last(|e| matches!(e, What::Refused { .. } | What::TimeLimit { .. })) > Some(claimed);
    let stopped = events.iter().any(|e| matches!(e.what, What::Interrupted | What::Aborted { .. }));
    match () {
        () if comparisons.is_empty() => Err("the claim was not compared".into()),
        () if health.is_some_and(|passed| passed != Some(true)) => Err("the service does not answer".into()),
        () if !sound => Err("the ledger contradicts the claim".into()),
        () if !checked || record.timeline.t5.is_none() => Err("t5 was not reached".into()),
        () if ended_otherwise => Err("the restore ended otherwise".into()),
        () if stopped => Err("it was stopped".into()),
        () if !record.faults.iter().all(|f| f.proof.as_ref().is_some_and(|p| p.bit)) => Err("no bite".into()),
        () if record.cleanup.steady_after != Some(true) || !record.cleanup.removed => Err("left behind".into()),
        () => Ok(()),
    }
}

fn drill_of(events: Vec<Event>, faulty: bool) -> Record {
    let mut drill = if faulty { Drill::corrupt_latest() } else { Drill::control() };
    drill.scenario.expect.outcome = Outcome::Recovered;
    drill.scenario.expect.recovery_point = None;
    drill.scenario.expect.rpo = None;
    drill.events = events;
    record(drill.inputs())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn no_events_make_a_false_green(
        events in prop_oneof![7 => nearly_green(), 1 => arbitrary()],
        faulty in prop::bool::weighted(0.2),
    ) {
        let record = drill_of(events, faulty);
        let result = &record.result;
        if result.result == DrillResult::Pass {
            prop_assert_eq!(shows_recovery(&record), Ok(()));
        }
        prop_assert_eq!(result.reasons.is_empty(), result.result == DrillResult::Pass);
        prop_assert!(result.outcome != Some(Outcome::SilentlyWrong) || result.result != DrillResult::Pass);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn no_events_make_a_status_page_green_before_the_recovery_is_verified(
        events in prop_oneof![7 => nearly_green(), 1 => arbitrary()],
    ) {
        let record = drill_of(events, false);
        let status = incident::status(&record);
        // Components of this plan are its services; the drill loses the first.
        if status.incident.is_some() && status.components[0].state == incident::status::State::Operational {
            prop_assert!(record.timeline.t5.is_some());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_record_reads_back_as_it_was_and_shows_in_every_format(events in arbitrary(), faulty in any::<bool>()) {
        let record = drill_of(events, faulty);
        let json = serde_json::to_string(&record).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Record>(&json).unwrap(), &record);
        let mut redacted = record.clone();
        redacted.redact_measured();
        for format in CATALOGUE {
            prop_assert!(format.render(&Run::of(&[record.clone(), redacted.clone()]), &Options::default()).ends_with('\n'));
        }
    }
}
