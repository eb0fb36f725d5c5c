//! Wrong URL: a service was restored at a new address, and whoever brings the configuration up to date is told the old
//! one.

use crate::fault::{Fault, Ground, Injection, Mode, Onset, Trial, only_now};
use crate::{
    emulator::World,
    model::{
        event::Proof,
        plan::ServiceKind,
        scenario::{FaultSpec, Moment},
        words,
    },
};

/// Entry in the catalogue.
pub(super) struct WrongUrl;

const NAME: &str = "wrong-url";

impl Fault for WrongUrl {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "after the database's cut over the configuration names its old deployment"
    }

    fn modes(&self) -> &'static [Mode] {
        &[
            Mode { name: "old-is-dead", summary: "the runbook has the old address, at which nothing answers" },
            Mode {
                name: "old-still-answers",
                summary: "the runbook has the old address, and what is left there answers",
            },
        ]
    }

    fn is_for(&self, kind: ServiceKind) -> bool {
        kind == ServiceKind::Config
    }

    fn strikes_points(&self) -> bool {
        false
    }

    fn meets_commands(&self, _mode: &str, _on_deployments: bool) -> bool {
        false
    }

    fn example(&self) -> &'static str {
        "- fault: wrong-url\n  mode: old-is-dead\n  when: at-disaster\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        // An address is wrong once the database has moved.
        Trial::of(ground.entry(NAME, mode).everywhere().at(Moment::AtDisaster)).beside(ServiceKind::Database)
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        Ok(Box::new(Misled { old_answers: spec.mode == "old-still-answers", before: 0 }))
    }
}

struct Misled {
    old_answers: bool,
    before: u32,
}

impl Injection for Misled {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        let addresses = &world.operator.addresses;
        if addresses.live().is_empty() {
            return Err("no service has an address".into());
        }
        self.before = addresses.misled();
        addresses.freeze(self.old_answers);
        Ok("the runbook keeps the addresses that it has, whatever moves".into())
    }

    fn proof(&self, world: &World) -> Proof {
        let misled = world.operator.addresses.misled() - self.before;
        let evidence = format!("{} gave an address that was no longer right", words::count(misled.into(), "look-up"));
        Proof { bit: misled > 0, evidence }
    }

    fn heal(&mut self, world: &World) -> bool {
        world.operator.addresses.thaw();
        true
    }
}
