//! A deployment on real HTTP, on 127.0.0.1 at a port that the system chooses.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use hyper::server::conn::http1;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::{net::TcpStream, sync::watch, task::JoinHandle};

use super::{Deployment, http};
use crate::emulator::link::{
    Link,
    listener::{self, Door},
};

/// Serves a deployment until it is shut down or dropped.
#[derive(Debug)]
pub struct Server {
    deployment: Arc<Deployment>,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Server {
    /// Begins to serve. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn start(deployment: Arc<Deployment>) -> io::Result<Server> {
        let (door, address) = Door::open(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let (stop, stopped) = watch::channel(false);
        let (opened, _) = watch::channel(true);
        let link = Arc::clone(deployment.link());
        let service = TowerToHyperService::new(http::router(&deployment));
        let serve = {
            let link = Arc::clone(&link);
            move |stream| serve(stream, service.clone(), Arc::clone(&link))
        };
        let clock = deployment.clock.clone();
        let task = tokio::spawn(listener::run(door, Some(link), clock, opened, stopped, serve));
        Ok(Server { deployment, address, stop, task })
    }

    /// Its address, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The deployment.
    pub fn deployment(&self) -> &Arc<Deployment> {
        &self.deployment
    }

    /// Ends all connections and whatever runs in the deployment; when it returns, nothing listens any more.
    pub async fn shutdown(self) {
        self.stop.send_replace(true);
        // Sockets that were upgraded are no longer the listener's.
        self.deployment.closed.send_replace(true);
        // A task that panicked is gone as well.
        let _ = self.task.await;
        self.deployment.close().await;
    }
}

/// One connection, until either side ends it or the deployment goes down.
async fn serve(stream: TcpStream, service: TowerToHyperService<axum::Router>, link: Arc<Link>) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    // Bodies say how long they are or come in chunks, so that an end in between is seen as one.
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades();
    tokio::select! {
        biased;
        () = link.until_refused(true) => {}
        _ = connection => {}
    }
}
