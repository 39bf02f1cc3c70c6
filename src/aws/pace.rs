//! A pace that many callers share: first come, first served, and never faster than agreed.

use std::fmt;
use std::num::NonZeroU32;

use governor::clock::Clock;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::sync::Mutex;

/// At most so many turns a second, with a burst of one second's worth.
pub(super) struct Pace {
    limiter: DefaultDirectRateLimiter,
    /// Whoever waits for the limiter holds this; it is fair, so nobody is overtaken for ever.
    queue: Mutex<()>,
}

impl Pace {
    /// A fresh pace, its burst unspent.
    pub(super) fn new(per_second: NonZeroU32) -> Self {
        Self {
            limiter: RateLimiter::direct(Quota::per_second(per_second)),
            queue: Mutex::new(()),
        }
    }

    /// Waits for one turn.
    pub(super) async fn turn(&self) {
        let _first_in_line = self.queue.lock().await;
        while let Err(early) = self.limiter.check() {
            tokio::time::sleep(early.wait_time_from(self.limiter.clock().now())).await;
        }
    }
}

impl fmt::Debug for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pace")
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[tokio::test]
    async fn a_burst_is_free_and_what_follows_is_paced() {
        let pace = Pace::new(NonZeroU32::new(20).expect("not zero"));
        let start = Instant::now();
        for _ in 0..20 {
            pace.turn().await;
        }
        let burst = start.elapsed();
        for _ in 0..4 {
            pace.turn().await;
        }
        let all = start.elapsed();
        assert!(burst < Duration::from_millis(150), "{burst:?}");
        assert!(all >= Duration::from_millis(150), "{all:?}");
    }
}
