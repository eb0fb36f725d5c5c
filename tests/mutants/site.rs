//! Runbooks of web applications that leave out a look.

use std::sync::Arc;

use async_trait::async_trait;
use backdraft::{
    assembly::rigging::{Means, Reach},
    model::{
        event::{BackupMade, Claim, Position},
        units::Span,
    },
    pipeline::{
        BackupError, Pipeline, RestoreEnd,
        release::{Parts, Runbook},
    },
    provider::{DeploymentInfo, Release},
};

/// What a careless runbook does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Does {
    /// Where the health check answers, nothing is to be done.
    BelievesTheHealthCheck,
    /// Moves production to the deployment of the newest healthy release and looks at nothing.
    RollsBackBlindly,
    /// Moves production to whatever was there before.
    TakesTheOneBefore,
}

/// A runbook of that sort; the house's own where the service is no web application.
pub(crate) fn careless(means: &Means, own: Arc<dyn Pipeline>, does: Does) -> Arc<dyn Pipeline> {
    match &means.reach {
        Reach::Hosting(parts) => Arc::new(Careless { parts: parts.clone(), does, own }),
        _ => own,
    }
}

/// A runbook that gives up at the first answer that is none.
pub(crate) fn impatient(means: &Means, own: Arc<dyn Pipeline>) -> Arc<dyn Pipeline> {
    match &means.reach {
        Reach::Hosting(parts) => {
            let parts = Parts { patience: Span::ZERO, ..parts.clone() };
            Arc::new(Runbook::new(parts, &means.bench.clock, means.bench.recorder.clone()))
        }
        _ => own,
    }
}

struct Careless {
    parts: Parts,
    does: Does,
    own: Arc<dyn Pipeline>,
}

fn claim(release: &Release, place: String) -> RestoreEnd {
    let position = Position { seq: release.number, committed_at: release.at };
    RestoreEnd::Restored(Claim { point: format!("release r{}", release.number), region: place, position })
}

impl Careless {
    async fn bring_back(&self) -> Option<RestoreEnd> {
        let Parts { provider, repository, project, .. } = &self.parts;
        let newest = repository.releases().into_iter().next()?;
        if self.does == Does::BelievesTheHealthCheck {
            let answer = provider.get("/api/health").await.ok()?;
            return (answer.status == 200).then(|| claim(&newest, "production".into()));
        }
        let project = provider.project(project).await.ok()?;
        let all = provider.deployments(&project.name).await.ok()?;
        let is_wanted = |one: &&DeploymentInfo| match self.does {
            Does::TakesTheOneBefore => project.production.as_ref() != Some(&one.id),
            _ => one.commit == newest.commit,
        };
        let wanted = all.iter().filter(|one| one.ready).find(is_wanted)?;
        if project.production.as_ref() != Some(&wanted.id) {
            provider.rollback(&project.name, &wanted.id).await.ok()?;
        }
        Some(claim(&newest, wanted.id.clone()))
    }
}

#[async_trait]
impl Pipeline for Careless {
    async fn backup(&self, day: u32) -> Result<BackupMade, BackupError> {
        self.own.backup(day).await
    }

    async fn restore(&self) -> RestoreEnd {
        match self.bring_back().await {
            Some(end) => end,
            None => self.own.restore().await,
        }
    }
}
