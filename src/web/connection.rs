//! One connection, from the first byte to the last.

use std::pin::pin;
use std::sync::Arc;

use hyper::server::conn::http1::{Builder, Connection};
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::timeout;

use super::deadline::Deadline;
use super::door::Place;
use super::limits;
use super::lobby;
use super::phase::Phase;
use super::service::Site;

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
    let service = service_fn(|request| Arc::clone(&site).answer(request, activity.clone()));
    let mut connection = http1().serve_connection(io, service);
    let end = {
        let mut running = pin!(run(&mut connection, &place, stop));
        tokio::select! {
            () = &mut running => End::Over,
            () = place.sent_away() => End::SentAway,
        }
    };
    let fresh = matches!(place.activity.phase(), Phase::Waiting { fresh: true, .. });
    if matches!(end, End::SentAway) && fresh {
        let parts = connection.into_parts();
        let stream = parts.io.into_inner().into_inner();
        lobby::send_away(stream, parts.read_buf.to_vec()).await;
    }
}

enum End {
    Over,
    SentAway,
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

/// Runs a connection to its end; after `stop`, only to the end of the request it is at.
async fn run<S, V>(
    connection: &mut Connection<TokioIo<S>, V>,
    place: &Place,
    mut stop: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin,
    V: HttpService<hyper::body::Incoming, ResBody = super::body::Reply>,
    V::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut connection = std::pin::Pin::new(connection);
    let is_waiting = || matches!(place.activity.phase(), Phase::Waiting { .. });
    // A client that fails has its connection closed; there is nobody to tell.
    tokio::select! {
        _ = &mut connection => return,
        _ = stop.wait_for(|stop| *stop) => {}
    }
    if is_waiting() {
        let _ = timeout(limits::DRAIN_IDLE, connection.as_mut()).await;
    }
    if !is_waiting() {
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }
}
