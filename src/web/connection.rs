//! One connection, from the first byte to the last.

use std::pin::Pin;
use std::sync::Arc;

use hyper::server::conn::http1::{Builder, Connection};
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::timeout;

use super::body::Reply;
use super::deadline::Deadline;
use super::door::Place;
use super::limits;
use super::lobby;
use super::phase::Phase;
use super::service::{Client, Site};

/// Serves requests until the client leaves, breaks a limit, has to make room, or the server stops.
pub(super) async fn serve<S>(site: Arc<Site>, stream: S, place: Place, stop: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let activity = place.activity.clone();
    let io = TokioIo::new(Deadline::new(
        stream,
        limits::RESPONSE_WRITE,
        activity.clone(),
    ));
    let client = Client {
        peer: place.peer,
        activity: activity.clone(),
    };
    let service = service_fn(|request| Arc::clone(&site).answer(request, client.clone()));
    let mut connection = http1().serve_connection(io, service);
    if run(&mut connection, &place, stop).await == End::NotHeard {
        let parts = connection.into_parts();
        let stream = parts.io.into_inner().into_inner();
        lobby::send_away(stream, parts.read_buf.to_vec()).await;
    }
}

/// How serving a connection ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// There is nothing more to be said.
    Over,
    /// It had to make room before its first request was read.
    NotHeard,
}

fn http1() -> Builder {
    let mut http1 = Builder::new();
    http1
        .timer(TokioTimer::new())
        .header_read_timeout(limits::HEADER_READ)
        .max_headers(limits::MAX_HEADERS)
        .max_buf_size(limits::MAX_HEADER_BYTES);
    http1
}

/// Runs a connection to its end; after `stop`, or when it has to make room, only to the end of the request it is at.
async fn run<S, V>(
    connection: &mut Connection<TokioIo<S>, V>,
    place: &Place,
    mut stop: watch::Receiver<bool>,
) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
    V: HttpService<hyper::body::Incoming, ResBody = Reply>,
    V::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut connection = Pin::new(connection);
    // A client that fails has its connection closed; there is nobody to tell.
    let stopping = tokio::select! {
        _ = &mut connection => return End::Over,
        _ = stop.wait_for(|stop| *stop) => true,
        () = place.sent_away() => false,
    };
    if stopping && is_waiting(place) {
        let _ = timeout(limits::DRAIN_IDLE, connection.as_mut()).await;
    }
    match place.activity.phase() {
        Phase::Waiting { fresh: true, .. } => return End::NotHeard,
        Phase::Waiting { fresh: false, .. } => {}
        // It takes nothing of its answer, so waiting for its end would give no place back.
        Phase::Answering | Phase::Flushing
            if !stopping && place.activity.blocked_since().is_some() => {}
        Phase::Answering | Phase::Flushing => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
    End::Over
}

fn is_waiting(place: &Place) -> bool {
    matches!(place.activity.phase(), Phase::Waiting { .. })
}
