//! API outage: what stands behind the application's API does not answer. Pages are served, and what they call fails.

use super::homes::Homes;
use crate::fault::{Fault, Injection, Mode, Onset, Parameter, only_now, parameter};
use crate::{
    emulator::{
        World,
        hosting::{Hosting, control::Upstream},
    },
    model::{event::Proof, plan::ServiceKind, scenario::FaultSpec, units::Span},
};

/// Entry in the catalogue.
pub(super) struct ApiOutage;

const NAME: &str = "api-outage";

impl Fault for ApiOutage {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "what stands behind the application's API does not answer"
    }

    fn modes(&self) -> &'static [Mode] {
        &[
            Mode { name: "upstream-down", summary: "every call fails, in each deployment, while it `lasts`" },
            Mode { name: "endpoint-moved", summary: "deployments built before it call an address that is gone" },
        ]
    }

    fn is_for(&self, kind: ServiceKind) -> bool {
        kind == ServiceKind::WebApplication
    }

    fn strikes_points(&self) -> bool {
        false
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[Parameter {
            name: "lasts",
            summary: "time until an upstream that is down answers again; without it, it does not",
        }]
    }

    fn meets_commands(&self, _mode: &str, _on_deployments: bool) -> bool {
        false
    }

    fn example(&self) -> &'static str {
        "- fault: api-outage\n  mode: upstream-down\n  when: at-disaster\n  with: { lasts: 8 min }\n"
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let lasts = parameter::<Span>(spec, "lasts")?;
        let moved = spec.mode == "endpoint-moved";
        if moved && lasts.is_some() {
            return Err("an endpoint that moved does not come back: remove `lasts`".into());
        }
        Ok(Box::new(Outage { moved, lasts, homes: Homes::of(spec) }))
    }
}

struct Outage {
    moved: bool,
    lasts: Option<Span>,
    homes: Homes,
}

impl Injection for Outage {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        let (moved, lasts) = (self.moved, self.lasts);
        let strike = |home: &Hosting| {
            home.set_upstream(match moved {
                true => Upstream::Moved(home.now()),
                false => Upstream::Down(lasts.map(|lasts| home.after(lasts))),
            });
            Ok(())
        };
        self.homes.strike(world, strike, |home, ()| home.set_upstream(Upstream::Up))?;
        Ok(match (moved, lasts) {
            (true, _) => "what stands behind the API has a new address, which only new builds know".into(),
            (false, Some(lasts)) => format!("what stands behind the API does not answer for {lasts}"),
            (false, None) => "what stands behind the API does not answer until it is healed".into(),
        })
    }

    fn proof(&self, _: &World) -> Proof {
        self.homes.seen(|counters| counters.upstream_failures, "calls that failed behind the API")
    }

    fn heal(&mut self, _: &World) -> bool {
        self.homes.drain().for_each(|home| home.set_upstream(Upstream::Up));
        true
    }
}
