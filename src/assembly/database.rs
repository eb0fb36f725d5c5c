//! A database with the reference pipeline.

use std::{
    path::Path,
    sync::{Arc, PoisonError},
};

use super::{House, KeptDatabase, Wanted, config::Addressed, folder, rigging::Reach};
use crate::{
    engine::Protected,
    error::{Error, Result},
    model::{plan::ServiceKind, units::ByteSize},
    monitor::Lookout,
    pipeline::reference::Reference,
    service::{
        contract::{Platform, ServiceError},
        database::{Database, KNOWN_TABLE, hosted::Hosted},
        struck::Struck,
    },
};

impl House<'_> {
    pub(super) fn database(&self, wanted: Wanted<'_>) -> Result<Protected> {
        let name = wanted.name;
        let dir = folder(self.scratch, name)?;
        let size = ByteSize(self.scenario.history.size.0 / self.clock.scale());
        let seeded = Database::seed(size, self.seed.child(name), self.clock.now(), &dir, self.lanes);
        let database = Arc::new(seeded.map_err(|e| Error::new(e.to_string()))?);
        let (bench, layout) = (self.bench(&wanted)?, wanted.layout.clone());
        let reached = self.platform(name, &database, &dir)?;
        let platform = Arc::new(Addressed::new(reached, self.operator, self.seed));
        let platform = self.rigging.platform(name, platform);
        let (retention, reach) = (self.plan.retention, Reach::Platform(Arc::clone(&platform)));
        let own = Reference::new(bench.clone(), platform, name, layout, retention);
        let pipeline = self.rigged(&wanted, bench, reach, own);
        Ok(Protected {
            name: name.to_owned(),
            kind: ServiceKind::Database,
            by_commands: false,
            service: database,
            pipeline,
            monitor: Some(Lookout::Backups(self.monitor(&wanted))),
            recorder: wanted.recorder,
        })
    }

    /// Its deployments over HTTP, which end with the drill.
    pub(super) fn hosted(
        &self,
        name: &str,
        database: &Arc<Database>,
        dir: &Path,
    ) -> std::result::Result<Arc<Hosted>, ServiceError> {
        let told = |e: Error| ServiceError(e.to_string());
        let (source, targets) = (self.exported(name).map_err(told)?, self.targets(name).map_err(told)?);
        let started = Hosted::start(Arc::clone(database), source, self.clock, dir)?;
        let hosted = Arc::new(started.restoring_into(targets));
        let kept = KeptDatabase { service: name.to_owned(), hosted: Arc::clone(&hosted) };
        self.databases.lock().unwrap_or_else(PoisonError::into_inner).push(kept);
        let closing = Arc::clone(&hosted);
        self.at_close(async move { closing.shutdown().await });
        Ok(hosted)
    }

    /// What the pipeline reaches the database through: HTTP where time is real.
    fn platform(&self, name: &str, database: &Arc<Database>, dir: &Path) -> Result<Arc<dyn Platform>> {
        if self.clock.is_simulated() {
            let (source, targets) = (self.exported(name)?, self.targets(name)?);
            let struck = Struck::deployments(Arc::clone(database) as _, targets, self.clock, KNOWN_TABLE);
            return Ok(Arc::new(struck.exported_from(source)));
        }
        let hosted = self.hosted(name, database, dir).map_err(|e| Error::new(e.to_string()))?;
        Ok(hosted)
    }
}
