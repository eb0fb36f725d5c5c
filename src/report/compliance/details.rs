//! The tables of a compliance report: objectives, restore tests, coverage, findings, controls, drills.

use std::collections::BTreeMap;

use super::blocks::{Block, Cell, Writer, foreign, share};
use crate::model::{
    compliance::{Kept, Objective, Support, Tracked, Window},
    record::Way,
    status::Colour,
};

/// So many names have room in a cell of a table.
const NAMED: usize = 6;

/// Each objective of the plan.
pub(super) fn objectives(writer: &Writer<'_>) -> Vec<Block> {
    let row = |one: &Objective| {
        let margin = one.margin_percent.map_or("-".into(), |margin| format!("{margin}%"));
        let worst = match one.worst_words() {
            nothing if nothing == "-" => nothing,
            worst => writer.say(&worst),
        };
        vec![
            Cell::standing(one.standing, writer.say(one.status.words())),
            Cell::of(writer.say(&foreign(&one.whose))),
            Cell::of(format!("{} {}", one.objective.words(), writer.say(&one.limit.to_string()))),
            Cell::of(worst),
            Cell::of(margin),
            Cell::of(one.worst_in.as_deref().map_or("-".into(), foreign)),
            Cell::of(format!("{} / {} / {} / {}", one.met, one.missed, one.unmeasured, one.stale)),
        ]
    };
    let heads = [
        "Status",
        "Whose",
        "Objective",
        "Worst actual",
        "Margin",
        "In",
        "Drills: met / missed / unmeasured / of an earlier plan",
    ];
    vec![
        writer.heading("Objectives"),
        Block::Table(writer.heads(heads), writer.of.objectives.iter().map(row).collect()),
    ]
}

/// Restore tests of each service in time.
pub(super) fn cadence(writer: &Writer<'_>) -> Vec<Block> {
    let heading = writer.heading("Restore tests");
    if writer.of.cadence.is_empty() {
        return vec![
            heading,
            Block::Paragraph(writer.say("The plan asks for no restore tests (testing.restore_every).")),
        ];
    }
    let named = |windows: &[Window], standing, before| {
        let is_one = |one: &&Window| one.standing == standing && one.before_history == before;
        let named: Vec<String> = windows.iter().filter(is_one).map(window).collect();
        if named.is_empty() { "-".to_owned() } else { named.join(", ") }
    };
    let is_before = |one: &Kept| one.windows.iter().any(|window| window.before_history);
    let has_before = writer.of.cadence.iter().any(is_before);
    let rows = writer.of.cadence.iter().map(|one| {
        let word = match one.standing {
            Colour::Green | Colour::Amber => "kept",
            Colour::Grey if is_before(one) => "untested",
            Colour::Grey => "not due yet",
            Colour::Red => "MISSED",
        };
        let tests: u64 = one.windows.iter().map(|window| window.tests).sum();
        let mut row = vec![
            Cell::standing(one.standing, writer.say(word)),
            Cell::of(foreign(&one.service)),
            Cell::of(writer.say(&one.every.to_string())),
            Cell::of(tests.to_string()),
            Cell::of(named(&one.windows, Colour::Red, false)),
            Cell::of(named(&one.windows, Colour::Grey, false)),
        ];
        row.extend(has_before.then(|| Cell::of(named(&one.windows, Colour::Grey, true))));
        row
    });
    let mut heads = writer.heads(["Status", "Service", "Every", "Tests", "Missing in", "Not over yet"]);
    heads.extend(has_before.then(|| writer.say("Before the history began")));
    vec![
        heading,
        Block::Paragraph(writer.say(
            "A restore test is a real drill that passed and in which the service was restored and compared with the \
             ledger. A drill of several services is a test of each of them.",
        )),
        Block::Table(heads, rows.collect()),
    ]
}

/// `2026-02` for a whole month, else from the first to the last day.
fn window(one: &Window) -> String {
    let last = one.last();
    match one.from.first_of_month() == one.from && last == one.from.last_of_month() {
        true => one.from.strftime("%Y-%m").to_string(),
        false => format!("{}…{last}", one.from),
    }
}

/// What was tested of what there is; what was not is named.
pub(super) fn coverage(writer: &Writer<'_>) -> Vec<Block> {
    let of = &writer.of.coverage;
    let lines = [
        ("Objectives of the plan", of.objectives),
        ("Services in each level", of.levels),
        ("Scenarios", of.scenarios),
        ("All", of.whole),
    ];
    let lines = lines.map(|(what, tested)| writer.say(&format!("{what}: {} tested", share(tested))));
    let mut groups: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for one in &of.untested {
        // Scenarios have names of their own; the others are called by what they are.
        let name = foreign(&one.name);
        let name = if one.kind == "scenario" { name } else { writer.say(&name) };
        groups.entry((&one.kind, &one.why)).or_default().push(name);
    }
    let (mut rows, mut lists) = (Vec::new(), Vec::new());
    for ((kind, why), names) in groups {
        let (kind, why, count) = (writer.say(kind), writer.say(why), names.len().to_string());
        let which = match names.len() > NAMED {
            true => writer.say("listed below"),
            false => names.join(", "),
        };
        if names.len() > NAMED {
            lists.push(Block::Folded(format!("{kind}, {}, {why}: {count}", writer.say("untested")), by_folder(&names)));
        }
        let untested = Cell::standing(Colour::Grey, writer.say("untested"));
        rows.push(vec![untested, Cell::whole(kind), Cell::of(count), Cell::of(why), Cell::of(which)]);
    }
    let mut blocks = vec![writer.heading("Coverage"), Block::Bullets(lines.into())];
    if !rows.is_empty() {
        blocks.push(Block::Table(writer.heads(["Status", "Kind", "How many", "Why", "Which"]), rows));
    }
    blocks.extend(lists);
    blocks
}

/// The names, those of one folder in a line: `database: control, outage`. One without a folder has a line of its own.
fn by_folder(names: &[String]) -> Vec<String> {
    let mut folders: Vec<(&str, Vec<&str>)> = Vec::new();
    for name in names {
        let (folder, rest) = name.rsplit_once('/').unwrap_or(("", name));
        match folders.last_mut().filter(|(last, _)| *last == folder && !folder.is_empty()) {
            Some((_, all)) => all.push(rest),
            None => folders.push((folder, vec![rest])),
        }
    }
    let line = |(folder, names): (&str, Vec<&str>)| match folder {
        "" => names.concat(),
        _ => format!("{folder}: {}", names.join(", ")),
    };
    folders.into_iter().map(line).collect()
}

/// Findings with what is done about them.
pub(super) fn findings(writer: &Writer<'_>) -> Vec<Block> {
    let heading = writer.heading("Findings and corrective actions");
    if writer.of.findings.is_empty() {
        return vec![heading, Block::Paragraph(writer.say("No finding was open in the period."))];
    }
    let rows = writer.of.findings.iter().map(|one| finding(writer, one)).collect();
    let heads =
        writer.heads(["Status", "Severity", "Finding", "Found in", "Since", "Action", "Owner", "Due", "What to do"]);
    let mut blocks = vec![
        heading,
        Block::Paragraph(writer.say(
            "A finding stays open, from one period to the next, until a later drill of the same scenario passes without \
             it.",
        )),
        Block::Table(heads, rows),
    ];
    if !writer.of.idle_actions.is_empty() {
        blocks.push(Block::Paragraph(writer.say("Actions for which no finding is known in the period:")));
        blocks.push(Block::Bullets(writer.of.idle_actions.iter().map(|title| foreign(title)).collect()));
    }
    blocks
}

fn finding(writer: &Writer<'_>, one: &Tracked) -> Vec<Cell> {
    let status = match (one.closed_at, one.overdue, one.carried_over) {
        (Some(at), ..) => {
            Cell::standing(Colour::Green, writer.say(&format!("closed by a retest on {}", writer.day(at))))
        }
        (None, true, _) => Cell::standing(Colour::Red, writer.say("open, OVERDUE")),
        (None, false, true) => Cell::standing(Colour::Amber, writer.say("open, carried over")),
        (None, false, false) => Cell::standing(Colour::Amber, writer.say("open")),
    };
    let found = match &one.scenarios[..] {
        all @ ([] | [_] | [_, _] | [_, _, _]) => all.iter().map(|name| foreign(name)).collect::<Vec<_>>().join(", "),
        all => writer.say(&format!("{} scenarios, e.g. {}", all.len(), foreign(&all[0]))),
    };
    let (action, owner, due) = match &one.action {
        None => (writer.say("no action assigned"), "-".into(), "-".into()),
        Some(action) => {
            let note = action.note.as_deref().map(|note| format!(": {}", foreign(note))).unwrap_or_default();
            let status = writer.say(action.status.words());
            (format!("{status}{note}"), foreign(&action.owner), action.due.to_string())
        }
    };
    vec![
        status,
        Cell::whole(writer.say(one.severity.words())),
        Cell::of(writer.say(&foreign(&one.title))),
        Cell::of(found),
        Cell::whole(writer.day(one.since)),
        Cell::of(action),
        Cell::of(owner),
        Cell::whole(due),
        Cell::of(writer.say(&foreign(&one.remedy))),
    ]
}

/// Controls, with what the period shows for each.
pub(super) fn controls(writer: &Writer<'_>) -> Vec<Block> {
    let rows = writer.of.controls.iter().map(|one| {
        let support = match one.support {
            Some(Support::NotReached) => Cell::standing(Colour::Red, writer.say(Support::NotReached.words())),
            Some(support) => Cell::of(writer.say(support.words())),
            None => Cell::standing(Colour::Grey, writer.say("no evidence")),
        };
        let confirm = if one.confirm { writer.say("confirm with its text") } else { String::new() };
        vec![
            Cell::of(foreign(&one.framework)),
            Cell::of(foreign(&one.id)),
            Cell::of(writer.say(&one.asks)),
            support,
            Cell::of(writer.say(&one.evidence)),
            Cell::of(confirm),
        ]
    });
    let heads = writer.heads(["Framework", "Control", "It asks for", "The evidence", "Evidence of the period", "Note"]);
    let how = "A drill that fails is evidence that tests are done, not that what a control asks for was reached: there it \
               says so, and supports nothing more.";
    vec![writer.heading("Control mapping"), Block::Paragraph(writer.say(how)), Block::Table(heads, rows.collect())]
}

/// Every drill of the period.
pub(super) fn drills(writer: &Writer<'_>) -> Vec<Block> {
    let heading = writer.heading("All drills of the period");
    if writer.of.drills.is_empty() {
        return vec![heading, Block::Paragraph(writer.say("No drill is known in the period."))];
    }
    let rows = writer.of.drills.iter().map(|one| {
        let way = match (one.way, one.of_this_plan) {
            (Way::Simulated, _) => writer.say("simulated: no evidence"),
            (Way::Real, true) => writer.say("real"),
            (Way::Real, false) => writer.say("real, of another plan file"),
        };
        vec![
            Cell::of(writer.moment(one.at)),
            Cell::of(one.sequence.map_or("-".into(), |sequence| sequence.to_string())),
            Cell::of(foreign(&one.scenario)),
            Cell::of(foreign(&one.services.join(", "))),
            Cell::of(one.level.to_string()),
            Cell::of(way),
            Cell::whole(writer.say(one.result.words())),
            Cell::of(one.outcome.map_or("-".into(), |outcome| writer.say(outcome.words()))),
            Cell::whole(writer.say(one.verdict.words())),
            // The beginning is enough to find it; the whole stands in the JSON and in the history.
            Cell::whole(one.record_sha256.chars().take(12).collect::<String>()),
        ]
    });
    let heads = [
        "When",
        "Entry",
        "Scenario",
        "Services",
        "Level",
        "Way",
        "Result",
        "Outcome",
        "Objectives",
        "Record (SHA-256)",
    ];
    vec![heading, Block::Table(writer.heads(heads), rows.collect())]
}
