//! Times, for machines and for people.

use std::time::{Duration, SystemTime};

use serde::{Serialize, Serializer};

/// A time, written as RFC 3339 in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Time(pub(crate) SystemTime);

impl Time {
    /// How long ago it was at `now`, in words.
    pub(crate) fn age(self, now: SystemTime) -> String {
        match now.duration_since(self.0) {
            Ok(ago) => format!("{} ago", age(ago)),
            Err(ahead) if ahead.duration() < Duration::from_secs(1) => "now".into(),
            Err(ahead) => format!("in {}", age(ahead.duration())),
        }
    }
}

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // humantime has no words for a time before 1970; no clock of ours tells one.
        let at = self.0.max(SystemTime::UNIX_EPOCH);
        humantime::format_rfc3339_seconds(at).fmt(f)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A length of time in its largest unit, rounded down: as exact as a glance needs.
pub(crate) fn age(length: Duration) -> String {
    let seconds = length.as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_has_one_unit() {
        for (seconds, text) in [
            (0, "0 s"),
            (119, "119 s"),
            (120, "2 min"),
            (7_199, "119 min"),
            (7_200, "2 h"),
            (172_800, "2 days"),
            (40_000_000, "462 days"),
        ] {
            assert_eq!(age(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn a_time_is_past_now_or_ahead() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_hours(500_000);
        let minutes = Duration::from_mins(10);
        assert_eq!(Time(now).to_string(), "2027-01-15T08:00:00Z");
        assert_eq!(Time(now - minutes).age(now), "10 min ago");
        assert_eq!(Time(now + minutes).age(now), "in 10 min");
        assert_eq!(Time(now + Duration::from_millis(3)).age(now), "now");
    }
}
