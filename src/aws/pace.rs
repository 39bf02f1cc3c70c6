//! A pace that many callers share: first come, first served, and never faster than agreed.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

/// What the pace is counted over.
const WINDOW: Duration = Duration::from_secs(1);

/// At most so many turns in any second: a bucket that refills while it is emptied would allow twice as many in the first.
#[derive(Debug)]
pub(super) struct Pace {
    per_window: usize,
    /// When the last turns were taken, oldest first. Whoever waits for the oldest to be a second ago holds this; it is fair, so nobody is overtaken for
    /// ever.
    taken: Mutex<VecDeque<Instant>>,
}

impl Pace {
    /// A fresh pace, no turn taken.
    pub(super) fn new(per_second: NonZeroU32) -> Self {
        Self {
            per_window: usize::try_from(per_second.get()).unwrap_or(usize::MAX),
            taken: Mutex::default(),
        }
    }

    /// Waits for one turn.
    pub(super) async fn turn(&self) {
        let mut taken = self.taken.lock().await;
        if taken.len() >= self.per_window
            && let Some(oldest) = taken.front()
        {
            sleep_until(*oldest + WINDOW).await;
            taken.pop_front();
        }
        // Most accounts take three turns a poll, and a queue would begin with room for four.
        taken.reserve_exact(1);
        taken.push_back(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn pace(per_second: u32) -> Arc<Pace> {
        Arc::new(Pace::new(NonZeroU32::new(per_second).expect("not zero")))
    }

    /// When each of so many callers who come at once gets its turn.
    async fn turns(pace: &Arc<Pace>, callers: usize) -> Vec<Duration> {
        let began = Instant::now();
        let turns = (0..callers).map(|_| {
            let pace = Arc::clone(pace);
            tokio::spawn(async move {
                pace.turn().await;
                began.elapsed()
            })
        });
        let turns = futures_util::future::join_all(turns.collect::<Vec<_>>()).await;
        turns
            .into_iter()
            .map(|turn| turn.expect("a turn"))
            .collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_free_and_what_follows_is_paced() {
        let turns = turns(&pace(5), 12).await;
        let seconds: Vec<u64> = turns.iter().map(Duration::as_secs).collect();
        assert_eq!(seconds, [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2]);
    }

    #[tokio::test(start_paused = true)]
    async fn no_second_has_more_turns_than_agreed_whenever_it_begins() {
        let pace = pace(5);
        let mut turns = Vec::new();
        let began = Instant::now();
        for n in 0..60_u64 {
            pace.turn().await;
            turns.push(began.elapsed());
            tokio::time::sleep(Duration::from_millis(37 * (n % 7))).await;
        }
        let within = |from: &Duration| {
            let second = *from..*from + WINDOW;
            turns.iter().filter(|turn| second.contains(*turn)).count()
        };
        assert!(turns.iter().all(|from| within(from) <= 5), "{turns:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_who_gives_up_takes_no_turn() {
        let pace = pace(1);
        pace.turn().await;
        let soon = Duration::from_millis(500);
        assert!(tokio::time::timeout(soon, pace.turn()).await.is_err());
        let began = Instant::now();
        pace.turn().await;
        assert_eq!(began.elapsed(), soon);
    }
}
