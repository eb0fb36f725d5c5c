//! Injecting the scenario's faults, each once, at its moment.

use super::Play;
use crate::{fault::Onset, model::event::What};

impl Play<'_> {
    pub(super) fn inject(&mut self, fault: usize) {
        let onset = Onset::of(self.drill.scenario.faults[fault].when);
        let injected = self.stage.faults[fault].inject(&self.stage.world, onset);
        self.injected[fault] = injected.is_ok();
        self.emit(match injected {
            Ok(detail) => What::FaultInjected { fault, detail },
            Err(why) => What::FaultImpossible { fault, why },
        });
    }

    /// The faults that begin with the disaster or during the recovery.
    pub(super) fn faults_of_recovery(&self) -> Vec<usize> {
        let in_history: Vec<usize> = self.timetable.faults().collect();
        (0..self.stage.faults.len()).filter(|number| !in_history.contains(number)).collect()
    }

    /// Asks every injected fault for its proof. Must come before healing.
    pub(super) fn prove(&self) {
        for (fault, injection) in self.stage.faults.iter().enumerate().filter(|(n, _)| self.injected[*n]) {
            self.emit(What::FaultProven { fault, proof: injection.proof(&self.stage.world) });
        }
    }

    /// Heals every injected fault, the last one first, so that faults on the same thing come undone in order.
    pub(super) fn heal_faults(&mut self) {
        for fault in (0..self.stage.faults.len()).rev().filter(|n| self.injected[*n]) {
            let complete = self.stage.faults[fault].heal(&self.stage.world);
            self.stage.recorder.emit(What::FaultHealed { fault, complete });
        }
    }
}
