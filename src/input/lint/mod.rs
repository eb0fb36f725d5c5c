//! A plan read as an engineer would: what is well formed, agrees with every rule of the format, and will not hold on the
//! night. Each rule is one file or one function in it; a rule speaks only of what the plan says, with its numbers.

mod classes;
mod contacts;
mod copies;
mod levels;
mod locks;
mod monitor;
mod realtime;
mod regions;
mod response;
mod retention;
mod rpo;
mod testing;

use super::{explain::shown_sentence, load::Loaded};
use crate::model::{
    plan::{Cadence, Plan, ServicePlan},
    record::Severity,
    weakness::Weakness,
};

/// Reads a plan, worst weakness first.
pub fn lint(plan: &Loaded<Plan>) -> Vec<Weakness> {
    let reader = Reader { plan };
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
    locks::none_holds,
    testing::content_unread,
    response::eats_the_rto,
    response::slower_than_the_rto,
    regions::only_one,
    copies::one_region,
    copies::by_size,
    copies::deletions_followed,
    copies::types_left_out,
    copies::slower_than_the_rto,
    copies::dated_in_full,
    contacts::never_called,
];

/// What a rule reads.
struct Reader<'r> {
    plan: &'r Loaded<Plan>,
}

impl Reader<'_> {
    fn plan(&self) -> &Plan {
        &self.plan.value
    }

    /// A weakness at a path of the plan. What is wrong, why, and what to change.
    fn weakness(&self, id: &'static str, severity: Severity, path: impl Into<String>, words: [String; 3]) -> Weakness {
        let (path, [what, why, remedy]) = (path.into(), words.map(|text| shown_sentence(&text)));
        let place = self.plan.places.of(&path);
        Weakness { id, severity, path, place, what, why, remedy }
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
}

#[cfg(test)]
mod tests;
