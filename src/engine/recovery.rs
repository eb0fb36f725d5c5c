//! From t0 to t5: people notice and decide (assumed), the pipelines restore in the order of dependencies, and what is
//! live is compared with the ledger.

use super::{Ended, Play, Protected};
use crate::{
    check::{self, Evidence},
    model::{
        event::{CheckResult, Claim, Phase, What},
        units::Span,
    },
    pipeline::RestoreEnd,
};

impl Play<'_> {
    pub(super) async fn disaster(&mut self) -> Result<(), Ended> {
        self.stage.clock.set(self.timetable.t0());
        for fault in self.faults_of_recovery() {
            self.inject(fault);
        }
        self.emit(What::Disaster { cause: self.drill.scenario.disaster.cause.clone() });
        for one in &self.stage.services {
            one.service.lose().await;
        }
        self.stage.clock.mark_t0();
        Ok(())
    }

    pub(super) async fn recover(&mut self) {
        let (people, response) = (self.drill.scenario.people, &self.drill.plan.response);
        self.assume(Phase::Detect, people.detect.unwrap_or(response.detect));
        self.assume(Phase::Declare, people.declare.unwrap_or(response.initial));
        for one in &self.stage.services {
            self.restore(one).await;
        }
    }

    /// One service. What became of those before it changes nothing: each is restored as far as it can be.
    async fn restore(&self, one: &Protected) {
        let limit = self.drill.time_limit;
        match self.stage.clock.limit(limit, one.pipeline.restore()).await {
            None => one.recorder.emit(What::TimeLimit { limit_ms: limit.as_millis() as u64 }),
            Some(RestoreEnd::Refused { why }) => one.recorder.emit(What::Refused { why }),
            Some(RestoreEnd::Restored(claim)) => {
                one.recorder.emit(What::Restored(claim.clone()));
                self.check(one, claim).await;
            }
        }
    }

    fn assume(&self, phase: Phase, span: Span) {
        self.stage.recorder.begin(phase);
        self.stage.clock.assume(span);
        self.stage.recorder.end(phase, true);
    }

    /// Compares what is live with the ledger. Without that nothing counts as recovered.
    async fn check(&self, one: &Protected, claim: Claim) {
        one.recorder.begin(Phase::Check);
        let passed = match one.service.live() {
            None => {
                let detail = "the pipeline says that it restored, and nothing is live".to_owned();
                one.recorder.emit(What::Checked(CheckResult { check: "live".into(), passed: Some(false), detail }));
                false
            }
            Some(view) => {
                let (world, lanes) = (&self.stage.world, &self.stage.lanes);
                run_checks(one, Evidence::new(view, one.service.ledger(), claim, world, lanes)).await
            }
        };
        one.recorder.end(Phase::Check, passed);
    }
}

async fn run_checks(one: &Protected, evidence: Evidence) -> bool {
    if let Ok(comparison) = evidence.comparison().await {
        one.recorder.emit(What::Compared(comparison));
    }
    let mut all_passed = true;
    for check in check::CATALOGUE.iter().filter(|check| check.is_for(one.kind)) {
        let result = check.run(&evidence).await;
        all_passed &= result.passed == Some(true);
        one.recorder.emit(What::Checked(result));
    }
    all_passed
}
