//! Hosting API down: what is deployed goes on being served, and nothing can be changed there.

use super::homes::Homes;
use crate::fault::{Fault, Injection, Mode, Onset, Parameter, only_now, parameter};
use crate::{
    emulator::{World, hosting::Hosting},
    model::{event::Proof, plan::ServiceKind, scenario::FaultSpec, units::Span},
};

/// Entry in the catalogue.
pub(super) struct HostingApiDown;

const NAME: &str = "hosting-api-down";

impl Fault for HostingApiDown {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "the hosting provider's management API cannot be used"
    }

    fn modes(&self) -> &'static [Mode] {
        &[
            Mode { name: "unavailable", summary: "every request is answered 503" },
            Mode { name: "rate-limited", summary: "every request is answered 429" },
        ]
    }

    fn is_for(&self, kind: ServiceKind) -> bool {
        kind == ServiceKind::WebApplication
    }

    fn strikes_points(&self) -> bool {
        false
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[Parameter { name: "lasts", summary: "time until it answers again; without it, it does not" }]
    }

    fn meets_commands(&self, _mode: &str, _on_deployments: bool) -> bool {
        false
    }

    fn example(&self) -> &'static str {
        "- fault: hosting-api-down\n  mode: unavailable\n  when: at-disaster\n  with: { lasts: 10 min }\n"
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let status = if spec.mode == "rate-limited" { 429 } else { 503 };
        let lasts = parameter::<Span>(spec, "lasts")?;
        Ok(Box::new(Down { status, lasts, homes: Homes::of(spec) }))
    }
}

struct Down {
    status: u16,
    lasts: Option<Span>,
    homes: Homes,
}

impl Injection for Down {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        let (status, lasts) = (self.status, self.lasts);
        let strike = |home: &Hosting| {
            home.set_api(Some(status), lasts);
            Ok(())
        };
        self.homes.strike(world, strike, |home, ()| home.set_api(None, None))?;
        let long = lasts.map_or("until it is healed".to_owned(), |lasts| format!("for {lasts}"));
        Ok(format!("the management API answers {status} {long}"))
    }

    fn proof(&self, _: &World) -> Proof {
        self.homes.seen(|counters| counters.refused, "requests that the management API refused")
    }

    fn heal(&mut self, _: &World) -> bool {
        self.homes.drain().for_each(|home| home.set_api(None, None));
        true
    }
}
