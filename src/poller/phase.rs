//! When an account's polls are due: at a stable phase of the wall clock, so that a fleet spreads over its interval and a restart moves nothing.

use std::time::{Duration, SystemTime};

use crate::directory::AccountKey;

/// How late a tick may come and still be polled at; a machine that slept longer has missed it, and the next tick is soon enough.
const LATE_AFTER: Duration = Duration::from_secs(10);

/// An account's place in its interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Phase {
    interval: Duration,
    offset: Duration,
}

impl Phase {
    /// The phase of an account: ticks are those times since the UNIX epoch that leave this offset when divided by the interval.
    pub fn of(key: &AccountKey, interval: Duration) -> Self {
        Self::at(key.stable_hash(0), interval)
    }

    /// A phase that is this process's own, for an account that other processes poll as well.
    pub fn of_its_own(interval: Duration) -> Self {
        Self::at(fastrand::u64(..), interval)
    }

    fn at(place: u64, interval: Duration) -> Self {
        let nanos = interval.as_nanos().max(1);
        let offset = (u128::from(place) * nanos) >> 64;
        Self {
            interval: from_nanos(nanos),
            offset: from_nanos(offset),
        }
    }

    /// The first tick after `now`. `last`, the tick just served, is not served again should the clock still be a little before it; a clock that was
    /// set back is followed.
    pub fn next(self, now: SystemTime, last: Option<SystemTime>) -> SystemTime {
        let little = self.interval / 2;
        let early = |last: &SystemTime| last.duration_since(now).is_ok_and(|by| by < little);
        let after = last.filter(early).unwrap_or(now);
        let since_epoch = after.duration_since(SystemTime::UNIX_EPOCH);
        let past = self.into_interval(since_epoch.unwrap_or_default());
        after + self.interval.saturating_sub(past)
    }

    /// How long ago the last tick at or before `since_epoch` was.
    fn into_interval(self, since_epoch: Duration) -> Duration {
        let interval = self.interval.as_nanos();
        let shifted = since_epoch.as_nanos() + interval - self.offset.as_nanos();
        from_nanos(shifted % interval)
    }

    /// Whether a tick was slept through: it is not made up for.
    pub fn is_missed(self, tick: SystemTime, now: SystemTime) -> bool {
        let late = now.duration_since(tick).unwrap_or_default();
        late > LATE_AFTER.min(self.interval / 2)
    }
}

fn from_nanos(nanos: u128) -> Duration {
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_mins(5);

    fn key(n: u64) -> AccountKey {
        AccountKey::Id(format!("{n:012}").parse().expect("12 digits"))
    }

    fn at(seconds: f64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_hours(500_000) + Duration::from_secs_f64(seconds)
    }

    #[test]
    fn the_next_tick_is_within_one_interval_and_the_one_after_it_one_interval_later() {
        for n in 0..500 {
            let phase = Phase::of(&key(n), INTERVAL);
            let tick = phase.next(at(0.0), None);
            assert!(tick > at(0.0) && tick <= at(300.0), "{n}");
            assert_eq!(phase.next(tick, Some(tick)), tick + INTERVAL);
        }
    }

    #[test]
    fn a_restart_does_not_move_a_phase() {
        let tick = Phase::of(&key(7), INTERVAL).next(at(0.0), None);
        for later in [1.0, 299.0, 12_345.0, 1e6] {
            let again = Phase::of(&key(7), INTERVAL).next(at(later), None);
            let apart = again.duration_since(tick).expect("later").as_nanos();
            assert_eq!(apart % INTERVAL.as_nanos(), 0);
        }
    }

    #[test]
    fn the_phases_of_a_fleet_are_even() {
        let mut buckets = [0_u32; 10];
        for n in 0..10_000 {
            let tick = Phase::of(&key(n), INTERVAL).next(at(0.0), None);
            let wait = tick.duration_since(at(0.0)).expect("later").as_millis();
            buckets[usize::try_from((wait - 1) / 30_000).expect("small")] += 1;
        }
        assert!(
            buckets.iter().all(|n| (900..1100).contains(n)),
            "{buckets:?}"
        );
    }

    #[test]
    fn a_tick_is_not_served_twice_when_the_timer_fires_a_little_early() {
        let phase = Phase::of(&key(7), INTERVAL);
        let tick = phase.next(at(0.0), None);
        let early = tick - Duration::from_millis(3);
        assert_eq!(phase.next(early, Some(tick)), tick + INTERVAL);
        assert_eq!(phase.next(early, None), tick);
    }

    #[test]
    fn a_clock_set_back_is_followed() {
        let phase = Phase::of(&key(7), INTERVAL);
        let tick = phase.next(at(0.0), None);
        let back = tick - Duration::from_hours(1);
        assert!(phase.next(back, Some(tick)) <= back + INTERVAL);
    }

    #[test]
    fn a_tick_slept_through_is_missed_and_a_late_one_is_not() {
        let phase = Phase::of(&key(7), INTERVAL);
        let tick = phase.next(at(0.0), None);
        assert!(!phase.is_missed(tick, tick - Duration::from_secs(1)));
        assert!(!phase.is_missed(tick, tick + Duration::from_secs(10)));
        assert!(phase.is_missed(tick, tick + Duration::from_secs(11)));
    }

    #[test]
    fn a_time_before_the_epoch_has_a_next_tick() {
        let before = SystemTime::UNIX_EPOCH - Duration::from_secs(5);
        assert!(Phase::of(&key(7), INTERVAL).next(before, None) > before);
    }
}
