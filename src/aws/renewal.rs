//! When a session is renewed: early enough for a whole poll, and not all sessions at once.

use std::time::Duration;

use tokio::time::Instant;

/// A poll and the retries of a failed renewal fit into this.
const LEAD_AT_LEAST: Duration = Duration::from_mins(5);
/// Ten thousand sessions opened in one sweep spread their renewals over this.
const SPREAD: Duration = Duration::from_mins(5);
/// The part of a short session's life that is kept in reserve, at least and at most.
const SHARE: (f64, f64) = (0.20, 0.25);

/// When to renew a session opened at `opened` that ends at `ends`; `spread` from 0 to 1 sets sessions apart.
pub(super) fn renew_at(opened: Instant, ends: Instant, spread: f64) -> Instant {
    let life = ends.duration_since(opened);
    opened + life.saturating_sub(lead(life, spread.clamp(0.0, 1.0)))
}

fn lead(life: Duration, spread: f64) -> Duration {
    let usual = LEAD_AT_LEAST + SPREAD.mul_f64(spread);
    let share = life.mul_f64(SHARE.0 + (SHARE.1 - SHARE.0) * spread);
    usual.min(share)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds_left(life: u64, spread: f64) -> u64 {
        let opened = Instant::now();
        let ends = opened + Duration::from_secs(life);
        ends.duration_since(renew_at(opened, ends, spread))
            .as_secs()
    }

    #[test]
    fn an_hour_is_renewed_five_to_ten_minutes_early() {
        assert_eq!(seconds_left(3_600, 0.0), 300);
        assert_eq!(seconds_left(3_600, 0.5), 450);
        assert_eq!(seconds_left(3_600, 1.0), 600);
    }

    #[test]
    fn a_short_session_is_renewed_in_the_last_quarter_of_its_life() {
        assert_eq!(seconds_left(900, 0.0), 180);
        assert_eq!(seconds_left(900, 1.0), 225);
        assert_eq!(seconds_left(20, 0.0), 4);
        assert_eq!(seconds_left(20, 1.0), 5);
    }

    #[test]
    fn ten_thousand_sessions_of_one_second_are_renewed_over_minutes() {
        let mut seconds = [0_u32; 300];
        let opened = Instant::now();
        let ends = opened + Duration::from_hours(1);
        for n in 0..10_000_u32 {
            let at = renew_at(opened, ends, f64::from(n) / 10_000.0);
            let early = ends.duration_since(at).as_secs();
            seconds[usize::try_from(early - 300).expect("small")] += 1;
        }
        assert!(seconds.iter().all(|n| (32..36).contains(n)), "{seconds:?}");
    }

    #[test]
    fn a_session_that_is_over_is_renewed_now() {
        let now = Instant::now();
        assert_eq!(renew_at(now, now, 0.5), now);
    }
}
