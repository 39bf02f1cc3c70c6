//! The socket: accepts, reads whole requests, asks the cloud, and does to the connection what the answer says.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::accounting::InFlight;
use crate::body::PacedBody;
use crate::cloud::{Answer, Cloud, Outcome};
use crate::control;
use crate::reply::Reply;

/// The largest request body: a world of fifty thousand accounts fits.
const LARGEST_BODY: usize = 64 << 20;
/// The pause after a failed accept, so that a shortage of descriptors does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    cloud: Mutex<Cloud>,
    pub(crate) in_flight: InFlight,
}

impl Shared {
    pub(crate) fn new(cloud: Cloud) -> Self {
        Self {
            cloud: Mutex::new(cloud),
            in_flight: InFlight::default(),
        }
    }

    /// The cloud, for a moment.
    pub(crate) fn cloud(&self) -> MutexGuard<'_, Cloud> {
        self.cloud.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves until dropped; every connection ends with it.
pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(connections.spawn(connection(stream, Arc::clone(&shared)))),
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let reset = Arc::new(AtomicBool::new(false));
    let service = service_fn(|request| respond(request, Arc::clone(&shared), Arc::clone(&reset)));
    let mut server = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service);
    let _ = (&mut server).await;
    if reset.load(Ordering::SeqCst) {
        // With no linger the close that follows is a reset.
        let _ = server.into_parts().io.into_inner().set_zero_linger();
    }
}

/// The end of a connection without an answer.
#[derive(Debug)]
struct Ended;

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection ends here on purpose")
    }
}

impl std::error::Error for Ended {}

async fn respond(
    request: Request<Incoming>,
    shared: Arc<Shared>,
    reset: Arc<AtomicBool>,
) -> Result<Response<PacedBody>, Ended> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, LARGEST_BODY)
        .collect()
        .await
        .map_err(|_| Ended)?
        .to_bytes();
    let request = Request::from_parts(head, body);
    if control::is_ours(request.uri().path()) {
        let now = SystemTime::now();
        let reply = control::answer(&mut shared.cloud(), &shared.in_flight, &request, now);
        return response(reply, now);
    }
    let _flight = shared.in_flight.enter();
    let answer = ask(&shared, &request);
    if !answer.delay.is_zero() {
        tokio::time::sleep(answer.delay).await;
    }
    match answer.outcome {
        Outcome::Reply(reply) => response(reply, answer.date),
        Outcome::Hang => std::future::pending().await,
        Outcome::Close => Err(Ended),
        Outcome::Reset => {
            reset.store(true, Ordering::SeqCst);
            Err(Ended)
        }
    }
}

fn ask(shared: &Shared, request: &Request<Bytes>) -> Answer {
    shared.cloud().answer(request, SystemTime::now())
}

fn response(reply: Reply, date: SystemTime) -> Result<Response<PacedBody>, Ended> {
    let mut builder = Response::builder()
        .status(reply.status)
        .header("Content-Type", reply.content_type);
    for (name, value) in reply.headers {
        builder = builder.header(name, value);
    }
    let body = PacedBody::new(reply.body, reply.pace);
    builder
        .header("Date", httpdate::fmt_http_date(date))
        .body(body)
        .map_err(|_| Ended)
}
