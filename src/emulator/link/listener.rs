//! One address: accepts connections while its link does, keeps the port while it does not, and ends with
//! everything it has begun.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use http::{Request, Response};
use http_body::Body;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::watch,
    task::JoinSet,
};

use super::Link;
use crate::sim::clock::Clock;

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;

/// An address, open or shut.
pub(in crate::emulator) enum Door {
    /// Connections are accepted.
    Open(TcpListener),
    /// Connections are refused; the port stays ours.
    Shut(TcpSocket),
}

impl Door {
    /// Listens at an address; port 0 lets the system choose. Says which it is.
    pub(in crate::emulator) fn open(at: SocketAddr) -> io::Result<(Door, SocketAddr)> {
        let listener = reserve(at)?.listen(BACKLOG)?;
        let address = listener.local_addr()?;
        Ok((Door::Open(listener), address))
    }
}

fn reserve(at: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    // Connections of a moment ago may still hold the port.
    socket.set_reuseaddr(true)?;
    socket.bind(at)?;
    Ok(socket)
}

/// Serves an address until told to stop, or until nobody is left who could. With `link`, the address is that link's own:
/// it refuses connections when the link does, and `open` says whether it listens.
pub(in crate::emulator) async fn run<Serve, Served>(
    mut door: Door,
    link: Option<Arc<Link>>,
    clock: Clock,
    open: watch::Sender<bool>,
    mut stop: watch::Receiver<bool>,
    serve: Serve,
) where
    Serve: Fn(TcpStream) -> Served,
    Served: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        let next = match door {
            Door::Open(listener) => {
                open.send_replace(true);
                tokio::select! {
                    biased;
                    () = told(&mut stop) => break,
                    () = until_refused(link.as_deref()) => shut(listener, &clock).await,
                    accepted = listener.accept() => {
                        match accepted {
                            Ok((stream, _)) => {
                                connections.spawn(serve(stream));
                            }
                            // Out of file handles, most likely: some will be given back.
                            Err(_) => clock.sleep(Duration::from_millis(10)).await,
                        }
                        Ok(Door::Open(listener))
                    }
                }
            }
            Door::Shut(socket) => {
                open.send_replace(false);
                tokio::select! {
                    biased;
                    () = told(&mut stop) => break,
                    () = until_accepted(link.as_deref()) => reopen(socket),
                }
            }
        };
        door = match next {
            Ok(door) => door,
            Err(error) => {
                tracing::error!(%error, "an emulated address is lost");
                break;
            }
        };
        while connections.try_join_next().is_some() {}
    }
    connections.shutdown().await;
}

/// Stops listening and keeps the port.
async fn shut(listener: TcpListener, clock: &Clock) -> io::Result<Door> {
    let address = listener.local_addr()?;
    drop(listener);
    let mut tries = 0;
    loop {
        match reserve(address) {
            Ok(socket) => {
                // Only now is the port ours alone: as long as both allow reuse, another could bind it too.
                socket.set_reuseaddr(false)?;
                return Ok(Door::Shut(socket));
            }
            Err(error) if tries >= 200 => return Err(error),
            Err(_) => clock.sleep(Duration::from_millis(5)).await,
        }
        tries += 1;
    }
}

/// Listens again.
fn reopen(socket: TcpSocket) -> io::Result<Door> {
    socket.set_reuseaddr(true)?;
    socket.listen(BACKLOG).map(Door::Open)
}

/// One connection, until either side ends it or the link breaks it.
///
/// A reset, not an orderly end, where it is broken: the client must not take what it has for all there is.
pub(in crate::emulator) async fn serve<Answer, Answered, B, E>(
    stream: TcpStream,
    answer: Answer,
    link: Option<Arc<Link>>,
) where
    Answer: Fn(Request<Incoming>) -> Answered,
    Answered: Future<Output = Result<Response<B>, E>>,
    B: Body + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer));
    let ended = tokio::select! {
        biased;
        () = until_refused(link.as_deref()) => None,
        () = until_nameless(link.as_deref()) => {
            // Whoever comes again must look the name up again.
            std::pin::Pin::new(&mut connection).graceful_shutdown();
            tokio::select! {
                biased;
                () = until_refused(link.as_deref()) => None,
                ended = &mut connection => Some(ended),
            }
        }
        ended = &mut connection => Some(ended),
    };
    // A body that ends before its length is an orderly end of the connection.
    let broken = ended.is_none_or(|ended| ended.is_err_and(|error| !error.is_body_write_aborted()));
    if broken {
        let _ = connection.into_parts().io.into_inner().set_zero_linger();
    }
}

/// Waits for the word to stop; nobody left to say it is the word as well.
async fn told(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn until_refused(link: Option<&Link>) {
    match link {
        Some(link) => link.until_refused(true).await,
        None => std::future::pending().await,
    }
}

async fn until_nameless(link: Option<&Link>) {
    match link {
        Some(link) => link.until_nameless().await,
        None => std::future::pending().await,
    }
}

async fn until_accepted(link: Option<&Link>) {
    if let Some(link) = link {
        link.until_refused(false).await;
    }
}
