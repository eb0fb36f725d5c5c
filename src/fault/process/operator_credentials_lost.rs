//! Operator's credentials lost: what the people hold who are to restore opens nothing any more.

use serde::Deserialize;

use crate::fault::{Fault, Ground, Injection, Mode, Onset, Parameter, Trial, joined, no_regions, only_now, parameter};
use crate::{
    emulator::{
        Site, World,
        link::{Begins, LayerId, LinkState, StatusFault},
    },
    model::{
        event::Proof,
        scenario::{FaultSpec, Moment},
    },
};

/// Entry in the catalogue.
pub(super) struct OperatorCredentialsLost;

const NAME: &str = "operator-credentials-lost";

/// What rejects them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Lock {
    Regions,
    SecretStore,
}

impl Fault for OperatorCredentialsLost {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "the keys of the people who are to restore are rejected everywhere"
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode { name: "rejected", summary: "every request with them is answered as one without a right" }]
    }

    fn strikes_points(&self) -> bool {
        false
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[Parameter { name: "at", summary: "what rejects them, of `[regions, secret-store]`; [regions], every one" }]
    }

    fn meets_commands(&self, _mode: &str, _on_deployments: bool) -> bool {
        false
    }

    fn example(&self) -> &'static str {
        "- fault: operator-credentials-lost\n  when: at-disaster\n  with: { at: [regions, secret-store] }\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        Trial::of(ground.entry(NAME, mode).everywhere().at(Moment::AtDisaster))
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        no_regions(spec)?;
        if spec.service.is_some() {
            return Err(format!("fault `{NAME}` strikes the operators, whatever they restore: remove `service`"));
        }
        let at = parameter::<Vec<Lock>>(spec, "at")?.unwrap_or(vec![Lock::Regions]);
        if at.is_empty() {
            return Err(format!("parameter `at` of fault `{NAME}`: name `regions`, `secret-store` or both"));
        }
        Ok(Box::new(Rejected { at, sites: Vec::new(), asked: 0 }))
    }
}

struct Rejected {
    at: Vec<Lock>,
    /// The sites, with what was laid on their links.
    sites: Vec<(Site, LayerId)>,
    /// How often the secret store had been asked in vain before.
    asked: u32,
}

impl Injection for Rejected {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        let mut said = Vec::new();
        if self.at.contains(&Lock::SecretStore) {
            self.asked = world.operator.secrets.asked_in_vain();
            world.operator.secrets.deny(true)?;
            said.push("the secret store");
        }
        if self.at.contains(&Lock::Regions) {
            for site in &world.sites {
                let layer = site.region.link().lay(LinkState::Status(StatusFault::Denied403), Begins::Now);
                self.sites.push((site.clone(), layer));
            }
            said.insert(0, "every region");
        }
        Ok(format!("the operators' keys are rejected by {}", said.join(" and by ")))
    }

    fn proof(&self, world: &World) -> Proof {
        let (mut bit, mut seen) = (true, Vec::new());
        for (site, layer) in &self.sites {
            let struck = site.region.link().struck(*layer);
            let met = struck.rejected + struck.cut > 0;
            bit &= met;
            seen.push(format!("{}: {}", site.region.name(), if met { "keys were rejected" } else { "nobody asked" }));
        }
        if self.at.contains(&Lock::SecretStore) {
            let met = world.operator.secrets.asked_in_vain() > self.asked;
            // Where the regions reject them already, nobody gets as far as the secret store.
            bit &= met || !self.sites.is_empty();
            seen.push(format!("secret store: {}", if met { "keys were rejected" } else { "nobody asked" }));
        }
        Proof { bit: bit && !seen.is_empty(), evidence: joined(&seen) }
    }

    fn heal(&mut self, world: &World) -> bool {
        for (site, layer) in self.sites.drain(..) {
            site.region.link().lift(layer);
        }
        !self.at.contains(&Lock::SecretStore) || world.operator.secrets.deny(false).is_ok()
    }
}
