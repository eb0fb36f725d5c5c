//! The compliance report as one table for spreadsheets: a line for each thing that was judged, always in English.

use super::{
    Page,
    blocks::{evidence, foreign},
};
use crate::{
    model::{compliance::Compliance, status::Colour},
    report::Options,
};

const HEADS: [&str; 9] = ["section", "subject", "status", "objective", "actual", "detail", "owner", "due", "reference"];

/// The whole table.
pub(super) fn render(page: &Page<'_>, _: &Options) -> String {
    let mut table = csv::Writer::from_writer(Vec::new());
    let mut lines = vec![HEADS.map(str::to_owned)];
    lines.extend(period(page));
    lines.extend(objectives(page.of));
    lines.extend(cadence(page.of));
    lines.extend(untested(page.of));
    lines.extend(findings(page.of));
    lines.extend(controls(page.of));
    lines.extend(drills(page.of));
    for line in lines {
        // Writing to memory cannot fail.
        let _ = table.write_record(line.map(|cell| harmless(&cell)));
    }
    let bytes = table.into_inner().unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// One line, not endless, and no formula: a spreadsheet runs what begins with one of these signs.
fn harmless(cell: &str) -> String {
    let text = foreign(cell);
    // What was cut away in front of a sign must not be what kept it from being one.
    match text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']) && text != "-" {
        true => format!("'{text}"),
        false => text,
    }
}

fn line(cells: [&str; 9]) -> [String; 9] {
    cells.map(str::to_owned)
}

fn period(page: &Page<'_>) -> Vec<[String; 9]> {
    let of = page.of;
    let period = format!("{} to {} ({})", of.period.from, of.period.last(), of.period.time_zone);
    let count = &of.completeness;
    let drills = format!(
        "{} drills: {} passed; {} failed; {} inconclusive; {} interrupted; {} not executed; {} simulated; {} of another plan",
        count.drills,
        count.passed,
        count.failed,
        count.inconclusive,
        count.interrupted,
        count.not_executed,
        count.simulated,
        count.of_another_plan
    );
    let head = match (&of.head, &of.beside) {
        (Some(head), _) => format!("entry {} {}", head.sequence, head.sha256),
        (None, None) => "no history".into(),
        (None, Some(beside)) => format!("no history; {}", evidence(beside).to_lowercase()),
    };
    let signed = page.key.map_or("UNSIGNED".into(), |key| format!("signed with {key}"));
    vec![line(["period", &of.platform, of.standing.name(), &period, &signed, &drills, "", "", &head])]
}

fn objectives(of: &Compliance) -> Vec<[String; 9]> {
    let each = of.objectives.iter().map(|one| {
        let status = one.status.words();
        let margin = one.margin_percent.map_or(String::new(), |margin| format!("margin {margin} percent; "));
        let (met, missed, unmeasured, stale) = (one.met, one.missed, one.unmeasured, one.stale);
        let detail = format!("{margin}{met} met; {missed} missed; {unmeasured} unmeasured; {stale} of an earlier plan");
        let objective = format!("{} {}", one.objective.words(), one.limit);
        let actual = one.worst_words();
        let worst_in = one.worst_in.as_deref().unwrap_or_default();
        line(["objective", &one.whose, status, &objective, &actual, &detail, "", "", worst_in])
    });
    each.collect()
}

fn cadence(of: &Compliance) -> Vec<[String; 9]> {
    let each = of.cadence.iter().flat_map(|one| {
        one.windows.iter().map(|window| {
            let status = match window.standing {
                Colour::Green | Colour::Amber => "kept",
                Colour::Grey if window.before_history => "before the history began",
                Colour::Grey => "not over yet",
                Colour::Red => "missed",
            };
            let (every, tests) = (format!("every {}", one.every), format!("{} restore tests", window.tests));
            let days = format!("{} to {}", window.from, window.last());
            line(["restore tests", &one.service, status, &every, &tests, &days, "", "", ""])
        })
    });
    each.collect()
}

fn untested(of: &Compliance) -> Vec<[String; 9]> {
    let each = of.coverage.untested.iter();
    each.map(|one| line(["coverage", &one.name, "untested", &one.kind, "-", &one.why, "", "", ""])).collect()
}

fn findings(of: &Compliance) -> Vec<[String; 9]> {
    let each = of.findings.iter().map(|one| {
        let status = match (one.closed_at, one.overdue) {
            (Some(at), _) => format!("closed by a retest at {at}"),
            (None, true) => "open, overdue".into(),
            (None, false) => "open".into(),
        };
        let action = one.action.as_ref();
        let detail = match action {
            None => "no action assigned".to_owned(),
            Some(action) => format!("{}: {}", action.status.words(), action.note.as_deref().unwrap_or("-")),
        };
        let (owner, due) = action.map_or_else(Default::default, |one| (one.owner.clone(), one.due.to_string()));
        let (severity, since) = (one.severity.words(), format!("since {}", one.since));
        let scenarios = one.scenarios.join(" ");
        line(["finding", &one.title, &status, severity, &since, &detail, &owner, &due, &scenarios])
    });
    each.collect()
}

fn controls(of: &Compliance) -> Vec<[String; 9]> {
    let each = of.controls.iter().map(|one| {
        let name = format!("{} {}", one.framework, one.id);
        let status = one.support.map_or("no evidence", |support| support.words());
        let note = if one.confirm { "confirm with its text" } else { "" };
        line(["control", &name, status, &one.asks, "", &one.evidence, "", "", note])
    });
    each.collect()
}

fn drills(of: &Compliance) -> Vec<[String; 9]> {
    let each = of.drills.iter().map(|one| {
        let outcome = one.outcome.map_or("-", |outcome| outcome.words());
        let plan = if one.of_this_plan { "" } else { ", of another plan file" };
        let detail = format!("{} drill of {} at level {}{plan}", one.way.words(), one.services.join(" "), one.level);
        let (result, verdict) = (one.result.words(), one.verdict.words());
        let at = one.at.to_string();
        line(["drill", &one.scenario, result, verdict, outcome, &detail, "", &at, &one.record_sha256])
    });
    each.collect()
}
