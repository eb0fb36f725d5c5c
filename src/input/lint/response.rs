//! People who take longer than the objective leaves them.

use super::{Reader, Weakness};
use crate::model::{plan::ServicePlan, record::Severity, units::Span};

/// More than this share of an RTO spent before recovery begins is worth knowing. In percent.
const SHARE: u64 = 33;

/// An RTO of which detection and the first response take a large part.
pub(super) fn eats_the_rto(reader: &Reader<'_>) -> Vec<Weakness> {
    let response = &reader.plan().response;
    let spent = Span(response.detect.millis().saturating_add(response.initial.millis()));
    let mut found = Vec::new();
    for (name, service) in &reader.plan().services {
        let percent = spent.millis().saturating_mul(100) / service.rto.millis().max(1);
        if percent <= SHARE {
            continue;
        }
        let left = Span(service.rto.millis().saturating_sub(spent.millis()));
        let severity = if left == Span::ZERO { Severity::High } else { Severity::Medium };
        let words = [
            format!("people take {percent}% of the RTO of `{name}` before recovery begins"),
            format!(
                "{} to detect and {} to respond, of {}: {left} is left to recover and to check",
                response.detect, response.initial, service.rto
            ),
            format!("let `{name}` recover without waiting for people, or promise a longer RTO"),
        ];
        found.push(reader.weakness("response-eats-rto", severity, format!("services.{name}.rto"), words));
    }
    found
}

/// An RTO shorter than the time that the response plan allows for recovery.
pub(super) fn slower_than_the_rto(reader: &Reader<'_>) -> Vec<Weakness> {
    let recovery = reader.plan().response.recovery;
    let missed = reader.plan().services.iter().filter(|(_, service)| service.rto < recovery);
    let weakness = |(name, service): (&String, &ServicePlan)| {
        let words = [
            format!("the response plan allows {recovery} for recovery; `{name}` must be back after {}", service.rto),
            format!(
                "whoever keeps to the response plan misses the RTO of `{name}` by up to {}",
                Span(recovery.millis() - service.rto.millis())
            ),
            format!("allow at most {} for the recovery of `{name}`, or promise a longer RTO", service.rto),
        ];
        reader.weakness("response-slower-than-rto", Severity::Medium, format!("services.{name}.rto"), words)
    };
    missed.map(weakness).collect()
}
