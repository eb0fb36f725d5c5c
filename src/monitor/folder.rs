//! Backups that are no single dump (files, configuration): the monitor sees what lies below the service's prefix, and
//! that the newest of it is as new as the schedule says.

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};

use super::{BackupSeen, Look, RegionSeen, Sighting, sighting};
use crate::{
    model::{
        event::AlarmKind,
        plan::{MonitorPlan, Watch},
    },
    store::{ObjectInfo, SharedStore},
};

/// Looks once at what lies below a prefix in every region, the primary first.
pub async fn look_at_folder(
    stores: &[SharedStore],
    prefix: &str,
    limits: &MonitorPlan,
    now: Timestamp,
    due: Timestamp,
) -> Look {
    let watches = |what| limits.watches.contains(&what);
    let lists = join_all(stores.iter().map(|store| store.list(prefix))).await;
    let (mut regions, mut alarms) = (Vec::new(), Vec::new());
    let newest_of = |list: &[ObjectInfo]| list.iter().map(|object| object.modified).max();
    let leader = lists.iter().filter_map(|list| newest_of(list.as_deref().ok()?)).max();
    for (at, (store, list)) in stores.iter().zip(lists).enumerate() {
        let objects = match &list {
            Ok(objects) => objects.as_slice(),
            Err(e) => {
                alarms.push(sighting(AlarmKind::Unreachable, &**store, e.kind.to_string(), None));
                &[]
            }
        };
        let newest = objects.iter().max_by_key(|object| object.modified);
        let modified = newest.map(|object| object.modified);
        let seen = newest.map(|object| BackupSeen {
            point: object.key.strip_prefix(prefix).unwrap_or(&object.key).to_owned(),
            size: Some(objects.iter().map(|object| object.size).sum()),
            modified: object.modified,
        });
        regions.push(RegionSeen {
            region: store.region().to_owned(),
            answered: list.is_ok(),
            newest: seen,
            stranger: None,
        });
        if list.is_err() {
            continue;
        }
        match modified {
            None if at == 0 && watches(Watch::Missing) => {
                alarms.push(sighting(AlarmKind::Missing, &**store, "there is no backup at all".into(), None));
            }
            Some(modified) if at == 0 && modified < due && watches(Watch::Missing) => {
                let detail = format!("the newest was written at {modified}, one was due at {due}");
                let overdue = sighting(AlarmKind::Missing, &**store, detail, None);
                alarms.push(Sighting { overdue: true, ..overdue });
            }
            _ if at > 0 && watches(Watch::ReplicaBehind) => {
                let grace = SignedDuration::from_hours(1) + SignedDuration::from_millis(limits.replica_grace.0 as i64);
                let lags = |leader: &Timestamp| {
                    now.duration_since(*leader) > grace
                        && modified.is_none_or(|modified| leader.duration_since(modified) > grace)
                };
                if let Some(leader) = leader.filter(lags) {
                    let has = modified
                        .map_or_else(|| "nothing".to_owned(), |modified| format!("what was written at {modified}"));
                    let detail = format!("has {has}, lacks what was written at {leader}");
                    alarms.push(sighting(AlarmKind::ReplicaBehind, &**store, detail, None));
                }
            }
            _ => {}
        }
    }
    Look { regions, alarms }
}
