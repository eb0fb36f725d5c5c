//! The runbook of a web application: bring the last healthy release back. Releases are their own backup: the provider
//! keeps their deployments, the repository their commits. So the runbook rolls back; where the target is gone, or does
//! not work any more, it builds the stable commit again; and it believes no health check, only what users get.

use std::sync::Arc;

use async_trait::async_trait;

use super::{BackupError, Pipeline, RestoreEnd};
use crate::{
    model::{
        event::{Alarm, AlarmKind, BackupMade, Claim, Phase, PointTried, Position, What},
        units::Span,
    },
    provider::{Provider, Release, Repository},
    sim::{clock::Clock, recorder::Recorder},
};

mod candidate;
mod choose;
mod cut_over;
mod patient;
mod verify;

use choose::Choice;
use patient::{Patience, PatientWire};

/// The runbook for one web application.
pub struct Runbook {
    provider: Provider,
    repository: Arc<Repository>,
    project: String,
    clock: Clock,
    recorder: Recorder,
    /// How long it goes on asking and waiting, in all.
    patience: Span,
}

/// What a runbook is made of.
#[derive(Clone)]
pub struct Parts {
    /// The provider, with the team's token.
    pub provider: Provider,
    /// A clone of the repository.
    pub repository: Arc<Repository>,
    /// The project that serves the application.
    pub project: String,
    /// How long people go on before they give up.
    pub patience: Span,
}

impl Runbook {
    /// The runbook for that application.
    pub fn new(parts: Parts, clock: &Clock, recorder: Recorder) -> Self {
        let Parts { provider, repository, project, patience } = parts;
        Runbook { provider, repository, project, clock: clock.clone(), recorder, patience }
    }

    async fn bring_back(&self) -> Result<Claim, String> {
        let patience = Arc::new(Patience::new(self.patience, &self.clock));
        let provider = self.provider.over(|wire| Arc::new(PatientWire::new(wire, Arc::clone(&patience))));
        let step = Step { book: self, provider, patience };
        self.recorder.begin(Phase::Choose);
        let chosen = step.choose().await;
        self.recorder.end(Phase::Choose, chosen.is_ok());
        let Choice { project, deployments, releases } = chosen?;
        let mut why = "the repository notes no healthy release".to_owned();
        for release in &releases {
            match step.candidate(&project, &deployments, release).await {
                Ok(ready) => {
                    step.cut_over(&project, &ready, release).await?;
                    let position = Position { seq: release.number, committed_at: release.at };
                    return Ok(Claim { point: name(release), region: ready.id, position });
                }
                Err(refused) => why = format!("{}: {refused}", name(release)),
            }
        }
        Err(format!("no release can be brought back; the last one tried was {why}"))
    }

    fn alarm(&self, kind: AlarmKind, detail: String) {
        // What the runbook itself saw did happen: its alarms are never false ones.
        self.recorder.emit(What::Alarm(Alarm::new(kind, None, detail)));
    }

    fn refuse(&self, release: &Release, place: &str, phase: Phase, why: &str) {
        let tried = PointTried { point: name(release), region: place.to_owned(), phase, why: why.to_owned() };
        self.recorder.emit(What::PointRefused(tried));
    }
}

/// One run of the runbook.
struct Step<'b> {
    book: &'b Runbook,
    /// The provider, asked again while it does not answer and patience lasts.
    provider: Provider,
    patience: Arc<Patience>,
}

/// How people call a release.
fn name(release: &Release) -> String {
    format!("release r{}", release.number)
}

#[async_trait]
impl Pipeline for Runbook {
    async fn backup(&self, _: u32) -> Result<BackupMade, BackupError> {
        Err(BackupError("a web application has no backup of its own: provider and repository keep its releases".into()))
    }

    async fn restore(&self) -> RestoreEnd {
        match self.bring_back().await {
            Ok(claim) => RestoreEnd::Restored(claim),
            Err(why) => {
                self.alarm(AlarmKind::NothingRestorable, why.clone());
                RestoreEnd::Refused { why }
            }
        }
    }
}
