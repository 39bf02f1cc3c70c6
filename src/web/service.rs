//! From a request to its answer, counted.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Instant;

use http::header::{CONNECTION, HeaderValue};
use http::{Request, StatusCode};
use hyper::body::{Body, Incoming};
use rustls::ServerConfig;
use tokio::sync::watch;

use super::guard::Guard;
use super::pages::{self, Frame};
use super::peer::Peer;
use super::phase::Activity;
use super::query::{Query, decoded};
use super::reload::reload;
use super::renders::Renders;
use super::reply::{Answer, busy, not_allowed, not_found, text, with};
use super::route::{ACCOUNT, API_ACCOUNT, Missed, Route, last_part, route};
use super::scrape::scrape;
use super::{Server, WebSettings, api, fleet};
use crate::clock;
use crate::snapshot::Snapshot;

/// Who asks, and what its connection is doing.
#[derive(Debug, Clone)]
pub(super) struct Client {
    /// Whose share is used.
    pub(super) peer: Peer,
    /// What the connection is doing.
    pub(super) activity: Activity,
}

/// What every request is answered from.
pub(super) struct Site {
    server: Server,
    guard: watch::Receiver<Arc<Guard>>,
    renders: Arc<Renders>,
}

impl Site {
    /// Serves what `server` holds to those whom `guard` lets pass.
    pub(super) fn new(server: Server, guard: watch::Receiver<Arc<Guard>>) -> Self {
        let renders = Arc::new(Renders::new(server.settings.max_requests));
        Self {
            server,
            guard,
            renders,
        }
    }

    /// Connections that there are file descriptors for.
    pub(super) fn clients(&self) -> usize {
        self.settings().clients
    }

    /// TLS as it is now, if it is on.
    pub(super) fn tls(&self) -> Option<Arc<ServerConfig>> {
        self.guard.borrow().tls.clone()
    }

    /// Answers one request of a connection.
    pub(super) async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
        client: Client,
    ) -> Result<Answer, Infallible> {
        let answering = client.activity.answer();
        let in_flight = self.server.self_metrics.http_begins();
        let guard = Arc::clone(&self.guard.borrow());
        let (handler, mut answer) = self.dispatch(&request, &client, &guard).await;
        let metrics = &self.server.self_metrics;
        metrics.http_answered(handler, answer.status().as_u16());
        guard.dress(&mut answer);
        // What follows a body we do not read must not be taken for a request.
        if has_body(&request) {
            answer = closing(answer);
        }
        answer.body_mut().keep((answering, in_flight));
        Ok(answer)
    }

    /// The handler and its answer.
    async fn dispatch(
        &self,
        request: &Request<Incoming>,
        client: &Client,
        guard: &Guard,
    ) -> (&'static str, Answer) {
        let path = request.uri().path();
        let found = route(request.method(), path, &self.settings().telemetry_path);
        let handler = match found {
            Ok(route) | Err(Missed::Method(route, _)) => route.handler(),
            Err(Missed::NotFound) => "other",
        };
        if let Err(answer) = guard.pass(request.headers(), client.peer).await {
            return (handler, answer);
        }
        let answer = match found {
            _ if has_body(request) => text(StatusCode::BAD_REQUEST, "No page here takes a body."),
            Ok(route) => self.page(route, request, client).await,
            Err(Missed::Method(_, allowed)) => not_allowed(allowed),
            Err(Missed::NotFound) => not_found(),
        };
        (handler, answer)
    }

    async fn page(&self, route: Route, request: &Request<Incoming>, client: &Client) -> Answer {
        match route {
            Route::Healthy => text(StatusCode::OK, "Healthy."),
            Route::Ready => self.ready(),
            Route::Reload => reload(self.server.reload.as_ref(), request.headers()).await,
            rendered => self.rendered(rendered, request, client),
        }
    }

    /// An answer made from the latest snapshot, if not too many are being made already.
    fn rendered(&self, route: Route, request: &Request<Incoming>, client: &Client) -> Answer {
        let Some(permit) = self.renders.begin(client, Instant::now()) else {
            return closing(busy("Too many requests at once."));
        };
        let snapshot = Arc::clone(&self.server.snapshot.borrow());
        let mut answer = self.render(route, request, snapshot);
        answer.body_mut().keep_render(permit);
        answer
    }

    fn render(&self, route: Route, request: &Request<Incoming>, snapshot: Arc<Snapshot>) -> Answer {
        let (now, headers) = (clock::now(), request.headers());
        let path = request.uri().path();
        let query = Query::parse(request.uri().query());
        let frame = Frame::new(&self.settings().telemetry_path, snapshot.ready, now);
        let account = |prefix| {
            let part = last_part(path, prefix).unwrap_or_default();
            fleet::find(&snapshot, &decoded(part))
        };
        match route {
            Route::Index => pages::index(&snapshot, frame, &query, headers, now),
            Route::Account => match account(ACCOUNT) {
                Some(state) => pages::account(state, frame, headers, now),
                None => not_found(),
            },
            Route::ApiAccounts => api::accounts(snapshot, query, headers, now),
            Route::ApiAccount => api::account(account(API_ACCOUNT).map(Arc::as_ref), headers, now),
            _ => scrape(&snapshot, self.server.self_metrics.gather(), headers, now),
        }
    }

    fn ready(&self) -> Answer {
        if self.server.snapshot.borrow().ready {
            return text(StatusCode::OK, "Ready.");
        }
        busy("Not ready: not every account was polled yet.")
    }

    fn settings(&self) -> &WebSettings {
        &self.server.settings
    }
}

fn has_body(request: &Request<Incoming>) -> bool {
    !request.body().is_end_stream()
}

/// The last answer on its connection.
fn closing(answer: Answer) -> Answer {
    with(answer, CONNECTION, HeaderValue::from_static("close"))
}
