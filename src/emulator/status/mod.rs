//! The status page's home on loopback: one page and one document beside it, which change as a drill goes on. What is in
//! them is the publisher's.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, PoisonError, RwLock},
};

use axum::{
    Router,
    extract::State,
    http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, X_CONTENT_TYPE_OPTIONS},
    response::IntoResponse,
    routing::get,
};
use tokio::{net::TcpListener, runtime::Handle, sync::oneshot, task::JoinHandle};

/// What is shown now.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// The page, HTML.
    pub page: String,
    /// The document that the page asks for, JSON.
    pub status: String,
}

/// A status page that is being served on 127.0.0.1.
#[derive(Debug)]
pub struct StatusSite {
    address: SocketAddr,
    shown: Arc<RwLock<Shown>>,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<io::Result<()>>,
}

impl StatusSite {
    /// Begins to serve, on a port that the system chooses, on the runtime of that handle.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn start(runtime: &Handle, first: Shown) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let _entered = runtime.enter();
        let listener = TcpListener::from_std(listener)?;
        let address = listener.local_addr()?;
        let shown = Arc::new(RwLock::new(first));
        let routes = Router::new()
            .route("/", get(page))
            .route("/status.html", get(page))
            .route("/status.json", get(status))
            .with_state(shown.clone());
        let (stop, stopped) = oneshot::channel();
        let until = async move {
            // Also where the site was dropped unstopped.
            let _ = stopped.await;
        };
        let serve = axum::serve(listener, routes).with_graceful_shutdown(until);
        let served = runtime.spawn(serve.into_future());
        Ok(StatusSite { address, shown, stop: Some(stop), served })
    }

    /// Where it is served.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// What else may publish here.
    pub fn publisher(&self) -> Publisher {
        Publisher(self.shown.clone())
    }

    /// Stops to answer. A request that has begun is answered first; one that takes longer than its client stays is cut.
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

/// Changes what a site shows.
#[derive(Debug, Clone)]
pub struct Publisher(Arc<RwLock<Shown>>);

impl Publisher {
    /// From now on this is shown.
    pub fn publish(&self, shown: Shown) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = shown;
    }
}

type Site = State<Arc<RwLock<Shown>>>;

async fn page(State(shown): Site) -> impl IntoResponse {
    let page = shown.read().unwrap_or_else(PoisonError::into_inner).page.clone();
    (headers("text/html; charset=utf-8"), page)
}

async fn status(State(shown): Site) -> impl IntoResponse {
    let status = shown.read().unwrap_or_else(PoisonError::into_inner).status.clone();
    (headers("application/json"), status)
}

/// A status that was true a moment ago is no status.
fn headers(kind: &'static str) -> [(HeaderName, &'static str); 3] {
    [(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-store"), (X_CONTENT_TYPE_OPTIONS, "nosniff")]
}
