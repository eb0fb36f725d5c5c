//! Classes of data and the services that should keep what is promised for them.

use super::{Reader, Weakness};
use crate::model::{
    plan::{Cadence, DataClass},
    record::Severity,
    units::Span,
};

/// A class promised a backup more often than its service is backed up. Real time is what a change stream gives.
pub(super) fn promised_more_often(reader: &Reader<'_>) -> Vec<Weakness> {
    let mut found = Vec::new();
    for (name, class) in &reader.plan().data_classes {
        let service = class.service.as_ref().and_then(|s| Some((s, reader.plan().services.get(s)?)));
        let (Some((service_name, service)), Some(promised)) = (service, class.schedule.iter().min()) else { continue };
        let taken = service.backup.every;
        let streamed = *promised == Cadence::Realtime && service.backup.stream.is_some();
        if *promised >= taken || streamed {
            continue;
        }
        let remedy = match promised {
            Cadence::Realtime => format!(
                "copy the changes of `{service_name}` between its backups (`backup.stream: 5 min`), or promise {}",
                adjective(taken)
            ),
            _ => format!("back up `{service_name}` as often as the class is promised, or promise {}", adjective(taken)),
        };
        let words = [
            format!(
                "`{name}` data is promised {} backups; `{service_name}`, which holds it, is backed up {}",
                adjective(*promised),
                adjective(taken)
            ),
            format!(
                "the promise allows {}; the schedule loses up to {} of {}",
                lost(*promised),
                taken.interval(),
                class.data.join(", ")
            ),
            remedy,
        ];
        let path = format!("data_classes.{name}.schedule");
        found.push(reader.weakness("class-promised-more-often", Severity::High, path, words));
    }
    found
}

/// A class that no service holds: nothing in the plan backs it up.
pub(super) fn held_nowhere(reader: &Reader<'_>) -> Vec<Weakness> {
    let homeless = reader.plan().data_classes.iter().filter(|(_, class)| class.service.is_none());
    let weakness = |(name, class): (&String, &DataClass)| {
        let schedule: Vec<&str> = class.schedule.iter().copied().map(adjective).collect();
        let words = [
            format!("`{name}` data is promised backups, and no service of the plan holds it"),
            format!(
                "{} backups are promised for {}; the plan describes none",
                schedule.join(" and "),
                class.data.join(", ")
            ),
            "name the service that holds it (`service`), or add one; or remove the class".to_owned(),
        ];
        reader.weakness("class-held-nowhere", Severity::Medium, format!("data_classes.{name}"), words)
    };
    homeless.map(weakness).collect()
}

fn lost(cadence: Cadence) -> String {
    match cadence.interval() {
        Span::ZERO => "no loss".to_owned(),
        interval => format!("{interval} of loss"),
    }
}

pub(super) const fn adjective(cadence: Cadence) -> &'static str {
    match cadence {
        Cadence::Realtime => "real-time",
        Cadence::Daily => "daily",
        Cadence::Weekly => "weekly",
        Cadence::Monthly => "monthly",
    }
}
