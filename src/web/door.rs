//! The door: how many connections there may be, in all and from one peer, and who has to leave when there is no room.
//!
//! A connection that is being answered, and takes its answer, is never asked to leave. One that has
//! sent no request for a while, or takes nothing of its answer, is, the longest idle first; and
//! where all are in use, those of the peer that has most: so those who drip their requests, sit
//! idle or do not read cannot keep a scraper out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use super::limits;
use super::peer::{Peer, greediest};
use super::phase::Activity;

/// Who is in.
#[derive(Debug)]
pub(super) struct Door {
    max: usize,
    guests: Mutex<Guests>,
}

impl Default for Door {
    fn default() -> Self {
        Self::new(limits::MAX_CONNECTIONS)
    }
}

#[derive(Debug, Default)]
struct Guests {
    last: u64,
    inside: HashMap<u64, Guest>,
}

#[derive(Debug)]
struct Guest {
    peer: Peer,
    activity: Activity,
    leave: Arc<Notify>,
}

/// A place inside, given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    door: Arc<Door>,
    number: u64,
    leave: Arc<Notify>,
    /// Whose connection it is.
    pub(super) peer: Peer,
    /// What its connection is doing.
    pub(super) activity: Activity,
}

impl Door {
    /// For so many connections at once.
    pub(super) fn new(max: usize) -> Self {
        Self {
            max,
            guests: Mutex::default(),
        }
    }

    /// Lets a connection from `peer` in, if there is room or room can be made.
    pub(super) fn enter(self: &Arc<Self>, peer: impl Into<Peer>, now: Instant) -> Option<Place> {
        let peer = peer.into();
        let mut guests = self.lock();
        if !guests.make_room(peer, self.max, now) {
            return None;
        }
        guests.last += 1;
        let place = Place {
            door: Arc::clone(self),
            number: guests.last,
            leave: Arc::default(),
            peer,
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

    /// Closes the connection that has been idle longest, for the sake of its file descriptor.
    pub(super) fn close_longest_idle(&self) {
        let mut guests = self.lock();
        let longest = guests.longest_idle(|_| true);
        guests.send_away(longest.map(|(_, number)| number));
    }

    fn lock(&self) -> MutexGuard<'_, Guests> {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Guests {
    /// Whether there is room for one more of `peer`, after sending somebody away if need be: one of
    /// the same peer if that has too many.
    fn make_room(&mut self, peer: Peer, max: usize, now: Instant) -> bool {
        let of_peer = self.inside.values().filter(|g| g.peer == peer).count();
        if of_peer >= limits::MAX_CONNECTIONS_PER_PEER {
            let longest = self.long_idle(now, |guest| guest.peer == peer);
            return self.send_away(longest);
        }
        if self.inside.len() < max {
            return true;
        }
        let longest = self.long_idle(now, |_| true);
        let leaves = longest.or_else(|| self.idle_of_the_greediest(peer));
        self.send_away(leaves)
    }

    /// The one of the peer that has most that has been idle longest, however short that is.
    fn idle_of_the_greediest(&self, peer: Peer) -> Option<u64> {
        let greediest = greediest(self.inside.values().map(|guest| guest.peer), peer)?;
        let (_, number) = self.longest_idle(|guest| guest.peer == greediest)?;
        Some(number)
    }

    /// The one that has been idle longest, if that is longer than it is waited for.
    fn long_idle(&self, now: Instant, among: impl Fn(&Guest) -> bool) -> Option<u64> {
        let (since, number) = self.longest_idle(among)?;
        let idle = now.saturating_duration_since(since);
        (idle >= limits::PATIENCE_WHEN_FULL).then_some(number)
    }

    fn longest_idle(&self, among: impl Fn(&Guest) -> bool) -> Option<(Instant, u64)> {
        let candidates = self.inside.iter().filter(|(_, guest)| among(guest));
        let idle =
            candidates.filter_map(|(number, guest)| Some((guest.activity.idle_since()?, *number)));
        idle.min()
    }

    fn send_away(&mut self, number: Option<u64>) -> bool {
        let guest = number.and_then(|number| self.inside.remove(&number));
        guest.inspect(|guest| guest.leave.notify_one()).is_some()
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

#[cfg(test)]
mod tests {
    use super::super::peer::tests::peer;
    use super::*;

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
        let busy: Vec<_> = places.iter().map(|p| p.activity.answer()).collect();
        assert!(door.enter(peer(9), now).is_none());
        places.pop();
        assert!(door.enter(peer(9), now).is_some());
        drop(busy);
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
    fn a_reader_that_takes_nothing_makes_room_and_one_that_reads_does_not() {
        let (door, now) = (Arc::<Door>::default(), Instant::now());
        let places = fill(&door, 8, now);
        let _busy: Vec<_> = places.iter().map(|p| p.activity.answer()).collect();
        let later = now + limits::PATIENCE_WHEN_FULL;
        places[40].activity.wrote(false, now);
        let inside = |n: usize| door.lock().inside.contains_key(&places[n].number);
        let place = door.enter(peer(9), later);
        assert!(place.is_some() && !inside(40));
        assert!(door.enter(peer(9), later).is_none());
    }

    #[test]
    fn a_peer_with_few_gets_a_place_of_the_one_with_most_at_once() {
        let (door, now) = (Arc::<Door>::default(), Instant::now());
        let places = fill(&door, 8, now);
        let _busy: Vec<_> = places.iter().map(|p| p.activity.answer()).collect();
        for place in &places {
            place.activity.wrote(false, now);
        }
        let scraper = door.enter(peer(9), now);
        assert!(scraper.is_some());
        assert!(door.enter(peer(0), now).is_none());
    }

    #[test]
    fn fewer_descriptors_are_fewer_places() {
        let (door, now) = (Arc::new(Door::new(2)), Instant::now());
        let places = [1, 2].map(|n| door.enter(peer(n), now).expect("room"));
        assert!(door.enter(peer(3), now).is_none());
        door.close_longest_idle();
        assert!(door.enter(peer(3), now).is_some());
        drop(places);
    }
}
