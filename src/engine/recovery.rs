//! From t0 to t5: people notice and decide (assumed), the pipeline restores, and what is live is compared with the
//! ledger.

use super::{Ended, Play};
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
        self.stage.service.lose();
        self.stage.clock.mark_t0();
        Ok(())
    }

    pub(super) async fn recover(&mut self) {
        let (people, response) = (self.drill.scenario.people, &self.drill.plan.response);
        self.assume(Phase::Detect, people.detect.unwrap_or(response.detect));
        self.assume(Phase::Declare, people.declare.unwrap_or(response.initial));
        let limit = self.drill.time_limit;
        match self.stage.clock.limit(limit, self.stage.pipeline.restore(&*self.live)).await {
            None => self.emit(What::TimeLimit { limit_ms: limit.as_millis() as u64 }),
            Some(RestoreEnd::Refused { why }) => self.emit(What::Refused { why }),
            Some(RestoreEnd::Restored(claim)) => {
                self.emit(What::Restored(claim.clone()));
                self.check(claim).await;
            }
        }
    }

    fn assume(&self, phase: Phase, span: Span) {
        self.stage.recorder.begin(phase);
        self.stage.clock.assume(span);
        self.stage.recorder.end(phase, true);
    }

    /// Compares what is live with the ledger. Without that nothing counts as recovered.
    async fn check(&self, claim: Claim) {
        self.stage.recorder.begin(Phase::Check);
        let passed = match self.live.target() {
            None => {
                let detail = "the pipeline says that it restored, and nothing is live".to_owned();
                self.emit(What::Checked(CheckResult { check: "live".into(), passed: Some(false), detail }));
                false
            }
            Some(target) => {
                let ledger = self.stage.service.ledger();
                self.run_checks(Evidence::new(target, ledger, claim, &self.stage.lanes)).await
            }
        };
        self.stage.recorder.end(Phase::Check, passed);
    }

    async fn run_checks(&self, evidence: Evidence) -> bool {
        if let Ok(comparison) = evidence.comparison().await {
            self.emit(What::Compared(comparison));
        }
        let mut all_passed = true;
        for check in check::CATALOGUE {
            let result = check.run(&evidence).await;
            all_passed &= result.passed == Some(true);
            self.emit(What::Checked(result));
        }
        all_passed
    }
}
