//! Bad deployment: a push goes to production by itself, as pushes do, and what users get is broken.

use super::homes::Homes;
use crate::fault::{Fault, Injection, Mode, Onset, joined, only_now};
use crate::{
    emulator::{
        World,
        hosting::{Quality, control::Shipped},
    },
    model::{event::Proof, plan::ServiceKind, scenario::FaultSpec},
};

/// Entry in the catalogue.
pub(super) struct BadDeploy;

const NAME: &str = "bad-deploy";

impl Fault for BadDeploy {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "a deployment that breaks what users get"
    }

    fn modes(&self) -> &'static [Mode] {
        &[
            Mode { name: "broken-build", summary: "every page and call is answered 500" },
            Mode {
                name: "wrong-content",
                summary: "pages are served, and hold something else; the health check is green",
            },
            Mode { name: "half-rolled-out", summary: "one location in two fails; the health check is green" },
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
        "- fault: bad-deploy\n  mode: broken-build\n  when: at-disaster\n"
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let quality = match spec.mode.as_str() {
            "wrong-content" => Quality::WrongContent,
            "half-rolled-out" => Quality::HalfRolledOut,
            _ => Quality::Broken,
        };
        Ok(Box::new(Bad { quality, homes: Homes::of(spec), shipped: vec![] }))
    }
}

struct Bad {
    quality: Quality,
    homes: Homes,
    shipped: Vec<Shipped>,
}

impl Injection for Bad {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        let quality = self.quality;
        self.shipped = self.homes.strike(world, |home| home.ship(quality), |home, shipped| home.unship(&shipped))?;
        let ids: Vec<&str> = self.shipped.iter().map(|shipped| shipped.id.as_str()).collect();
        Ok(format!("{} went to production", joined(&ids)))
    }

    fn proof(&self, _: &World) -> Proof {
        self.homes.seen(|counters| counters.failed_answers, "answers to users that failed or held something else")
    }

    fn heal(&mut self, _: &World) -> bool {
        self.homes.drain().zip(self.shipped.drain(..)).for_each(|(home, shipped)| home.unship(&shipped));
        true
    }
}
