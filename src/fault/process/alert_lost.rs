//! Alert lost: alarms are raised, and what should carry them to people does not.

use crate::fault::{Fault, Ground, Injection, Mode, Onset, Trial, no_regions, only_now};
use crate::{
    emulator::World,
    model::{
        event::Proof,
        plan::ServiceKind,
        scenario::{FaultSpec, Moment},
        units::{DayTime, Span, TimeOfDay},
        words,
    },
};

/// Entry in the catalogue.
pub(super) struct AlertLost;

const NAME: &str = "alert-lost";

impl Fault for AlertLost {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "alarms are raised, and nobody hears them"
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode { name: "swallowed", summary: "what carries alarms takes them, and they are gone" }]
    }

    fn is_for(&self, kind: ServiceKind) -> bool {
        // Releases have no backups that a monitor would watch.
        kind != ServiceKind::WebApplication
    }

    fn strikes_points(&self) -> bool {
        false
    }

    fn example(&self) -> &'static str {
        "- fault: alert-lost\n  when: { at: day 4 05:00 }\n  lasts: 2 h\n"
    }

    /// The primary region goes down in the last night; the monitor's first alarm of it is lost, its next one is not.
    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        let at = |hour: u16| Moment::At(DayTime { day: 4, time: TimeOfDay { minutes: hour * 60 } });
        let lost = ground.entry(NAME, mode).everywhere().at(at(5)).lasting(Span::hours(2));
        Trial::of(lost).after(ground.entry("region-outage", "refused").at(at(4)))
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        no_regions(spec)?;
        if spec.service.is_some() {
            return Err(format!("fault `{NAME}` strikes the alarms of every service: remove `service`"));
        }
        Ok(Box::new(Swallowed { was_down: false, before: 0 }))
    }
}

struct Swallowed {
    was_down: bool,
    before: u32,
}

impl Injection for Swallowed {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        self.was_down = world.messenger.is_down();
        self.before = world.messenger.lost();
        world.messenger.set_down(true);
        Ok("alarms reach nobody".into())
    }

    fn proof(&self, world: &World) -> Proof {
        let lost = world.messenger.lost() - self.before;
        Proof { bit: lost > 0, evidence: format!("{} reached nobody", words::count(lost.into(), "alarm")) }
    }

    fn heal(&mut self, world: &World) -> bool {
        world.messenger.set_down(self.was_down);
        true
    }
}
