//! One look at every service of a plan, in a user's own buckets: backdraft's own backups by their manifests, those of
//! others from outside.

use futures_util::future::join_all;
use jiff::Timestamp;

use super::{
    Look, Means, Monitor,
    copies::look_at_folders,
    foreign::{Foreign, Moment},
    reading::{Reading, due, readings},
};
use crate::{
    model::{
        naming::{KeyKind, Layout},
        plan::{DumpFormat, Plan, ServiceKind, ServicePlan},
    },
    store::SharedStore,
};

/// What every name of backdraft's own begins with, below a prefix.
const OWN: &str = "backup-";

/// Looks at every service in these regions, the primary first.
pub async fn look_at_all(plan: &Plan, stores: &[SharedStore], means: &Means, now: Timestamp) -> Vec<Reading> {
    let mut all = Vec::new();
    for (name, service) in &plan.services {
        if service.kind == ServiceKind::WebApplication {
            all.push(Reading::none(name, "a web application's releases are not kept as backups"));
            continue;
        }
        let Some(due) = due(service, now) else {
            let why = "it is copied as it changes: no backup is due at any time";
            all.push(Reading::none(name, why));
            continue;
        };
        let look = Round { plan, service, stores, means }.look(Moment { now, due }).await;
        all.extend(readings(name, &look));
    }
    all
}

/// One service.
struct Round<'r> {
    plan: &'r Plan,
    service: &'r ServicePlan,
    stores: &'r [SharedStore],
    means: &'r Means,
}

impl Round<'_> {
    async fn look(&self, at: Moment) -> Look {
        if let Some(layout) = self.own_layout().await {
            return self.look_at_own(layout, at).await;
        }
        // Copies by rule lie where the rules say.
        let backup = &self.service.backup;
        let mut folders: Vec<&str> = backup.sync.iter().map(|rule| &*rule.into).collect();
        if folders.is_empty() {
            folders.push(&backup.prefix);
        }
        let (plan, means) = (self.plan, self.means);
        let folder = |prefix| Foreign {
            kind: self.service.kind,
            prefix,
            limits: &plan.monitor,
            retention: plan.retention,
            scale: 1,
            alone: None,
            means,
        };
        look_at_folders(folders.into_iter().map(folder), self.stores, at).await
    }

    /// The layout of backdraft's own backups, where a region has any: in the plan's form, or in the one that they have.
    async fn own_layout(&self) -> Option<Layout> {
        let backup = &self.service.backup;
        let prefix = format!("{}{OWN}", backup.prefix);
        let lists = join_all(self.stores.iter().map(|store| store.list(&prefix))).await;
        let forms = [backup.format, DumpFormat::JsonlGz, DumpFormat::JsonGz, DumpFormat::ConvexZip];
        let newest = |form| {
            let layout = Layout::new(backup, Some(form));
            let keys = lists.iter().flatten().flatten().map(|object| layout.parse(&object.key));
            let dumps = keys.filter_map(|kind| if let Some(KeyKind::Dump(point)) = kind { Some(point) } else { None });
            dumps.max().map(|newest| (newest, layout))
        };
        // Of several forms the one that is written; where that is no question, the plan's.
        let found = forms.into_iter().rev().filter_map(newest).max_by(|(a, _), (b, _)| a.cmp(b));
        found.map(|(_, layout)| layout)
    }

    async fn look_at_own(&self, layout: Layout, at: Moment) -> Look {
        let (backup, limits) = (&self.service.backup, self.plan.monitor.clone());
        let remark = (layout.format != backup.format).then(|| {
            let (plan, is) = (backup.format.extension(), layout.format.extension());
            format!("its backups are .{is}, the plan says .{plan}")
        });
        let monitor = Monitor::new(self.stores.to_vec(), layout, limits, 1, self.means.clone());
        let monitor = match self.service.kind {
            ServiceKind::Files => monitor.of_generations(),
            ServiceKind::Config => monitor.of_small(),
            _ => monitor.with_stream(backup.stream),
        };
        let mut look = monitor.look(at.now, Some(at.due)).await;
        for region in &mut look.regions {
            region.remarks.extend(remark.clone());
        }
        look
    }
}
