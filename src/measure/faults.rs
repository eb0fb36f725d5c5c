//! Faults with their proof, and whether the world is as it was after them.

use crate::model::{
    event::{Event, SteadyWhen, What},
    record::{Cleanup, FaultRecord},
    scenario::Scenario,
};

/// One record a fault of the scenario, in its order.
pub(super) fn faults(events: &[Event], scenario: &Scenario) -> Vec<FaultRecord> {
    let mut faults: Vec<FaultRecord> = scenario
        .faults
        .iter()
        .map(|spec| FaultRecord {
            fault: spec.fault.clone(),
            mode: spec.mode.clone(),
            detail: None,
            impossible: None,
            proof: None,
            healed: true,
            seen: None,
        })
        .collect();
    for event in events {
        match &event.what {
            What::FaultInjected { fault, detail } => with(&mut faults, *fault, |f| {
                f.detail = Some(detail.clone());
                f.healed = false;
            }),
            What::FaultImpossible { fault, why } => with(&mut faults, *fault, |f| f.impossible = Some(why.clone())),
            // A fault may be asked more than once; having bitten once is having bitten.
            What::FaultProven { fault, proof } => with(&mut faults, *fault, |f| {
                if !f.proof.as_ref().is_some_and(|earlier| earlier.bit && !proof.bit) {
                    f.proof = Some(proof.clone());
                }
            }),
            What::FaultHealed { fault, complete } => with(&mut faults, *fault, |f| f.healed = *complete),
            _ => {}
        }
    }
    faults
}

fn with(faults: &mut [FaultRecord], index: usize, change: impl FnOnce(&mut FaultRecord)) {
    if let Some(fault) = faults.get_mut(index) {
        change(fault);
    }
}

/// Whether the world is as it was. What was not reported is not done.
pub(super) fn cleanup(events: &[Event], faults: &[FaultRecord]) -> Cleanup {
    let mut cleanup = Cleanup {
        healed: faults.iter().all(|f| f.healed),
        steady_after: None,
        removed: false,
        kept: false,
        detail: "clean-up was not reported".into(),
    };
    for event in events {
        match &event.what {
            What::SteadyState { when: SteadyWhen::After, held, .. } => cleanup.steady_after = Some(*held),
            What::CleanedUp { complete, kept, detail } => {
                (cleanup.removed, cleanup.kept) = (*complete, *kept);
                cleanup.detail.clone_from(detail);
            }
            _ => {}
        }
    }
    cleanup
}
