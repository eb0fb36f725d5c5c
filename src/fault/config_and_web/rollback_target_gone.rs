//! Rollback target gone: the deployment that one would go back to is no longer kept, and sometimes neither is its commit.

use super::homes::Homes;
use crate::fault::{Fault, Ground, Injection, Mode, Onset, Trial, joined, only_now};
use crate::{
    emulator::{
        World,
        hosting::{Hosting, control::Removed},
    },
    model::{event::Proof, plan::ServiceKind, scenario::FaultSpec},
};

/// Entry in the catalogue.
pub(super) struct RollbackTargetGone;

const NAME: &str = "rollback-target-gone";

impl Fault for RollbackTargetGone {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "the deployment to go back to is gone; what is in production stays, so list it after `bad-deploy`"
    }

    fn modes(&self) -> &'static [Mode] {
        &[
            Mode { name: "deployment-deleted", summary: "the newest healthy release has no deployment left" },
            Mode { name: "all-expired", summary: "no earlier deployment is kept" },
            Mode { name: "commit-lost", summary: "as `deployment-deleted`, and a forced push lost its commit" },
            Mode { name: "all-lost", summary: "no earlier deployment is kept, and no commit of a release" },
        ]
    }

    fn is_for(&self, kind: ServiceKind) -> bool {
        kind == ServiceKind::WebApplication
    }

    fn strikes_points(&self) -> bool {
        false
    }

    fn meets_commands(&self, _mode: &str, _on_deployments: bool) -> bool {
        false
    }

    fn example(&self) -> &'static str {
        "- fault: rollback-target-gone\n  mode: deployment-deleted\n  when: at-disaster\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        Trial::of(ground.entry(NAME, mode)).after(ground.entry("bad-deploy", "broken-build"))
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let all = matches!(spec.mode.as_str(), "all-expired" | "all-lost");
        let commits = matches!(spec.mode.as_str(), "commit-lost" | "all-lost");
        Ok(Box::new(Gone { all, commits, homes: Homes::of(spec), removed: vec![] }))
    }
}

struct Gone {
    /// Every release, or the newest alone.
    all: bool,
    /// Whether the commits are lost too.
    commits: bool,
    homes: Homes,
    removed: Vec<Removed>,
}

fn remove(home: &Hosting, all: bool, commits: bool) -> Result<Removed, String> {
    let releases = home.repository().releases();
    let newest = releases.first().ok_or("nothing was released")?;
    let meant = |commit: &str| match all {
        true => releases.iter().any(|release| release.commit == commit),
        false => newest.commit == commit,
    };
    let mut removed = home.remove(meant, |commit| commits && meant(commit));
    if removed.holds(&newest.commit) {
        return Ok(removed);
    }
    home.put_back(&mut removed);
    Err("the newest release is in production, where it cannot be removed; list `bad-deploy` before this fault".into())
}

impl Injection for Gone {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        let (all, commits) = (self.all, self.commits);
        let undo = |home: &Hosting, mut removed: Removed| home.put_back(&mut removed);
        self.removed = self.homes.strike(world, |home| remove(home, all, commits), undo)?;
        let gone: Vec<String> = self.removed.iter().flat_map(Removed::deployments).collect();
        let lost: usize = self.removed.iter().map(Removed::commits).sum();
        Ok(format!("deployments gone: {}; commits lost: {lost}", joined(&gone)))
    }

    fn proof(&self, _: &World) -> Proof {
        let pairs = || self.homes.struck().zip(&self.removed);
        let gone = pairs().filter(|(home, removed)| home.lacks(removed)).count();
        let bit = gone > 0 && gone == pairs().count();
        let word = if bit { "are" } else { "are not all" };
        Proof { bit, evidence: format!("the deployments removed {word} still gone") }
    }

    fn heal(&mut self, _: &World) -> bool {
        self.homes.drain().zip(self.removed.drain(..)).for_each(|(home, mut removed)| home.put_back(&mut removed));
        true
    }
}
