//! The real clocks. The one place where judgement's `now` comes from.

use std::time::{Duration, SystemTime};

use nix::time::{ClockId, clock_gettime};

use crate::timestamp::Timestamp;

/// This moment. Boot time is read first, so that a process stopped between the two readings dates
/// an answer too old, never too young.
pub fn now() -> Timestamp {
    let boot = boot();
    Timestamp::new(SystemTime::now(), boot)
}

/// `CLOCK_BOOTTIME`: how long the host has been up, sleep included.
#[expect(
    clippy::expect_used,
    reason = "Linux has had this clock since 2.6.39; without it no age would be true"
)]
fn boot() -> Duration {
    clock_gettime(ClockId::CLOCK_BOOTTIME)
        .expect("the kernel has CLOCK_BOOTTIME")
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_clocks_run() {
        let first = now();
        let wall = SystemTime::now();
        let apart = wall
            .duration_since(first.wall())
            .unwrap_or_else(|e| e.duration());
        assert!(apart < Duration::from_mins(1), "{apart:?}");
        assert!(first.boot() > Duration::ZERO);
        assert!(now().boot() >= first.boot());
    }
}
