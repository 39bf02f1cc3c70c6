//! The gate: how many polls are under way at once. First come, first served.
//!
//! A poll that AWS keeps waiting would hold its place for the whole deadline, and a few hundred such accounts would stop the fleet. So a poll that is
//! slow gives its place to the next one and goes on beside, where there is room for [`BESIDE`] times as many; only then do slow polls keep places.
//!
//! When AWS does not answer anybody, a large fleet waits here. It must not rush in all at once when AWS is back: polls that come late take turns, at twice
//! the usual rate.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, Semaphore};
use tokio::time::{Instant, sleep_until, timeout};

/// After this a poll is slow: several times what three calls and a retry take.
const SLOW_AFTER: Duration = Duration::from_secs(5);
/// Slow polls beside the others, for each place; they do nothing but wait, so they cost memory alone (some 50 KB each).
const BESIDE: usize = 4;
/// Who waited longer than this for a place comes late.
const LATE_AFTER: Duration = Duration::from_secs(1);
/// How much faster than usual late polls are made up for: enough to end, and no herd.
const CATCH_UP: f64 = 2.0;

/// Places for polls.
#[derive(Debug)]
pub struct Gate {
    places: Semaphore,
    beside: Semaphore,
    size: usize,
    /// How many polls a second are usual, in bits.
    rate: AtomicU64,
    /// When the last late poll began.
    last_late: Mutex<Option<Instant>>,
}

impl Gate {
    /// A gate for `concurrency` polls at once.
    pub fn new(concurrency: usize) -> Self {
        let places = concurrency.clamp(1, Semaphore::MAX_PERMITS / BESIDE);
        Self {
            places: Semaphore::new(places),
            beside: Semaphore::new(places * BESIDE),
            size: places,
            rate: AtomicU64::default(),
            last_late: Mutex::default(),
        }
    }

    /// So many polls a second are usual from now on.
    pub fn expect(&self, rate: f64) {
        self.rate.store(rate.to_bits(), Ordering::Relaxed);
    }

    /// Runs `poll` as soon as there is a place for it. It is made only then.
    pub async fn pass<P: Future>(&self, haste: Haste, poll: impl FnOnce() -> P) -> P::Output {
        let came = Instant::now();
        // The semaphores are never closed, so that a place is always had.
        let place = self.places.acquire().await.ok();
        if haste == Haste::InTurn && came.elapsed() > LATE_AFTER {
            self.turn().await;
        }
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

    /// Waits for the turn of a late poll.
    async fn turn(&self) {
        let mut last = self.last_late.lock().await;
        if let Some(last) = *last {
            sleep_until(last + self.pause()).await;
        }
        *last = Some(Instant::now());
    }

    /// Between two late polls. Where the fleet is small for its places they bound it well enough: each has a turn a second.
    fn pause(&self) -> Duration {
        let usual = f64::from_bits(self.rate.load(Ordering::Relaxed));
        let places = f64::from(u32::try_from(self.size).unwrap_or(u32::MAX));
        Duration::from_secs(1).div_f64(places.max(CATCH_UP * usual))
    }
}

/// How a poll may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Haste {
    /// As fast as there are places: the first poll of an account.
    AtOnce,
    /// If it is late, in turn.
    InTurn,
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;

    use tokio::time::sleep;

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
            tokio::spawn(async move { gate.pass(Haste::AtOnce, poll).await })
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

    /// How many of those who wait behind a poll of this length come in within a second after it.
    async fn come_in_after(behind: Duration, rate: f64, haste: Haste) -> usize {
        let gate = Arc::new(Gate::new(1));
        gate.expect(rate);
        let first = gate.pass(haste, || sleep(behind));
        let came = Arc::new(AtomicUsize::new(0));
        let waiting = (0..1_000).map(|_| {
            let (gate, came) = (Arc::clone(&gate), Arc::clone(&came));
            let poll = async move || {
                came.fetch_add(1, Ordering::SeqCst);
            };
            tokio::spawn(async move { gate.pass(haste, poll).await })
        });
        let waiting: Vec<_> = waiting.collect();
        tokio::join!(first, sleep(behind + Duration::from_millis(999)));
        waiting.iter().for_each(tokio::task::JoinHandle::abort);
        came.load(Ordering::SeqCst)
    }

    #[tokio::test(start_paused = true)]
    async fn late_polls_come_in_at_twice_the_usual_rate_and_first_ones_at_once() {
        let late = Duration::from_secs(3);
        assert_eq!(come_in_after(late, 25.0, Haste::InTurn).await, 50);
        assert_eq!(come_in_after(late, 0.01, Haste::InTurn).await, 1);
        assert_eq!(come_in_after(late, 25.0, Haste::AtOnce).await, 1_000);
        let soon = Duration::from_millis(500);
        assert_eq!(come_in_after(soon, 25.0, Haste::InTurn).await, 1_000);
    }
}
