//! One service of a drill: its phases, losses, checks, backups, and the recovery points that were tried.

use super::{
    Page,
    drill::{maybe, table, yes},
    shown,
};
use crate::{
    model::{
        event::{BackupMade, CheckResult, Comparison, Position},
        plan::ServiceKind,
        record::{ListedRegion, PhaseTimed, ServiceRecord, Timeline},
        words,
    },
    report::text::markdown,
};

/// Adds a service; `of` goes before each heading.
pub(super) fn service(page: &mut Page, one: &ServiceRecord, kind: Option<ServiceKind>, of: &str) {
    if !of.is_empty() {
        marks(page, &one.timeline, of);
    }
    phases(page, one, of);
    exposure(page, one, of);
    if let Some(comparison) = &one.comparison {
        ledger(page, comparison, of);
    }
    checks(page, one, of);
    backups(page, one, of);
    points(page, one, kind == Some(ServiceKind::WebApplication), of);
}

/// Its own clock, where it is not the drill's.
fn marks(page: &mut Page, time: &Timeline, of: &str) {
    let marks = [("t3", "restore starts", time.t3), ("t4", "data restored", time.t4), ("t5", "checks passed", time.t5)];
    let rows = marks.map(|(mark, meaning, at)| vec![mark.into(), page.say(meaning), shown(page, at)]);
    table(page, &format!("{of}timeline"), &["Mark", "Meaning", "Since t0"], rows.into());
}

fn phases(page: &mut Page, record: &ServiceRecord, of: &str) {
    let row = |(number, phase): (usize, &PhaseTimed)| {
        // A phase is there once more for each recovery point that was tried.
        let attempt = record.phases[..=number].iter().filter(|earlier| earlier.phase == phase.phase).count();
        let ended = phase.took.map_or(page.say("did not end"), |_| yes(page, phase.ok));
        let (from, took) = (shown(page, Some(phase.from)), shown(page, phase.took));
        vec![page.say(phase.phase.words()), attempt.to_string(), from, took, ended]
    };
    let phases = record.phases.iter().enumerate().map(row).collect();
    let heads = ["Phase", "Attempt", "From, since t0", "Took", "Ended well"];
    table(page, &format!("{of}Phases"), &heads, phases);
}

fn backups(page: &mut Page, record: &ServiceRecord, of: &str) {
    let row = |made: &BackupMade| {
        let regions = match &made.missing_in[..] {
            [] => markdown(&words::list(&made.regions)),
            missing => page.say(&format!("{}; missing in {}", words::list(&made.regions), missing.join("; "))),
        };
        vec![
            made.day.to_string(),
            markdown(&made.point),
            position(page, &made.position),
            made.rows.to_string(),
            words::bytes(made.stored_bytes),
            regions,
            shown(page, Some(made.took)),
        ]
    };
    let rows = record.backups.iter().map(row).collect();
    let heads = ["Day", "Backup", "Holds up to write", "Rows", "Stored", "Regions", "Took"];
    table(page, &format!("{of}Backups of the history"), &heads, rows);
}

fn exposure(page: &mut Page, record: &ServiceRecord, of: &str) {
    let exposure = &record.exposure;
    let figures = [exposure.backup_age, exposure.rpa, exposure.worst_case];
    if figures.iter().all(Option::is_none) {
        return;
    }
    let names = [
        "Age of the newest backup at t0 (says nothing of what is in it)",
        "RPA, by the ledger",
        "Worst-case exposure (backup interval and longest backup)",
    ];
    let rows = names.into_iter().zip(figures).map(|(name, figure)| vec![page.say(name), shown(page, figure)]).collect();
    table(page, &format!("{of}How much could be lost"), &["Figure", "Value"], rows);
}

fn ledger(page: &mut Page, found: &Comparison, of: &str) {
    let rows = [
        ("State is as claimed", yes(page, found.as_claimed)),
        ("Last acknowledged write", position(page, &found.last)),
        ("Last write of the unbroken prefix", position(page, &found.prefix)),
        ("Rows found", page.say(&format!("{} of {}", found.rows_found, found.rows_expected))),
        ("Writes lost", found.writes_lost.to_string()),
        ("Holes below the claimed position", found.holes.to_string()),
        ("Writes ahead of the claimed position", found.writes_ahead.to_string()),
        ("Rows altered", found.altered.to_string()),
        ("Rows extra", found.extra.to_string()),
        ("Rows resurrected", found.resurrected.to_string()),
    ];
    let rows = rows.map(|(name, value)| vec![page.say(name), value]);
    table(
        page,
        &format!("{of}Restored state against the ledger (complete, not sampled)"),
        &["Figure", "Value"],
        rows.into(),
    );
    if !found.examples.is_empty() {
        page.paragraph(&page.say("Rows that are wrong, some of them:"));
        page.bullets(&found.examples.iter().map(|example| markdown(example)).collect::<Vec<_>>());
    }
}

fn checks(page: &mut Page, record: &ServiceRecord, of: &str) {
    let row = |check: &CheckResult| {
        let passed = check.passed.map_or(page.say("could not run"), |passed| yes(page, passed));
        vec![page.say(&check.check), passed, markdown(&check.detail)]
    };
    let rows = record.checks.iter().map(row).collect();
    table(page, &format!("{of}Checks"), &["Check", "Passed", "Detail"], rows);
}

/// Where recovery points were looked for, and which were tried; releases of a web application, which lie in no region.
fn points(page: &mut Page, record: &ServiceRecord, are_releases: bool, of: &str) {
    let restore = &record.restore;
    let row = |listed: &ListedRegion| {
        let points = listed.points.map_or(page.say("no answer"), |n| n.to_string());
        vec![markdown(&listed.region), points, maybe(listed.why.as_deref())]
    };
    let listed = restore.listed.iter().map(row).collect();
    let (head, place, points) = match are_releases {
        true => ("Places asked", "Place", "Releases"),
        false => ("Regions asked", "Region", "Recovery points"),
    };
    table(page, &format!("{of}{head}"), &[place, points, "Why none"], listed);
    let refused = restore.refused.iter().map(|tried| {
        let fate = page.say(&format!("refused in {}", tried.phase.words()));
        vec![markdown(&tried.point), markdown(&tried.region), fate, markdown(&tried.why)]
    });
    let chosen = restore.chosen.iter().map(|claim| {
        let pieces = restore
            .streamed
            .map(|streamed| format!(", with {} of the change stream on top", words::count(streamed.pieces, "piece")));
        let (Position { seq, committed_at }, pieces) = (claim.position, pieces.unwrap_or_default());
        let claimed = page.say(&format!("claims write {seq} of {}{pieces}", page.moment(committed_at)));
        vec![markdown(&claim.point), markdown(&claim.region), page.say("restored"), claimed]
    });
    let tried = refused.chain(chosen).collect();
    let (head, point, place) = match are_releases {
        true => ("Releases tried", "Release", "Deployment"),
        false => ("Recovery points tried", "Recovery point", "Region"),
    };
    table(page, &format!("{of}{head}"), &[point, place, "Fate", "Why"], tried);
    if let Some(refusal) = &restore.refusal {
        page.paragraph(&page.say(&format!("Nothing was restored: {refusal}.")));
    }
}

fn position(page: &Page, position: &Position) -> String {
    page.say(&format!("write {} of {}", position.seq, page.moment(position.committed_at)))
}
