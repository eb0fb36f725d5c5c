//! Pipelines around the reference pipeline that say or do something else than it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use backdraft::{
    assembly::rigging::{Means, Reach},
    model::{
        event::{Alarm, AlarmKind, BackupMade, Claim, What},
        naming::{KeyKind, Layout},
        plan::ServiceKind,
        units::Span,
    },
    pipeline::{
        BackupError, Pipeline, RestoreEnd, Workbench,
        files::{FilePipeline, Rules},
        reference::Reference,
    },
    sim::recorder::Recorder,
    store::VersionInfo,
};

type Own = Arc<dyn Pipeline>;

/// A recorder that passes on what is to be said.
pub(crate) fn saying(bench: Workbench, says: impl Fn(&What) -> bool + Send + Sync + 'static) -> Workbench {
    let real = bench.recorder.clone();
    let told = move |event: &backdraft::model::event::Event| {
        if says(&event.what) {
            real.emit(event.what.clone());
        }
    };
    Workbench { recorder: Recorder::new(&bench.clock, Some(Arc::new(told))), ..bench }
}

/// Whether it is an alarm of that kind.
pub(crate) fn is_alarm(what: &What, wanted: AlarmKind) -> bool {
    matches!(what, What::Alarm(Alarm { kind, .. }) if *kind == wanted)
}

/// What a pipeline says after a restore that came to this end, with the newest backup that it made.
type OnEnd = fn(RestoreEnd, Option<BackupMade>) -> RestoreEnd;

/// Remembers the newest backup, and says something else of the restore.
pub(crate) struct Talks {
    own: Own,
    newest: Mutex<Option<BackupMade>>,
    says: OnEnd,
}

impl Talks {
    pub(crate) fn over(own: Own, says: OnEnd) -> Own {
        Arc::new(Talks { own, newest: Mutex::default(), says })
    }
}

#[async_trait]
impl Pipeline for Talks {
    async fn backup(&self, day: u32) -> Result<BackupMade, BackupError> {
        let made = self.own.backup(day).await?;
        *self.newest.lock().unwrap() = Some(made.clone());
        Ok(made)
    }

    async fn stream(&self) {
        self.own.stream().await;
    }

    async fn restore(&self) -> RestoreEnd {
        let end = self.own.restore().await;
        let newest = self.newest.lock().unwrap().clone();
        (self.says)(end, newest)
    }

    async fn follow(&self) {
        self.own.follow().await;
    }
}

/// Whatever happened, the newest backup is back.
pub(crate) fn all_is_well(end: RestoreEnd, newest: Option<BackupMade>) -> RestoreEnd {
    match (end, newest) {
        (RestoreEnd::Refused { .. }, Some(made)) => {
            let region = made.regions.first().cloned().unwrap_or_default();
            RestoreEnd::Restored(Claim { point: made.point, region, position: made.position })
        }
        (end, _) => end,
    }
}

/// Whatever was restored, it is as new as the newest backup.
pub(crate) fn as_new_as_ever(end: RestoreEnd, newest: Option<BackupMade>) -> RestoreEnd {
    match (end, newest) {
        (RestoreEnd::Restored(claim), Some(made)) => {
            RestoreEnd::Restored(Claim { position: made.position, point: made.point, ..claim })
        }
        (end, _) => end,
    }
}

/// One pipeline makes the backups, another one restores, and something is done after each backup and before each restore.
pub(crate) struct Split {
    pub(crate) backs_up: Own,
    pub(crate) restores: Own,
    pub(crate) means: Means,
    pub(crate) after_backup: AfterBackup,
    /// Before the restore, so much time is spent, or more than anybody has.
    pub(crate) before_restore: Duration,
    pub(crate) follows: bool,
}

/// What is done after a backup.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum AfterBackup {
    Nothing,
    /// An alarm.
    CryWolf,
    /// All points but the newest are removed.
    KeepOne,
    /// Contents that are older than the retention are removed, whoever needs them.
    ForgetOldContents,
    /// Foreign files are left in the bucket.
    LeaveLitter,
    /// Another backup of the same moment is made.
    Again,
}

impl Split {
    /// The house's own pipeline.
    pub(crate) fn own(means: Means, own: Own) -> Self {
        Split {
            backs_up: Arc::clone(&own),
            restores: own,
            means,
            after_backup: AfterBackup::Nothing,
            before_restore: Duration::ZERO,
            follows: true,
        }
    }

    async fn remove(&self, is_to_go: impl Fn(&Layout, &VersionInfo, &[VersionInfo]) -> bool) {
        for store in &self.means.bench.stores {
            let all = store.versions(&self.means.layout.prefix).await.unwrap_or_default();
            for version in all.iter().filter(|version| is_to_go(&self.means.layout, version, &all)) {
                let _ = store.delete_version(&version.key, &version.version).await;
            }
        }
    }

    async fn after_backup(&self, day: u32) {
        match self.after_backup {
            AfterBackup::Nothing => {}
            AfterBackup::Again => drop(self.backs_up.backup(day).await),
            AfterBackup::CryWolf => {
                let (kind, detail) = (AlarmKind::BackupFailed, "something may be wrong".to_owned());
                let alarm = Alarm::new(kind, None, detail);
                self.means.bench.recorder.emit(What::Alarm(alarm));
            }
            AfterBackup::KeepOne => {
                let name = |layout: &Layout, version: &VersionInfo| match layout.parse(&version.key) {
                    Some(KeyKind::Dump(point) | KeyKind::Manifest(point)) => Some(point),
                    None => None,
                };
                self.remove(|layout, version, all| {
                    let newest = all.iter().filter_map(|version| name(layout, version)).max();
                    name(layout, version).is_some_and(|point| Some(point) != newest)
                })
                .await;
            }
            AfterBackup::ForgetOldContents => {
                let (now, retention) = (self.means.bench.clock.now(), self.means.retention.millis());
                self.remove(|layout, version, _| {
                    let age = now.duration_since(version.modified).as_millis();
                    version.key.starts_with(&layout.contents_prefix()) && age > i128::from(retention)
                })
                .await;
            }
            AfterBackup::LeaveLitter => {
                for store in &self.means.bench.stores {
                    for name in
                        ["README.txt", ".DS_Store", "backup-2019.sql.gz", "objects.bak/", "backup-soon.jsonl.gz"]
                    {
                        let key = format!("{}{name}", self.means.layout.prefix);
                        let _ = store.put(&key, crate::lens::body(format!("day {day}: not a backup\n"))).await;
                    }
                }
            }
        }
    }
}

#[async_trait]
impl Pipeline for Split {
    async fn backup(&self, day: u32) -> Result<BackupMade, BackupError> {
        let made = self.backs_up.backup(day).await?;
        self.after_backup(day).await;
        Ok(made)
    }

    async fn stream(&self) {
        self.backs_up.stream().await;
    }

    async fn restore(&self) -> RestoreEnd {
        self.means.bench.clock.sleep(self.before_restore).await;
        self.restores.restore().await
    }

    async fn follow(&self) {
        if self.follows {
            self.restores.follow().await;
        }
    }
}

/// The house's own pipeline for a service, made anew with another bench.
pub(crate) fn remade(means: &Means, bench: Workbench, guards_secrets: bool) -> Option<Own> {
    match &means.reach {
        Reach::Platform(platform) => {
            let (service, layout) = (&means.service, means.layout.clone());
            let made = Reference::new(bench, Arc::clone(platform), service, layout, means.retention);
            let guards = guards_secrets && means.kind == ServiceKind::Config;
            Some(if guards { Arc::new(made.guarding_secrets()) } else { Arc::new(made) })
        }
        Reach::Buckets(buckets) => Some(Arc::new(FilePipeline::new(bench, Arc::clone(buckets), rules(means)))),
        Reach::Hosting(_) => None,
    }
}

/// The rules of files that are restored to the newest state, whatever the target time is.
fn rules(means: &Means) -> Rules {
    let (service, layout, retention) = (means.service.clone(), means.layout.clone(), means.retention);
    Rules { service, layout, retention, target_time: None }
}

/// The first region alone.
pub(crate) fn primary_only(bench: &Workbench) -> Workbench {
    Workbench { stores: bench.stores.iter().take(1).cloned().collect(), ..bench.clone() }
}

/// The same pipeline with another retention.
pub(crate) fn keeping(means: &Means, retention: Span) -> Option<Own> {
    remade(&Means { retention, ..means.clone() }, means.bench.clone(), true)
}
