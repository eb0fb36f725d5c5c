//! An emulated world that is kept up for others to use: what can be done to it by hand, and the control page and API
//! that do it. Nothing is played and nothing is judged here; docs/serve.md walks through it.

mod api;
mod book;
mod entry;
pub mod environment;
mod guard;
mod health;
mod held;
mod history;
mod page;
mod state;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use axum::{Router, extract::DefaultBodyLimit, middleware};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use crate::error::{Error, Result};
use guard::Guard;

pub use health::Watch;
pub use held::{Held, World};
pub use history::live_through;

/// The longest body of a request, in bytes. An entry of a fault has a few hundred.
const LONGEST_BODY: usize = 64 << 10;

/// The control page and API, served on 127.0.0.1.
#[derive(Debug)]
pub struct Control {
    address: SocketAddr,
    token: String,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<io::Result<()>>,
}

/// A port that is held until the control page is served there.
#[derive(Debug)]
pub struct Port {
    listener: std::net::TcpListener,
    address: SocketAddr,
}

impl Port {
    /// Takes a port of 127.0.0.1; 0 lets the system choose.
    ///
    /// # Errors
    /// When it cannot be had.
    pub fn take(port: u16) -> Result<Port> {
        let taken = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).and_then(|listener| {
            listener.set_nonblocking(true)?;
            let address = listener.local_addr()?;
            Ok(Port { listener, address })
        });
        taken.map_err(|e| {
            Error::new("the port of the control page cannot be had")
                .at(format!("127.0.0.1:{port}"))
                .because(e)
                .help("choose another with --port, or let the system choose with --port 0")
        })
    }

    /// Where the control page will be, without the token.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Control {
    /// Begins to serve. Whoever has the token may do everything. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// When the port is lost.
    pub fn start(port: Port, token: &str, held: &Arc<Held>) -> io::Result<Control> {
        let Port { listener, address } = port;
        let listener = TcpListener::from_std(listener)?;
        let guard = Arc::new(Guard::new(address, token));
        let routes = Router::new()
            .merge(api::routes(held))
            .merge(page::routes(held, token))
            .fallback(api::nothing_here)
            .layer(DefaultBodyLimit::max(LONGEST_BODY))
            .layer(middleware::from_fn(api::too_long))
            .layer(middleware::from_fn_with_state(guard, guard::check));
        let (stop, stopped) = oneshot::channel();
        let until = async move {
            // Also where it was dropped unstopped.
            let _ = stopped.await;
        };
        let serve = axum::serve(listener, routes).with_graceful_shutdown(until);
        let served = tokio::spawn(serve.into_future());
        Ok(Control { address, token: token.to_owned(), stop: Some(stop), served })
    }

    /// The page, with the token in it.
    pub fn page(&self) -> String {
        format!("http://{}/?token={}", self.address, self.token)
    }

    /// Stops to answer.
    pub async fn shutdown(mut self) {
        if let Some(stop) = self.stop.take() {
            // Nobody waits for it only where serving has ended already.
            let _ = stop.send(());
        }
        self.served.abort();
        // An error says only that it was cut.
        let _ = self.served.await;
    }
}
