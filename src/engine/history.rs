//! The days before the disaster: the application writes, backups run, the monitor looks, faults begin.

use futures_util::{StreamExt, future::join_all};
use jiff::Timestamp;

use super::{Ended, Play, timetable::Entry};
use crate::{
    model::event::{Alarm, AlarmKind, SteadyWhen, What},
    monitor::Sighting,
};

impl Play<'_> {
    /// The steady state that the drill starts from: regions answer, the source exports.
    pub(super) async fn steady_before(&self) -> Result<(), Ended> {
        let service = &self.stage.service;
        let scale = self.stage.clock.scale();
        self.emit(What::Seeded { rows: service.rows(), bytes: service.seeded_bytes() * scale, scale });
        let steady = match self.regions_answer().await {
            Ok(()) => self.source_exports().await,
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

    async fn source_exports(&self) -> Result<String, String> {
        let export = self.stage.service.source().export().await.map_err(|e| e.to_string())?;
        let (tables, mut rows) = (export.contents.tables.len(), export.contents.rows);
        match rows.next().await {
            Some(Ok(_)) => {
                let regions = self.stage.stores.len();
                Ok(format!("{regions} regions answer, the source exports {tables} tables"))
            }
            Some(Err(e)) => Err(e.to_string()),
            None => Err("the source has no rows".into()),
        }
    }

    pub(super) async fn history(&mut self) -> Result<(), Ended> {
        let entries: Vec<_> = self.timetable.entries().collect();
        for (at, entry) in entries {
            self.stage.clock.set(at);
            match entry {
                Entry::Fault(number) => self.inject(number),
                Entry::Writes(writes) => {
                    self.stage.service.write(at, writes).map_err(|e| Ended::Aborted(e.to_string()))?;
                }
                Entry::Backup(day) => self.backup(day).await,
                Entry::Look => self.look(at).await,
            }
        }
        Ok(())
    }

    async fn backup(&mut self, day: u32) {
        if !self.stage.world.schedule.starts() {
            return self.emit(What::BackupSkipped { day, why: "the schedule did not start it".into() });
        }
        let source = self.stage.service.source();
        match self.stage.pipeline.backup(day, &*source).await {
            Ok(made) => {
                self.emit(What::BackedUp(made.clone()));
                self.newest = Some(made);
            }
            Err(why) => self.emit(What::BackupFailed { day, why: why.to_string() }),
        }
    }

    async fn look(&mut self, at: Timestamp) {
        let due = self.timetable.due(at);
        for seen in self.stage.monitor.look(at, due).await {
            let justified = self.is_justified(&seen);
            let Sighting { kind, region, detail, .. } = seen;
            self.emit(What::Alarm(Alarm { kind, region: Some(region), detail, justified }));
        }
    }

    /// An old backup is no fault while none newer was due; a small one none while it is within 5 % of what was written.
    /// Everything else that a monitor sees is a fact.
    fn is_justified(&self, seen: &Sighting) -> bool {
        match (seen.kind, &self.newest) {
            (AlarmKind::TooOld, _) => seen.overdue,
            (AlarmKind::TooSmall, Some(newest)) => seen.size.is_none_or(|size| size * 20 < newest.stored_bytes * 19),
            _ => true,
        }
    }
}
