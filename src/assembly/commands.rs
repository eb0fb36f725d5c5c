//! A service with a pipeline of the team's own: its place, its commands, and the addresses that they are given.

use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use jiff::Timestamp;

use super::{House, Wanted, folder, regions::throw_away_keys};
use crate::{
    emulator::Site,
    engine::Protected,
    error::{Error, Result},
    model::{
        plan::{CommandPlan, Probe},
        units::ByteSize,
    },
    pipeline::command::{CommandPipeline, SurroundingRegion, Surroundings, Witness, workspace::Workspace},
    process::{
        Environment,
        faked_time::{self, Shared},
    },
    service::{
        contract::{Service, ServiceError},
        database::{Database, place::Deployments},
        files::place::{FilePlace, Folders},
        place::{Place, Probe as _},
        probed::{Probed, commands::ByCommands, postgresql::Postgresql, sqlite::Sqlite},
    },
};

/// The addresses of the regions in a real drill.
#[derive(Debug, Clone, Default)]
pub(super) struct Addresses {
    /// The one of all of them.
    pub(super) shared: String,
    /// Of each, by name.
    pub(super) own: Vec<(String, String)>,
}

/// A service and its place, which may be one thing.
struct Home {
    service: Arc<dyn Service>,
    place: Arc<dyn Place>,
}

impl House<'_> {
    pub(super) async fn commands(&self, wanted: Wanted<'_>, plan: &CommandPlan) -> Result<Protected> {
        let name = wanted.name;
        if self.clock.is_simulated() {
            return Err(Error::new(format!("service `{name}` is backed up by commands, which take their real time"))
                .help("run it without --simulate"));
        }
        let dir = folder(self.scratch, &format!("{name}-commands"))?;
        let scripts = plan.folder.as_ref().map(|folder| self.beside.join(folder));
        let uncopied = |why| Error::new(format!("the scripts of service `{name}` cannot be copied")).because(why);
        let workspace = Workspace::new(&dir, scripts.as_deref()).map_err(|why: String| uncopied(why))?;
        let home = self.home_of(name, plan, &workspace).await.map_err(|e| {
            Error::new(format!("service `{name}` cannot be put up behind the probe `{}`", plan.probe.name())).because(e)
        })?;
        let bench = self.bench(&wanted)?;
        let witness = Arc::new(Stored { sites: self.sites.to_vec(), prefix: wanted.layout.prefix.clone() });
        let mut surroundings = self.surroundings(name);
        if let Some(library) = &surroundings.faketime {
            surroundings.shared = Shared::make(library, self.clock).await.map(Arc::new);
        }
        let pipeline =
            Arc::new(CommandPipeline::new(bench, plan.clone(), home.place, surroundings, workspace, witness, scripts));
        let leftovers = pipeline.leftovers();
        self.at_close(async move { leftovers.kill() });
        Ok(Protected {
            name: name.to_owned(),
            kind: wanted.plan.kind,
            by_commands: true,
            service: home.service,
            pipeline,
            monitor: None,
            recorder: wanted.recorder,
        })
    }

    async fn home_of(
        &self,
        name: &str,
        plan: &CommandPlan,
        workspace: &Workspace,
    ) -> std::result::Result<Home, ServiceError> {
        let dir = folder(self.scratch, name).map_err(|e| ServiceError(e.to_string()))?;
        let size = ByteSize(self.scenario.history.size.0 / self.clock.scale());
        let rows = || Database::seed(size, self.seed.child(name), self.clock.now(), &dir, self.lanes).map(Arc::new);
        let environment = || Environment::in_folder(&dir, &dir);
        match &plan.probe {
            Probe::Sqlite => {
                let probe = Arc::new(Sqlite::new(&dir, environment(), self.clock));
                let closing = Arc::clone(&probe);
                self.at_close(async move { closing.close().await });
                let probed = Arc::new(Probed::fill(rows()?, probe).await?);
                Ok(Home { service: probed.clone(), place: probed })
            }
            Probe::Postgresql => {
                // What the server runs itself, to archive its WAL, reaches the regions as the commands do.
                let cloud = self.surroundings(name).cloud().into_iter().chain(plan.env.clone()).collect();
                let probe = Arc::new(Postgresql::new(&dir, environment(), cloud, self.clock)?);
                let closing = Arc::clone(&probe);
                self.at_close(async move { closing.close().await });
                let probed = Arc::new(Probed::fill(rows()?, probe).await?);
                Ok(Home { service: probed.clone(), place: probed })
            }
            Probe::Convex => {
                let rows = rows()?;
                let hosted = self.hosted(name, &rows, &dir)?;
                Ok(Home { place: Arc::new(Deployments::new(Arc::clone(&rows), hosted)?), service: rows })
            }
            Probe::Bucket => self.bucket(name).await,
            Probe::Folder => self.folder(name, &dir).await,
            Probe::Command(commands) => {
                let (folder, limit) = (workspace.folder(), plan.time_limit);
                let environment = workspace.environment().clone().with_all(self.surroundings(name).cloud());
                let environment = environment.with_all(plan.env.clone());
                let probe = ByCommands::new(commands.clone(), folder, environment, limit, self.clock);
                let probed = Arc::new(Probed::fill(rows()?, Arc::new(probe)).await?);
                Ok(Home { service: probed.clone(), place: probed })
            }
        }
    }

    /// Files in a bucket of the provider's.
    async fn bucket(&self, name: &str) -> std::result::Result<Home, ServiceError> {
        let home = self.home.as_ref().ok_or_else(|| ServiceError("media buckets have no region".into()))?;
        let files = Arc::new(self.media(name, Arc::clone(home) as _).await?);
        let region = home.name().to_owned();
        let variables = move |bucket: &str| {
            vec![("SOURCE_BUCKET".to_owned(), bucket.to_owned()), ("SOURCE_REGION".to_owned(), region.clone())]
        };
        Ok(Home { place: Arc::new(FilePlace::new(Arc::clone(&files), variables)), service: files })
    }

    /// Files in a folder.
    async fn folder(&self, name: &str, dir: &Path) -> std::result::Result<Home, ServiceError> {
        let folders = Arc::new(Folders::below(dir.to_owned(), self.clock));
        let files = Arc::new(self.media(name, Arc::clone(&folders) as _).await?);
        let variables =
            move |folder: &str| vec![("SOURCE_FOLDER".to_owned(), folders.path(folder).display().to_string())];
        Ok(Home { place: Arc::new(FilePlace::new(Arc::clone(&files), variables)), service: files })
    }

    fn surroundings(&self, service: &str) -> Surroundings {
        let keys = throw_away_keys();
        let region = |site: &Site| {
            let name = site.region.name();
            let own = self.addresses.own.iter().find(|(of, _)| of == name).map(|(_, url)| url.clone());
            SurroundingRegion { name: name.to_owned(), bucket: site.bucket.clone(), endpoint: own.unwrap_or_default() }
        };
        Surroundings {
            service: service.to_owned(),
            endpoint: self.addresses.shared.clone(),
            regions: self.sites.iter().map(region).collect(),
            access_key: keys.access_key,
            secret_key: keys.secret_key,
            faketime: faked_time::library(),
            shared: None,
        }
    }
}

/// Looks into the regions behind the commands' back: no request of it is counted, and no fault meets it.
struct Stored {
    sites: Vec<Site>,
    prefix: String,
}

#[async_trait]
impl Witness for Stored {
    async fn stored_since(&self, from: Timestamp) -> Vec<(String, u64)> {
        for site in &self.sites {
            // A storage that cannot be read shows no backup; what it failed at ends the drill.
            if let Err(why) = site.region.refresh().await {
                tracing::warn!("{why}");
            }
        }
        let stored = |site: &Site| {
            let objects = site.region.objects().keys(&site.bucket, &self.prefix).unwrap_or_default();
            let new = objects.iter().filter(|object| object.modified >= from);
            let bytes: u64 = new.clone().map(|object| object.size).sum();
            (new.count() > 0).then(|| (site.region.name().to_owned(), bytes))
        };
        self.sites.iter().filter_map(stored).collect()
    }
}
