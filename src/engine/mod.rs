//! One drill, phase by phase: seed, history, faults, disaster, recovery, comparison, healing. The engine knows
//! contracts; which implementations it holds, and whether time is real, it does not know. Events are all that leaves it.

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use tokio::sync::watch;

use crate::{
    emulator::World,
    fault::Injection,
    model::{
        event::{BackupMade, What},
        plan::Plan,
        scenario::Scenario,
    },
    monitor::Monitor,
    pipeline::Pipeline,
    service::contract::Service,
    sim::{clock::Clock, lanes::Lanes, recorder::Recorder},
    store::SharedStore,
};

mod faults;
mod healing;
mod history;
pub mod journal;
mod platform;
mod recovery;
pub mod timetable;

use platform::Live;
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
    /// A store per region, as the pipeline has them.
    pub stores: Vec<SharedStore>,
    /// The service.
    pub service: Arc<dyn Service>,
    /// How it is backed up and restored.
    pub pipeline: Arc<dyn Pipeline>,
    /// The plan's monitor.
    pub monitor: Monitor,
    /// The scenario's faults, in its order.
    pub faults: Vec<Box<dyn Injection>>,
    /// Ends whatever listens.
    pub close: BoxFuture<'static, ()>,
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
    live: Arc<Live>,
    injected: Vec<bool>,
    newest: Option<BackupMade>,
}

/// Plays a drill to its end, whatever that is: faults are healed and the world is closed in every case.
pub async fn play(drill: &Drill, stage: Stage) {
    let Some(service) = drill.plan.services.get(&drill.scenario.service) else {
        let why = format!("the plan has no service `{}`", drill.scenario.service);
        return stage.recorder.emit(What::Aborted { why });
    };
    let timetable = Timetable::new(&drill.scenario, service, stage.monitor.interval());
    let live = Arc::new(Live::new(stage.service.clone()));
    let injected = vec![false; stage.faults.len()];
    let mut play = Play { drill, stage, timetable, live, injected, newest: None };
    let mut stop = drill.stop.clone();
    let ended = tokio::select! {
        biased;
        _ = stop.wait_for(|stopped| *stopped) => Err(Ended::Interrupted),
        ended = play.story() => ended,
    };
    match ended {
        Ok(()) => {}
        Err(Ended::Interrupted) => play.stage.recorder.emit(What::Interrupted),
        Err(Ended::Aborted(why)) => play.stage.recorder.emit(What::Aborted { why }),
    }
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

    fn emit(&self, what: What) {
        self.stage.recorder.emit(what);
    }
}
