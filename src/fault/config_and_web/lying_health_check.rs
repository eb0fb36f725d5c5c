//! Lying health check: it says that all is well, whatever users get.

use super::homes::Homes;
use crate::fault::{Fault, Ground, Injection, Mode, Onset, Trial, only_now};
use crate::{
    emulator::{World, hosting::Hosting},
    model::{event::Proof, plan::ServiceKind, scenario::FaultSpec},
};

/// Entry in the catalogue.
pub(super) struct LyingHealthCheck;

const NAME: &str = "lying-health-check";

impl Fault for LyingHealthCheck {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "the health check says that all is well, whatever users get"
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode { name: "always-ok", summary: "/api/health answers 200 and ok in each deployment" }]
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
        "- fault: lying-health-check\n  mode: always-ok\n  when: at-disaster\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        Trial::of(ground.entry(NAME, mode)).after(ground.entry("bad-deploy", "broken-build"))
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        Ok(Box::new(Lying { homes: Homes::of(spec) }))
    }
}

struct Lying {
    homes: Homes,
}

impl Injection for Lying {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        let strike = |home: &Hosting| {
            home.set_lying(true);
            Ok(())
        };
        self.homes.strike(world, strike, |home, ()| home.set_lying(false))?;
        Ok("/api/health says ok whatever happens".into())
    }

    fn proof(&self, _: &World) -> Proof {
        self.homes.seen(|counters| counters.lies, "answers of the health check that were not true")
    }

    fn heal(&mut self, _: &World) -> bool {
        self.homes.drain().for_each(|home| home.set_lying(false));
        true
    }
}
