//! The configuration with the reference pipeline, and the addresses that it follows.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;

use super::{House, Wanted, folder, rigging::Reach};
use crate::{
    emulator::{
        addresses::{APP_URL, DEPLOYMENT, DEPLOYMENT_URL},
        operator::Operator,
    },
    engine::Protected,
    error::{Error, Result},
    model::plan::ServiceKind,
    monitor::Lookout,
    pipeline::{Workbench, reference::Reference},
    service::{
        config::Config,
        contract::{Directory, Platform, ServiceError, Source, Target},
        struck::Struck,
    },
    sim::seed::Seed,
};

/// Where the operators keep what the disaster does not reach.
const OPERATOR: &str = "operator";

impl House<'_> {
    pub(super) fn config(&self, wanted: Wanted<'_>) -> Result<Protected> {
        let name = wanted.name;
        let (dir, vault) = (folder(self.scratch, name)?, folder(self.scratch, OPERATOR)?);
        let seeded = Config::seed(self.seed.child(name), self.clock.now(), &dir, &vault, self.operator);
        let config = Arc::new(seeded.map_err(|e| Error::new(e.to_string()))?);
        // Configuration is played in its own size, also where the size of other data is modelled.
        let bench = self.bench(&wanted)?;
        let bench = Workbench { clock: bench.clock.clone().modelled(1), ..bench };
        let layout = wanted.layout.clone();
        let platform = self.rigging.platform(name, Arc::new(Struck::at_hand(config.clone(), self.targets(name)?)));
        let (retention, reach) = (self.plan.retention, Reach::Platform(Arc::clone(&platform)));
        let own = Reference::new(bench.clone(), platform, name, layout, retention).guarding_secrets();
        let pipeline = self.rigged(&wanted, bench, reach, own);
        Ok(Protected {
            name: name.to_owned(),
            kind: ServiceKind::Config,
            by_commands: false,
            service: config,
            pipeline,
            monitor: Some(Lookout::Backups(self.monitor(&wanted))),
            recorder: wanted.recorder,
        })
    }
}

const ADJECTIVES: [&str; 8] = ["bold", "calm", "eager", "happy", "kind", "quick", "quiet", "warm"];
const ANIMALS: [&str; 8] = ["crane", "falcon", "heron", "lynx", "magpie", "otter", "tiger", "whale"];

/// The addresses after so many moves of the database, as the provider gives them.
pub(super) fn publish_addresses(operator: &Operator, seed: Seed, moves: u64) {
    let draw = seed.child("deployment").nth(moves).0;
    let (adjective, animal) = (ADJECTIVES[(draw % 8) as usize], ANIMALS[(draw / 8 % 8) as usize]);
    // Odd and even in turn: a deployment never has the name of the one before it.
    let name = format!("{adjective}-{animal}-{}", 100 + draw / 64 % 400 * 2 + moves % 2);
    operator.addresses.publish(DEPLOYMENT, &format!("prod:{name}"));
    operator.addresses.publish(DEPLOYMENT_URL, &format!("https://{name}.convex.cloud"));
    operator.addresses.publish(APP_URL, "https://app.hooklabs.io");
}

/// The database's platform, whose address changes with each cut over: a restored deployment is another deployment.
pub(super) struct Addressed {
    platform: Arc<dyn Platform>,
    operator: Arc<Operator>,
    seed: Seed,
    moves: AtomicU64,
}

impl Addressed {
    pub(super) fn new(platform: Arc<dyn Platform>, operator: &Arc<Operator>, seed: Seed) -> Self {
        Addressed { platform, operator: Arc::clone(operator), seed, moves: AtomicU64::new(0) }
    }
}

#[async_trait]
impl Platform for Addressed {
    fn source(&self) -> Arc<dyn Source> {
        self.platform.source()
    }

    async fn provision(&self) -> std::result::Result<Arc<dyn Target>, ServiceError> {
        self.platform.provision().await
    }

    async fn cut_over(&self, target: Arc<dyn Target>) -> std::result::Result<(), ServiceError> {
        self.platform.cut_over(target).await?;
        let moves = self.moves.fetch_add(1, Ordering::SeqCst) + 1;
        publish_addresses(&self.operator, self.seed, moves);
        Ok(())
    }

    async fn follow(&self, directory: Directory) -> std::result::Result<Vec<String>, ServiceError> {
        self.platform.follow(directory).await
    }

    async fn dead_addresses(&self) -> std::result::Result<Vec<String>, ServiceError> {
        self.platform.dead_addresses().await
    }
}
