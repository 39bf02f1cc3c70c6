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
