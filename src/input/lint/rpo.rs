//! Recovery point objectives that the backup interval cannot hold.

use super::{Reader, Weakness};
use crate::model::{plan::ServicePlan, record::Severity, units::Span};

/// An objective no longer than the interval: even a healthy backup misses it, by the time that a backup takes.
pub(super) fn below_interval(reader: &Reader<'_>) -> Vec<Weakness> {
    let breaks = |service: &ServicePlan| service.rpo <= interval(service);
    let words = |name: &str, service: &ServicePlan| {
        let (rpo, every) = (service.rpo, interval(service));
        [
            format!("`{name}` promises an RPO of {rpo} from a backup taken every {every}"),
            format!(
                "just before a backup completes, the newest one is {every} plus the backup's own duration old, which is \
                 more than {rpo}; with one bad generation it is over {}",
                doubled(service)
            ),
            format!(
                "back it up more often than every {rpo}, or promise an RPO above {}, which one bad generation keeps",
                doubled(service)
            ),
        ]
    };
    each(reader, "rpo-below-interval", Severity::High, breaks, words)
}

/// An objective that a healthy backup holds, and that the first bad generation breaks.
pub(super) fn one_bad_generation(reader: &Reader<'_>) -> Vec<Weakness> {
    let breaks = |service: &ServicePlan| service.rpo > interval(service) && service.rpo <= doubled(service);
    let words = |name: &str, service: &ServicePlan| {
        let (rpo, every) = (service.rpo, interval(service));
        [
            format!("one bad generation breaks the RPO of {rpo} for `{name}`"),
            format!("backups are taken every {every}: with the newest bad, up to {} is lost", doubled(service)),
            format!("back it up more often, or promise an RPO above {}", doubled(service)),
        ]
    };
    each(reader, "rpo-one-bad-generation", Severity::Medium, breaks, words)
}

fn each(
    reader: &Reader<'_>,
    id: &'static str,
    severity: Severity,
    breaks: impl Fn(&ServicePlan) -> bool,
    words: impl Fn(&str, &ServicePlan) -> [String; 3],
) -> Vec<Weakness> {
    // Where commands keep changes between the backups, the time between two of those says nothing.
    let is_continuous = |service: &ServicePlan| service.pipeline.as_ref().is_some_and(|commands| commands.continuous);
    let broken = reader.scheduled().filter(|(_, service)| !is_continuous(service) && breaks(service));
    let weakness = |(name, service): (&str, &ServicePlan)| {
        reader.weakness(id, severity, format!("services.{name}.rpo"), words(name, service))
    };
    broken.map(weakness).collect()
}

/// Time between two copies of the data: pieces of a change stream, where there is one.
fn interval(service: &ServicePlan) -> Span {
    service.backup.stream.unwrap_or(service.backup.every.interval())
}

fn doubled(service: &ServicePlan) -> Span {
    Span(interval(service).millis() * 2)
}
