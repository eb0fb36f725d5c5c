//! One service of a drill: its phases, losses, checks, backups, and the recovery points that were tried.

use super::{
    Page,
    drill::{maybe, table, yes},
    shown,
};
use crate::{
    model::{
        event::{Comparison, Position},
        record::{ServiceRecord, Timeline},
        words,
    },
    report::text::markdown,
};

/// Adds a service; `of` goes before each heading.
pub(super) fn service(page: &mut Page, one: &ServiceRecord, of: &str) {
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
    points(page, one, of);
}

/// Its own clock, where it is not the drill's.
fn marks(page: &mut Page, time: &Timeline, of: &str) {
    let marks = [("t3", "restore starts", time.t3), ("t4", "data restored", time.t4), ("t5", "checks passed", time.t5)];
    let rows = marks.map(|(mark, meaning, at)| vec![mark.into(), meaning.into(), shown(at)]);
    table(page, &format!("{of}timeline"), &["Mark", "Meaning", "Since t0"], rows.into());
}

fn phases(page: &mut Page, record: &ServiceRecord, of: &str) {
    let phases = record.phases.iter().enumerate().map(|(number, phase)| {
        // A phase is there once more for each recovery point that was tried.
        let attempt = record.phases[..=number].iter().filter(|earlier| earlier.phase == phase.phase).count();
        let ended = phase.took.map_or("did not end".to_owned(), |_| yes(phase.ok));
        vec![phase.phase.words().to_owned(), attempt.to_string(), shown(Some(phase.from)), shown(phase.took), ended]
    });
    let heads = ["Phase", "Attempt", "From, since t0", "Took", "Ended well"];
    table(page, &format!("{of}Phases"), &heads, phases.collect());
}

fn backups(page: &mut Page, record: &ServiceRecord, of: &str) {
    let rows = record.backups.iter().map(|made| {
        let regions = match &made.missing_in[..] {
            [] => words::list(&made.regions),
            missing => format!("{}; missing in {}", words::list(&made.regions), missing.join("; ")),
        };
        vec![
            made.day.to_string(),
            markdown(&made.point),
            format!("{} of {}", made.position.seq, made.position.committed_at),
            made.rows.to_string(),
            words::bytes(made.stored_bytes),
            markdown(&regions),
            shown(Some(made.took)),
        ]
    });
    let heads = ["Day", "Backup", "Holds up to write", "Rows", "Stored", "Regions", "Took"];
    table(page, &format!("{of}Backups of the history"), &heads, rows.collect());
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
    let rows = names.into_iter().zip(figures).map(|(name, figure)| vec![name.to_owned(), shown(figure)]);
    table(page, &format!("{of}How much could be lost"), &["Figure", "Value"], rows.collect());
}

fn ledger(page: &mut Page, found: &Comparison, of: &str) {
    let position = |p: &Position| format!("write {} of {}", p.seq, p.committed_at);
    let rows = [
        ("State is as claimed", yes(found.as_claimed)),
        ("Last acknowledged write", position(&found.last)),
        ("Last write of the unbroken prefix", position(&found.prefix)),
        ("Rows found", format!("{} of {}", found.rows_found, found.rows_expected)),
        ("Writes lost", found.writes_lost.to_string()),
        ("Holes below the claimed position", found.holes.to_string()),
        ("Writes ahead of the claimed position", found.writes_ahead.to_string()),
        ("Rows altered", found.altered.to_string()),
        ("Rows extra", found.extra.to_string()),
        ("Rows resurrected", found.resurrected.to_string()),
    ];
    let rows = rows.map(|(name, value)| vec![name.to_owned(), value]);
    table(
        page,
        &format!("{of}Restored state against the ledger (complete, not sampled)"),
        &["Figure", "Value"],
        rows.into(),
    );
    if !found.examples.is_empty() {
        page.paragraph("Rows that are wrong, some of them:");
        page.bullets(&found.examples.iter().map(|example| markdown(example)).collect::<Vec<_>>());
    }
}

fn checks(page: &mut Page, record: &ServiceRecord, of: &str) {
    let rows = record.checks.iter().map(|check| {
        let passed = check.passed.map_or("could not run".to_owned(), yes);
        vec![markdown(&check.check), passed, markdown(&check.detail)]
    });
    table(page, &format!("{of}Checks"), &["Check", "Passed", "Detail"], rows.collect());
}

fn points(page: &mut Page, record: &ServiceRecord, of: &str) {
    let restore = &record.restore;
    let listed = restore.listed.iter().map(|listed| {
        let points = listed.points.map_or("no answer".to_owned(), |n| n.to_string());
        vec![markdown(&listed.region), points, maybe(listed.why.as_deref())]
    });
    table(page, &format!("{of}Regions asked"), &["Region", "Recovery points", "Why none"], listed.collect());
    let refused = restore.refused.iter().map(|tried| {
        let fate = format!("refused in {}", tried.phase.words());
        vec![markdown(&tried.point), markdown(&tried.region), fate, markdown(&tried.why)]
    });
    let chosen = restore.chosen.iter().map(|claim| {
        let pieces = restore
            .streamed
            .map(|streamed| format!(", with {} of the change stream on top", words::count(streamed.pieces, "piece")));
        let (Position { seq, committed_at }, pieces) = (claim.position, pieces.unwrap_or_default());
        let claimed = format!("claims write {seq} of {committed_at}{pieces}");
        vec![markdown(&claim.point), markdown(&claim.region), "restored".to_owned(), claimed]
    });
    let heads = ["Recovery point", "Region", "Fate", "Why"];
    table(page, &format!("{of}Recovery points tried"), &heads, refused.chain(chosen).collect());
    if let Some(refusal) = &restore.refusal {
        page.paragraph(&markdown(&format!("Nothing was restored: {refusal}.")));
    }
}
