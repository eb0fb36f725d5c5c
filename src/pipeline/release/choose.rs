//! What there is to go back to: releases that were noted as healthy, the newest first, and the deployments that are left.

use super::{Step, name};
use crate::{
    model::event::{AlarmKind, What},
    provider::{DeploymentInfo, ProjectInfo, ProviderError, ProviderErrorKind, Release},
};

/// The health check that monitors ask.
const HEALTH: &str = "/api/health";

/// What there is to choose from.
pub(super) struct Choice {
    pub(super) project: ProjectInfo,
    /// The newest first.
    pub(super) deployments: Vec<DeploymentInfo>,
    /// The newest first.
    pub(super) releases: Vec<Release>,
}

impl Step<'_> {
    pub(super) async fn choose(&self) -> Result<Choice, String> {
        let releases = self.book.repository.releases();
        self.listed("repository", Ok(releases.len() as u64));
        if let Some(newest) = releases.first() {
            self.doubt_the_health_check(newest).await;
        }
        let found = self.project().await;
        let deployments = match &found {
            Ok(project) => self.provider.deployments(&project.name).await,
            Err(why) => Err(why.clone()),
        };
        let kept = |all: &Vec<DeploymentInfo>| all.iter().filter(|deployment| deployment.ready).count() as u64;
        self.listed("hosting provider", deployments.as_ref().map(kept).map_err(|why| why.to_string()));
        let out = |why: ProviderError| format!("the hosting provider cannot be used: {why}");
        Ok(Choice { project: found.map_err(out)?, deployments: deployments.map_err(out)?, releases })
    }

    /// The project that serves the application; a new one where it is gone.
    async fn project(&self) -> Result<ProjectInfo, ProviderError> {
        match self.provider.project(&self.book.project).await {
            Err(e) if e.kind == ProviderErrorKind::NotFound => {
                let name = format!("{}-2", self.book.project);
                match self.provider.create_project(&name).await {
                    // Somebody made it already: a runbook that broke off, and is begun again.
                    Err(e) if e.kind == ProviderErrorKind::Refused => self.provider.project(&name).await,
                    made => made,
                }
            }
            found => found,
        }
    }

    /// Looks at what users get, whatever the health check says, and raises an alarm where the two do not agree.
    async fn doubt_the_health_check(&self, newest: &Release) {
        let said = self.provider.get(HEALTH).await;
        if !said.is_ok_and(|answer| answer.status == 200) {
            return;
        }
        if let Err(wrong) = self.verify(None, newest).await {
            let detail = format!("{HEALTH} answers 200, and users do not get {}: {wrong}", name(newest));
            self.book.alarm(AlarmKind::HealthCheckLies, detail);
        }
    }

    fn listed(&self, place: &str, points: Result<u64, String>) {
        let (points, why) = match points {
            Ok(points) => (Some(points), None),
            Err(why) => (None, Some(why)),
        };
        self.book.recorder.emit(What::Listed { region: place.into(), points, why });
    }
}
