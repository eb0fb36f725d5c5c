//! The map of all drills, scenario by service: where each stands, and the way to it.

use std::collections::BTreeSet;

use askama::Template;

use super::{brief, drill::drills};
use crate::{
    model::{record::Record, status::Status},
    report::{
        Options,
        figures::{self, Short},
        status,
    },
};

/// The map.
#[derive(Debug, Template)]
#[template(path = "report/heat.html")]
pub(super) struct Heat<'r> {
    options: &'r Options,
    services: Vec<String>,
    groups: Vec<Group>,
    columns: usize,
}

/// Scenarios of one folder.
#[derive(Debug)]
struct Group {
    name: String,
    says: String,
    rows: Vec<Row>,
}

/// One drill.
#[derive(Debug)]
struct Row {
    number: usize,
    name: String,
    result: &'static str,
    passed: bool,
    outcome: &'static str,
    /// One for each service; `None` where the drill is not about it.
    cells: Vec<Option<Status>>,
    level: u8,
    of_level: Status,
    rta: Option<Short>,
    rpa: Option<Short>,
}

impl<'r> Heat<'r> {
    pub(super) fn of(records: &'r [Record], options: &'r Options) -> Self {
        let of_plans = records.iter().flat_map(|record| record.plan.services.keys());
        let drilled = records.iter().flat_map(|record| &record.scope.services);
        let names: Vec<&str> =
            of_plans.chain(drilled).map(String::as_str).collect::<BTreeSet<_>>().into_iter().collect();
        let mut groups: Vec<Group> = Vec::new();
        for (index, record) in records.iter().enumerate() {
            let (folder, name) = record.identity.scenario.rsplit_once('/').unwrap_or(("", &record.identity.scenario));
            let folder = brief(folder, 60);
            let row = row(index + 1, name, record, &names, options);
            match groups.last_mut().filter(|group| group.name == folder) {
                Some(group) => group.rows.push(row),
                None => groups.push(Group { name: folder, says: String::new(), rows: vec![row] }),
            }
        }
        for group in &mut groups {
            group.says = options.say(&drills(group.rows.len())).into_owned();
        }
        Heat { options, columns: names.len() + 6, services: names.iter().map(|name| brief(name, 24)).collect(), groups }
    }
}

fn row(number: usize, name: &str, record: &Record, services: &[&str], options: &Options) -> Row {
    let cell = |service: &&str| {
        let about = record.scope.services.iter().any(|one| one == service);
        about.then(|| status::service(record, service))
    };
    Row {
        number,
        name: brief(name, 60),
        result: record.result.result.words(),
        passed: record.result.result == crate::model::outcome::DrillResult::Pass,
        outcome: super::drill::ended(record),
        cells: services.iter().map(cell).collect(),
        level: record.scope.level,
        of_level: status::level(record),
        rta: super::short(record.timeline.t5, options),
        rpa: super::short(figures::rpa(record), options),
    }
}
