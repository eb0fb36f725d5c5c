//! Real time that nothing provides.

use super::{Reader, Weakness};
use crate::model::{
    plan::{Cadence, ServicePlan},
    record::Severity,
};

/// A service said to be backed up in real time, where the plan names nothing that would copy each change.
pub(super) fn without_replication(reader: &Reader<'_>) -> Vec<Weakness> {
    let claims = reader.plan().services.iter().filter(|(_, service)| {
        let backup = &service.backup;
        backup.every == Cadence::Realtime && backup.replication.as_deref().is_none_or(|by| by.trim().is_empty())
    });
    let weakness = |(name, service): (&String, &ServicePlan)| {
        let words = [
            format!("`{name}` is said to be backed up in real time, and nothing is named that does it"),
            format!(
                "an RPO of {} needs each change copied as it happens; copies on a schedule cannot hold it",
                service.rpo
            ),
            "say under `replication` what copies each change and where to, or give the interval that is true"
                .to_owned(),
        ];
        reader.weakness("realtime-without-replication", Severity::High, format!("services.{name}.backup.every"), words)
    };
    claims.map(weakness).collect()
}
