//! From t0 to t5: people notice and decide (assumed), the pipelines restore in the order of dependencies, and what is
//! live is compared with the ledger.

use std::time::Duration;

use super::{Ended, Play, Protected};
use crate::{
    check::{self, Check, Evidence, Kept},
    emulator::restorer::Fate,
    model::{
        event::{Alarm, AlarmKind, CheckResult, Claim, Phase, What},
        plan::ServiceKind,
        units::Span,
    },
    pipeline::RestoreEnd,
};

impl Play<'_> {
    pub(super) async fn disaster(&mut self) -> Result<(), Ended> {
        self.stage.clock.set(self.timetable.t0().max(self.stage.clock.now()));
        self.faults_of_disaster().await;
        // Before the clock runs: what checks read later is then mostly read.
        self.stage.world.read_storage().await.map_err(Ended::Aborted)?;
        self.emit(What::Disaster { cause: self.drill.scenario.disaster.cause.clone() });
        for one in &self.stage.services {
            let lost = one.service.lose().await;
            lost.map_err(|why| Ended::Aborted(format!("the disaster could not be played on {}: {why}", one.name)))?;
        }
        self.stage.clock.mark_t0();
        Ok(())
    }

    pub(super) async fn recover(&self) {
        tokio::select! {
            biased;
            () = self.cues() => {}
            () = self.restores() => {}
        }
    }

    async fn restores(&self) {
        let (people, response) = (self.drill.scenario.people, &self.drill.plan.response);
        self.assume(Phase::Detect, people.detect.unwrap_or(response.detect)).await;
        self.assume(Phase::Declare, people.declare.unwrap_or(response.initial)).await;
        let (mut back, mut verified) = (Vec::new(), Vec::new());
        for one in &self.stage.services {
            if let Some(missing) = self.lacks(one, &verified) {
                cannot_start(one, missing).await;
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
        match self.run_restore(one).await {
            None => {
                let limit_ms = self.drill.time_limit.as_millis() as u64;
                one.recorder.emit(What::TimeLimit { limit_ms });
            }
            Some(RestoreEnd::TimeLimit { limit_ms }) => one.recorder.emit(What::TimeLimit { limit_ms }),
            Some(RestoreEnd::Refused { why }) => one.recorder.emit(What::Refused { why }),
            Some(RestoreEnd::Restored(claim)) => return self.claimed(one, claim).await,
            Some(RestoreEnd::Done) => {
                let claim = self.recognised(one).await;
                return self.claimed(one, claim).await;
            }
        }
        None
    }

    async fn claimed(&self, one: &Protected, claim: Claim) -> Option<(Claim, bool)> {
        one.recorder.emit(What::Restored(claim.clone()));
        let passed = self.check(one, claim.clone()).await;
        Some((claim, passed))
    }

    /// What was restored by a pipeline that does not say it.
    async fn recognised(&self, one: &Protected) -> Claim {
        let number = self.stage.services.iter().position(|other| other.name == one.name);
        let made = number.and_then(|number| self.made.get(number)).map_or(&[][..], Vec::as_slice);
        let pipeline = self.drill.plan.services.get(&one.name).and_then(|plan| plan.pipeline.as_ref());
        let is_continuous = pipeline.is_some_and(|pipeline| pipeline.continuous);
        check::recognise(one.service.live(), &one.service.ledger(), made, is_continuous, &self.stage.lanes).await
    }

    /// Runs the process that restores, again where it was killed; `None` where the time limit ends it.
    async fn run_restore(&self, one: &Protected) -> Option<RestoreEnd> {
        let (limit, restorer) = (self.drill.time_limit, &self.stage.world.restorer);
        let watch = self.stage.clock.stopwatch();
        loop {
            let left = limit.saturating_sub(Duration::from_millis(watch.elapsed().total_ms()));
            let fate = tokio::select! {
                biased;
                fate = restorer.ends() => fate,
                end = self.stage.clock.limit(left, one.pipeline.restore()) => return end,
            };
            if fate == Fate::Stopped {
                // Nobody needs to wait for what is known never to come: the rest of the limit is assumed.
                let left = limit.saturating_sub(Duration::from_millis(watch.elapsed().total_ms()));
                self.stage.clock.let_pass(Span(left.as_millis() as u64)).await;
                return None;
            }
            self.end_open_phases(one);
            one.recorder.emit(What::RestoreKilled { why: "the process that restored was killed".into() });
            restorer.set(Fate::Runs);
            // Somebody sees it and starts it again, in the time in which the plan lets people respond.
            self.assume(Phase::Declare, self.drill.plan.response.initial).await;
        }
    }

    /// What a killed process had begun has ended.
    fn end_open_phases(&self, one: &Protected) {
        let mut open: Vec<Phase> = Vec::new();
        for event in one.recorder.events().iter().filter(|event| event.service.as_ref() == Some(&one.name)) {
            match event.what {
                What::PhaseStarted { phase } => open.push(phase),
                What::PhaseEnded { phase, .. } => open.retain(|other| *other != phase),
                _ => {}
            }
        }
        open.into_iter().for_each(|phase| one.recorder.end(phase, false));
    }

    async fn assume(&self, phase: Phase, span: Span) {
        self.stage.recorder.begin(phase);
        self.stage.clock.let_pass(span).await;
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
        if let Err(detail) = self.stage.world.read_storage().await {
            let (check, passed, places) = ("storage".into(), None, Vec::new());
            one.recorder.emit(What::Checked(CheckResult { check, passed, detail, places }));
        }
        let passed = match one.service.live() {
            None => {
                let detail = "the pipeline says that it restored, and nothing is live".to_owned();
                let (check, passed, places) = ("live".into(), Some(false), Vec::new());
                one.recorder.emit(What::Checked(CheckResult { check, passed, detail, places }));
                false
            }
            Some(view) => {
                let (world, lanes) = (&self.stage.world, &self.stage.lanes);
                let evidence = Evidence::new(view, one.service.ledger(), claim, world, lanes);
                let evidence = evidence.kept(self.kept(one)).structured(one.service.structure());
                run_checks(one, evidence).await & ask(one).await
            }
        };
        one.recorder.end(Phase::Check, passed);
        passed
    }
}

/// By the plan a service cannot be restored before those that it depends on: whatever could be put up in its place would
/// not be it. Somebody is told.
async fn cannot_start(one: &Protected, missing: &str) {
    let why = format!("{missing}, which it depends on, is not back");
    one.recorder.call(Alarm::new(AlarmKind::NothingRestorable, None, &*why)).await;
    one.recorder.emit(What::Refused { why });
}

/// Lets the team's own command ask, where there is one.
async fn ask(one: &Protected) -> bool {
    let Some(answer) = one.pipeline.query().await else { return true };
    let passed = answer.is_ok();
    let detail = answer.unwrap_or_else(|wrong| wrong);
    let check = "query-command".to_owned();
    one.recorder.emit(What::Checked(CheckResult { check, passed: Some(passed), detail, places: Vec::new() }));
    passed
}

async fn run_checks(one: &Protected, evidence: Evidence) -> bool {
    if let Ok(comparison) = evidence.comparison().await {
        one.recorder.emit(What::Compared(comparison));
    }
    let mut all_passed = true;
    let is_for = |check: &&&dyn Check| check.is_for(one.kind) && (!one.by_commands || check.is_for_commands());
    for check in check::CATALOGUE.iter().filter(is_for).filter(|check| check.is_asked(&evidence)) {
        let result = check.run(&evidence).await;
        all_passed &= result.passed == Some(true);
        one.recorder.emit(What::Checked(result));
    }
    all_passed
}
