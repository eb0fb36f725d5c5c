//! The faults that act now, in the order in which they came, and which of them may be healed next.

use jiff::Timestamp;

use crate::{
    emulator::World,
    fault::{self, Injection},
    model::{event::Proof, family::Family, scenario::FaultSpec},
};

/// A fault that acts.
pub(super) struct Acting {
    pub(super) id: u64,
    pub(super) spec: FaultSpec,
    pub(super) since: Timestamp,
    /// What was changed.
    pub(super) detail: String,
    /// Its time is over; it waits for what lies on it.
    over: bool,
    injection: Box<dyn Injection>,
}

/// A fault that was healed.
pub(super) struct Healed {
    pub(super) id: u64,
    pub(super) name: String,
    /// Taken just before.
    pub(super) proof: Proof,
    /// Whether everything could be put back.
    pub(super) complete: bool,
}

/// All that act.
#[derive(Default)]
pub(super) struct Book {
    acting: Vec<Acting>,
    given: u64,
}

/// Why a fault is not healed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotHealed {
    /// No fault of that number acts.
    Unknown,
    /// Later ones lie on top of it: their numbers.
    Under(Vec<u64>),
}

impl Acting {
    pub(super) fn proof(&self, world: &World) -> Proof {
        self.injection.proof(world)
    }
}

impl Book {
    pub(super) fn acting(&self) -> &[Acting] {
        &self.acting
    }

    /// Writes down one that was injected, and returns its number.
    pub(super) fn add(
        &mut self,
        spec: FaultSpec,
        injection: Box<dyn Injection>,
        since: Timestamp,
        detail: String,
    ) -> u64 {
        self.given += 1;
        self.acting.push(Acting { id: self.given, spec, since, detail, over: false, injection });
        self.given
    }

    /// Heals one. What lies under others would come back with the damage that those found: they go first.
    pub(super) fn heal(&mut self, id: u64, world: &World) -> Result<Healed, NotHealed> {
        let at = self.acting.iter().position(|one| one.id == id).ok_or(NotHealed::Unknown)?;
        let above: Vec<u64> = self.above(at).map(|one| one.id).collect();
        if !above.is_empty() {
            return Err(NotHealed::Under(above));
        }
        Ok(heal(self.acting.remove(at), world))
    }

    /// The time of one is over: it is healed, and so is every other whose time was over while this one lay on it. One
    /// that still lies under another waits for that.
    pub(super) fn over(&mut self, id: u64, world: &World) -> Vec<Healed> {
        if let Some(one) = self.acting.iter_mut().find(|one| one.id == id) {
            one.over = true;
        }
        self.settle(world)
    }

    /// Heals what is over and lies under nothing any more.
    pub(super) fn settle(&mut self, world: &World) -> Vec<Healed> {
        let mut healed = Vec::new();
        let free = |book: &Book| {
            (0..book.acting.len()).rev().find(|at| book.acting[*at].over && book.above(*at).next().is_none())
        };
        while let Some(at) = free(self) {
            healed.push(heal(self.acting.remove(at), world));
        }
        healed
    }

    /// Heals all, the last one first.
    pub(super) fn heal_all(&mut self, world: &World) -> Vec<Healed> {
        self.acting.drain(..).rev().map(|one| heal(one, world)).collect()
    }

    /// Those that came later and may have changed what that one did.
    fn above(&self, at: usize) -> impl Iterator<Item = &Acting> {
        let (below, later) = (&self.acting[at], &self.acting[at + 1..]);
        later.iter().filter(|one| meet(&below.spec, &one.spec))
    }
}

fn heal(mut one: Acting, world: &World) -> Healed {
    let proof = one.injection.proof(world);
    let complete = one.injection.heal(world);
    Healed { id: one.id, name: one.spec.name(), proof, complete }
}

/// Whether two faults may have changed the same thing. Conditions of links lie beside one another; what else a fault
/// changes it remembers and puts back as a whole.
fn meet(a: &FaultSpec, b: &FaultSpec) -> bool {
    let home = |spec: &FaultSpec| match fault::family_of(&spec.fault) {
        None | Some(Family::Network) => None,
        Some(Family::Artefact | Family::Presence | Family::Age) => Some(Family::Artefact),
        other => other,
    };
    let same_service = a.service.is_none() || b.service.is_none() || a.service == b.service;
    let same_region =
        a.regions.is_empty() || b.regions.is_empty() || a.regions.iter().any(|region| b.regions.contains(region));
    home(a).is_some() && home(a) == home(b) && same_service && same_region
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::record::Way, sim::clock::Clock};

    struct Quiet;

    impl Injection for Quiet {
        fn inject(&mut self, _: &World, _: fault::Onset) -> Result<String, String> {
            Ok(String::new())
        }
        fn proof(&self, _: &World) -> Proof {
            Proof { bit: false, evidence: String::new() }
        }
        fn heal(&mut self, _: &World) -> bool {
            true
        }
    }

    #[tokio::test]
    async fn what_lies_under_another_fault_is_healed_after_it_and_links_in_any_order() {
        let clock = Clock::new(Way::Real, Timestamp::UNIX_EPOCH);
        let (world, mut book) = (World::empty(&clock), Book::default());
        let mut add = |fault: &str, region: &str| {
            let spec = FaultSpec {
                fault: fault.into(),
                mode: String::new(),
                service: None,
                regions: if region.is_empty() { Vec::new() } else { vec![region.into()] },
                generations: Default::default(),
                when: Default::default(),
                lasts: None,
                with: Default::default(),
            };
            book.add(spec, Box::new(Quiet), Timestamp::UNIX_EPOCH, String::new())
        };
        let (link, damaged, elsewhere) =
            (add("region-outage", "a"), add("corrupt-json", "a"), add("corrupt-json", "b"));
        let (missing, second_link) = (add("missing-backup", ""), add("region-outage", "a"));
        assert!(book.heal(link, &world).is_ok(), "links lie beside one another");
        assert_eq!(book.heal(damaged, &world).err(), Some(NotHealed::Under(vec![missing])));
        assert_eq!(book.heal(99, &world).err(), Some(NotHealed::Unknown));
        let ids = |healed: Vec<Healed>| healed.iter().map(|one| one.id).collect::<Vec<_>>();
        assert_eq!(ids(book.over(damaged, &world)), Vec::<u64>::new(), "it waits for what lies on it");
        assert!(book.heal(missing, &world).is_ok());
        assert_eq!(ids(book.settle(&world)), [damaged]);
        assert_eq!(ids(book.heal_all(&world)), [second_link, elsewhere]);
    }
}
