//! Services and levels that promise different things.

use super::{Reader, Weakness};
use crate::model::{record::Severity, units::Span};

/// A service that takes or loses more than even the most generous level of the plan allows.
pub(super) fn looser_than_any_level(reader: &Reader<'_>) -> Vec<Weakness> {
    let levels = &reader.plan().levels;
    let (Some(rto), Some(rpo)) = (levels.values().map(|l| l.rto).max(), levels.values().map(|l| l.rpo).max()) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut judge = |name: &str, objective: &str, own: Span, most: Span| {
        if own <= most {
            return;
        }
        let upper = objective.to_uppercase();
        let words = [
            format!("`{name}` has an {upper} of {own}; no level of the plan allows more than {most}"),
            format!("a disaster of any level that takes `{name}` with it keeps the one promise and breaks the other"),
            format!("tighten the {upper} of `{name}` to {most}, or state in a level that it may be {own}"),
        ];
        let path = format!("services.{name}.{objective}");
        found.push(reader.weakness("service-looser-than-levels", Severity::Medium, path, words));
    };
    for (name, service) in &reader.plan().services {
        judge(name, "rto", service.rto, rto);
        judge(name, "rpo", service.rpo, rpo);
    }
    found
}
