//! A plan read as an engineer would: what is well formed, agrees with every rule of the format, and will not hold on the
//! night. Each rule is one file or one function in it; a rule speaks only of what the plan says, with its numbers.

mod classes;
mod levels;
mod monitor;
mod realtime;
mod regions;
mod response;
mod retention;
mod rpo;
mod testing;

use serde::Serialize;

use super::{explain::shown_sentence, load::Loaded};
use crate::model::{
    plan::{Cadence, Plan, ServicePlan},
    record::Severity,
    scenario::Scenario,
};

/// A promise of the plan that its own numbers break.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Weakness {
    /// The rule that found it.
    pub id: &'static str,
    /// How bad.
    pub severity: Severity,
    /// Where in the plan: a path such as `monitor.max_age`.
    pub path: String,
    /// Where in the file: `file:line:column`.
    pub place: String,
    /// What is wrong, in one line.
    pub what: String,
    /// Why, with the numbers.
    pub why: String,
    /// What to change.
    pub remedy: String,
    /// The scenarios that show it in a drill, of those at hand; several where it takes a contrast.
    pub proven_by: Vec<String>,
}

/// A scenario with its id, for instance `database/control`.
pub type Named<'s> = (&'s str, &'s Scenario);

/// Reads a plan, worst weakness first. `scenarios` are those at hand: one that shows a weakness is named with it.
pub fn lint(plan: &Loaded<Plan>, scenarios: &[Named<'_>]) -> Vec<Weakness> {
    let reader = Reader { plan, scenarios };
    let mut found: Vec<Weakness> = RULES.iter().flat_map(|rule| rule(&reader)).collect();
    found.sort_by_key(|weakness| weakness.severity);
    found
}

/// A rule: everything that it finds in a plan.
type Rule = fn(&Reader<'_>) -> Vec<Weakness>;

/// The catalogue, in the order in which findings of one severity are shown.
const RULES: &[Rule] = &[
    rpo::below_interval,
    rpo::one_bad_generation,
    realtime::without_replication,
    classes::promised_more_often,
    classes::held_nowhere,
    retention::of_services,
    retention::of_classes,
    levels::looser_than_any_level,
    monitor::age_below_interval,
    testing::content_unread,
    response::eats_the_rto,
    response::slower_than_the_rto,
    regions::only_one,
];

/// What a rule reads.
struct Reader<'r> {
    plan: &'r Loaded<Plan>,
    scenarios: &'r [Named<'r>],
}

impl Reader<'_> {
    fn plan(&self) -> &Plan {
        &self.plan.value
    }

    /// A weakness at a path of the plan. What is wrong, why, and what to change.
    fn weakness(&self, id: &'static str, severity: Severity, path: impl Into<String>, words: [String; 3]) -> Weakness {
        let (path, [what, why, remedy]) = (path.into(), words.map(|text| shown_sentence(&text)));
        let place = self.plan.places.of(&path);
        Weakness { id, severity, path, place, what, why, remedy, proven_by: Vec::new() }
    }

    /// Services that are backed up on a schedule.
    fn scheduled(&self) -> impl Iterator<Item = (&str, &ServicePlan)> {
        let services = self.plan().services.iter().map(|(name, service)| (name.as_str(), service));
        services.filter(|(_, service)| service.backup.every != Cadence::Realtime)
    }

    /// The most frequent schedule in the plan, and the services that have it.
    fn most_frequent(&self) -> Option<(Cadence, Vec<(&str, &ServicePlan)>)> {
        let every = self.scheduled().map(|(_, service)| service.backup.every).min()?;
        Some((every, self.scheduled().filter(|(_, service)| service.backup.every == every).collect()))
    }

    /// The id of the first scenario at hand that shows something.
    fn shown_by(&self, shows: impl Fn(&Scenario) -> bool) -> Vec<String> {
        self.scenarios
            .iter()
            .find(|(_, scenario)| shows(scenario))
            .map(|(id, _)| (*id).to_owned())
            .into_iter()
            .collect()
    }
}

#[cfg(test)]
mod tests;
