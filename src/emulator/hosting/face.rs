//! The provider on real HTTP: one address on 127.0.0.1, at a port that the system chooses. Which of its hosts is meant,
//! the `Host` header says.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request as HttpRequest, State as Shared},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response as HttpResponse},
};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use super::{
    Hosting,
    message::{Method, Request, Response},
};

/// The longest body of a request, in bytes.
const LONGEST_BODY: usize = 64 << 10;

/// Serves a provider over HTTP until it is shut down or dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<io::Result<()>>,
}

impl Server {
    /// Begins to serve. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(hosting: Arc<Hosting>) -> io::Result<Server> {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let address = listener.local_addr()?;
        let app = Router::new().fallback(answer).with_state(hosting);
        let (stop, mut stopped) = watch::channel(false);
        let until = async move {
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        let task = tokio::spawn(async move { axum::serve(listener, app).with_graceful_shutdown(until).await });
        Ok(Server { address, stop, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it, with the connections that clients keep open.
    pub async fn shutdown(self) {
        self.stop.send_replace(true);
        let _ = self.task.await;
    }
}

async fn answer(Shared(hosting): Shared<Arc<Hosting>>, request: HttpRequest) -> HttpResponse {
    let (parts, body) = request.into_parts();
    let method = match parts.method.as_str() {
        "GET" => Method::Get,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        _ => return StatusCode::METHOD_NOT_ALLOWED.into_response(),
    };
    let text = |name| parts.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let Some(host) = text(header::HOST) else { return StatusCode::BAD_REQUEST.into_response() };
    let bearer = text(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
    let Ok(body) = to_bytes(body, LONGEST_BODY).await else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let (host, bearer) = (host.to_owned(), bearer.map(str::to_owned));
    let Response { status, content_type, body } = hosting.answer(&Request { method, host, path, bearer, body });
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, content_type)], Body::from(body)).into_response()
}
