//! The gate: how many polls are under way at once. First come, first served.
//!
//! A poll that AWS keeps waiting would hold its place for the whole deadline, and a few hundred such accounts would stop the fleet. So a poll that is
//! slow gives its place to the next one and goes on beside, where there is room for [`BESIDE`] times as many; only then do slow polls keep places.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

/// After this a poll is slow: several times what three calls and a retry take.
const SLOW_AFTER: Duration = Duration::from_secs(5);
/// Slow polls beside the others, for each place; they do nothing but wait, so they cost memory alone (some 50 KB each).
const BESIDE: usize = 4;

/// Places for polls.
#[derive(Debug)]
pub struct Gate {
    places: Semaphore,
    beside: Semaphore,
}

impl Gate {
    /// A gate for `concurrency` polls at once.
    pub fn new(concurrency: usize) -> Self {
        let places = concurrency.clamp(1, Semaphore::MAX_PERMITS / BESIDE);
        Self {
            places: Semaphore::new(places),
            beside: Semaphore::new(places * BESIDE),
        }
    }

    /// Runs `poll` as soon as there is a place for it. It is made only then.
    pub async fn pass<P: Future>(&self, poll: impl FnOnce() -> P) -> P::Output {
        // The semaphores are never closed, so that a place is always had.
        let place = self.places.acquire().await.ok();
        let mut poll = pin!(poll());
        if let Ok(ended) = timeout(SLOW_AFTER, &mut poll).await {
            return ended;
        }
        let _beside = tokio::select! {
            biased;
            ended = &mut poll => return ended,
            beside = self.beside.acquire() => beside.ok(),
        };
        drop(place);
        poll.await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::time::{Instant, sleep};

    use super::*;

    /// How long `polls` of this length take to pass a gate, and how many were under way at once.
    async fn passed(concurrency: usize, polls: usize, each: Duration) -> (Duration, usize) {
        let (gate, began) = (Arc::new(Gate::new(concurrency)), Instant::now());
        let counts = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
        let passing = (0..polls).map(|_| {
            let (gate, counts) = (Arc::clone(&gate), Arc::clone(&counts));
            let poll = async move || {
                let now = counts.0.fetch_add(1, Ordering::SeqCst) + 1;
                counts.1.fetch_max(now, Ordering::SeqCst);
                sleep(each).await;
                counts.0.fetch_sub(1, Ordering::SeqCst);
            };
            tokio::spawn(async move { gate.pass(poll).await })
        });
        for passed in passing.collect::<Vec<_>>() {
            passed.await.expect("it ends");
        }
        (began.elapsed(), counts.1.load(Ordering::SeqCst))
    }

    #[tokio::test(start_paused = true)]
    async fn quick_polls_are_no_more_at_once_than_there_are_places() {
        let (took, most) = passed(4, 40, Duration::from_secs(1)).await;
        assert_eq!((took.as_secs(), most), (10, 4));
    }

    #[tokio::test(start_paused = true)]
    async fn slow_polls_go_on_beside_until_there_is_no_room() {
        let (_, most) = passed(2, 40, Duration::from_mins(1)).await;
        assert_eq!(most, 2 + 2 * BESIDE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_poll_loses_no_time_by_giving_its_place() {
        let (took, _) = passed(1, 2, Duration::from_mins(1)).await;
        assert_eq!(took, Duration::from_mins(1) + SLOW_AFTER);
    }

    #[tokio::test(start_paused = true)]
    async fn a_gate_without_places_has_one() {
        let (_, most) = passed(0, 3, Duration::from_secs(1)).await;
        assert_eq!(most, 1);
    }
}
