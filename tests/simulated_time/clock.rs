//! Two clocks that the sequence moves, beside tokio's own, which only goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use cloudtrail_exporter::timestamp::Timestamp;
use tokio::time::Instant;

/// When every sequence begins, by the wall clock.
const EPOCH: Duration = Duration::from_hours(500_000);
/// How long the host has been up then.
const UP: Duration = Duration::from_hours(1_000);

/// The clocks. Clones are the same clocks.
#[derive(Clone)]
pub(crate) struct Clocks {
    began: Instant,
    /// How far the wall clock is ahead of tokio's, in milliseconds.
    wall: Arc<AtomicI64>,
    /// How far boot time is ahead of it.
    boot: Arc<AtomicI64>,
}

impl Clocks {
    pub(crate) fn new() -> Self {
        Self {
            began: Instant::now(),
            wall: Arc::default(),
            boot: Arc::default(),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        let gone = self.began.elapsed();
        let ahead = |clock: &AtomicI64| clock.load(Ordering::Relaxed);
        let wall = moved(EPOCH + gone, ahead(&self.wall));
        Timestamp::new(
            SystemTime::UNIX_EPOCH + wall,
            moved(UP + gone, ahead(&self.boot)),
        )
    }

    /// Somebody sets the wall clock so many seconds on, or back.
    pub(crate) fn set_wall(&self, seconds: i64) {
        self.wall.fetch_add(seconds * 1_000, Ordering::Relaxed);
    }

    /// The host sleeps: boot time and the wall clock go on, and nothing else.
    pub(crate) fn sleep(&self, seconds: u32) {
        let millis = i64::from(seconds) * 1_000;
        self.wall.fetch_add(millis, Ordering::Relaxed);
        self.boot.fetch_add(millis, Ordering::Relaxed);
    }
}

fn moved(time: Duration, millis: i64) -> Duration {
    let by = Duration::from_millis(millis.unsigned_abs());
    if millis < 0 {
        return time.saturating_sub(by);
    }
    time + by
}
