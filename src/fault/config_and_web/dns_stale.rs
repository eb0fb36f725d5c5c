//! Stale DNS: the domain points to an old home that still serves, and resolvers hold what they were told.

use super::homes::Homes;
use crate::fault::{Fault, Injection, Mode, Onset, Parameter, only_now, parameter};
use crate::{
    emulator::{World, hosting::Hosting},
    model::{event::Proof, plan::ServiceKind, scenario::FaultSpec, units::Span},
};

/// Entry in the catalogue.
pub(super) struct DnsStale;

const NAME: &str = "dns-stale";

impl Fault for DnsStale {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "the domain points to an old home of the application"
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode {
            name: "old-home",
            summary: "users get the first release, healthy and outdated; resolvers hold it for `ttl`",
        }]
    }

    fn is_for(&self, kind: ServiceKind) -> bool {
        kind == ServiceKind::WebApplication
    }

    fn strikes_points(&self) -> bool {
        false
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[Parameter { name: "ttl", summary: "time to live of the record; 5 min" }]
    }

    fn meets_commands(&self, _mode: &str, _on_deployments: bool) -> bool {
        false
    }

    fn example(&self) -> &'static str {
        "- fault: dns-stale\n  mode: old-home\n  when: at-disaster\n  with: { ttl: 5 min }\n"
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let ttl = parameter::<Span>(spec, "ttl")?.unwrap_or(Span::minutes(5));
        if !(Span(1_000)..=Span::hours(24)).contains(&ttl) {
            return Err("a record lives from 1 s to 24 h: write `ttl: 5 min`".into());
        }
        Ok(Box::new(Stale { ttl, homes: Homes::of(spec), before: vec![] }))
    }
}

struct Stale {
    ttl: Span,
    homes: Homes,
    /// What each record was: target and time to live.
    before: Vec<(String, Span)>,
}

impl Injection for Stale {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        let ttl = self.ttl;
        let strike = |home: &Hosting| home.send_to_old_home(ttl);
        self.before = self.homes.strike(world, strike, |home, before| home.close_old_home(&before))?;
        Ok(format!("the domain points to an old home, and resolvers hold that for {ttl}"))
    }

    fn proof(&self, _: &World) -> Proof {
        self.homes.seen(|counters| counters.elsewhere, "answers to users from the old home")
    }

    fn heal(&mut self, _: &World) -> bool {
        self.homes.drain().zip(self.before.drain(..)).for_each(|(home, before)| home.close_old_home(&before));
        true
    }
}
