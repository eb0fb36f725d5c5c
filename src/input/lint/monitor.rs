//! A monitor that cries wolf.

use super::{Reader, Weakness};
use crate::model::{
    plan::{Cadence, Plan, ServicePlan},
    record::Severity,
    units::Span,
};

const DAY_MS: u64 = 86_400_000;

/// An age limit that a healthy backup exceeds before the next one is there. One limit serves the whole plan, so it is
/// held against the most frequent schedule alone.
pub(super) fn age_below_interval(reader: &Reader<'_>) -> Vec<Weakness> {
    let limit = reader.plan().monitor.max_age;
    let Some((every, services)) = reader.most_frequent() else { return Vec::new() };
    let interval = every.interval();
    if limit > interval {
        return Vec::new();
    }
    let names: Vec<String> = services.iter().map(|(name, _)| format!("`{name}`")).collect();
    let names = names.join(" and ");
    let words = [
        format!("the monitor calls a backup old after {limit}; the next one is due after {interval}"),
        why(reader.plan(), every, &services, &names),
        format!(
            "set `max_age` to {interval} plus the longest time that a backup takes, for instance {}",
            Span(interval.millis() + 7_200_000)
        ),
    ];
    vec![reader.weakness("monitor-age-below-interval", Severity::Medium, "monitor.max_age", words)]
}

fn why(plan: &Plan, every: Cadence, services: &[(&str, &ServicePlan)], names: &str) -> String {
    let (limit, interval) = (plan.monitor.max_age, every.interval());
    if limit == interval {
        return format!("a healthy backup of {names} is reported as old for as long as the next one takes to make");
    }
    let false_ms = interval.millis() - limit.millis();
    let percent = false_ms * 100 / interval.millis();
    let share = format!(
        "a healthy backup of {names} is reported as old for {} of every {interval} ({percent}% of the time)",
        Span(false_ms)
    );
    match services.first().and_then(|(_, service)| service.backup.at).filter(|_| every == Cadence::Daily) {
        Some(at) => {
            let (old, looks) = looks(plan, u64::from(at.minutes) * 60_000);
            format!("{share}, by {old} of the {looks} looks a day")
        }
        None => share,
    }
}

/// How many of a day's looks find a daily backup too old, and how many there are. Looks count from midnight.
fn looks(plan: &Plan, backup_ms: u64) -> (usize, usize) {
    let step = plan.monitor.check_every.millis().clamp(60_000, DAY_MS);
    let times: Vec<u64> = (0..DAY_MS).step_by(usize::try_from(step).unwrap_or(usize::MAX)).collect();
    let age = |look: &u64| (look + DAY_MS - backup_ms) % DAY_MS;
    (times.iter().filter(|look| age(look) > plan.monitor.max_age.millis()).count(), times.len())
}
