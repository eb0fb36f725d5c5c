//! A world for others to use: what a drill is wired of, kept up without one, and where all of it is reached.

use std::{collections::BTreeMap, fmt, net::SocketAddr, path::Path, sync::Arc};

use jiff::{Timestamp, tz::TimeZone};

use super::{Parts, build, regions::pipeline_key, rigging::AsBuilt, web};
use crate::{
    emulator::{
        Site,
        s3::{
            Region,
            gateway::{Credentials, Gateway, Key},
            rights::Principal,
        },
    },
    engine::Stage,
    error::{Error, Result},
    model::{
        outcome::Outcome,
        plan::{Plan, ServiceKind},
        record::Way,
        scenario::{Disaster, Expectation, History, People, Scenario, Services},
        units::{ByteSize, DayTime, TimeOfDay},
    },
    service::database::hosted::{Address, Hosted},
    sim::seed::Seed,
};

/// Where a world is reached.
#[derive(Debug, Default)]
pub struct Doors {
    /// The address that serves all regions.
    pub gateway: String,
    /// Each region's own address, by name; that of the media buckets among them.
    pub regions: BTreeMap<String, String>,
    /// What opens the regions.
    pub keys: Vec<Key>,
    /// Databases that are served as deployments.
    pub databases: Vec<KeptDatabase>,
    /// Where each web application's provider listens, by service.
    pub hosting: BTreeMap<String, SocketAddr>,
}

/// A database's deployments.
pub struct KeptDatabase {
    /// The service.
    pub service: String,
    pub(super) hosted: Arc<Hosted>,
}

impl fmt::Debug for KeptDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeptDatabase({})", self.service)
    }
}

impl KeptDatabase {
    /// Where the deployment is reached that the application writes to, and its key.
    pub fn source(&self) -> &Address {
        self.hosted.source_address()
    }

    /// A new deployment to restore into: empty, unless a fault left something in it.
    ///
    /// # Errors
    /// When no port or no folder can be had.
    pub fn provision(&self) -> Result<Address> {
        self.hosted.provision_at().map(|(_, address)| address).map_err(|e| Error::new(e.to_string()))
    }
}

impl Doors {
    pub(super) fn of(gateway: &Gateway, sites: &[Site], home: Option<&Arc<Region>>, keys: &[Key]) -> Self {
        let names = sites.iter().map(|site| &site.region).chain(home).map(|region| region.name());
        let regions = names.filter_map(|name| Some((name.to_owned(), gateway.region_url(name)?)));
        Doors { gateway: gateway.url(), regions: regions.collect(), keys: keys.to_vec(), ..Doors::default() }
    }

    /// The key with these rights.
    pub fn key(&self, principal: Principal) -> Option<&Credentials> {
        self.keys.iter().find(|key| key.principal == principal).map(|key| &key.credentials)
    }

    /// What opens the management API of every emulated hosting provider.
    pub fn hosting_token(&self) -> &'static str {
        web::TOKEN
    }
}

/// What a kept world is made of.
pub struct Kept<'k> {
    /// The plan.
    pub plan: &'k Plan,
    /// Folder of the plan's file: what the plan names lies there.
    pub beside: &'k Path,
    /// Kinds of services that are in it.
    pub kinds: &'k [ServiceKind],
    /// Size of each source's data.
    pub size: ByteSize,
    /// Days of history before it is handed over, played by the plan's schedule.
    pub days: u32,
    /// Root of all randomness.
    pub seed: Seed,
    /// When it is handed over.
    pub now: Timestamp,
}

/// Writes that an application makes a day of that history.
const WRITES_A_DAY: u32 = 300;

impl Kept<'_> {
    /// The story that it is built from: one without faults, whose disaster never comes.
    pub fn story(&self) -> Scenario {
        let today = self.now.to_zoned(TimeZone::UTC);
        let from = today.date().checked_sub(jiff::Span::new().days(self.days)).unwrap_or(today.date());
        let minutes = (today.hour() as u16) * 60 + today.minute() as u16;
        let names = self.plan.services.iter().filter(|(_, one)| self.kinds.contains(&one.kind));
        Scenario {
            title: "A world to break by hand".into(),
            proves: "Nothing: it is used, and nothing is judged.".into(),
            service: Services(names.map(|(name, _)| name.clone()).collect()),
            level: 3,
            history: History {
                from,
                size: self.size,
                writes_per_day: WRITES_A_DAY,
                ..History::of_days(self.days.saturating_add(1))
            },
            faults: Vec::new(),
            disaster: Disaster {
                at: DayTime { day: self.days.saturating_add(1), time: TimeOfDay { minutes } },
                cause: "Nothing is lost but what somebody breaks.".into(),
                target_time: None,
            },
            people: People::default(),
            expect: Expectation::that(Outcome::Recovered),
        }
    }
}

/// Builds a world to be used over HTTP, with a scratch folder of its own. Its regions are opened by a key for each sort of rights. Must be called inside a
/// tokio runtime whose time is real.
///
/// # Errors
/// When a folder or a port cannot be had.
pub async fn keep(kept: &Kept<'_>, story: &Scenario, scratch: &Path) -> Result<(Stage, Doors)> {
    let parts = Parts {
        plan: kept.plan,
        scenario: story,
        seed: kept.seed,
        way: Way::Real,
        scratch,
        beside: kept.beside,
        listener: None,
        storage: None,
    };
    let more = [Principal::Owner, Principal::Reader].map(|principal| Key {
        principal,
        credentials: Credentials {
            access_key: format!("backdraft-{principal}"),
            secret_key: format!("emulated-regions-only-{principal}"),
        },
    });
    let keys: Vec<Key> = [pipeline_key()].into_iter().chain(more).collect();
    build(parts, &AsBuilt, &keys).await
}
