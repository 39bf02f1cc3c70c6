//! Turns at something costly: few at once, and those who wait are served peer by peer, one turn
//! each, so that a peer with many waits longer and a peer with one does not.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::super::limits;
use super::super::peer::Peer;

/// Who has a turn and who waits for one.
#[derive(Debug)]
pub(super) struct Turns(Arc<Mutex<Queue>>);

#[derive(Debug)]
struct Queue {
    free: usize,
    /// Those who wait, by peer; the peer whose turn it is next is first. No peer waits with nobody.
    peers: VecDeque<(Peer, VecDeque<oneshot::Sender<Turn>>)>,
}

/// A turn, passed on when dropped.
#[derive(Debug)]
pub(super) struct Turn(Option<Arc<Mutex<Queue>>>);

impl Turns {
    /// So many turns at once.
    pub(super) fn new(free: usize) -> Self {
        let peers = VecDeque::new();
        Self(Arc::new(Mutex::new(Queue { free, peers })))
    }

    /// A turn for `peer`; `None` if too many wait, or it took too long.
    pub(super) async fn turn(&self, peer: Peer) -> Option<Turn> {
        let waiting = {
            let mut queue = lock(&self.0);
            if queue.free > 0 {
                queue.free -= 1;
                return Some(Turn(Some(Arc::clone(&self.0))));
            }
            queue.wait(peer)?
        };
        timeout(limits::LOGIN_WAIT, waiting).await.ok()?.ok()
    }
}

impl Queue {
    /// Has `peer` wait, if not too many do. Where too many do in all, the last of the peer with
    /// most gives way.
    fn wait(&mut self, peer: Peer) -> Option<oneshot::Receiver<Turn>> {
        self.forget_those_who_left();
        let own = self.peers.iter().find(|(of, _)| *of == peer);
        let own = own.map_or(0, |(_, waiting)| waiting.len());
        if own >= limits::MAX_LOGINS_PER_PEER {
            return None;
        }
        let all: usize = self.peers.iter().map(|(_, waiting)| waiting.len()).sum();
        if all >= limits::MAX_LOGINS {
            let most = self
                .peers
                .iter_mut()
                .max_by_key(|(_, waiting)| waiting.len());
            let (_, most) = most.filter(|(_, waiting)| waiting.len() > own + 1)?;
            most.pop_back();
        }
        let (sender, receiver) = oneshot::channel();
        match self.peers.iter_mut().find(|(of, _)| *of == peer) {
            Some((_, waiting)) => waiting.push_back(sender),
            None => self.peers.push_back((peer, VecDeque::from([sender]))),
        }
        Some(receiver)
    }

    fn forget_those_who_left(&mut self) {
        for (_, waiting) in &mut self.peers {
            waiting.retain(|sender| !sender.is_closed());
        }
        self.peers.retain(|(_, waiting)| !waiting.is_empty());
    }

    /// Whose turn it is.
    fn next(&mut self) -> Option<oneshot::Sender<Turn>> {
        let (peer, mut waiting) = self.peers.pop_front()?;
        let next = waiting.pop_front();
        if !waiting.is_empty() {
            self.peers.push_back((peer, waiting));
        }
        next
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let Some(queue) = self.0.take() else { return };
        loop {
            let next = {
                let mut queue = lock(&queue);
                let next = queue.next();
                if next.is_none() {
                    queue.free += 1;
                }
                next
            };
            let Some(next) = next else { return };
            match next.send(Turn(Some(Arc::clone(&queue)))) {
                Ok(()) => return,
                // That one left; nothing is passed on twice.
                Err(mut turn) => turn.0 = None,
            }
        }
    }
}

fn lock(queue: &Mutex<Queue>) -> MutexGuard<'_, Queue> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use futures_util::future::{BoxFuture, join_all};

    use super::super::super::peer::tests::peer;
    use super::*;

    /// Those who wait, in the order in which they are given their turns.
    async fn order(
        turns: &Turns,
        first: Turn,
        waiting: Vec<BoxFuture<'_, Option<Turn>>>,
    ) -> Vec<usize> {
        let served = Mutex::new(Vec::new());
        let each = waiting.into_iter().enumerate().map(|(n, waiting)| {
            let served = &served;
            async move {
                if waiting.await.is_some() {
                    served.lock().expect("no panic").push(n);
                }
            }
        });
        let rest = async { drop(first) };
        tokio::join!(join_all(each), rest);
        assert_eq!(lock(&turns.0).free, 1, "every turn is given back");
        served.into_inner().expect("no panic")
    }

    /// Begins to wait.
    fn wait(turns: &Turns, n: usize) -> BoxFuture<'_, Option<Turn>> {
        let mut waiting = turns.turn(peer(n)).boxed();
        match (&mut waiting).now_or_never() {
            Some(turn) => async { turn }.boxed(),
            None => waiting,
        }
    }

    #[tokio::test]
    async fn a_peer_with_one_waits_for_one_turn_of_each_other() {
        let turns = Turns::new(1);
        let first = turns.turn(peer(0)).await.expect("free");
        let peers = [1, 1, 1, 2, 2, 3];
        let waiting = peers.map(|n| wait(&turns, n)).into_iter().collect();
        assert_eq!(order(&turns, first, waiting).await, [0, 3, 5, 1, 4, 2]);
    }

    #[tokio::test]
    async fn those_who_left_are_passed_over_and_no_turn_is_lost() {
        let turns = Turns::new(1);
        let first = turns.turn(peer(0)).await.expect("free");
        let mut waiting: Vec<_> = [1, 2, 3].map(|n| wait(&turns, n)).into();
        drop(waiting.remove(1));
        assert_eq!(order(&turns, first, waiting).await, [0, 1]);
        assert!(turns.turn(peer(4)).now_or_never().flatten().is_some());
    }

    #[tokio::test]
    async fn a_peer_may_have_so_many_wait_and_no_more() {
        let turns = Turns::new(1);
        let _first = turns.turn(peer(0)).await.expect("free");
        let mut waiting: Vec<_> = (0..limits::MAX_LOGINS_PER_PEER)
            .map(|_| wait(&turns, 1))
            .collect();
        assert!(wait(&turns, 1).now_or_never().expect("at once").is_none());
        waiting.pop();
        assert!(wait(&turns, 1).now_or_never().is_none());
    }

    #[tokio::test]
    async fn a_peer_with_few_takes_the_place_of_the_last_of_the_one_with_most() {
        let turns = Turns::new(1);
        let _first = turns.turn(peer(0)).await.expect("free");
        let each = (0..limits::MAX_LOGINS).map(|n| wait(&turns, n / limits::MAX_LOGINS_PER_PEER));
        let waiting: Vec<_> = each.collect();
        let few = wait(&turns, 100);
        assert!(few.now_or_never().is_none(), "it waits");
        let gone = waiting.into_iter().filter_map(FutureExt::now_or_never);
        assert_eq!(gone.filter(Option::is_none).count(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever() {
        let turns = Turns::new(1);
        let _first = turns.turn(peer(0)).await.expect("free");
        assert!(turns.turn(peer(1)).await.is_none());
    }
}
