//! From t0 to t5: people notice and decide (assumed), the pipelines restore in the order of dependencies, and what is
//! live is compared with the ledger.

use super::{Ended, Play, Protected};
use crate::{
    check::{self, Evidence, Kept},
    model::{
        event::{Alarm, AlarmKind, CheckResult, Claim, Phase, What},
        plan::ServiceKind,
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
        let (mut back, mut verified) = (Vec::new(), Vec::new());
        for one in &self.stage.services {
            if let Some(missing) = self.lacks(one, &verified) {
                cannot_start(one, missing);
                continue;
            }
            if let Some((claim, passed)) = self.restore(one).await {
                back.push((one, claim));
                verified.extend(passed.then_some(one.name.as_str()));
            }
        }
        if self.stage.services.len() > 1 {
            self.follow(back).await;
        }
    }

    /// Configuration comes back first and names services that came back after it, at new addresses: it is brought up to
    /// date, and checked again.
    async fn follow(&self, back: Vec<(&Protected, Claim)>) {
        for (one, claim) in back.into_iter().filter(|(one, _)| one.kind == ServiceKind::Config) {
            let limit = self.drill.time_limit;
            if self.stage.clock.limit(limit, one.pipeline.follow()).await.is_none() {
                return one.recorder.emit(What::TimeLimit { limit_ms: limit.as_millis() as u64 });
            }
            self.check(one, claim).await;
        }
    }

    /// A service of this drill that must be back before that one can be restored, and is not.
    fn lacks<'p>(&'p self, one: &Protected, verified: &[&str]) -> Option<&'p str> {
        let needs = &self.drill.plan.services.get(&one.name)?.depends_on;
        let lost = |need: &&String| self.stage.services.iter().any(|other| other.name == **need);
        needs.iter().filter(lost).find(|need| !verified.contains(&need.as_str())).map(String::as_str)
    }

    /// One service: what is claimed of it, and whether every check bore that out.
    async fn restore(&self, one: &Protected) -> Option<(Claim, bool)> {
        let limit = self.drill.time_limit;
        match self.stage.clock.limit(limit, one.pipeline.restore()).await {
            None => one.recorder.emit(What::TimeLimit { limit_ms: limit.as_millis() as u64 }),
            Some(RestoreEnd::Refused { why }) => one.recorder.emit(What::Refused { why }),
            Some(RestoreEnd::Restored(claim)) => {
                one.recorder.emit(What::Restored(claim.clone()));
                let passed = self.check(one, claim.clone()).await;
                return Some((claim, passed));
            }
        }
        None
    }

    fn assume(&self, phase: Phase, span: Span) {
        self.stage.recorder.begin(phase);
        self.stage.clock.assume(span);
        self.stage.recorder.end(phase, true);
    }

    /// How long the plan lets backups be kept: old ones go with the next one at the latest.
    fn kept(&self, one: &Protected) -> Kept {
        let every = self.drill.plan.services.get(&one.name).map(|plan| plan.backup.every.interval());
        let at_the_longest = Span(self.drill.plan.retention.millis() + every.unwrap_or(Span::ZERO).millis());
        Kept { service: one.name.clone(), at_the_longest }
    }

    /// Compares what is live with the ledger. Without that nothing counts as recovered.
    async fn check(&self, one: &Protected, claim: Claim) -> bool {
        one.recorder.begin(Phase::Check);
        let passed = match one.service.live() {
            None => {
                let detail = "the pipeline says that it restored, and nothing is live".to_owned();
                one.recorder.emit(What::Checked(CheckResult { check: "live".into(), passed: Some(false), detail }));
                false
            }
            Some(view) => {
                let (world, lanes) = (&self.stage.world, &self.stage.lanes);
                let evidence = Evidence::new(view, one.service.ledger(), claim, world, lanes);
                run_checks(one, evidence.kept(self.kept(one))).await
            }
        };
        one.recorder.end(Phase::Check, passed);
        passed
    }
}

/// By the plan a service cannot be restored before those that it depends on: whatever could be put up in its place would
/// not be it. Somebody is told.
fn cannot_start(one: &Protected, missing: &str) {
    let why = format!("{missing}, which it depends on, is not back");
    let (kind, detail) = (AlarmKind::NothingRestorable, why.clone());
    one.recorder.emit(What::Alarm(Alarm { kind, region: None, detail, justified: true }));
    one.recorder.emit(What::Refused { why });
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
