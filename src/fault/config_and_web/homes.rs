//! Helpers that the faults on web applications share: whose hosting a fault strikes, and what was seen there since.

use std::sync::Arc;

use crate::{
    emulator::{
        World,
        hosting::{Hosting, control::Counters},
    },
    model::{event::Proof, scenario::FaultSpec},
};

/// The hosting that a fault strikes, with what had been seen there before.
#[derive(Default)]
pub(super) struct Homes {
    service: Option<String>,
    struck: Vec<(Arc<Hosting>, Counters)>,
}

impl Homes {
    pub(super) fn of(spec: &FaultSpec) -> Self {
        Homes { service: spec.service.clone(), struck: Vec::new() }
    }

    /// Strikes each; where one cannot be struck, the others are healed by `undo` again.
    pub(super) fn strike<T>(
        &mut self,
        world: &World,
        strike: impl Fn(&Hosting) -> Result<T, String>,
        undo: impl Fn(&Hosting, T),
    ) -> Result<Vec<T>, String> {
        let mut done = Vec::new();
        for hosting in world.hosting_of(self.service.as_deref()) {
            let before = hosting.counters();
            match strike(hosting) {
                Ok(struck) => done.push(struck),
                Err(why) => {
                    self.struck.drain(..).zip(done).for_each(|((hosting, _), struck)| undo(&hosting, struck));
                    return Err(why);
                }
            }
            self.struck.push((Arc::clone(hosting), before));
        }
        match done.is_empty() {
            true => Err("no web application is drilled".into()),
            false => Ok(done),
        }
    }

    /// The hosting struck.
    pub(super) fn struck(&self) -> impl Iterator<Item = &Arc<Hosting>> {
        self.struck.iter().map(|(hosting, _)| hosting)
    }

    /// Lets go of what was struck.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Arc<Hosting>> {
        self.struck.drain(..).map(|(hosting, _)| hosting)
    }

    /// A fault bit where something was seen of it at each hosting that it struck.
    pub(super) fn seen(&self, count: impl Fn(&Counters) -> u64, what: &str) -> Proof {
        let seen = |(hosting, before): &(Arc<Hosting>, Counters)| count(&hosting.counters()) - count(before);
        let seen: Vec<u64> = self.struck.iter().map(seen).collect();
        let bit = !seen.is_empty() && seen.iter().all(|n| *n > 0);
        // How often depends on how often somebody looked, which is no property of the fault.
        Proof { bit, evidence: if bit { format!("{what}: seen") } else { format!("{what}: not seen") } }
    }
}
