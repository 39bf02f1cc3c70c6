//! The HTTP server: HTTP/1.1 only, on sockets that were bound before anything else began.
//!
//! - `GET /metrics`: the exposition (the path is a setting);
//! - `GET /`, `GET /accounts/{id}`: the fleet and one account, for people;
//! - `GET /api/v1/accounts`, `GET /api/v1/accounts/{id}`: the same, for scripts;
//! - `GET /-/healthy`, `GET /-/ready`: for orchestrators;
//! - `POST /-/reload`: read the configuration again, where lifecycle is enabled.
//!
//! HEAD works wherever GET does. Everything served is read from the latest snapshot: no request ever causes an AWS call. What a client can cost is
//! bounded in [`limits`]. In the order of a request's way through: [`listener`], `accept`, `door`, `lobby`, `connection`, `service`, `route`, and one
//! module per kind of answer.

mod accept;
mod api;
mod auth;
mod body;
mod connection;
mod deadline;
mod door;
mod file;
mod fleet;
mod guard;
mod handshake;
mod healthcheck;
mod heard;
pub mod limits;
pub mod listener;
mod lobby;
mod negotiate;
mod pages;
mod peer;
mod phase;
mod query;
mod reload;
mod remediation;
mod renders;
mod reply;
mod reserve;
mod route;
mod scrape;
mod service;
pub mod systemd;
mod tls;
mod view;
mod words;

use std::sync::Arc;

use tokio::sync::watch;

pub use api::everything;
pub use file::{WebFile, WebFileError};
pub use healthcheck::healthcheck;
pub use listener::Listener;
pub use reload::{Reload, ReloadRequest};
pub use route::TelemetryPath;

use crate::self_metrics::SelfMetrics;
use crate::snapshot::Snapshot;

/// What the operator may set on the command line.
#[derive(Debug, Clone)]
pub struct WebSettings {
    /// Where the exposition is served.
    pub telemetry_path: TelemetryPath,
    /// Answers rendered at once before 503 is said; 0 for no bound of our own.
    pub max_requests: usize,
    /// Connections that there are file descriptors for, those that wait for a place among them.
    pub clients: usize,
}

impl Default for WebSettings {
    fn default() -> Self {
        Self {
            telemetry_path: TelemetryPath::default(),
            max_requests: limits::MAX_RENDERS,
            clients: limits::MAX_CONNECTIONS + limits::MAX_LOBBY,
        }
    }
}

/// Everything the server answers from.
pub struct Server {
    /// The latest snapshot.
    pub snapshot: watch::Receiver<Arc<Snapshot>>,
    /// Metrics about the exporter itself.
    pub self_metrics: SelfMetrics,
    /// The operator's settings.
    pub settings: WebSettings,
    /// Who reads the configuration again when asked to; `None` if lifecycle is not enabled.
    pub reload: Option<Reload>,
    /// TLS, users and headers, if the operator wants any. Followed as it changes.
    pub file: Option<WebFile>,
}

impl Server {
    /// Serves until `shutdown` is ready; then accepts no more, finishes what is in flight and returns, at the latest after [`limits::DRAIN`].
    pub async fn serve(self, listeners: Vec<Listener>, shutdown: impl Future<Output = ()>) {
        let guard = self.file.as_ref().map(|file| guard::Guard::new(file, None));
        let (to, guard) = watch::channel(Arc::new(guard.unwrap_or_default()));
        let follow = self.file.clone();
        let follow = follow.map(|file| guard::follow(file, to, self.self_metrics.clone()));
        let site = Arc::new(service::Site::new(self, guard));
        let serve = accept::serve(site, listeners, shutdown);
        match follow {
            None => serve.await,
            Some(follow) => tokio::select! {
                () = serve => {}
                never = follow => match never {},
            },
        }
    }
}
