//! The scenario's faults: each is injected once at its moment, and asked for its proof and healed once: when its time is
//! over, or else at the drill's end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Play;
use crate::{
    emulator::{World, restorer::Fate},
    fault::{Injection, Onset},
    model::{
        event::What,
        scenario::{FaultSpec, Moment},
        units::{Percent, Span},
    },
    sim::{clock::Clock, recorder::Recorder},
};

/// All faults of a drill.
pub(super) struct Faults {
    specs: Vec<FaultSpec>,
    slots: Mutex<Vec<Slot>>,
    world: Arc<World>,
    recorder: Recorder,
    clock: Clock,
}

struct Slot {
    injection: Box<dyn Injection>,
    acts: bool,
    tried: bool,
    /// Time since t0 at which it is over.
    over: Option<Span>,
}

impl Faults {
    /// Of these entries, in the same order.
    pub(super) fn new(
        specs: &[FaultSpec],
        injections: Vec<Box<dyn Injection>>,
        world: &Arc<World>,
        recorder: &Recorder,
    ) -> Self {
        let slot = |injection| Slot { injection, acts: false, tried: false, over: None };
        Faults {
            specs: specs.to_vec(),
            slots: Mutex::new(injections.into_iter().map(slot).collect()),
            world: Arc::clone(world),
            recorder: recorder.clone(),
            clock: world.clock.clone(),
        }
    }

    fn slots(&self) -> MutexGuard<'_, Vec<Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Injects a fault, once. One that is over at a time after the disaster says when; one that begins after it, and
    /// lasts for a while, counts from now.
    pub(super) async fn inject(&self, fault: usize, over: Option<Span>) {
        let Some(spec) = self.specs.get(fault) else { return };
        if self.slots().get_mut(fault).is_none_or(|slot| std::mem::replace(&mut slot.tried, true)) {
            return;
        }
        let mut injected = self.world.read_storage().await.and_then(|()| self.strike(fault, spec));
        if injected.is_ok()
            && let Err(why) = self.world.write_storage().await
        {
            injected = Err(why);
        }
        if let Some(slot) = self.slots().get_mut(fault) {
            slot.acts = injected.is_ok();
            slot.over = over;
            if let (Moment::DuringImport(_), Some(lasts), Some(now)) = (spec.when, spec.lasts, self.clock.since_t0()) {
                slot.over = Some(Span(now.total_ms().saturating_add(lasts.millis())));
            }
        }
        self.recorder.emit(match injected {
            Ok(detail) => What::FaultInjected { fault, detail },
            Err(why) => What::FaultImpossible { fault, why },
        });
    }

    fn strike(&self, fault: usize, spec: &FaultSpec) -> Result<String, String> {
        let mut slots = self.slots();
        let slot = slots.get_mut(fault).ok_or("there is no such fault")?;
        slot.injection.inject(&self.world, Onset::of(spec.when))
    }

    /// A fault is over: it is asked for its proof, and healed.
    pub(super) async fn end(&self, fault: usize) {
        // What is not read shows in the proof, or in what the storage failed at.
        let _ = self.world.read_storage().await;
        self.prove(fault);
        self.heal(fault).await;
    }

    /// The fault that is over next, and when.
    fn next_over(&self) -> Option<(Span, usize)> {
        let slots = self.slots();
        let over = slots.iter().enumerate().filter(|(_, slot)| slot.acts);
        over.filter_map(|(number, slot)| Some((slot.over?, number))).min()
    }

    fn prove(&self, fault: usize) {
        let proof = {
            let slots = self.slots();
            slots.get(fault).filter(|slot| slot.acts).map(|slot| slot.injection.proof(&self.world))
        };
        if let Some(proof) = proof {
            self.recorder.emit(What::FaultProven { fault, proof });
        }
    }

    async fn heal(&self, fault: usize) {
        let complete = {
            let mut slots = self.slots();
            let Some(slot) = slots.get_mut(fault).filter(|slot| slot.acts) else { return };
            slot.acts = false;
            slot.injection.heal(&self.world)
        };
        let written = self.world.write_storage().await;
        self.recorder.emit(What::FaultHealed { fault, complete: complete && written.is_ok() });
    }

    /// Asks every fault that still acts for its proof. Must come before healing.
    pub(super) fn prove_all(&self) {
        (0..self.specs.len()).for_each(|fault| self.prove(fault));
    }

    /// Heals every fault that still acts, the last one first, so that faults on the same thing come undone in order.
    pub(super) async fn heal_all(&self) {
        for fault in (0..self.specs.len()).rev() {
            self.heal(fault).await;
        }
    }
}

impl Play<'_> {
    /// The faults that come with the disaster. One that begins in the middle of an import is waited for there.
    pub(super) async fn faults_of_disaster(&self) {
        let in_history: Vec<usize> = self.timetable.faults().collect();
        for (number, spec) in self.drill.scenario.faults.iter().enumerate().filter(|(n, _)| !in_history.contains(n)) {
            match spec.when {
                Moment::DuringImport(share) => self.wait_in_import(number, spec, share),
                _ => self.faults.inject(number, spec.lasts).await,
            }
        }
    }

    fn wait_in_import(&self, number: usize, spec: &FaultSpec, share: Percent) {
        for (one, newest) in self.stage.services.iter().zip(&self.newest) {
            if spec.service.as_ref().is_none_or(|name| *name == one.name)
                && let Some(targets) = self.stage.world.targets.get(&one.name)
            {
                let rows = newest.as_ref().map_or_else(|| one.service.rows(), |(_, made)| made.rows);
                targets.gate().arm(share.of(rows), number);
            }
        }
    }

    /// What comes while the restore runs: faults begin in imports, and end when their time is over. Never ends itself.
    pub(super) async fn cues(&self) {
        loop {
            let over = self.faults.next_over();
            let ended = async {
                match over {
                    Some((at, fault)) => {
                        self.stage.clock.reached(at).await;
                        fault
                    }
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                fault = ended => self.faults.end(fault).await,
                service = self.import_stands() => self.begin_in_import(&service).await,
            }
        }
    }

    /// Waits until an import stands at its gate; the service whose import it is.
    async fn import_stands(&self) -> String {
        if self.stage.world.restorer.fate() == Fate::Stopped {
            // What stands there stands for ever.
            return std::future::pending().await;
        }
        let stands = self.stage.world.targets.iter().map(|(name, targets)| {
            Box::pin(async move {
                targets.gate().reached().await;
                name.clone()
            })
        });
        let stands: Vec<_> = stands.collect();
        if stands.is_empty() {
            return std::future::pending().await;
        }
        futures_util::future::select_all(stands).await.0
    }

    async fn begin_in_import(&self, service: &str) {
        let Some(targets) = self.stage.world.targets.get(service) else { return };
        for fault in targets.gate().due() {
            self.faults.inject(fault, None).await;
        }
        if self.stage.world.restorer.fate() != Fate::Stopped {
            targets.gate().open();
        }
    }
}
