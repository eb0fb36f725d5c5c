//! Target down: where the service is to be restored to cannot be reached.

use std::sync::Arc;

use super::struck::{deployments, entry};
use crate::fault::{Fault, Ground, Injection, Mode, Onset, Trial, no_regions, only_now};
use crate::{
    emulator::{
        World,
        link::{Begins, LayerId, LinkState, StatusFault},
        targets::Targets,
    },
    model::{event::Proof, plan::ServiceKind, scenario::FaultSpec, units::Span},
};

/// Entry in the catalogue.
pub(super) struct TargetDown;

const NAME: &str = "target-down";

impl Fault for TargetDown {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "the platform that the database is restored to does not answer"
    }

    fn modes(&self) -> &'static [Mode] {
        &[
            Mode { name: "refused", summary: "every deployment refuses connections" },
            Mode { name: "black-hole", summary: "connections are taken and never answered" },
            Mode { name: "unavailable", summary: "every request is answered 503" },
        ]
    }

    fn is_for(&self, kind: ServiceKind) -> bool {
        kind == ServiceKind::Database
    }

    fn strikes_points(&self) -> bool {
        false
    }

    fn meets_commands(&self, _mode: &str, on_deployments: bool) -> bool {
        on_deployments
    }

    fn example(&self) -> &'static str {
        "- fault: target-down\n  mode: refused\n  when: at-disaster\n  lasts: 9 min\n"
    }

    /// It comes back after the restore has begun: whoever asks again restores.
    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        Trial::of(entry(ground, NAME, mode).lasting(Span::minutes(9)))
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        no_regions(spec)?;
        let state = match spec.mode.as_str() {
            "refused" => LinkState::Refused,
            "black-hole" => LinkState::BlackHole,
            _ => LinkState::Status(StatusFault::SlowDown503),
        };
        Ok(Box::new(Down { service: spec.service.clone(), state, struck: Vec::new() }))
    }
}

struct Down {
    service: Option<String>,
    state: LinkState,
    struck: Vec<(Arc<Targets>, LayerId)>,
}

impl Injection for Down {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        for targets in deployments(world, self.service.as_deref())? {
            let layer = targets.link().lay(self.state, Begins::Now);
            self.struck.push((targets, layer));
        }
        let how = match self.state {
            LinkState::Refused => "refuse connections",
            LinkState::BlackHole => "take connections and never answer",
            _ => "answer every request with 503",
        };
        Ok(format!("deployments to restore to {how}"))
    }

    fn proof(&self, _: &World) -> Proof {
        let met = |(targets, layer): &(Arc<Targets>, LayerId)| {
            let struck = targets.link().struck(*layer);
            struck.refused + struck.hung + struck.rejected + struck.cut > 0
        };
        // How often depends on how often somebody asked, which is no property of the fault.
        let bit = !self.struck.is_empty() && self.struck.iter().all(met);
        Proof { bit, evidence: if bit { "requests met it" } else { "no request met it" }.into() }
    }

    fn heal(&mut self, _: &World) -> bool {
        for (targets, layer) in self.struck.drain(..) {
            targets.link().lift(layer);
        }
        true
    }
}
