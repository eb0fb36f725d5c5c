//! The regions on real HTTP: one address of each region's own, and one that serves them all. Everything listens on
//! 127.0.0.1, at ports that the system chooses.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use s3s::{
    auth::SimpleAuth,
    config::{S3Config, StaticConfigProvider},
    service::{S3Service, S3ServiceBuilder},
};
use tokio::{net::TcpStream, sync::watch, task::JoinHandle};

use super::{Region, face::Face, foreign::forward::Forward, reception::Reception, rights::Principal};
use crate::{
    emulator::link::{
        Link,
        listener::{self, Door},
    },
    sim::clock::Clock,
};

/// An access key with its secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Access key id.
    pub access_key: String,
    /// Secret access key.
    pub secret_key: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credentials({}, …)", self.access_key)
    }
}

/// A key to all regions, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Whose rights it gives.
    pub principal: Principal,
    /// The key.
    pub credentials: Credentials,
}

/// Serves regions over HTTP until it is shut down or dropped.
#[derive(Debug)]
pub struct Gateway {
    shared: SocketAddr,
    own: Vec<Own>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

/// A region with an address of its own.
#[derive(Debug)]
struct Own {
    region: Arc<Region>,
    address: SocketAddr,
    /// Whether somebody listens there now.
    open: watch::Receiver<bool>,
}

impl Gateway {
    /// Begins to serve, with one key: the owner's. Must be called inside a tokio runtime.
    pub fn start(regions: Vec<Arc<Region>>, credentials: &Credentials, clock: &Clock) -> io::Result<Gateway> {
        let owner = Key { principal: Principal::Owner, credentials: credentials.clone() };
        Gateway::start_with_keys(regions, &[owner], clock)
    }

    /// Begins to serve for several keys, each with its rights. Must be called inside a tokio runtime.
    pub fn start_with_keys(regions: Vec<Arc<Region>>, keys: &[Key], clock: &Clock) -> io::Result<Gateway> {
        if regions.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a gateway needs a region"));
        }
        let world: Arc<[Arc<Region>]> = regions.into();
        let keys: Arc<[Key]> = keys.into();
        let services = |shared| -> Vec<S3Service> {
            let faces = world.iter().map(|region| Face::new(region.clone(), world.clone(), shared, keys.clone()));
            faces.zip(world.iter()).map(|(face, region)| service(face, region, &keys)).collect()
        };
        let (stop, stopped) = watch::channel(false);
        let (door, shared) = Door::open(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let reception = Arc::new(Reception::shared(world.clone(), services(true)));
        let (open, _) = watch::channel(true);
        let serve = move |stream| receive(stream, Arc::clone(&reception), None);
        let mut tasks = vec![tokio::spawn(listener::run(door, None, clock.clone(), open, stopped.clone(), serve))];
        let mut own = Vec::new();
        for (region, service) in world.iter().zip(services(false)) {
            let (door, address) = Door::open(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
            let reception = Arc::new(Reception::of(region.clone(), service));
            let (opened, open) = watch::channel(true);
            let (link, own_link) = (Arc::clone(region.link()), Arc::clone(region.link()));
            let serve = move |stream| receive(stream, Arc::clone(&reception), Some(Arc::clone(&link)));
            let run = listener::run(door, Some(own_link), clock.clone(), opened, stopped.clone(), serve);
            tasks.push(tokio::spawn(run));
            own.push(Own { region: region.clone(), address, open });
        }
        Ok(Gateway { shared, own, stop, tasks })
    }

    /// The address at which all regions are served: which one is meant, the bucket and the signature say.
    pub fn url(&self) -> String {
        format!("http://{}", self.shared)
    }

    /// A region's own address; `None` where there is no such region.
    pub fn region_url(&self, region: &str) -> Option<String> {
        let own = self.own.iter().find(|own| own.region.name() == region)?;
        Some(format!("http://{}", own.address))
    }

    /// The port of a region's own address; `None` where there is no such region.
    pub fn region_port(&self, region: &str) -> Option<u16> {
        self.own.iter().find(|own| own.region.name() == region).map(|own| own.address.port())
    }

    /// Waits until every region's own address listens, or refuses, as its link says.
    pub async fn settled(&self) {
        for own in &self.own {
            let mut open = own.open.clone();
            while *open.borrow_and_update() == own.region.link().is_refused() {
                if open.changed().await.is_err() {
                    return;
                }
            }
        }
    }

    /// Ends all connections and stops listening; when it returns, nothing is left.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        for task in self.tasks.drain(..) {
            // A task that panicked is gone as well.
            let _ = task.await;
        }
    }
}

async fn receive(stream: TcpStream, reception: Arc<Reception>, link: Option<Arc<Link>>) {
    let answer = move |request| {
        let reception = Arc::clone(&reception);
        async move { reception.answer(request).await }
    };
    listener::serve(stream, answer, link).await;
}

fn service(face: Face, region: &Arc<Region>, keys: &Arc<[Key]>) -> S3Service {
    let mut config = S3Config::default();
    // Tools sign with the wall clock, which is not the scenario's: a signature's age says nothing here.
    config.presigned_url_max_skew_time_secs = u32::MAX;
    let mut builder = S3ServiceBuilder::new(face);
    let mut auth = SimpleAuth::new();
    for Key { credentials, .. } in keys.iter() {
        auth.register(credentials.access_key.clone(), credentials.secret_key.as_str().into());
    }
    builder.set_auth(auth);
    if region.foreign().is_some() {
        builder.set_route(Forward { region: Arc::clone(region), keys: Arc::clone(keys) });
    }
    builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config))));
    builder.build()
}
