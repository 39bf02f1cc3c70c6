//! AWS's clock, carried on by the monotonic one: what AWS dates is compared with it, since the wall
//! clock of this machine may be wrong, or be set at any moment.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// As long as both clocks agree so well, this machine's own counts: AWS's `Date` has whole seconds.
const AGREE: Duration = Duration::from_mins(1);
/// What is said to live longer is asked about again after this.
const LONGEST_LIFE: Duration = Duration::from_hours(24);

/// The newest reading of AWS's clock. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct AwsClock(Arc<Mutex<Option<Reading>>>);

#[derive(Debug, Clone, Copy)]
struct Reading {
    aws: SystemTime,
    at: Instant,
}

impl AwsClock {
    /// An answer that just arrived is dated so.
    pub(super) fn read(&self, aws: SystemTime) {
        let at = Instant::now();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Reading { aws, at });
    }

    /// Whether AWS has said the time at all.
    pub(super) fn is_known(&self) -> bool {
        let reading = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        reading.is_some()
    }

    /// The time as AWS has it.
    pub(super) fn now(&self) -> SystemTime {
        let reading = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        corrected(SystemTime::now(), reading, Instant::now())
    }
}

fn corrected(wall: SystemTime, reading: Option<Reading>, now: Instant) -> SystemTime {
    let Some(reading) = reading else {
        return wall;
    };
    let aws = reading.aws + now.duration_since(reading.at);
    let ahead = wall.duration_since(aws);
    let apart = ahead.unwrap_or_else(|behind| behind.duration());
    if apart <= AGREE { wall } else { aws }
}

/// When a session ends that AWS dates so; now, if it is over.
pub(super) fn end_of(expires: SystemTime, aws_now: SystemTime, now: Instant) -> Instant {
    let left = expires.duration_since(aws_now).unwrap_or_default();
    now + left.min(LONGEST_LIFE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    fn wall() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_hours(500_000)
    }

    #[test]
    fn a_wall_clock_that_agrees_with_aws_counts() {
        let at = Instant::now();
        let now = at + HOUR;
        for aws in [wall() - AGREE, wall() + AGREE] {
            let reading = Some(Reading {
                aws: aws - HOUR,
                at,
            });
            assert_eq!(corrected(wall(), reading, now), wall());
        }
        assert_eq!(corrected(wall(), None, now), wall());
    }

    #[test]
    fn aws_counts_where_the_wall_clock_is_off_or_was_set_since() {
        let at = Instant::now();
        let reading = Some(Reading { aws: wall(), at });
        for set in [wall() + HOUR, wall() - HOUR / 2] {
            let later = Duration::from_secs(10);
            assert_eq!(corrected(set + later, reading, at + later), wall() + later);
        }
    }

    #[test]
    fn an_end_is_never_in_the_past_and_never_far_away() {
        let now = Instant::now();
        assert_eq!(end_of(wall() + HOUR, wall(), now), now + HOUR);
        assert_eq!(end_of(wall(), wall() + HOUR, now), now);
        let far = wall() + HOUR * 1_000_000;
        assert_eq!(end_of(far, wall(), now), now + LONGEST_LIFE);
    }

    #[test]
    fn the_newest_reading_counts() {
        let clock = AwsClock::default();
        let behind = SystemTime::now() - HOUR;
        clock.read(SystemTime::now() + HOUR);
        clock.read(behind);
        let off = clock.now().duration_since(behind).expect("later");
        assert!(off < AGREE, "{off:?}");
    }
}
