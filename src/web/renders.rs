//! How many answers may be rendered at once. An answer counts while its reader takes it; one whose
//! reader has stopped reading costs no time and gives its place to others until it reads on. Where
//! places are short, the clients that have most give some to those that have fewer: slow or greedy
//! readers cannot keep a scraper out.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::time::{Sleep, sleep};

use super::limits;
use super::peer::{Peer, greediest};
use super::service::Client;

/// The answers being rendered.
#[derive(Debug)]
pub(super) struct Renders {
    max: usize,
    active: Mutex<Active>,
}

#[derive(Debug, Default)]
struct Active {
    last: u64,
    holders: Vec<Holder>,
}

/// Who holds a place.
#[derive(Debug, Clone)]
struct Holder {
    number: u64,
    client: Client,
}

/// The right to render one answer.
#[derive(Debug)]
pub(super) struct Render {
    renders: Arc<Renders>,
    holder: Holder,
    /// Until it is looked again for a place, while it has none.
    retry: Option<Pin<Box<Sleep>>>,
}

impl Renders {
    /// At most `max` at once; 0 for any number.
    pub(super) fn new(max: usize) -> Self {
        let max = if max == 0 { usize::MAX } else { max };
        Self {
            max,
            active: Mutex::default(),
        }
    }

    /// One more for a client, if there is a place for it.
    pub(super) fn begin(self: &Arc<Self>, client: &Client, now: Instant) -> Option<Render> {
        let mut active = self.lock();
        active.last += 1;
        let holder = Holder {
            number: active.last,
            client: client.clone(),
        };
        active.enter(&holder, self.max, now).then(|| Render {
            renders: Arc::clone(self),
            holder,
            retry: None,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Active> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Active {
    /// Takes a free place, or that of one that has to give way.
    fn enter(&mut self, new: &Holder, max: usize, now: Instant) -> bool {
        if self.holders.len() >= max {
            let Some(number) = gives_way(&self.holders, new.client.peer, now) else {
                return false;
            };
            self.leave(number);
        }
        self.holders.push(new.clone());
        true
    }

    fn leave(&mut self, number: u64) {
        self.holders.retain(|holder| holder.number != number);
    }
}

impl Holder {
    /// For how long its reader has taken nothing.
    fn stalled(&self, now: Instant) -> Duration {
        let since = self.client.activity.blocked_since();
        since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }
}

/// Who gives its place to `peer`: whose reader has taken nothing for longest, if that is long; else
/// the most stalled one of the client that has most, if that is much more than `peer` has.
fn gives_way(holders: &[Holder], peer: Peer, now: Instant) -> Option<u64> {
    let longest = holders.iter().max_by_key(|holder| holder.stalled(now));
    let stalled = longest.filter(|holder| holder.stalled(now) >= limits::RENDER_STALL);
    let giver = stalled.or_else(|| {
        let most = greediest(holders.iter().map(|holder| holder.client.peer), peer)?;
        let of_most = holders.iter().filter(|holder| holder.client.peer == most);
        of_most.max_by_key(|holder| holder.stalled(now))
    });
    giver.map(|holder| holder.number)
}

impl Render {
    /// The reader asks for more. Ready if the place is still held, or as soon as there is another.
    pub(super) fn poll_place(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if self.has_place(Instant::now()) {
                self.retry = None;
                return Poll::Ready(());
            }
            let again = || Box::pin(sleep(limits::RENDER_STALL));
            let retry = self.retry.get_or_insert_with(again);
            if retry.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.retry = None;
        }
    }

    fn has_place(&self, now: Instant) -> bool {
        let mut active = self.renders.lock();
        let number = self.holder.number;
        let mut holders = active.holders.iter();
        holders.any(|holder| holder.number == number)
            || active.enter(&self.holder, self.renders.max, now)
    }
}

impl Drop for Render {
    fn drop(&mut self) {
        self.renders.lock().leave(self.holder.number);
    }
}

#[cfg(test)]
mod tests {
    use super::super::peer::tests::peer;
    use super::super::phase::Activity;
    use super::*;

    fn renders(max: usize) -> (Arc<Renders>, Instant) {
        (Arc::new(Renders::new(max)), Instant::now())
    }

    /// A connection of the `n`th peer.
    fn client(n: usize) -> Client {
        Client {
            peer: peer(n),
            activity: Activity::new(Instant::now()),
        }
    }

    #[test]
    fn no_more_than_the_limit_are_rendered_at_once() {
        let (renders, now) = renders(2);
        let first = renders.begin(&client(1), now).expect("a place");
        let _second = renders.begin(&client(1), now).expect("a place");
        let long = now + limits::RESPONSE_WRITE;
        assert!(renders.begin(&client(1), long).is_none());
        drop(first);
        assert!(renders.begin(&client(1), now).is_some());
    }

    #[test]
    fn a_reader_that_stopped_reading_gives_its_place_away_and_gets_one_when_it_reads_on() {
        let (renders, now) = renders(2);
        let slow = client(1);
        let stalled = renders.begin(&slow, now).expect("a place");
        let reading = renders.begin(&client(1), now).expect("a place");
        slow.activity.wrote(false, now);
        assert!(renders.begin(&client(1), now).is_none());
        let later = now + limits::RENDER_STALL;
        let third = renders.begin(&client(1), later);
        let third = third.expect("that of the stalled one");
        assert!(renders.begin(&client(1), later).is_none());
        slow.activity.wrote(true, later);
        assert!(!stalled.has_place(later));
        drop(reading);
        assert!(stalled.has_place(later));
        assert!(renders.begin(&client(1), later).is_none());
        drop((stalled, third));
        assert!(renders.lock().holders.is_empty());
    }

    #[test]
    fn peers_share_the_places() {
        let (renders, now) = renders(4);
        let begin = |n| renders.begin(&client(n), now);
        let greedy: Vec<_> = (0..4).map(|_| begin(1)).collect();
        assert!(begin(1).is_none());
        let scraper = begin(2).expect("one of its places");
        let second = begin(2).expect("half of them");
        assert!(begin(2).is_none());
        let third = begin(3).expect("one of two");
        let fourth = begin(4).expect("one of two");
        assert!(begin(5).is_none(), "all have one");
        drop((greedy, scraper, second, third, fourth));
    }

    #[test]
    fn the_most_stalled_of_a_peer_gives_way_first() {
        let (renders, now) = renders(3);
        let clients = [0; 3].map(|_| client(1));
        let [first, second, third] = clients.each_ref().map(|client| {
            let render = renders.begin(client, now);
            render.expect("a place")
        });
        let soon = now + limits::RENDER_STALL / 4;
        clients[0].activity.wrote(false, soon);
        clients[1].activity.wrote(false, now);
        let _scraper = renders.begin(&client(2), soon).expect("a place");
        let held = |render: &Render| {
            let active = renders.lock();
            active
                .holders
                .iter()
                .any(|h| h.number == render.holder.number)
        };
        assert!(held(&first) && !held(&second) && held(&third));
    }

    #[tokio::test]
    async fn one_without_a_place_waits_for_one() {
        let (renders, now) = renders(1);
        let slow = client(1);
        let mut waiting = renders.begin(&slow, now).expect("a place");
        slow.activity.wrote(false, now);
        let later = now + limits::RENDER_STALL;
        let other = renders.begin(&client(2), later).expect("its place");
        let again = std::future::poll_fn(|cx| waiting.poll_place(cx));
        let ends = async {
            tokio::task::yield_now().await;
            drop(other);
        };
        tokio::join!(again, ends);
        slow.activity.wrote(true, later);
        assert!(renders.begin(&client(3), Instant::now()).is_none());
    }

    #[test]
    fn zero_is_no_limit() {
        let (renders, now) = renders(0);
        let all: Option<Vec<_>> = (0..1000).map(|_| renders.begin(&client(1), now)).collect();
        assert!(all.is_some());
    }
}
