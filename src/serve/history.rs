//! The days before a world is handed over: writes and backups by the plan's schedule, as before a drill's disaster.

use jiff::Timestamp;

use crate::{
    emulator::targets::Load,
    engine::{
        Stage,
        timetable::{Entry, Timetable},
    },
    error::{Error, Result},
    model::{plan::Plan, scenario::Scenario},
};

/// Plays the story's days, if it has any, and lets the clock run from `now` on.
///
/// # Errors
/// When a service cannot be written to or backed up: nothing is broken yet.
pub async fn live_through(stage: &Stage, story: &Scenario, plan: &Plan, now: Timestamp) -> Result<()> {
    if story.history.days > 1 {
        let plans: Vec<_> = stage.services.iter().filter_map(|one| plan.services.get(&one.name)).collect();
        let timetable = Timetable::new(story, &plans, plan.monitor.check_every);
        for (at, entry) in timetable.entries().take_while(|(at, _)| *at < now) {
            stage.clock.set(at);
            play(stage, at, entry).await?;
        }
    }
    stage.clock.set(now);
    stage.clock.mark_t0();
    Ok(())
}

async fn play(stage: &Stage, at: Timestamp, entry: Entry) -> Result<()> {
    let failed = |name: &str, why: String| Error::new(format!("the history of {name} cannot be played")).because(why);
    match entry {
        Entry::Writes(number, writes) => {
            let one = &stage.services[number];
            one.service.write(at, writes).await.map_err(|e| failed(&one.name, e.to_string()))
        }
        Entry::Backup(number, day) => {
            let one = &stage.services[number];
            let made = one.pipeline.backup(day).await.map_err(|e| failed(&one.name, e.to_string()))?;
            if let Some(targets) = stage.world.targets.get(&one.name) {
                targets.expect(Load { rows: made.rows, bytes: made.raw_bytes });
            }
            Ok(())
        }
        Entry::Stream(number) => {
            stage.services[number].pipeline.stream().await;
            Ok(())
        }
        // Nobody watches, and nothing is broken yet.
        Entry::Look | Entry::Fault(_) | Entry::Over(_) => Ok(()),
    }
}
