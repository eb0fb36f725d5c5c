//! What faults on exports share: the deployments that a service is exported from, in a condition that exports meet.

use std::sync::Arc;

use crate::{
    emulator::{
        World,
        convex::condition::{Condition, Struck},
        targets::Targets,
    },
    fault::{Ground, Trial, no_regions},
    model::{
        event::Proof,
        plan::ServiceKind,
        scenario::{FaultSpec, Moment},
    },
};

/// A deployment that is exported can be struck as long as backups are still to be made of it.
pub(super) fn is_for(kind: ServiceKind) -> bool {
    kind == ServiceKind::Database
}

/// The last backup before the disaster meets it.
pub(super) fn trial(ground: &Ground<'_>, fault: &str, mode: &str) -> Trial {
    Trial::of(ground.entry(fault, mode).everywhere().at(ground.before_last_backup()))
}

/// What an entry must not say.
///
/// # Errors
/// What is wrong with it.
pub(super) fn accept(spec: &FaultSpec) -> Result<(), String> {
    no_regions(spec)?;
    match spec.when {
        Moment::AfterLastBackup | Moment::AtDisaster => Err(format!(
            "fault `{}` strikes nothing after the last backup; write `when: {{ before-backup-of-day: N }}`",
            spec.fault
        )),
        _ => Ok(()),
    }
}

/// Deployments in that condition.
pub(super) struct Exporting {
    service: Option<String>,
    struck: Vec<(Arc<Targets>, Condition, Struck)>,
}

impl Exporting {
    pub(super) fn of(spec: &FaultSpec) -> Self {
        Exporting { service: spec.service.clone(), struck: Vec::new() }
    }

    /// # Errors
    /// Where nothing is drilled that is exported from a deployment.
    pub(super) fn strike(&mut self, world: &World, condition: impl Fn(&mut Condition)) -> Result<(), String> {
        let wanted = |name: &str| self.service.as_deref().is_none_or(|wanted| wanted == name);
        let found: Vec<_> =
            world.exported.iter().filter(|(name, _)| wanted(name)).map(|(_, of)| Arc::clone(of)).collect();
        if found.is_empty() {
            return Err("no database is drilled that would be exported from a deployment".into());
        }
        for state in found {
            let (before, met) = (state.condition(), state.struck());
            state.change(&condition);
            self.struck.push((state, before, met));
        }
        Ok(())
    }

    /// It bit where an export of each met it. How often depends on how often somebody tried.
    pub(super) fn met(&self, count: impl Fn(&Struck) -> u64, what: &str) -> Proof {
        let is_met = |(state, _, before): &(Arc<Targets>, Condition, Struck)| count(&state.struck()) > count(before);
        let bit = !self.struck.is_empty() && self.struck.iter().all(is_met);
        Proof { bit, evidence: format!("{} {what}", if bit { "exports" } else { "no export" }) }
    }

    /// Puts back what `undo` takes from how it was.
    pub(super) fn heal(&mut self, undo: impl Fn(&mut Condition, &Condition)) -> bool {
        for (state, before, _) in self.struck.drain(..) {
            state.change(|now| undo(now, &before));
        }
        true
    }
}
