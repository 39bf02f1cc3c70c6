//! The loops that accept connections, and their end.

use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::connection;
use super::door::{Door, Place};
use super::handshake::shake;
use super::limits;
use super::listener::Listener;
use super::lobby;
use super::reserve::{Reserve, is_lack_of_descriptors};
use super::service::Site;

/// The first pause after accepting failed, and the longest: as Go's server does it.
const PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(1));

/// What the accept loops share.
struct House {
    site: Arc<Site>,
    door: Arc<Door>,
    lobby: Arc<Semaphore>,
    stop: watch::Receiver<bool>,
}

/// Accepts and serves until `shutdown`, then drains.
pub(super) async fn serve(
    site: Arc<Site>,
    listeners: Vec<Listener>,
    shutdown: impl Future<Output = ()>,
) {
    let (stopper, stop) = watch::channel(false);
    let (places, waiting) = split(site.clients());
    let house = Arc::new(House {
        site,
        door: Arc::new(Door::new(places)),
        lobby: Arc::new(Semaphore::new(waiting)),
        stop,
    });
    let mut loops = JoinSet::new();
    for listener in listeners {
        loops.spawn(accept(Arc::clone(&house), listener.0));
    }
    shutdown.await;
    let _ = stopper.send(true);
    // Past the deadline the loops are dropped, and their connections with them.
    let ended = async { while loops.join_next().await.is_some() {} };
    let _ = timeout(limits::DRAIN, ended).await;
}

/// How many of so many connections have a place, and how many may wait for one.
fn split(clients: usize) -> (usize, usize) {
    let waiting = (clients / 2).clamp(1, limits::MAX_LOBBY);
    let places = clients.saturating_sub(waiting);
    (places.clamp(1, limits::MAX_CONNECTIONS), waiting)
}

/// Accepts from one socket until the server stops, then waits for the connections it has.
async fn accept(house: Arc<House>, listener: TcpListener) {
    let mut connections = JoinSet::new();
    let mut pause = None;
    let mut reserve = Reserve::default();
    reserve.refill();
    let mut stop = house.stop.clone();
    let mut stopped = pin!(stop.wait_for(|stop| *stop));
    loop {
        let accepted = tokio::select! {
            biased;
            _ = &mut stopped => break,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                pause = None;
                house.welcome(stream, peer.ip(), &mut connections).await;
                if !reserve.refill() {
                    house.door.close_longest_idle();
                }
            }
            Err(error) if is_lack_of_descriptors(&error) && reserve.give_up() => {}
            Err(error) => {
                if is_lack_of_descriptors(&error) {
                    house.door.close_longest_idle();
                }
                pause = wait_out(&error, pause).await;
                reserve.refill();
            }
        }
    }
    // These clients are connected already, as far as they know.
    while let Some(Ok((stream, peer))) = listener.accept().now_or_never() {
        house.welcome(stream, peer.ip(), &mut connections).await;
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

impl House {
    /// Begins to serve a connection, or has it wait in the lobby. Waits itself only while the lobby is full.
    async fn welcome(
        self: &Arc<Self>,
        stream: TcpStream,
        peer: IpAddr,
        connections: &mut JoinSet<()>,
    ) {
        // Answers are written whole; waiting for more to send would only delay them.
        let _ = stream.set_nodelay(true);
        let house = Arc::clone(self);
        if let Some(place) = self.door.enter(peer, Instant::now()) {
            connections.spawn(async move { house.seat(stream, place).await });
            return;
        }
        let permit = Arc::clone(&self.lobby).acquire_owned().await.ok();
        connections.spawn(async move { house.keep_waiting(stream, peer, permit).await });
    }

    /// Serves a connection if it finds a place in time; `permit` is its place in the lobby.
    async fn keep_waiting(
        &self,
        stream: TcpStream,
        peer: IpAddr,
        permit: Option<OwnedSemaphorePermit>,
    ) {
        if self.site.tls().is_some() {
            // What a client of TLS wants cannot be heard before there is a place for it.
            let place = lobby::place(peer, &self.door).await;
            drop(permit);
            if let Some(place) = place {
                self.seat(stream, place).await;
            }
            return;
        }
        let admitted = lobby::admit(stream, peer, &self.door).await;
        drop(permit);
        if let Some((place, stream)) = admitted {
            self.serve(stream, place).await;
        }
    }

    /// Serves a connection that has a place, after a handshake where TLS is on.
    async fn seat(&self, stream: TcpStream, place: Place) {
        let Some(config) = self.site.tls() else {
            return self.serve(stream, place).await;
        };
        let shaken = tokio::select! {
            shaken = shake(stream, config) => shaken,
            () = place.sent_away() => None,
        };
        if let Some(stream) = shaken {
            self.serve(stream, place).await;
        }
    }

    async fn serve<S>(&self, stream: S, place: Place)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (site, stop) = (Arc::clone(&self.site), self.stop.clone());
        connection::serve(site, stream, place, stop).await;
    }
}

/// Pauses after a failed accept where that helps; returns the pause made.
async fn wait_out(error: &io::Error, last: Option<Duration>) -> Option<Duration> {
    let pause = pause_after(error, last);
    if let Some(pause) = pause {
        if last.is_none() {
            tracing::warn!(%error, "connections cannot be accepted; trying again");
        }
        sleep(pause).await;
    }
    pause
}

/// How long to wait after accepting failed. Not at all if only that one connection is lost; else ever longer, for it is files or memory that lack.
fn pause_after(error: &io::Error, last: Option<Duration>) -> Option<Duration> {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    let (first, longest) = PAUSES;
    match error.kind() {
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted => None,
        _ => Some(last.map_or(first, |last| (last * 2).min(longest))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Too many open files.
    const EMFILE: i32 = 24;

    #[test]
    fn without_files_the_pause_grows_to_a_second() {
        let error = io::Error::from_raw_os_error(EMFILE);
        let next = |last: &Option<Duration>| Some(pause_after(&error, *last));
        let pauses: Vec<_> = std::iter::successors(Some(None), next)
            .skip(1)
            .take(12)
            .collect();
        assert_eq!(pauses[0], Some(PAUSES.0));
        assert_eq!(pauses[1], Some(PAUSES.0 * 2));
        assert_eq!(pauses[11], Some(PAUSES.1));
    }

    #[test]
    fn places_and_those_that_wait_are_within_what_there_are_descriptors_for() {
        assert_eq!(split(512), (limits::MAX_CONNECTIONS, limits::MAX_LOBBY));
        for clients in 2..2000 {
            let (places, waiting) = split(clients);
            assert!(places + waiting <= clients && waiting <= places && waiting >= 1);
        }
        assert_eq!(split(0), (1, 1));
    }

    #[test]
    fn a_connection_that_is_gone_costs_no_pause() {
        let error = io::ErrorKind::ConnectionAborted.into();
        assert_eq!(pause_after(&error, Some(PAUSES.1)), None);
    }
}
