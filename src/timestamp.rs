//! A moment by two clocks. The wall clock can be set; boot time cannot, and it runs on while the
//! host sleeps. Neither is read here: `now` is an argument everywhere but in [`crate::clock`].

use std::ops::{Add, Sub};
use std::time::{Duration, SystemTime};

/// A moment by the wall clock and by boot time, to the nanosecond. Two of them have no order: the
/// clocks may disagree about which was first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timestamp {
    /// Nanoseconds since the UNIX epoch: the years 1677 to 2262, in half the bytes of a
    /// [`SystemTime`] and a [`Duration`].
    wall: i64,
    /// Nanoseconds since the host was started.
    boot: i64,
}

impl Timestamp {
    /// The moment at which the clocks show this. Times outside 1677 to 2262 are cut off there.
    pub fn new(wall: SystemTime, boot: Duration) -> Self {
        let wall = match wall.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => nanos(after),
            Err(before) => -nanos(before.duration()),
        };
        let boot = nanos(boot);
        Self { wall, boot }
    }

    /// What the wall clock showed.
    pub fn wall(self) -> SystemTime {
        let apart = Duration::from_nanos(self.wall.unsigned_abs());
        if self.wall < 0 {
            return SystemTime::UNIX_EPOCH - apart;
        }
        SystemTime::UNIX_EPOCH + apart
    }

    /// How long the host had been up.
    pub fn boot(self) -> Duration {
        Duration::from_nanos(self.boot.try_into().unwrap_or_default())
    }

    /// The earlier of two moments by each clock.
    #[must_use]
    pub fn earliest(self, other: Self) -> Self {
        Self {
            wall: self.wall.min(other.wall),
            boot: self.boot.min(other.boot),
        }
    }

    /// The later of two moments by boot time, which alone orders all moments of one host.
    #[must_use]
    pub fn latest(self, other: Self) -> Self {
        if other.boot > self.boot { other } else { self }
    }

    /// Whether it is past a limit by either clock.
    pub fn is_past(self, limit: Self) -> bool {
        self.wall > limit.wall || self.boot > limit.boot
    }

    /// Whether what was read at `at` and lasts this long is fresh now: both clocks must say so.
    /// What the wall clock dates further ahead than it lasts is not: the clock was set back.
    pub fn is_within(self, lasts: Duration, at: Self) -> bool {
        let lasts = lasts.as_nanos();
        let by_wall = u128::from(self.wall.abs_diff(at.wall)) <= lasts;
        let by_boot = u128::from(self.boot.saturating_sub(at.boot).unsigned_abs()) <= lasts;
        by_wall && by_boot
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    /// The moment this much later by both clocks.
    fn add(self, later: Duration) -> Self {
        Self {
            wall: self.wall.saturating_add(nanos(later)),
            boot: self.boot.saturating_add(nanos(later)),
        }
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    /// The moment this much earlier by both clocks.
    fn sub(self, earlier: Duration) -> Self {
        Self {
            wall: self.wall.saturating_sub(nanos(earlier)),
            boot: self.boot.saturating_sub(nanos(earlier)),
        }
    }
}

fn nanos(length: Duration) -> i64 {
    length.as_nanos().try_into().unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LASTS: Duration = Duration::from_mins(15);
    const INSTANT: Duration = Duration::from_nanos(1);
    const HOUR: Duration = Duration::from_hours(1);

    fn at(wall: Duration, boot: Duration) -> Timestamp {
        Timestamp::new(SystemTime::UNIX_EPOCH + wall, boot)
    }

    fn now() -> Timestamp {
        at(Duration::from_hours(500_000), HOUR)
    }

    #[test]
    fn both_clocks_are_kept_to_the_nanosecond() {
        let wall = Duration::new(1_800_000_000, 123_456_789);
        let moment = at(wall, INSTANT);
        assert_eq!(moment.wall(), SystemTime::UNIX_EPOCH + wall);
        assert_eq!(moment.boot(), INSTANT);
        let before = Timestamp::new(SystemTime::UNIX_EPOCH - wall, INSTANT);
        assert_eq!(before.wall(), SystemTime::UNIX_EPOCH - wall);
        assert_eq!(size_of::<Timestamp>(), 16);
    }

    #[test]
    fn times_beyond_the_range_are_cut_off() {
        let far = Duration::from_secs(u64::MAX / 2);
        let moment = at(far, Duration::MAX);
        let most = Duration::from_nanos(i64::MAX.unsigned_abs());
        assert_eq!(moment.wall(), SystemTime::UNIX_EPOCH + most);
        assert_eq!(moment.boot(), most);
        assert_eq!((now() - Duration::MAX).boot(), Duration::ZERO);
        assert_eq!((now() + Duration::MAX).boot(), most);
    }

    #[test]
    fn a_reading_is_fresh_while_both_clocks_say_so() {
        let back = now() - LASTS;
        assert!(now().is_within(LASTS, now()));
        assert!(now().is_within(LASTS, back));
        assert!(!now().is_within(LASTS, back - INSTANT));
        let wall = Duration::from_hours(500_000);
        assert!(
            !at(wall, HOUR + LASTS + INSTANT).is_within(LASTS, now()),
            "boot"
        );
        assert!(
            !at(wall + LASTS + INSTANT, HOUR).is_within(LASTS, now()),
            "wall"
        );
    }

    #[test]
    fn a_wall_clock_set_back_further_than_a_reading_lasts_makes_it_stale() {
        let back = |by: Duration| Timestamp::new((now() - by).wall(), HOUR);
        assert!(back(LASTS).is_within(LASTS, now()));
        assert!(!back(LASTS + INSTANT).is_within(LASTS, now()));
    }

    #[test]
    fn the_earliest_is_taken_clock_by_clock() {
        let a = at(HOUR, LASTS);
        let b = at(LASTS, HOUR);
        assert_eq!(a.earliest(b), at(LASTS, LASTS));
        assert_eq!(b.earliest(a), at(LASTS, LASTS));
    }
}
