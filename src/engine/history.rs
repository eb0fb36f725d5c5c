//! The days before the disaster: the application writes, backups run, the monitor looks, faults begin.

use futures_util::future::join_all;
use jiff::Timestamp;

use super::{Ended, Play, Protected, timetable::Entry};
use crate::{
    emulator::{Schedule, targets::Load},
    model::{
        event::{Alarm, AlarmKind, BackupMade, SteadyWhen, What},
        plan::ServiceKind,
    },
    monitor::{Sighting, Uncopied},
};

impl Play<'_> {
    /// The steady state that the drill starts from: regions answer, the source exports.
    pub(super) async fn steady_before(&self) -> Result<(), Ended> {
        for one in &self.stage.services {
            // Configuration is played in its own size.
            let scale = if one.kind == ServiceKind::Config { 1 } else { self.stage.clock.scale() };
            let (rows, bytes) = (one.service.rows(), one.service.seeded_bytes() * scale);
            one.recorder.emit(What::Seeded { rows, bytes, scale });
        }
        let steady = match self.regions_answer().await {
            Ok(()) => self.services_are_well().await,
            Err(why) => Err(why),
        };
        let held = steady.is_ok();
        let detail = steady.unwrap_or_else(|why| why);
        self.emit(What::SteadyState { when: SteadyWhen::Before, held, detail: detail.clone() });
        if held { Ok(()) } else { Err(Ended::Aborted(format!("the steady state does not hold: {detail}"))) }
    }

    pub(super) async fn regions_answer(&self) -> Result<(), String> {
        let answers = join_all(self.stage.stores.iter().map(|store| store.list(""))).await;
        answers.into_iter().find_map(Result::err).map_or(Ok(()), |e| Err(e.to_string()))
    }

    async fn services_are_well(&self) -> Result<String, String> {
        let mut said = vec![format!("{} regions answer", self.stage.stores.len())];
        for one in &self.stage.services {
            said.push(one.service.steady().await.map_err(|e| format!("{}: {e}", one.name))?);
        }
        Ok(said.join(", "))
    }

    pub(super) async fn history(&mut self) -> Result<(), Ended> {
        let entries: Vec<_> = self.timetable.entries().collect();
        for (at, entry) in entries {
            // A command may have run beyond it.
            self.stage.clock.set(at.max(self.stage.clock.now()));
            match entry {
                Entry::Fault(number) => self.faults.inject(number, self.timetable.over(number)).await,
                Entry::Over(number) => self.faults.end(number).await,
                Entry::Writes(service, writes) => {
                    let written = self.stage.services[service].service.write(at, writes).await;
                    written.map_err(|e| Ended::Aborted(e.to_string()))?;
                }
                Entry::Stream(service) => self.stream(service).await,
                Entry::Backup(service, day) => self.backup(at, service, day).await,
                Entry::Look => self.look(at).await,
            }
        }
        Ok(())
    }

    /// What starts a service's backups; `None` where nobody schedules them, and they start by themselves.
    fn schedule(&self, service: usize) -> Option<&Schedule> {
        let backups = self.stage.world.backups.get(&self.stage.services[service].name);
        backups.map(|backups| &backups.schedule)
    }

    async fn backup(&mut self, at: Timestamp, number: usize, day: u32) {
        let starts = self.schedule(number).is_none_or(Schedule::starts);
        let Protected { recorder, pipeline, .. } = &self.stage.services[number];
        if !starts {
            return recorder.emit(What::BackupSkipped { day, why: "the schedule did not start it".into() });
        }
        match pipeline.backup(day).await {
            Ok(made) => {
                recorder.emit(What::BackedUp(made.clone()));
                self.expect(number, &made);
                self.made[number].push(made.clone());
                self.newest[number] = Some((at, made));
            }
            Err(why) => recorder.emit(What::BackupFailed { day, why: why.to_string() }),
        }
    }

    /// What an import of that backup will bring, for the faults that strike targets.
    fn expect(&self, number: usize, made: &BackupMade) {
        let one = &self.stage.services[number];
        let scale = if one.kind == ServiceKind::Config { 1 } else { self.stage.clock.scale() };
        if let Some(targets) = self.stage.world.targets.get(&one.name) {
            targets.expect(Load { rows: made.rows, bytes: made.raw_bytes / scale });
        }
    }

    /// A piece of the change stream. Its failures are the pipeline's to tell: a stream has many pieces.
    async fn stream(&mut self, number: usize) {
        if self.schedule(number).is_none_or(Schedule::streams) {
            self.stage.services[number].pipeline.stream().await;
        }
    }

    async fn look(&mut self, at: Timestamp) {
        for (number, one) in self.stage.services.iter().enumerate() {
            let Some(monitor) = &one.monitor else { continue };
            let due = self.timetable.due(number, at);
            for seen in monitor.look(at, due).await.alarms {
                let newest = self.newest[number].as_ref();
                let rests = seen.may_rest && newest.is_some_and(|(made_at, _)| due.is_some_and(|due| *made_at >= due));
                let justified =
                    !rests && is_justified(&seen, newest.map(|(_, made)| made)) && self.is_uncopied(number, &seen, at);
                let Sighting { kind, region, detail, .. } = seen;
                one.recorder.emit(What::Alarm(Alarm { justified, ..Alarm::new(kind, Some(&region), detail) }));
            }
        }
    }
}

impl Play<'_> {
    /// A change stream that brings nothing is no fault while nothing waits to be copied.
    fn is_uncopied(&self, number: usize, seen: &Sighting, at: Timestamp) -> bool {
        let waits = |uncopied: Uncopied| {
            let next = self.stage.services[number].service.ledger().position(uncopied.after + 1);
            next.is_some_and(|write| at.duration_since(write.committed_at) > uncopied.longest)
        };
        seen.uncopied.is_none_or(waits)
    }
}

/// An old backup is no fault while none newer was due (nor is a copy that is kept up to date, where the job ran and had
/// nothing to copy); a small one none while it is within 5 % of what was written.
/// Everything else that a monitor sees is a fact.
fn is_justified(seen: &Sighting, newest: Option<&BackupMade>) -> bool {
    match (seen.kind, newest) {
        (AlarmKind::TooOld, _) => seen.overdue,
        (AlarmKind::TooSmall, Some(newest)) => seen.size.is_none_or(|size| size * 20 < newest.stored_bytes * 19),
        _ => true,
    }
}
