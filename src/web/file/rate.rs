//! `rate_limit`: how often the server may be asked.

use std::num::NonZeroU32;
use std::time::Duration;

use super::tree::Table;

/// What a burst may add up to: it is counted in nanoseconds, of which 64 bits hold less than 600 years.
const LONGEST: Duration = Duration::from_hours(24 * 365);

/// One request each interval, and some more at once after a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RateLimit {
    /// From one request to the next.
    pub(crate) interval: Duration,
    /// Requests at once.
    pub(crate) burst: NonZeroU32,
}

impl RateLimit {
    /// What the file says; none if the interval is 0.
    pub(super) fn of(root: &mut Table<'_>) -> Option<Self> {
        let mut table = root.table("rate_limit", &["interval", "burst"])?;
        let interval = table.duration("interval").unwrap_or_default();
        let burst = table.number("burst");
        if interval.is_zero() {
            return None;
        }
        let burst = burst.and_then(NonZeroU32::new);
        if burst.is_none() {
            table.tell(
                "burst",
                "must be 1 or more, else no request is ever answered",
            );
        }
        let burst = burst?;
        if interval
            .checked_mul(burst.get())
            .is_none_or(|all| all > LONGEST)
        {
            table.tell(
                "interval",
                "times burst is more than a year; write less of either",
            );
        }
        Some(Self { interval, burst })
    }
}
