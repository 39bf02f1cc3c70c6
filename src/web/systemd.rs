//! systemd: sockets it bound for us, and what it is told of our life. Without systemd all of it does nothing.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use listenfd::ListenFd;
use sd_notify::NotifyState;

use super::Listener;

/// The sockets systemd passed (`--web.systemd-socket`). None at all is an error: nobody could ever connect. Call it within the runtime.
pub fn listeners() -> io::Result<Vec<Listener>> {
    let mut passed = ListenFd::from_env();
    let mut listeners = Vec::new();
    for index in 0..passed.len() {
        if let Some(socket) = passed.take_tcp_listener(index)? {
            listeners.push(Listener::from_std(socket)?);
        }
    }
    if listeners.is_empty() {
        let why = "systemd passed no socket: start the .socket unit, not the .service";
        return Err(io::Error::new(io::ErrorKind::NotFound, why));
    }
    Ok(listeners)
}

/// What systemd is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// The sockets are bound and served.
    Ready,
    /// The configuration is being read again; [`Life::Ready`] must follow.
    Reloading,
    /// Shutdown began.
    Stopping,
}

/// Tells systemd (`Type=notify` or `notify-reload`). Failing to is logged: systemd will draw its own conclusions.
pub fn notify(life: Life) {
    let told = match life {
        Life::Ready => sd_notify::notify(&[NotifyState::Ready]),
        Life::Stopping => sd_notify::notify(&[NotifyState::Stopping]),
        // systemd takes word of a reload only with the time of it.
        Life::Reloading => NotifyState::monotonic_usec_now()
            .and_then(|now| sd_notify::notify(&[NotifyState::Reloading, now])),
    };
    log(told);
}

/// Pets systemd's watchdog for ever, twice in each of its intervals, if it has one. Run it beside the work it is to vouch for, on the same runtime.
pub async fn watchdog() -> Infallible {
    let Some(every) = sd_notify::watchdog_enabled() else {
        return std::future::pending().await;
    };
    let mut ticks = tokio::time::interval(pause(every));
    loop {
        ticks.tick().await;
        log(sd_notify::notify(&[NotifyState::Watchdog]));
    }
}

/// Half of the interval, as systemd's manual asks for; a timer cannot tick without a pause.
fn pause(interval: Duration) -> Duration {
    (interval / 2).max(Duration::from_millis(1))
}

fn log(told: io::Result<()>) {
    if let Err(error) = told {
        tracing::warn!(%error, "systemd could not be told");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn without_a_passed_socket_there_is_an_error_that_says_what_to_start() {
        let error = listeners().expect_err("none");
        assert!(error.to_string().contains(".socket unit"), "{error}");
    }

    #[test]
    fn the_watchdog_is_petted_twice_an_interval() {
        assert_eq!(pause(Duration::from_secs(30)), Duration::from_secs(15));
        assert!(!pause(Duration::ZERO).is_zero());
    }
}
