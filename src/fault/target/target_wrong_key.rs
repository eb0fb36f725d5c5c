//! Target with a wrong key: what the operators have opens no new deployment.

use super::struck::{Conditioned, trial};
use crate::fault::{Fault, Ground, Injection, Mode, Onset, Trial, no_regions, only_now};
use crate::{
    emulator::World,
    model::{event::Proof, plan::ServiceKind, scenario::FaultSpec},
};

/// Entry in the catalogue.
pub(super) struct TargetWrongKey;

const NAME: &str = "target-wrong-key";

impl Fault for TargetWrongKey {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "the target rejects the key with which it is to be restored into"
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode { name: "rejected", summary: "every request is answered 401, as if its key were wrong" }]
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
        "- fault: target-wrong-key\n  when: at-disaster\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        trial(ground, NAME, mode)
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        no_regions(spec)?;
        Ok(Box::new(WrongKey(Conditioned::of(spec))))
    }
}

struct WrongKey(Conditioned);

impl Injection for WrongKey {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        self.0.strike(world, |_, condition| {
            condition.rejects_keys = true;
            Ok(())
        })?;
        Ok("deployments to restore to reject the operators' key".into())
    }

    fn proof(&self, _: &World) -> Proof {
        let met = self.0.met(|struck| struck.keys_rejected, "request");
        // How often depends on how often somebody asked, which is no property of the fault.
        Proof { evidence: if met.bit { "requests met it" } else { "no request met it" }.into(), ..met }
    }

    fn heal(&mut self, _: &World) -> bool {
        self.0.heal(|now, before| now.rejects_keys = before.rejects_keys)
    }
}
