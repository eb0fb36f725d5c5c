//! Helpers that the faults on targets share: whose targets a fault strikes, and what was met there since.

use std::sync::Arc;

use crate::{
    emulator::{
        World,
        convex::condition::{Condition, Struck},
        targets::{Load, Targets},
    },
    fault::{Ground, Trial},
    model::{
        event::Proof,
        plan::ServiceKind,
        scenario::{FaultSpec, Moment},
        units::Percent,
        words,
    },
};

/// The deployments that a service is restored to, of the one that is named or of each.
pub(super) fn deployments(world: &World, service: Option<&str>) -> Result<Vec<Arc<Targets>>, String> {
    let is_database = |name: &str| world.backups.get(name).is_some_and(|of| of.kind == ServiceKind::Database);
    let wanted = |name: &str| service.is_none_or(|wanted| wanted == name);
    let found = world.targets.iter().filter(|(name, _)| wanted(name) && is_database(name));
    let found: Vec<_> = found.map(|(_, targets)| Arc::clone(targets)).collect();
    if found.is_empty() {
        Err("no database is drilled that would be restored to a deployment".into())
    } else {
        Ok(found)
    }
}

/// A part of what an import brings, from 1% to 99%.
pub(super) fn part(given: Option<Percent>, name: &str, fault: &str) -> Result<Percent, String> {
    match given.unwrap_or(Percent(50)) {
        Percent(0 | 100) => Err(format!("parameter `{name}` of fault `{fault}`: write a share from 1% to 99%")),
        share => Ok(share),
    }
}

/// That part of the newest backup.
///
/// # Errors
/// Where there is none.
pub(super) fn of_newest(share: Percent, targets: &Targets, of: impl Fn(Load) -> u64) -> Result<u64, String> {
    match of(targets.expected()) {
        0 => Err("there is no backup yet of which a part could be imported".into()),
        whole => Ok(share.of(whole)),
    }
}

/// An entry that strikes with the disaster.
pub(super) fn entry(ground: &Ground<'_>, fault: &str, mode: &str) -> FaultSpec {
    ground.entry(fault, mode).everywhere().at(Moment::AtDisaster)
}

/// The trial of a fault that is there when the restore begins, and stays.
pub(super) fn trial(ground: &Ground<'_>, fault: &str, mode: &str) -> Trial {
    Trial::of(entry(ground, fault, mode))
}

/// Deployments in a condition, with how they were before, and what had been met there.
pub(super) struct Conditioned {
    service: Option<String>,
    struck: Vec<(Arc<Targets>, Condition, Struck)>,
}

impl Conditioned {
    pub(super) fn of(spec: &FaultSpec) -> Self {
        Conditioned { service: spec.service.clone(), struck: Vec::new() }
    }

    /// Changes the condition of each. Nothing is changed where one cannot be.
    pub(super) fn strike(
        &mut self,
        world: &World,
        condition: impl Fn(&Targets, &mut Condition) -> Result<(), String>,
    ) -> Result<(), String> {
        let mut changed = Vec::new();
        for targets in deployments(world, self.service.as_deref())? {
            let before = targets.condition();
            let mut after = before.clone();
            condition(&targets, &mut after)?;
            changed.push((targets, before, after));
        }
        for (targets, before, after) in changed {
            targets.change(|now| *now = after);
            let met = targets.struck();
            self.struck.push((targets, before, met));
        }
        Ok(())
    }

    /// A fault bit where it was met at each. How often is told as long as it does not depend on how often somebody tried.
    pub(super) fn met(&self, count: impl Fn(&Struck) -> u64, noun: &str) -> Proof {
        let met: Vec<u64> =
            self.struck.iter().map(|(targets, _, before)| count(&targets.struck()) - count(before)).collect();
        let bit = !met.is_empty() && met.iter().all(|n| *n > 0);
        Proof { bit, evidence: format!("{} met it", words::count(met.iter().sum(), noun)) }
    }

    /// Puts back what `undo` takes from how it was.
    pub(super) fn heal(&mut self, undo: impl Fn(&mut Condition, &Condition)) -> bool {
        for (targets, before, _) in self.struck.drain(..) {
            targets.change(|now| undo(now, &before));
        }
        true
    }
}
