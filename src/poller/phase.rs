//! When an account's polls are due: at a stable phase of its interval, so that a fleet spreads over
//! it and a restart moves nothing.
//!
//! The wall clock is read once, at the start; from then on ticks follow the monotonic clock alone.
//! Setting the wall clock causes neither a burst nor a pause. While the host sleeps that clock
//! stands still, so all accounts wait for the rest of their intervals afterwards, spread as before.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::directory::AccountKey;

/// How late a tick may come and still be polled at; a process stopped for longer has missed it, and the
/// next tick is soon enough.
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

    /// The first tick after this instant.
    pub fn next(self, anchor: Anchor, after: Instant) -> Instant {
        let past = self.into_interval(anchor.since_epoch(after));
        after + self.interval.saturating_sub(past)
    }

    /// How long ago the last tick at or before `since_epoch` was.
    fn into_interval(self, since_epoch: Duration) -> Duration {
        let interval = self.interval.as_nanos();
        let shifted = since_epoch.as_nanos() + interval - self.offset.as_nanos();
        from_nanos(shifted % interval)
    }

    /// Whether a tick comes too late: it is not made up for.
    pub fn is_missed(self, tick: Instant, now: Instant) -> bool {
        let late = now.saturating_duration_since(tick);
        late > LATE_AFTER.min(self.interval / 2)
    }
}

/// What the wall clock showed at one instant: ties ticks to the time of day, once.
#[derive(Debug, Clone, Copy)]
pub struct Anchor {
    since_epoch: Duration,
    at: Instant,
}

impl Anchor {
    /// The wall clock shows this at that instant.
    pub fn new(wall: SystemTime, at: Instant) -> Self {
        let since_epoch = wall.duration_since(SystemTime::UNIX_EPOCH);
        let since_epoch = since_epoch.unwrap_or_default();
        Self { since_epoch, at }
    }

    /// What the wall clock would show had it never been set since.
    fn since_epoch(self, instant: Instant) -> Duration {
        let passed = instant.saturating_duration_since(self.at);
        self.since_epoch + passed
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

    /// The wall clock shows so many seconds after a full hour now.
    fn anchor(seconds: u64) -> Anchor {
        let wall = Duration::from_hours(500_000) + Duration::from_secs(seconds);
        Anchor::new(SystemTime::UNIX_EPOCH + wall, Instant::now())
    }

    /// How long after the anchor an account is polled next.
    fn wait(account: u64, anchor: Anchor) -> Duration {
        Phase::of(&key(account), INTERVAL).next(anchor, anchor.at) - anchor.at
    }

    #[test]
    fn the_next_tick_is_within_one_interval_and_the_one_after_it_one_interval_later() {
        let anchor = anchor(0);
        for n in 0..500 {
            let phase = Phase::of(&key(n), INTERVAL);
            let tick = phase.next(anchor, anchor.at);
            assert!(tick > anchor.at && tick <= anchor.at + INTERVAL, "{n}");
            assert_eq!(phase.next(anchor, tick), tick + INTERVAL);
        }
    }

    #[test]
    fn a_restart_does_not_move_a_phase() {
        let before = anchor(0);
        for later in [1, 299, 12_345, 1_000_000] {
            let apart = Duration::from_secs(later) + wait(7, anchor(later));
            let moved = apart.abs_diff(wait(7, before)).as_nanos();
            assert_eq!(moved % INTERVAL.as_nanos(), 0);
        }
    }

    #[test]
    fn the_phases_of_a_fleet_are_even() {
        let mut buckets = [0_u32; 10];
        let anchor = anchor(0);
        for n in 0..10_000 {
            let wait = wait(n, anchor).as_millis();
            buckets[usize::try_from((wait - 1) / 30_000).expect("small")] += 1;
        }
        assert!(
            buckets.iter().all(|n| (900..1100).contains(n)),
            "{buckets:?}"
        );
    }

    #[test]
    fn a_tick_that_comes_too_late_is_missed() {
        let anchor = anchor(0);
        let phase = Phase::of(&key(7), INTERVAL);
        let tick = phase.next(anchor, anchor.at);
        assert!(!phase.is_missed(tick, anchor.at));
        assert!(!phase.is_missed(tick, tick + Duration::from_secs(10)));
        assert!(phase.is_missed(tick, tick + Duration::from_secs(11)));
        let quick = Phase::of(&key(7), Duration::from_secs(2));
        assert!(quick.is_missed(tick, tick + Duration::from_millis(1_001)));
    }

    #[test]
    fn a_clock_before_the_epoch_has_a_next_tick() {
        let before = SystemTime::UNIX_EPOCH - Duration::from_secs(5);
        let anchor = Anchor::new(before, Instant::now());
        assert!(wait(7, anchor) <= INTERVAL);
    }
}
