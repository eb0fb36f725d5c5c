//! Backups that are gone before they are needed.

use super::{Reader, Weakness, classes::adjective};
use crate::model::{plan::Cadence, record::Severity, units::Span};

/// A service of which the retention keeps fewer than two generations.
pub(super) fn of_services(reader: &Reader<'_>) -> Vec<Weakness> {
    let thin = reader.scheduled().filter_map(|(name, service)| {
        let words = judge(&format!("`{name}`"), service.backup.every, reader.plan().retention)?;
        Some((format!("services.{name}.backup.every"), words))
    });
    thin.map(|(path, (severity, words))| reader.weakness("retention-of-service", severity, path, words)).collect()
}

/// A class promised backups so rare that the retention keeps fewer than two; the rarest are reported.
pub(super) fn of_classes(reader: &Reader<'_>) -> Vec<Weakness> {
    let thin = reader.plan().data_classes.iter().filter_map(|(name, class)| {
        let rarest = class.schedule.iter().max()?;
        let words = judge(&format!("`{name}` data"), *rarest, reader.plan().retention)?;
        Some((format!("data_classes.{name}.schedule"), words))
    });
    thin.map(|(path, (severity, words))| reader.weakness("retention-of-class", severity, path, words)).collect()
}

fn judge(whose: &str, every: Cadence, retention: Span) -> Option<(Severity, [String; 3])> {
    let interval = every.interval();
    // With two intervals the older generation is still there when the newer one proves bad.
    if every == Cadence::Realtime || retention.millis() >= 2 * interval.millis() {
        return None;
    }
    let kind = adjective(every);
    let two = Span(2 * interval.millis());
    let remedy = format!("keep {kind} backups for {two} or longer");
    if retention < interval {
        let gap = days(interval) - days(retention);
        let what = format!("a {kind} backup of {whose} is pruned before the next one exists");
        let why = format!(
            "it is kept for {retention} and taken every {interval}: for {gap} of every {} days there is none",
            days(interval)
        );
        return Some((Severity::High, [what, why, remedy]));
    }
    let what = format!("of the {kind} backups of {whose} only one is sure to be there");
    let why = format!(
        "they are taken every {interval} and kept for {retention}: when the newest proves bad, the one before it is gone"
    );
    Some((Severity::Medium, [what, why, remedy]))
}

fn days(span: Span) -> u64 {
    span.millis() / 86_400_000
}
