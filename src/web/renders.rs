//! How many answers may be rendered at once. An answer counts while its reader takes it; one whose reader has stopped
//! reading costs no time and gives its place to others until it reads on. Where places are short, the clients that
//! have most give some to those that have fewer: slow or greedy readers cannot keep a scraper out.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::time::{Sleep, sleep};

use super::limits;
use super::peer::{Peer, greediest};

/// The answers being rendered.
#[derive(Debug)]
pub(super) struct Renders {
    max: usize,
    active: Mutex<Active>,
}

#[derive(Debug, Default)]
struct Active {
    last: u64,
    renders: Vec<Holder>,
}

/// Who holds a place, and when it was last used.
#[derive(Debug, Clone, Copy)]
struct Holder {
    number: u64,
    peer: Peer,
    used: Instant,
}

/// The right to render one answer.
#[derive(Debug)]
pub(super) struct Render {
    renders: Arc<Renders>,
    number: u64,
    peer: Peer,
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

    /// One more for `peer`, if there is a place for it.
    pub(super) fn begin(self: &Arc<Self>, peer: Peer, now: Instant) -> Option<Render> {
        let mut active = self.lock();
        active.last += 1;
        let number = active.last;
        let new = Holder {
            number,
            peer,
            used: now,
        };
        active.enter(new, self.max).then(|| Render {
            renders: Arc::clone(self),
            number,
            peer,
            retry: None,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Active> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Active {
    /// Takes a free place, or that of one that has to give way.
    fn enter(&mut self, new: Holder, max: usize) -> bool {
        if self.renders.len() >= max {
            let Some(number) = gives_way(&self.renders, new.peer, new.used) else {
                return false;
            };
            self.renders.retain(|holder| holder.number != number);
        }
        self.renders.push(new);
        true
    }
}

/// Who gives its place to `peer` at `now`: who has made no use of it for longest, if that is long; else the one of the
/// client that has most, if that is much more than `peer` has.
fn gives_way(holders: &[Holder], peer: Peer, now: Instant) -> Option<u64> {
    let stalled = |holder: &Holder| now.saturating_duration_since(holder.used);
    let most_stalled = |of: Option<Peer>| {
        holders
            .iter()
            .filter(|h| of.is_none_or(|of| of == h.peer))
            .max_by_key(|h| stalled(h))
    };
    let longest = most_stalled(None).filter(|holder| stalled(holder) >= limits::RENDER_STALL);
    let giver = longest.or_else(|| {
        let greediest = greediest(holders.iter().map(|holder| holder.peer), peer)?;
        most_stalled(Some(greediest))
    });
    giver.map(|holder| holder.number)
}

impl Render {
    /// The reader asks for more. Ready if the place is still held, or as soon as there is another.
    pub(super) fn poll_place(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if self.use_place(Instant::now()) {
                self.retry = None;
                return Poll::Ready(());
            }
            let retry = self
                .retry
                .get_or_insert_with(|| Box::pin(sleep(limits::RENDER_STALL)));
            if retry.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.retry = None;
        }
    }

    fn use_place(&self, now: Instant) -> bool {
        let mut active = self.renders.lock();
        let mut renders = active.renders.iter_mut();
        if let Some(own) = renders.find(|holder| holder.number == self.number) {
            own.used = now;
            return true;
        }
        let (number, peer) = (self.number, self.peer);
        let again = Holder {
            number,
            peer,
            used: now,
        };
        active.enter(again, self.renders.max)
    }
}

impl Drop for Render {
    fn drop(&mut self) {
        let mut active = self.renders.lock();
        active.renders.retain(|holder| holder.number != self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::peer::tests::peer;
    use super::*;

    fn renders(max: usize) -> (Arc<Renders>, Instant) {
        (Arc::new(Renders::new(max)), Instant::now())
    }

    #[test]
    fn no_more_than_the_limit_are_rendered_at_once() {
        let (renders, now) = renders(2);
        let first = renders.begin(peer(1), now).expect("a place");
        let _second = renders.begin(peer(1), now).expect("a place");
        assert!(renders.begin(peer(1), now).is_none());
        drop(first);
        assert!(renders.begin(peer(1), now).is_some());
    }

    #[test]
    fn a_reader_that_stopped_reading_gives_its_place_away_and_gets_one_when_it_reads_on() {
        let (renders, now) = renders(2);
        let stalled = renders.begin(peer(1), now).expect("a place");
        let reading = renders.begin(peer(1), now).expect("a place");
        let later = now + limits::RENDER_STALL;
        assert!(reading.use_place(later));
        let third = renders
            .begin(peer(1), later)
            .expect("that of the stalled one");
        assert!(renders.begin(peer(1), later).is_none());
        assert!(!stalled.use_place(later));
        drop(reading);
        assert!(stalled.use_place(later));
        assert!(renders.begin(peer(1), later).is_none());
        drop((stalled, third));
        assert!(renders.lock().renders.is_empty());
    }

    #[test]
    fn peers_share_the_places() {
        let (renders, now) = renders(4);
        let greedy: Vec<_> = (0..4).map(|_| renders.begin(peer(1), now)).collect();
        assert!(renders.begin(peer(1), now).is_none());
        let scraper = renders.begin(peer(2), now).expect("one of its places");
        let second = renders.begin(peer(2), now).expect("half of them");
        assert!(renders.begin(peer(2), now).is_none());
        let third = renders.begin(peer(3), now).expect("one of two");
        let fourth = renders.begin(peer(4), now).expect("one of two");
        assert!(renders.begin(peer(5), now).is_none(), "all have one");
        drop((greedy, scraper, second, third, fourth));
    }

    #[test]
    fn the_most_stalled_of_a_peer_gives_way_first() {
        let (renders, now) = renders(3);
        let [first, second, third] = [0; 3].map(|_| renders.begin(peer(1), now).expect("a place"));
        let soon = now + Duration::from_millis(1);
        assert!(first.use_place(soon) && third.use_place(soon));
        let _scraper = renders.begin(peer(2), soon).expect("a place");
        assert!(first.use_place(soon) && third.use_place(soon));
        assert!(!second.use_place(soon));
    }

    #[tokio::test]
    async fn one_without_a_place_waits_for_one() {
        let (renders, now) = renders(1);
        let mut waiting = renders.begin(peer(1), now).expect("a place");
        let later = now + limits::RENDER_STALL;
        let other = renders.begin(peer(2), later).expect("its place");
        let again = std::future::poll_fn(|cx| waiting.poll_place(cx));
        let ends = async {
            tokio::task::yield_now().await;
            drop(other);
        };
        tokio::join!(again, ends);
        assert!(renders.begin(peer(3), Instant::now()).is_none());
    }

    #[test]
    fn zero_is_no_limit() {
        let (renders, now) = renders(0);
        let all: Option<Vec<_>> = (0..1000).map(|_| renders.begin(peer(1), now)).collect();
        assert!(all.is_some());
    }
}
