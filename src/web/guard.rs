//! What stands before the pages: the rate limit, the users and the headers of the web configuration; and the loop that reads it again when it changes.

use std::convert::Infallible;
use std::num::NonZeroU32;
use std::sync::Arc;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, StatusCode};
use rustls::ServerConfig;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::auth::{CHALLENGE, Login, Users};
use super::file::{RateLimit, WebFile, WebFileError};
use super::limits;
use super::peer::Peer;
use super::reply::{Answer, busy, text, with};
use crate::files;
use crate::self_metrics::SelfMetrics;
use crate::threads::Worker;

/// A web configuration in force.
#[derive(Default)]
pub(super) struct Guard {
    /// TLS, if it is on.
    pub(super) tls: Option<Arc<ServerConfig>>,
    headers: HeaderMap,
    users: Option<Users>,
    rate: Option<DefaultDirectRateLimiter>,
}

impl Guard {
    /// Puts a web configuration in force, after another one or as the first.
    pub(super) fn new(file: &WebFile, before: Option<&Self>) -> Self {
        Self {
            tls: file.tls.as_ref().map(|tls| Arc::clone(&tls.config)),
            headers: file.headers.clone(),
            users: Users::new(
                file.users.clone(),
                before.and_then(|before| before.users.as_ref()),
            ),
            rate: file.rate.map(limiter),
        }
    }

    /// Lets a request pass, or says why not.
    pub(super) async fn pass(&self, headers: &HeaderMap, peer: Peer) -> Result<(), Answer> {
        if self.rate.as_ref().is_some_and(|rate| rate.check().is_err()) {
            let mut answer = busy("Too many requests.");
            *answer.status_mut() = StatusCode::TOO_MANY_REQUESTS;
            return Err(answer);
        }
        let Some(users) = &self.users else {
            return Ok(());
        };
        match users.admit(headers.get(AUTHORIZATION), peer).await {
            Login::Good => Ok(()),
            Login::Bad => {
                let answer = text(StatusCode::UNAUTHORIZED, "Log in with name and password.");
                Err(with(answer, WWW_AUTHENTICATE, CHALLENGE))
            }
            Login::Unchecked => Err(busy("Too many logins at once.")),
        }
    }

    /// Adds the operator's headers; they win over ours.
    pub(super) fn dress(&self, answer: &mut Answer) {
        for (name, value) in &self.headers {
            answer.headers_mut().insert(name, value.clone());
        }
    }
}

fn limiter(rate: RateLimit) -> DefaultDirectRateLimiter {
    let quota = Quota::with_period(rate.interval).unwrap_or(Quota::per_second(NonZeroU32::MIN));
    RateLimiter::direct(quota.allow_burst(rate.burst))
}

fn show_expiry(file: &WebFile, metrics: &SelfMetrics) {
    if let Some(at) = file.tls.as_ref().and_then(|tls| tls.expires) {
        metrics.set_certificate_expiry(at);
    }
}

/// Reads the file again whenever it or a file it names changes. One that is refused, or cannot be read, changes
/// nothing and is logged once.
pub(super) async fn follow(
    mut file: WebFile,
    to: watch::Sender<Arc<Guard>>,
    metrics: SelfMetrics,
) -> Infallible {
    show_expiry(&file, &metrics);
    let reader = Worker::new("web-config");
    let mut ticks = interval(limits::FOLLOW_FILE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last_error = None;
    loop {
        ticks.tick().await;
        match reread(&reader, &file).await {
            None if last_error.is_none() => {}
            None => {
                tracing::info!("the web configuration can be read again and is as it was");
                metrics.web_config_read(true);
                last_error = None;
            }
            Some(Ok(new)) => {
                tracing::info!("the web configuration was read again");
                let before = Arc::clone(&to.borrow());
                to.send_replace(Arc::new(Guard::new(&new, Some(&before))));
                show_expiry(&new, &metrics);
                metrics.web_config_read(true);
                (file, last_error) = (new, None);
            }
            Some(Err(error)) => {
                let error = error.to_string();
                if last_error.as_ref() != Some(&error) {
                    tracing::error!(%error, "the web configuration was refused; the last good one stays in force");
                }
                metrics.web_config_read(false);
                last_error = Some(error);
            }
        }
    }
}

/// What the file and those it names hold now, if that is not what they held.
async fn reread(reader: &Worker, file: &WebFile) -> Option<Result<WebFile, WebFileError>> {
    let known = file.clone();
    let read = reader.run(files::DEADLINE, move || known.reread()).await;
    read.unwrap_or_else(|error| Some(Err(WebFileError::overdue(file.path(), error))))
}
