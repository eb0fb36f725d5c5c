//! One look at every service of a plan, in a user's own buckets.

use jiff::Timestamp;

use super::{
    Means, Monitor,
    folder::look_at_folder,
    reading::{Reading, due, readings},
};
use crate::{
    model::{
        naming::Layout,
        plan::{Plan, ServiceKind},
    },
    store::SharedStore,
};

/// Looks at every service in these regions, the primary first.
pub async fn look_at_all(plan: &Plan, stores: &[SharedStore], means: &Means, now: Timestamp) -> Vec<Reading> {
    let mut all = Vec::new();
    for (name, service) in &plan.services {
        let Some(due) = due(service, now) else {
            let why = "it is copied as it changes: no backup is due at any time";
            all.push(Reading::none(name, why));
            continue;
        };
        let prefix = &service.backup.prefix;
        let look = match service.kind {
            ServiceKind::Database => {
                let layout = Layout::new(&service.backup, None);
                let monitor = Monitor::new(stores.to_vec(), layout, plan.monitor.clone(), 1, means.clone());
                monitor.look(now, Some(due)).await
            }
            ServiceKind::Files | ServiceKind::Config => look_at_folder(stores, prefix, &plan.monitor, now, due).await,
            ServiceKind::WebApplication => {
                all.push(Reading::none(name, "a web application's releases are not kept as backups"));
                continue;
            }
        };
        all.extend(readings(name, &look));
    }
    all
}
