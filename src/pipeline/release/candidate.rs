//! A deployment of one release that may go to production: one that is left, or a new build of its commit. Each is looked
//! at before a user sees it.

use super::{Step, verify::Wrong};
use crate::{
    model::{event::Phase, units::Span},
    provider::{DeploymentInfo, ProjectInfo, Release},
};

/// Time between two looks at a build.
const LOOK: Span = Span(10_000);
/// Looks at a build before it is given up: a quarter of an hour.
const LOOKS: u32 = 90;

/// A deployment that serves its release.
pub(super) struct Ready {
    pub(super) id: String,
    /// Whether it was built for this recovery.
    pub(super) is_new: bool,
}

impl Step<'_> {
    /// A deployment of that release that works, or why there is none.
    pub(super) async fn candidate(
        &self,
        project: &ProjectInfo,
        deployments: &[DeploymentInfo],
        release: &Release,
    ) -> Result<Ready, String> {
        let left = deployments.iter().find(|one| one.ready && one.commit == release.commit);
        match left {
            None => self.book.refuse(release, &project.name, Phase::Choose, "no deployment of it is left"),
            Some(left) => match self.look_at(left, release).await {
                Ok(()) => return Ok(Ready { id: left.id.clone(), is_new: false }),
                Err(wrong) => self.book.refuse(release, &left.id, Phase::Verify, &wrong.to_string()),
            },
        }
        self.book.recorder.begin(Phase::Provision);
        let built = self.build(project, release).await;
        self.book.recorder.end(Phase::Provision, built.is_ok());
        let built = match built {
            Ok(built) => built,
            Err(why) => {
                self.book.refuse(release, &project.name, Phase::Provision, &why);
                return Err(why);
            }
        };
        match self.wait_for(&built, release).await {
            Ok(()) => Ok(Ready { id: built.id, is_new: true }),
            Err(wrong) => {
                self.book.refuse(release, &built.id, Phase::Verify, &wrong.to_string());
                Err(wrong.to_string())
            }
        }
    }

    /// Builds the release's commit again, out of users' sight.
    async fn build(&self, project: &ProjectInfo, release: &Release) -> Result<DeploymentInfo, String> {
        let ordered = self.provider.deploy(&project.name, &release.commit, false).await;
        let ordered = ordered.map_err(|e| format!("its commit cannot be built: {e}"))?;
        for _ in 0..LOOKS {
            let seen = self.provider.deployment(&project.name, &ordered.id).await;
            let seen = seen.map_err(|e| format!("its build was lost sight of: {e}"))?;
            if seen.ready {
                return Ok(seen);
            }
            self.book.clock.assume(LOOK);
        }
        Err("its build does not end".into())
    }

    /// Looks at a new deployment. Where nothing but the API is wrong with it, nothing better can be built: what stands
    /// behind the API may come back.
    async fn wait_for(&self, built: &DeploymentInfo, release: &Release) -> Result<(), Wrong> {
        // One phase, however often it looks: how often depends on how long each look takes.
        self.book.recorder.begin(Phase::Verify);
        let looked = loop {
            match self.verify(Some(&built.address), release).await {
                Err(Wrong::Api(_)) if self.patience.wait() => {}
                looked => break looked,
            }
        };
        self.book.recorder.end(Phase::Verify, looked.is_ok());
        looked
    }

    async fn look_at(&self, deployment: &DeploymentInfo, release: &Release) -> Result<(), Wrong> {
        self.book.recorder.begin(Phase::Verify);
        let looked = self.verify(Some(&deployment.address), release).await;
        self.book.recorder.end(Phase::Verify, looked.is_ok());
        looked
    }
}
