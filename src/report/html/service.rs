//! One service of a drill: its clock as a chart, what could be lost, the ledger's word on what was, the points tried.

use askama::Template;

use super::{
    chart::{Bar, Line, Scale},
    gantt::Gantt,
    table::{Cell, Table, shown, write},
};
use crate::{
    model::{
        event::{Comparison, Position},
        plan::ServiceKind,
        record::{ObjectiveKind, Record, ServiceRecord},
        status::Status,
        words,
    },
    report::{Options, figures, status},
};

/// One service.
#[derive(Debug, Template)]
#[template(path = "report/service.html")]
pub(super) struct Service<'r> {
    options: &'r Options,
    /// Said where a drill is about several.
    name: Option<&'r str>,
    status: Status,
    gantt: Option<Gantt>,
    exposure: Vec<Measure>,
    tables: Vec<Table>,
    examples: &'r [String],
    refusal: Option<String>,
}

/// A figure beside the objective.
#[derive(Debug)]
struct Measure {
    name: &'static str,
    bars: Vec<Bar>,
    line: Option<Line>,
    value: String,
    is_rpa: bool,
}

impl<'r> Service<'r> {
    pub(super) fn of(record: &'r Record, one: &'r ServiceRecord, options: &'r Options) -> Self {
        let zone = &record.plan.time_zone;
        let releases = record.plan.kind(&one.service) == Some(ServiceKind::WebApplication);
        let comparison = one.comparison.as_ref();
        let tables = [
            comparison.and_then(|found| ledger(found, zone, options)),
            checks(one, options),
            listed(one, releases, options),
            points(one, releases, zone, options),
            backups(one, zone, options),
        ];
        Service {
            options,
            name: (record.services.len() > 1).then_some(&one.service),
            status: status::service(record, &one.service),
            gantt: Gantt::of(record, one, options),
            exposure: exposure(record, one, options),
            tables: tables.into_iter().flatten().collect(),
            examples: comparison.map_or(&[], |found| &found.examples),
            refusal: one.restore.refusal.as_ref().map(|why| format!("Nothing was restored: {why}.")),
        }
    }
}

/// Three figures that are often taken for each other, on one scale with the RPO.
fn exposure(record: &Record, one: &ServiceRecord, options: &Options) -> Vec<Measure> {
    let figures = [
        ("Age of the newest backup at t0 (says nothing of what is in it)", one.exposure.backup_age, false),
        ("RPA, by the ledger", one.exposure.rpa, true),
        ("Worst-case exposure (backup interval and longest backup)", one.exposure.worst_case, false),
    ];
    if figures.iter().all(|(_, figure, _)| figure.is_none()) {
        return Vec::new();
    }
    let whose = format!("service {}", one.service);
    let rpo = record.objectives.iter().find(|j| j.objective == ObjectiveKind::Rpo && j.whose == whose);
    let longest = figures.iter().filter_map(|(_, figure, _)| *figure).map(|figure| figure.total_ms()).max();
    let limit = rpo.map_or(0, |rpo| rpo.limit.millis());
    let whole = longest.unwrap_or(0).max(limit);
    let scale = Scale::new(0, whole.saturating_add(whole / 20));
    let measure = |(name, figure, is_rpa): (&'static str, Option<crate::model::time::Elapsed>, bool)| Measure {
        name,
        bars: figure.map(|figure| scale.bars(Default::default(), figure)).unwrap_or_default(),
        line: rpo.and_then(|rpo| scale.line(limit, format!("RPO {}", options.say(&rpo.limit.to_string())))),
        value: shown(figure, options),
        is_rpa,
    };
    figures.into_iter().map(measure).collect()
}

fn ledger(found: &Comparison, zone: &str, options: &Options) -> Option<Table> {
    let rows = [
        ("State is as claimed", Cell::yes(found.as_claimed, options)),
        ("Last acknowledged write", write(found.last, zone, options).into()),
        ("Last write of the unbroken prefix", write(found.prefix, zone, options).into()),
        ("Rows found", options.say(&format!("{} of {}", found.rows_found, found.rows_expected)).into_owned().into()),
        ("Writes lost", found.writes_lost.to_string().into()),
        ("Holes below the claimed position", Cell::count(found.holes)),
        ("Writes ahead of the claimed position", found.writes_ahead.to_string().into()),
        ("Rows altered", Cell::count(found.altered)),
        ("Rows extra", Cell::count(found.extra)),
        ("Rows resurrected", Cell::count(found.resurrected)),
    ];
    let title = options.say("Restored state against the ledger (complete, not sampled)").into_owned();
    Table::figures(title, rows, options)
}

fn checks(one: &ServiceRecord, options: &Options) -> Option<Table> {
    let row = |check: &crate::model::event::CheckResult| {
        let passed =
            check.passed.map_or_else(|| Cell::bad(options.say("could not run")), |passed| Cell::yes(passed, options));
        vec![Cell::from(&check.check), passed, Cell::from(&check.detail)]
    };
    let rows = one.checks.iter().map(row).collect();
    Table::new(options.say("Checks").into_owned(), &["Check", "Passed", "Detail"], rows, options)
}

/// Where recovery points were looked for; releases of a web application lie in no region.
fn listed(one: &ServiceRecord, releases: bool, options: &Options) -> Option<Table> {
    let row = |listed: &crate::model::record::ListedRegion| {
        let points = listed.points.map_or_else(|| Cell::bad(options.say("no answer")), |n| n.to_string().into());
        vec![Cell::from(&listed.region), points, Cell::quoted(listed.why.as_deref())]
    };
    let (title, heads) = match releases {
        true => ("Places asked", ["Place", "Releases", "Why none"]),
        false => ("Regions asked", ["Region", "Recovery points", "Why none"]),
    };
    let rows = one.restore.listed.iter().map(row).collect();
    Table::new(options.say(title).into_owned(), &heads, rows, options)
}

fn points(one: &ServiceRecord, releases: bool, zone: &str, options: &Options) -> Option<Table> {
    let refused = one.restore.refused.iter().map(|tried| {
        let fate = options.say(&format!("refused in {}", tried.phase.words())).into_owned();
        vec![Cell::from(&tried.point), Cell::from(&tried.region), Cell::bad(fate), Cell::from(&tried.why)]
    });
    let chosen = one.restore.chosen.iter().map(|claim| {
        let Position { seq, .. } = claim.position;
        let streamed = one.restore.streamed;
        let pieces = streamed
            .map(|streamed| format!(", with {} of the change stream on top", words::count(streamed.pieces, "piece")));
        let at = crate::report::contract::moment(claim.position.committed_at, zone);
        let claimed = format!("claims write {seq} of {at}{}", pieces.unwrap_or_default());
        let fate = options.say("restored").into_owned();
        vec![Cell::from(&claim.point), Cell::from(&claim.region), fate.into(), Cell::said(Some(&claimed), options)]
    });
    let (title, heads) = match releases {
        true => ("Releases tried", ["Release", "Deployment", "Fate", "Why"]),
        false => ("Recovery points tried", ["Recovery point", "Region", "Fate", "Why"]),
    };
    Table::new(options.say(title).into_owned(), &heads, refused.chain(chosen).collect(), options)
}

fn backups(one: &ServiceRecord, zone: &str, options: &Options) -> Option<Table> {
    let row = |made: &crate::model::event::BackupMade| {
        let held = words::list(&made.regions);
        let regions = match &made.missing_in[..] {
            [] => Cell::from(held),
            missing => Cell::bad(options.say(&format!("{held}; missing in {}", missing.join("; ")))),
        };
        vec![
            made.day.to_string().into(),
            Cell::from(&made.point),
            write(made.position, zone, options).into(),
            made.rows.to_string().into(),
            words::bytes(made.stored_bytes).into(),
            regions,
            options.say(&figures::short(made.took).total).into_owned().into(),
        ]
    };
    let heads = ["Day", "Backup", "Holds up to", "Rows", "Stored", "Regions", "Took"];
    let rows = one.backups.iter().map(row).collect();
    Table::new(options.say("Backups of the history").into_owned(), &heads, rows, options)
}
