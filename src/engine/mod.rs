//! One drill, phase by phase: seed, history, faults, disaster, recovery, comparison, healing. The engine knows
//! contracts; which implementations it holds, and whether time is real, it does not know. Events are all that leaves it.

use std::{path::PathBuf, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::watch;

use crate::{
    emulator::World,
    fault::Injection,
    model::{
        event::{BackupMade, What},
        plan::{Plan, ServiceKind},
        scenario::Scenario,
    },
    monitor::Lookout,
    pipeline::Pipeline,
    service::contract::Service,
    sim::{clock::Clock, lanes::Lanes, recorder::Recorder},
    store::SharedStore,
};

mod faults;
mod healing;
mod history;
pub mod journal;
mod keep;
mod recovery;
pub mod timetable;

use faults::Faults;
use timetable::Timetable;

/// Everything that a drill plays with, wired together.
pub struct Stage {
    /// Scenario time.
    pub clock: Clock,
    /// Where computation runs.
    pub lanes: Lanes,
    /// Where events go.
    pub recorder: Recorder,
    /// The emulated world.
    pub world: Arc<World>,
    /// A store per region, as the pipelines have them.
    pub stores: Vec<SharedStore>,
    /// The services, in the order in which they are restored.
    pub services: Vec<Protected>,
    /// The scenario's faults, in its order.
    pub faults: Vec<Box<dyn Injection>>,
    /// Where to keep what the world holds when the story has ended, before faults are healed; nowhere where `None`.
    pub keep_in: Option<PathBuf>,
    /// Ends whatever listens.
    pub close: BoxFuture<'static, ()>,
}

/// A service with all that protects it.
pub struct Protected {
    /// Its name in the plan.
    pub name: String,
    /// What sort of thing it is.
    pub kind: ServiceKind,
    /// Whether the team's own commands back it up.
    pub by_commands: bool,
    /// The service.
    pub service: Arc<dyn Service>,
    /// How it is backed up and restored.
    pub pipeline: Arc<dyn Pipeline>,
    /// What watches its backups, where it has any.
    pub monitor: Option<Lookout>,
    /// Where events about it go.
    pub recorder: Recorder,
}

/// One drill to play.
pub struct Drill {
    /// The plan.
    pub plan: Arc<Plan>,
    /// The scenario.
    pub scenario: Arc<Scenario>,
    /// Longest time that the restore may take, by the drill's own clock, before it counts as hung.
    pub time_limit: Duration,
    /// Becomes true when somebody stops the drill.
    pub stop: watch::Receiver<bool>,
}

/// Why a story ended early.
enum Ended {
    /// It could not go on.
    Aborted(String),
    /// Somebody stopped it.
    Interrupted,
}

/// A drill that is being played.
struct Play<'d> {
    drill: &'d Drill,
    stage: Stage,
    timetable: Timetable,
    faults: Faults,
    /// The newest backup made, by service, and when its making began.
    newest: Vec<Option<(Timestamp, BackupMade)>>,
    /// Every backup made, by service, in their order.
    made: Vec<Vec<BackupMade>>,
}

/// Plays a drill to its end, whatever that is: faults are healed and the world is closed in every case.
pub async fn play(drill: &Drill, mut stage: Stage) {
    let plans: Vec<_> = stage.services.iter().filter_map(|one| drill.plan.services.get(&one.name)).collect();
    if plans.len() != stage.services.len() {
        let why = format!("the plan lacks one of the services {}", drill.scenario.service);
        return stage.recorder.emit(What::Aborted { why });
    }
    let timetable = Timetable::new(&drill.scenario, &plans, drill.scenario.monitor(&drill.plan).check_every);
    let (newest, made) = (vec![None; stage.services.len()], vec![Vec::new(); stage.services.len()]);
    let faults = Faults::new(&drill.scenario.faults, std::mem::take(&mut stage.faults), &stage.world, &stage.recorder);
    let mut play = Play { drill, stage, timetable, faults, newest, made };
    let mut stop = drill.stop.clone();
    let ended = tokio::select! {
        biased;
        _ = stop.wait_for(|stopped| *stopped) => Err(Ended::Interrupted),
        ended = play.story() => ended,
    };
    match ended {
        Ok(()) => {}
        Err(Ended::Interrupted) => play.stage.recorder.emit(What::Interrupted),
        // What a storage does not do may end the story: that is said instead.
        Err(Ended::Aborted(_)) if play.stage.world.storage_limit().is_some() => {}
        Err(Ended::Aborted(why)) => play.stage.recorder.emit(What::Aborted { why }),
    }
    play.judge_storage();
    play.heal().await;
    play.stage.close.await;
}

impl Play<'_> {
    async fn story(&mut self) -> Result<(), Ended> {
        self.steady_before().await?;
        self.history().await?;
        self.disaster().await?;
        self.recover().await;
        Ok(())
    }

    /// What a storage failed at by itself is nobody's who is drilled, and what it does not do shows nothing.
    fn judge_storage(&self) {
        let (trouble, limit) = (self.stage.world.storage_trouble(), self.stage.world.storage_limit());
        match (limit, trouble) {
            (Some(why), _) => self.emit(What::Undrillable { why }),
            (None, Some(why)) => self.emit(What::Aborted { why }),
            (None, None) => {}
        }
    }

    fn emit(&self, what: What) {
        self.stage.recorder.emit(what);
    }
}
