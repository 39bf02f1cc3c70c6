//! `POST /-/reload`: the daemon is asked to read its configuration again, and its answer is passed on.

use http::header::{HOST, ORIGIN};
use http::{HeaderMap, StatusCode};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::limits;
use super::reply::{Answer, text};

/// A wish to reload; send the outcome back, an error as the text to show.
pub type ReloadRequest = oneshot::Sender<Result<(), String>>;
/// Where wishes to reload go.
pub type Reload = mpsc::Sender<ReloadRequest>;

/// Asks for a reload and waits for its outcome.
pub(super) async fn reload(to: Option<&Reload>, headers: &HeaderMap) -> Answer {
    let Some(to) = to else {
        let line = "Reloading over HTTP is not enabled: start with --web.enable-lifecycle.";
        return text(StatusCode::FORBIDDEN, line);
    };
    if is_foreign(headers) {
        return text(StatusCode::FORBIDDEN, "Not from a page of another site.");
    }
    match timeout(limits::RELOAD, outcome(to)).await {
        Ok(Ok(())) => text(StatusCode::OK, "Configuration reloaded."),
        Ok(Err(why)) => text(StatusCode::INTERNAL_SERVER_ERROR, &why),
        Err(_) => text(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The reload has not ended yet: see the log.",
        ),
    }
}

async fn outcome(to: &Reload) -> Result<(), String> {
    let stopping = || "The exporter is stopping.".to_owned();
    let (reply, outcome) = oneshot::channel();
    to.send(reply).await.map_err(|_| stopping())?;
    outcome.await.map_err(|_| stopping())?
}

/// Sent by a browser on behalf of a page that is not ours. Scripts and schedulers send no `Origin`.
fn is_foreign(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else {
        return false;
    };
    let site = origin.to_str().ok().and_then(|o| o.split_once("://"));
    let host = headers.get(HOST).and_then(|h| h.to_str().ok());
    site.is_none_or(|(_, authority)| Some(authority) != host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(http::HeaderName, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter().cloned();
        pairs
            .map(|(n, v)| (n, v.parse().expect("a value")))
            .collect()
    }

    #[tokio::test]
    async fn without_lifecycle_nothing_is_reloaded() {
        let answer = reload(None, &HeaderMap::new()).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    }

    #[tokio::test]
    async fn a_daemon_that_stops_is_not_waited_for() {
        let (to, wishes) = mpsc::channel(1);
        drop(wishes);
        let answer = reload(Some(&to), &HeaderMap::new()).await;
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }

    #[tokio::test(start_paused = true)]
    async fn a_reload_that_does_not_end_is_not_waited_for_for_ever() {
        let (to, _wishes) = mpsc::channel(1);
        let answer = reload(Some(&to), &HeaderMap::new()).await;
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }

    #[test]
    fn a_page_of_another_site_is_foreign() {
        let ours = (HOST, "exporter:10065");
        assert!(!is_foreign(&headers(std::slice::from_ref(&ours))));
        for (origin, foreign) in [
            ("http://exporter:10065", false),
            ("https://exporter:10065", false),
            ("http://evil.example", true),
            ("null", true),
        ] {
            let all = headers(&[ours.clone(), (ORIGIN, origin)]);
            assert_eq!(is_foreign(&all), foreign, "{origin}");
        }
    }
}
