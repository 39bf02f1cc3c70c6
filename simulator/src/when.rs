//! Moments and clock offsets as a world file writes them: `9h ago`, `every 5m`, `never`, `2026-01-31T12:00:00Z`, `-10m`. Pure values: nothing here reads a clock.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// When something happened, or keeps happening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// `never`.
    Never,
    /// `9h ago`: before the moment this entered the world; pinned then.
    Ago(Duration),
    /// `every 5m`: again and again; the latest time is never older than this.
    Every(Duration),
    /// A fixed moment.
    At(SystemTime),
}

impl When {
    /// The same moment, with an age turned into a time.
    #[must_use]
    pub fn pinned(self, now: SystemTime) -> Self {
        match self {
            Self::Ago(age) => Self::At(now.checked_sub(age).unwrap_or(UNIX_EPOCH)),
            other => other,
        }
    }

    /// The latest such moment at or before `now`; `phase` shifts the beat of `every`, so that a fleet does not move in step.
    pub fn latest(self, now: SystemTime, phase: Duration) -> Option<SystemTime> {
        match self.pinned(now) {
            Self::Never | Self::Ago(_) => None,
            Self::At(time) => Some(time),
            Self::Every(period) => Some(last_beat(now, period, phase)),
        }
    }
}

/// The last multiple of `period`, shifted by `phase`, at or before `now`.
fn last_beat(now: SystemTime, period: Duration, phase: Duration) -> SystemTime {
    let since = now
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_millis();
    let period = period.as_millis().max(1);
    let late = (since + period - phase.as_millis() % period) % period;
    let beat = u64::try_from(since.saturating_sub(late)).unwrap_or(0);
    UNIX_EPOCH + Duration::from_millis(beat)
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("never"),
            Self::Ago(age) => write!(f, "{} ago", humantime::format_duration(*age)),
            Self::Every(period) => write!(f, "every {}", humantime::format_duration(*period)),
            Self::At(time) => write!(f, "{}", humantime::format_rfc3339_millis(*time)),
        }
    }
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let parsed = if text == "never" {
            Some(Self::Never)
        } else if let Some(age) = text.strip_suffix(" ago") {
            humantime::parse_duration(age).ok().map(Self::Ago)
        } else if let Some(period) = text.strip_prefix("every ") {
            humantime::parse_duration(period)
                .ok()
                .filter(|period| !period.is_zero())
                .map(Self::Every)
        } else {
            humantime::parse_rfc3339_weak(text).ok().map(Self::At)
        };
        parsed.ok_or_else(|| format!("{text:?} is no moment: write `never`, `9h ago`, `every 5m` or `2026-01-31T12:00:00Z`"))
    }
}

/// How far a clock is ahead of (or, with a minus, behind) ours: `10m`, `-10m`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offset {
    behind: bool,
    by: Duration,
}

impl Offset {
    /// A clock ahead of ours.
    pub fn ahead(by: Duration) -> Self {
        Self { behind: false, by }
    }

    /// A clock behind ours.
    pub fn behind(by: Duration) -> Self {
        Self { behind: true, by }
    }

    /// What such a clock shows at our `now`.
    pub fn apply(self, now: SystemTime) -> SystemTime {
        let shown = if self.behind {
            now.checked_sub(self.by)
        } else {
            now.checked_add(self.by)
        };
        shown.unwrap_or(now)
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.behind { "-" } else { "" };
        write!(f, "{sign}{}", humantime::format_duration(self.by))
    }
}

impl FromStr for Offset {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let behind = text.starts_with('-');
        let by = humantime::parse_duration(text.trim_start_matches(['-', '+']));
        by.map(|by| Self { behind, by })
            .map_err(|_| format!("{text:?} is no clock offset: write `10m` or `-10m`"))
    }
}

/// Serde for types that are one string in a file.
macro_rules! as_text {
    ($type:ty) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?
                    .parse()
                    .map_err(serde::de::Error::custom)
            }
        }
    };
}

as_text!(When);
as_text!(Offset);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn every_moment_reads_back_as_it_was_written() {
        for text in ["never", "9h ago", "every 5m", "2026-01-31T12:00:00.000Z"] {
            assert_eq!(text.parse::<When>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_moment_is_refused_with_what_to_write() {
        for text in ["", "soon", "5m", "every 0s", "ago", "every"] {
            assert!(
                text.parse::<When>().unwrap_err().contains("9h ago"),
                "{text}"
            );
        }
    }

    #[test]
    fn an_age_stands_still_once_pinned() {
        let pinned = When::Ago(Duration::from_mins(1)).pinned(at(1_000));
        assert_eq!(pinned.latest(at(5_000), Duration::ZERO), Some(at(940)));
    }

    #[test]
    fn a_beat_is_never_older_than_its_period_and_moves_with_the_clock() {
        let beat = When::Every(Duration::from_mins(5));
        assert_eq!(beat.latest(at(1_000), Duration::ZERO), Some(at(900)));
        assert_eq!(beat.latest(at(1_200), Duration::ZERO), Some(at(1_200)));
        assert_eq!(
            beat.latest(at(1_000), Duration::from_secs(70)),
            Some(at(970))
        );
    }

    #[test]
    fn an_offset_has_a_sign() {
        let behind: Offset = "-10m".parse().unwrap();
        assert_eq!(behind.apply(at(1_000)), at(400));
        assert_eq!(behind.to_string(), "-10m");
        assert!("ten".parse::<Offset>().is_err());
    }
}
