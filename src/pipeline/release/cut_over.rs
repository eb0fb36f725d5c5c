//! Users get the release: the production alias moves, the domain's record is looked at, and what resolvers still hold is
//! waited out. Then the runbook looks at what users get, and at nothing else.

use super::{Step, candidate::Ready, name};
use crate::{
    model::{event::Phase, units::Span},
    provider::{ProjectInfo, ProviderError, Release},
};

/// The longest that resolvers are waited for.
const LONGEST: Span = Span::hours(24);

impl Step<'_> {
    pub(super) async fn cut_over(&self, project: &ProjectInfo, ready: &Ready, release: &Release) -> Result<(), String> {
        self.book.recorder.begin(Phase::CutOver);
        let moved = self.move_users(project, ready).await;
        self.book.recorder.end(Phase::CutOver, moved.is_ok());
        moved?;
        self.book.recorder.begin(Phase::Compare);
        let seen = self.verify(None, release).await;
        self.book.recorder.end(Phase::Compare, seen.is_ok());
        seen.map_err(|wrong| {
            let why = format!("users do not get it: {wrong}");
            self.book.refuse(release, &ready.id, Phase::Compare, &why);
            format!("{} is in production, and {why}", name(release))
        })
    }

    async fn move_users(&self, project: &ProjectInfo, ready: &Ready) -> Result<(), String> {
        let refused = |e: ProviderError| format!("{} cannot go to production: {e}", ready.id);
        match (&project.production, ready.is_new) {
            (Some(id), _) if *id == ready.id => {}
            (_, true) => drop(self.provider.promote(&project.name, &ready.id).await.map_err(refused)?),
            (_, false) => drop(self.provider.rollback(&project.name, &ready.id).await.map_err(refused)?),
        }
        self.correct_the_record(&project.address).await
    }

    /// The record must point to the project; where it does not, users come when resolvers have forgotten the old one.
    async fn correct_the_record(&self, address: &str) -> Result<(), String> {
        let unread = |e: ProviderError| format!("the domain's record cannot be set: {e}");
        if self.provider.record().await.map_err(unread)?.target != address {
            self.provider.point(address).await.map_err(unread)?;
        }
        let mut waited = Span::ZERO;
        loop {
            let resolved = self.provider.resolve().await;
            let (target, left) = resolved.map_err(|e| format!("users cannot resolve the domain: {e}"))?;
            if target == address {
                return Ok(());
            }
            if waited >= LONGEST {
                return Err(format!("resolvers still send users to {target} after {waited}"));
            }
            // Resolvers count in whole seconds, and say 0 in the last one.
            let wait = Span(left.millis().max(1_000));
            self.book.clock.assume(wait);
            waited = Span(waited.millis() + wait.millis());
        }
    }
}
