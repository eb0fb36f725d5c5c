//! A team's own commands as a pipeline: run unmodified, in a folder and an environment of the drill's, and judged by
//! nothing that they say of themselves but their exit codes.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use jiff::Timestamp;

use super::{BackupError, Pipeline, RestoreEnd, Workbench};
use crate::{
    model::{
        event::{Alarm, AlarmKind, BackupMade, Phase, What},
        plan::{Command, CommandPlan},
        ran::{CommandEnd, Ran, Role},
        units::Span,
    },
    process::{self, Done, Job, Leftovers, outside::Outside},
    service::place::Place,
};
use workspace::Workspace;

mod variables;
pub mod workspace;

pub use variables::{SurroundingRegion, Surroundings};

/// What was stored in the regions, as the world sees it. Commands are not asked.
#[async_trait]
pub trait Witness: Send + Sync {
    /// Regions in which something was stored from that moment on, and how many bytes.
    async fn stored_since(&self, from: Timestamp) -> Vec<(String, u64)>;
}

/// The pipeline.
pub struct CommandPipeline {
    bench: Workbench,
    plan: CommandPlan,
    place: Arc<dyn Place>,
    surroundings: Surroundings,
    workspace: Workspace,
    witness: Arc<dyn Witness>,
    verified_at: Mutex<Option<Timestamp>>,
    /// Where the scripts come from: they must not be written to.
    came_from: Vec<PathBuf>,
}

impl CommandPipeline {
    /// A pipeline of these commands.
    pub fn new(
        bench: Workbench,
        plan: CommandPlan,
        place: Arc<dyn Place>,
        surroundings: Surroundings,
        workspace: Workspace,
        witness: Arc<dyn Witness>,
        came_from: Option<PathBuf>,
    ) -> Self {
        let came_from = came_from.into_iter().collect();
        CommandPipeline {
            bench,
            plan,
            place,
            surroundings,
            workspace,
            witness,
            verified_at: Mutex::default(),
            came_from,
        }
    }

    /// All processes that its commands may have started.
    pub fn leftovers(&self) -> Leftovers {
        Leftovers::of(self.workspace.environment())
    }

    /// Runs a command, and says what became of it.
    async fn run(&self, role: Role, command: &Command) -> Done {
        let limit = command.time_limit.unwrap_or(self.plan.time_limit).duration();
        let clock = &self.bench.clock;
        let job = Job {
            role,
            run: command.run.clone(),
            folder: self.workspace.folder(),
            environment: self.environment(role),
            input: None,
            limit,
            may_leave: matches!(role, Role::Provision | Role::Restore | Role::Query),
        };
        let outside = Outside::before(self.came_from.clone());
        let touched = self.workspace.watch();
        let mut done = process::run(job, clock).await;
        self.workspace.date(touched, clock.now());
        done.ran.wrote_outside = outside.after();
        self.bench.recorder.emit(What::Ran(done.ran.clone()));
        done
    }

    /// Checks what was backed up, where the plan has a command for it and it is its time.
    async fn verify(&self, now: Timestamp) {
        let Some(command) = &self.plan.verify else { return };
        let every = command.every.unwrap_or(Span::ZERO).millis();
        {
            let mut last = self.verified_at.lock().unwrap_or_else(PoisonError::into_inner);
            if last.is_some_and(|last| now.duration_since(last).as_millis() < i128::from(every)) {
                return;
            }
            *last = Some(now);
        }
        let Done { ran, .. } = self.run(Role::Verify, command).await;
        if !ran.ended.is_success() {
            self.alarm(AlarmKind::VerifyFailed, said("verify", &ran));
        }
    }

    fn alarm(&self, kind: AlarmKind, detail: String) {
        self.bench.recorder.emit(What::Alarm(Alarm::new(kind, None, detail)));
    }

    /// Runs a command of the restore as a phase of its own.
    async fn phase(&self, phase: Phase, role: Role, command: &Command) -> Ran {
        self.bench.recorder.begin(phase);
        let Done { ran, .. } = self.run(role, command).await;
        self.bench.recorder.end(phase, ran.ended.is_success());
        ran
    }

    /// What the pipeline says that it has. For the record: nothing hangs on it.
    async fn list(&self) {
        let Some(command) = &self.plan.list else { return };
        self.phase(Phase::Choose, Role::List, command).await;
    }

    async fn provision(&self) -> Result<(), RestoreEnd> {
        if let Err(why) = self.place.provision().await {
            return Err(RestoreEnd::Refused { why: format!("there is nothing to restore into: {why}") });
        }
        let Some(command) = &self.plan.provision else { return Ok(()) };
        let ran = self.phase(Phase::Provision, Role::Provision, command).await;
        if ran.ended.is_success() { Ok(()) } else { Err(self.failed(&ran)) }
    }

    /// What a command that failed means. A command's exit code is read by somebody: it is as loud as it can be.
    fn failed(&self, ran: &Ran) -> RestoreEnd {
        match &ran.ended {
            CommandEnd::TimeLimit(limit_ms) => RestoreEnd::TimeLimit { limit_ms: *limit_ms },
            CommandEnd::Exited(code) if self.plan.refuses_with.iter().any(|refusal| i32::from(*refusal) == *code) => {
                RestoreEnd::Refused {
                    why: format!("its commands say that nothing can be restored: {}", said("restore", ran)),
                }
            }
            _ => RestoreEnd::Refused { why: said(ran.role.words(), ran) },
        }
    }

    async fn restore_once(&self) -> RestoreEnd {
        self.list().await;
        if let Err(end) = self.provision().await {
            return end;
        }
        let ran = self.phase(Phase::Restore, Role::Restore, &self.plan.restore).await;
        if !ran.ended.is_success() {
            return self.failed(&ran);
        }
        match self.place.cut_over().await {
            Ok(()) => RestoreEnd::Done,
            Err(why) => RestoreEnd::Refused { why: why.to_string() },
        }
    }
}

#[async_trait]
impl Pipeline for CommandPipeline {
    async fn backup(&self, day: u32) -> Result<BackupMade, BackupError> {
        self.bench.clock.run();
        let (began, position, (rows, raw_bytes)) = (self.bench.clock.now(), self.place.position(), self.place.load());
        let Done { ran, .. } = self.run(Role::Backup, &self.plan.backup).await;
        let stored = self.witness.stored_since(began).await;
        let mut missing_in = Vec::new();
        let ended = if ran.ended.is_success() {
            self.verify(began).await;
            Ok(ran.took)
        } else {
            let why = said("backup", &ran);
            self.alarm(AlarmKind::BackupFailed, why.clone());
            let reached = |name: &String| stored.iter().any(|(region, _)| region == name);
            missing_in = self.surroundings.names_of_regions().filter(|name| !reached(name)).collect();
            // What reached some region can be restored, whatever is said of the others.
            if stored.is_empty() { Err(BackupError(why)) } else { Ok(ran.took) }
        };
        self.bench.clock.stand();
        let took = ended?;
        Ok(BackupMade {
            day,
            point: format!("backup of {}", began.strftime("%Y-%m-%dT%H:%M:%SZ")),
            position,
            rows,
            raw_bytes,
            stored_bytes: stored.iter().map(|(_, bytes)| *bytes).max().unwrap_or(0),
            regions: stored.into_iter().map(|(region, _)| region).collect(),
            missing_in,
            took,
        })
    }

    async fn restore(&self) -> RestoreEnd {
        let end = self.restore_once().await;
        if let RestoreEnd::Refused { why } = &end {
            self.bench.recorder.call(Alarm::new(AlarmKind::NothingRestorable, None, why.clone())).await;
        }
        end
    }

    async fn query(&self) -> Option<Result<String, String>> {
        let command = self.plan.query.as_ref()?;
        let Done { ran, .. } = self.run(Role::Query, command).await;
        Some(if ran.ended.is_success() { Ok(said("query", &ran)) } else { Err(said("query", &ran)) })
    }
}

/// How a command ended, with the last thing that it said.
fn said(what: &str, ran: &Ran) -> String {
    match ran.last_lines.iter().rev().find(|line| !line.trim().is_empty()) {
        Some(line) => format!("{what}: {}: {line}", ran.ended),
        None => format!("{what}: {}, without a word", ran.ended),
    }
}
