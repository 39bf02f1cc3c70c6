//! The door: how many connections there may be, in all and from one peer, and who has to leave when there is no room.
//!
//! A connection that is being answered is never asked to leave. One that has sent no request for a while is, the longest waiting first: so those who
//! drip their requests or sit idle cannot keep a scraper out.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use super::limits;
use super::phase::{Activity, Phase};

/// Who is in.
#[derive(Debug, Default)]
pub(super) struct Door(Mutex<Guests>);

#[derive(Debug, Default)]
struct Guests {
    last: u64,
    inside: HashMap<u64, Guest>,
}

#[derive(Debug)]
struct Guest {
    peer: IpAddr,
    activity: Activity,
    leave: Arc<Notify>,
}

/// A place inside, given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    door: Arc<Door>,
    number: u64,
    leave: Arc<Notify>,
    /// What its connection is doing.
    pub(super) activity: Activity,
}

impl Door {
    /// Lets a connection from `peer` in, if there is room or room can be made.
    pub(super) fn enter(self: &Arc<Self>, peer: IpAddr, now: Instant) -> Option<Place> {
        let peer = network(peer);
        let mut guests = self.lock();
        if !guests.make_room(peer, now) {
            return None;
        }
        guests.last += 1;
        let place = Place {
            door: Arc::clone(self),
            number: guests.last,
            leave: Arc::default(),
            activity: Activity::new(now),
        };
        let guest = Guest {
            peer,
            activity: place.activity.clone(),
            leave: Arc::clone(&place.leave),
        };
        guests.inside.insert(place.number, guest);
        Some(place)
    }

    fn lock(&self) -> MutexGuard<'_, Guests> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Guests {
    /// Whether there is room for one more of `peer`, after sending somebody away if need be: one of the same peer if that has too many.
    fn make_room(&mut self, peer: IpAddr, now: Instant) -> bool {
        let of_peer = self.inside.values().filter(|g| g.peer == peer).count();
        if of_peer >= limits::MAX_CONNECTIONS_PER_PEER {
            return self.send_away(now, |guest| guest.peer == peer);
        }
        self.inside.len() < limits::MAX_CONNECTIONS || self.send_away(now, |_| true)
    }

    fn send_away(&mut self, now: Instant, among: impl Fn(&Guest) -> bool) -> bool {
        let candidates = self.inside.iter().filter(|(_, guest)| among(guest));
        let waiting =
            candidates.filter_map(|(number, guest)| Some((guest.waiting_since()?, *number)));
        let Some((since, number)) = waiting.min() else {
            return false;
        };
        if now.saturating_duration_since(since) < limits::PATIENCE_WHEN_FULL {
            return false;
        }
        if let Some(guest) = self.inside.remove(&number) {
            guest.leave.notify_one();
        }
        true
    }
}

impl Guest {
    fn waiting_since(&self) -> Option<Instant> {
        match self.activity.phase() {
            Phase::Waiting { since, .. } => Some(since),
            Phase::Answering | Phase::Flushing => None,
        }
    }
}

impl Place {
    /// Ready when the connection has to leave.
    pub(super) async fn sent_away(&self) {
        self.leave.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.door.lock().inside.remove(&self.number);
    }
}

/// What counts as one peer: an IPv4 address, or a /64 network of IPv6, which is what one customer gets.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn peer(n: usize) -> IpAddr {
        Ipv4Addr::from_bits(0x7f00_0000 + u32::try_from(n).expect("small")).into()
    }

    fn fill(door: &Arc<Door>, peers: usize, now: Instant) -> Vec<Place> {
        let each = |p| (0..limits::MAX_CONNECTIONS_PER_PEER).map(move |_| peer(p));
        let all = (0..peers).flat_map(each);
        all.map(|peer| door.enter(peer, now).expect("room"))
            .collect()
    }

    #[test]
    fn one_peer_cannot_have_them_all() {
        let (door, now) = (Arc::<Door>::default(), Instant::now());
        let _places = fill(&door, 1, now);
        assert!(door.enter(peer(0), now).is_none());
        assert!(door.enter(peer(1), now).is_some());
    }

    #[test]
    fn a_full_house_takes_nobody_until_a_place_is_given_back() {
        let (door, now) = (Arc::<Door>::default(), Instant::now());
        let mut places = fill(&door, 8, now);
        assert_eq!(places.len(), limits::MAX_CONNECTIONS);
        assert!(door.enter(peer(9), now).is_none());
        places.pop();
        assert!(door.enter(peer(9), now).is_some());
    }

    #[tokio::test]
    async fn the_longest_waiting_makes_room_for_a_new_one() {
        let (door, now) = (Arc::<Door>::default(), Instant::now());
        let places = fill(&door, 8, now);
        let _busy = places[0].activity.answer();
        let later = now + limits::PATIENCE_WHEN_FULL;
        assert!(door.enter(peer(9), later).is_some());
        places[1].sent_away().await;
    }

    #[tokio::test]
    async fn a_peer_with_too_many_makes_room_among_its_own() {
        let (door, now) = (Arc::<Door>::default(), Instant::now());
        let other = door.enter(peer(7), now).expect("room");
        let later = now + limits::PATIENCE_WHEN_FULL;
        let places = fill(&door, 1, now);
        assert!(door.enter(peer(0), later).is_some());
        places[0].sent_away().await;
        drop(other);
    }

    #[test]
    fn nobody_who_is_being_answered_has_to_leave() {
        let (door, now) = (Arc::<Door>::default(), Instant::now());
        let places = fill(&door, 8, now);
        let _busy: Vec<_> = places.iter().map(|p| p.activity.answer()).collect();
        let later = now + limits::RESPONSE_WRITE;
        assert!(door.enter(peer(9), later).is_none());
    }

    #[test]
    fn an_ipv6_network_and_a_mapped_ipv4_address_are_one_peer_each() {
        let parse = |text: &str| network(text.parse().expect("an address"));
        assert_eq!(parse("2001:db8::1"), parse("2001:db8::ffff:2"));
        assert_ne!(parse("2001:db8::1"), parse("2001:db8:0:1::1"));
        assert_eq!(parse("::ffff:192.0.2.1"), parse("192.0.2.1"));
    }
}
